//! Notices on their way: written down before they are sent, crossed out after. A restart in between repeats at most the one that
//! was on its way, under the same id.

use super::digest::{Memory, Notice, Problem};
use super::mail::{self, MailTo};
use super::webhook::{self, WebhookTo};
use jiff::Timestamp;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest time for all notices of one sync; the next sync goes on.
const ALL: Duration = Duration::from_secs(30);
/// Version of the file.
const SCHEMA: u32 = 1;

/// Where notices go. A channel that cannot be used now (its secret is not there) says why: its notices wait.
#[derive(Clone, Debug, Default)]
pub struct Channels {
    /// A webhook.
    pub webhook: Option<Result<WebhookTo, String>>,
    /// An e-mail.
    pub mail: Option<Result<MailTo, String>>,
}

impl Channels {
    fn names(&self) -> Vec<&'static str> {
        let webhook = self.webhook.as_ref().map(|_| WEBHOOK);
        let mail = self.mail.as_ref().map(|_| MAIL);
        webhook.into_iter().chain(mail).collect()
    }
}

const WEBHOOK: &str = "webhook";
const MAIL: &str = "mail";

/// Why nobody can be told.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// The memory of notices cannot be read or written.
    #[error("cannot use `{path}`: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A newer program wrote it.
    #[error("`{path}` has version {found}, this program knows {SCHEMA}: use the newer program")]
    Newer {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// No address.
    #[error("{0}")]
    Address(String),
}

/// What became of notices.
#[derive(Debug, Default)]
pub struct Sent {
    /// Deliveries that succeeded.
    pub sent: u64,
    /// Those that did not, and why; they are tried again by the next sync.
    pub failed: Vec<String>,
}

/// Takes what a sync found, and sends what is to be told of it, with what waits from before. `path`: the memory of the site.
///
/// # Errors
/// [`NotifyError`]; then nobody was told.
pub async fn tell(
    path: &Path,
    site: &str,
    problems: Vec<Problem>,
    now: Timestamp,
    interval: Duration,
    channels: &Channels,
) -> Result<Sent, NotifyError> {
    let names = channels.names();
    if names.is_empty() && !path.exists() {
        return Ok(Sent::default());
    }
    let _lock = lock(path).await?;
    let mut memory = read(path)?;
    memory.take(site, problems, now, interval, &names);
    for waiting in &mut memory.waiting {
        waiting.channels.retain(|c| names.contains(&c.as_str()));
    }
    memory.waiting.retain(|w| !w.channels.is_empty());
    save(path, &memory)?;
    send(path, &mut memory, channels).await
}

async fn send(path: &Path, memory: &mut Memory, channels: &Channels) -> Result<Sent, NotifyError> {
    let began = Instant::now();
    let mut sent = Sent::default();
    let mut at = 0;
    while let Some(waiting) = memory.waiting.get(at) {
        let notice = waiting.notice.clone();
        for name in waiting.channels.clone() {
            let left = ALL.saturating_sub(began.elapsed());
            let outcome = tokio::time::timeout(left, one(&name, &notice, channels))
                .await
                .unwrap_or_else(|_| Err(format!("no end within {} s", ALL.as_secs())));
            match outcome {
                Ok(()) => {
                    sent.sent += 1;
                    memory.waiting[at].channels.remove(&name);
                    save(path, memory)?;
                }
                Err(why) => sent.failed.push(format!("{name}: {why}")),
            }
        }
        if memory.waiting[at].channels.is_empty() {
            memory.waiting.remove(at);
            save(path, memory)?;
        } else {
            at += 1;
        }
    }
    Ok(sent)
}

async fn one(name: &str, notice: &Notice, channels: &Channels) -> Result<(), String> {
    match (name, &channels.webhook, &channels.mail) {
        (WEBHOOK, Some(Ok(to)), _) => webhook::send(to, notice).await,
        (MAIL, _, Some(Ok(to))) => mail::send(to, notice).await,
        (WEBHOOK, Some(Err(why)), _) | (MAIL, _, Some(Err(why))) => Err(why.clone()),
        _ => Ok(()),
    }
}

/// One process at a time; whoever holds it is bounded in time.
async fn lock(path: &Path) -> Result<std::fs::File, NotifyError> {
    let name = beside(path, ".lock");
    let io = {
        let name = name.clone();
        move |source| NotifyError::Io { path: name, source }
    };
    let work = tokio::task::spawn_blocking(move || {
        let file = std::fs::File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(name)?;
        file.lock()?;
        Ok(file)
    });
    work.await
        .unwrap_or_else(|e| Err(std::io::Error::other(e)))
        .map_err(io)
}

fn read(path: &Path) -> Result<Memory, NotifyError> {
    let io = |source| NotifyError::Io {
        path: path.to_owned(),
        source,
    };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Memory::default()),
        Err(error) => return Err(io(error)),
    };
    let head: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    if let Some(found) = head["schema"].as_u64().and_then(|v| u32::try_from(v).ok())
        && found > SCHEMA
    {
        return Err(NotifyError::Newer {
            path: path.to_owned(),
            found,
        });
    }
    match serde_json::from_str(&text) {
        Ok(memory) => Ok(memory),
        Err(error) => {
            // To tell something twice is better than to tell nothing any more.
            tracing::warn!(
                "`{}` cannot be read ({error}): notices begin anew",
                path.display()
            );
            std::fs::rename(path, beside(path, ".bad")).map_err(io)?;
            Ok(Memory::default())
        }
    }
}

/// Durable before the first notice leaves.
fn save(path: &Path, memory: &Memory) -> Result<(), NotifyError> {
    let io = |source| NotifyError::Io {
        path: path.to_owned(),
        source,
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    let json = serde_json::to_vec_pretty(memory).map_err(|e| io(e.into()))?;
    let mut file = tempfile::Builder::new()
        .prefix(".part-")
        .tempfile_in(folder)
        .map_err(io)?;
    file.write_all(&json)
        .and_then(|()| file.as_file().sync_all())
        .map_err(io)?;
    file.persist(path).map_err(|e| io(e.error))?;
    std::fs::File::open(folder).and_then(|f| f.sync_all()).map_err(io)
}

fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}
