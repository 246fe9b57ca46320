//! Finding, starting and ending Chromium.

use super::pipe::Pipe;
use super::{Failure, NotFound};
use command_fds::{CommandFdExt as _, FdMapping};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::{Pid, Uid};
use serde_json::json;
use std::ffi::OsStr;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Usual names of the program, in the order in which they are looked for.
const NAMES: [&str; 6] = [
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "chrome",
    "headless_shell",
];
/// Where macOS keeps it.
const PLACES: [&str; 2] = [
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];
/// Longest time until the browser answers at all.
const START: Duration = Duration::from_secs(30);
/// What is shown of its complaints, in bytes.
const MAX_COMPLAINT: u64 = 2000;

/// No network of its own (every request is answered by us; what is not asked for through us finds no name and no proxy),
/// nothing in the background, one profile that is thrown away.
const FLAGS: [&str; 26] = [
    "--headless",
    "--remote-debugging-pipe",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--proxy-server=http://127.0.0.1:9",
    "--proxy-bypass-list=<-loopback>",
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--disable-quic",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--disable-default-apps",
    "--disable-component-update",
    "--disable-component-extensions-with-background-pages",
    "--disable-background-networking",
    "--disable-domain-reliability",
    "--disable-breakpad",
    "--disable-client-side-phishing-detection",
    "--disable-features=Translate,OptimizationHints,MediaRouter,DialMediaRouteProvider,InterestFeedContentSuggestions",
    "--disable-background-timer-throttling",
    "--disable-renderer-backgrounding",
    "--metrics-recording-only",
    "--mute-audio",
    "--no-first-run",
    "--no-default-browser-check",
    "--js-flags=--max-old-space-size=512",
];

/// The program: `asked`, else `SANGTRANG_CHROMIUM`, else a usual name in PATH.
///
/// # Errors
/// When there is none.
pub fn find(asked: Option<&Path>) -> Result<PathBuf, NotFound> {
    let named = asked.map(Path::to_owned).or_else(|| {
        let path = std::env::var_os("SANGTRANG_CHROMIUM").filter(|p| !p.is_empty())?;
        Some(PathBuf::from(path))
    });
    let path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = |name: &OsStr| {
        std::env::split_paths(&path)
            .map(|d| d.join(name))
            .find(|p| p.is_file())
    };
    if let Some(named) = named {
        let found = if named.components().count() == 1 {
            in_path(named.as_os_str())
        } else {
            Some(named.clone()).filter(|p| p.is_file())
        };
        return found.ok_or_else(|| NotFound {
            looked: format!("`{}`", named.display()),
        });
    }
    let usual = NAMES.iter().find_map(|name| in_path(OsStr::new(name)));
    let found = usual.or_else(|| PLACES.iter().map(PathBuf::from).find(|p| p.is_file()));
    found.ok_or_else(|| NotFound {
        looked: format!("{} in PATH", NAMES.map(|n| format!("`{n}`")).join(", ")),
    })
}

/// A running browser. Dropping it ends all of its processes; when we are killed, the pipe closes and it ends itself.
pub struct Process {
    /// The wire to it.
    pub pipe: Pipe,
    /// `Chromium 148`.
    pub version: String,
    child: Child,
    // After the child: fields are dropped in this order.
    _profile: tempfile::TempDir,
}

impl Process {
    /// Starts the program with a fresh profile.
    ///
    /// # Errors
    /// When it cannot be started, or does not answer.
    pub async fn start(program: &Path, user_agent: &str) -> Result<Self, Failure> {
        let failed = |text: String| Failure::new("browser-start", format!("`{}`: {text}", program.display()));
        let io = |e: std::io::Error| failed(e.to_string());
        let profile = tempfile::Builder::new()
            .prefix("sangtrang-chromium-")
            .tempdir()
            .map_err(io)?;
        let (their_in, our_out) = std::io::pipe().map_err(io)?;
        let (our_in, their_out) = std::io::pipe().map_err(io)?;
        let complaints = profile.path().join("stderr");
        let stderr = fs_err::File::create(&complaints).map_err(io)?;
        let mut command = Command::new(program);
        command
            .args(FLAGS)
            .arg(format!("--user-agent={user_agent}"))
            .arg(format!(
                "--user-data-dir={}",
                profile.path().join("profile").display()
            ))
            .env("HOME", profile.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(stderr.into_parts().0)
            .process_group(0);
        if Uid::effective().is_root() {
            // Chromium refuses to run as root with its sandbox.
            tracing::warn!("running as root: Chromium runs without its sandbox");
            command.arg("--no-sandbox");
        }
        if let Ok(more) = std::env::var("SANGTRANG_CHROMIUM_ARGS") {
            command.args(more.split_whitespace());
        }
        command.arg("about:blank");
        let mappings = vec![
            FdMapping {
                parent_fd: their_in.into(),
                child_fd: 3,
            },
            FdMapping {
                parent_fd: their_out.into(),
                child_fd: 4,
            },
        ];
        command.fd_mappings(mappings).map_err(|e| failed(e.to_string()))?;
        let child = command.spawn().map_err(io)?;
        // The command holds their ends of the pipes: only without it do we see theirs close.
        drop(command);
        let pipe = Pipe::new(our_out, our_in).map_err(io)?;
        let mut process = Self {
            pipe,
            version: String::new(),
            child,
            _profile: profile,
        };
        let asked = process.pipe.call("", "Browser.getVersion", json!({}));
        match tokio::time::timeout(START, asked).await {
            Ok(Ok(answer)) => {
                let product = answer["product"].as_str().unwrap_or_default();
                let number = product
                    .rsplit('/')
                    .next()
                    .and_then(|v| v.split('.').next())
                    .unwrap_or_default();
                process.version = format!("Chromium {number}");
                Ok(process)
            }
            other => {
                let mut text = String::new();
                if let Ok(file) = fs_err::File::open(&complaints) {
                    let _ = file.take(MAX_COMPLAINT).read_to_string(&mut text);
                }
                let why = match other {
                    Err(_) => format!("no answer in {} s", START.as_secs()),
                    Ok(_) => "it ended at once".to_owned(),
                };
                let hint = "where its sandbox is not available, set SANGTRANG_CHROMIUM_ARGS=--no-sandbox";
                Err(failed(format!("{why}; {hint}; it says: {}", text.trim())))
            }
        }
    }

    /// Its process id.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // The leader has not been waited for, so its number is still its own.
        if let Ok(id) = i32::try_from(self.child.id()) {
            let _ = killpg(Pid::from_raw(id), Signal::SIGKILL);
        }
        let _ = self.child.wait();
    }
}
