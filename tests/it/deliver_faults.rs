//! A bad day between us and a real CMS (WordPress, Directus): whatever is refused, lost, cut or killed, the CMS ends with exactly one whole
//! entry a document and one file a picture.

use crate::cms::{Cms, MAPPING, WordPress, extracted};
use crate::support::{documents, text};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// 429, with Retry-After 0, none, or a date.
    Limited(u8),
    Unavailable,
    /// The connection is reset before the CMS hears of it.
    ResetBefore,
    /// The CMS carries it out, and its answer is lost.
    ResetAfter,
    /// Half of the answer comes.
    Cut,
    /// An HTML page of something before the CMS, in the place of the answer to what was carried out.
    HtmlAfter,
    /// The same with 200.
    HtmlOk,
    Slow,
    /// The process is killed when the request has come, not yet forwarded.
    KillBefore,
    /// The process is killed when the CMS has carried it out, and knows nothing of it.
    KillAfter,
}

/// A schedule of faults, by request.
struct Schedule {
    seed: u64,
    asked: AtomicU32,
    /// One request in so many goes wrong; 0: none.
    share: u64,
    /// Kill at this request.
    kill: Option<(u32, bool)>,
    victim: Mutex<Option<u32>>,
}

impl Schedule {
    fn next(&self, method: &str) -> Fault {
        let n = self.asked.fetch_add(1, Ordering::SeqCst);
        if let Some((at, before)) = self.kill
            && n == at
        {
            return if before {
                Fault::KillBefore
            } else {
                Fault::KillAfter
            };
        }
        let mut random =
            fastrand::Rng::with_seed(self.seed.wrapping_mul(0x9e37_79b9).wrapping_add(u64::from(n)));
        if self.share == 0 || random.u64(..self.share) != 0 {
            return Fault::None;
        }
        let fault = match random.u8(..11) {
            n @ 0..=2 => Fault::Limited(n),
            3 => Fault::Unavailable,
            4 => Fault::ResetBefore,
            5 | 6 => Fault::ResetAfter,
            7 => Fault::Cut,
            8 => Fault::HtmlAfter,
            9 => Fault::HtmlOk,
            _ => Fault::Slow,
        };
        // The files themselves are read without the interface; a page there is nobody's answer.
        if method == "GET" && fault == Fault::HtmlOk {
            Fault::Cut
        } else {
            fault
        }
    }

    fn kill(&self) {
        if let Some(pid) = self.victim.lock().unwrap().take() {
            let _ = Command::new("kill").args(["-9", &pid.to_string()]).status();
        }
    }
}

/// Serves `schedule` before the CMS at `to`.
fn proxy(to: SocketAddr, schedule: Arc<Schedule>) -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let schedule = schedule.clone();
                tokio::spawn(async move {
                    // A client that goes away in the middle is part of the game.
                    let _ = serve(stream, to, &schedule).await;
                });
            }
        });
    });
    told.recv().unwrap()
}

async fn serve(mut client: TcpStream, to: SocketAddr, schedule: &Schedule) -> std::io::Result<()> {
    let mut request = Vec::new();
    let (head, length) = loop {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
        if let Some(end) = memchr::memmem::find(&request, b"\r\n\r\n") {
            let head = text(&request[..end]);
            let length = head
                .lines()
                .find_map(|l| {
                    l.to_ascii_lowercase()
                        .strip_prefix("content-length:")
                        .map(str::to_owned)
                })
                .and_then(|l| l.trim().parse::<usize>().ok())
                .unwrap_or(0);
            break (head, end + 4 + length);
        }
    };
    while request.len() < length {
        if client.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let method = head.split(' ').next().unwrap_or_default().to_owned();
    let fault = schedule.next(&method);
    let say = |status: &str, more: &str, body: &str| {
        format!(
            "HTTP/1.1 {status}\r\n{more}content-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        )
    };
    match fault {
        Fault::Limited(how) => {
            let past = "retry-after: Mon, 23 Nov 2020 00:00:00 GMT\r\n";
            let more = ["retry-after: 0\r\n", "", past][usize::from(how)];
            let answer = say(
                "429 Too Many Requests",
                more,
                "{\"code\":\"too_many\",\"message\":\"slow down\"}",
            );
            return client.write_all(answer.as_bytes()).await;
        }
        Fault::Unavailable => {
            let answer = say(
                "503 Service Unavailable",
                "content-type: text/html\r\n",
                "<h1>Maintenance</h1>",
            );
            return client.write_all(answer.as_bytes()).await;
        }
        Fault::ResetBefore => {
            return socket2::SockRef::from(&client).set_linger(Some(std::time::Duration::ZERO));
        }
        Fault::KillBefore => {
            schedule.kill();
            return Ok(());
        }
        _ => {}
    }
    // One request a connection: the answer ends with it.
    let head = head
        .lines()
        .enumerate()
        .map(|(i, line)| match line.split_once(':') {
            Some((name, _)) if i > 0 && name.eq_ignore_ascii_case("host") => format!("host: {to}"),
            _ => line.to_owned(),
        })
        .collect::<Vec<_>>()
        .join("\r\n");
    let mut server = TcpStream::connect(to).await?;
    let body_at = memchr::memmem::find(&request, b"\r\n\r\n").unwrap() + 4;
    server
        .write_all(format!("{head}\r\nconnection: close\r\n\r\n").as_bytes())
        .await?;
    server.write_all(&request[body_at..]).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    match fault {
        Fault::KillAfter => {
            schedule.kill();
            Ok(())
        }
        Fault::ResetAfter => socket2::SockRef::from(&client).set_linger(Some(std::time::Duration::ZERO)),
        Fault::Cut => client.write_all(&answer[..answer.len() / 2]).await,
        Fault::HtmlAfter => {
            let page = say(
                "502 Bad Gateway",
                "content-type: text/html\r\n",
                "<h1>Bad Gateway</h1>",
            );
            client.write_all(page.as_bytes()).await
        }
        Fault::HtmlOk => {
            let page = say("200 OK", "content-type: text/html\r\n", "<h1>Just a moment</h1>");
            client.write_all(page.as_bytes()).await
        }
        Fault::Slow => {
            // In pieces: what is slow is no failure.
            for piece in answer.chunks(answer.len().div_ceil(4).max(1)) {
                client.write_all(piece).await?;
                client.flush().await?;
                tokio::task::yield_now().await;
            }
            Ok(())
        }
        _ => client.write_all(&answer).await,
    }
}

/// What a portal becomes: titles, and keys of files.
struct Truth {
    titles: Vec<String>,
    media: usize,
}

fn truth(output: &Path) -> Truth {
    let documents = documents(&output.join("ctk-binhthuan"));
    let mut titles: Vec<String> = documents
        .iter()
        .map(|d| d["title"].as_str().unwrap().to_owned())
        .collect();
    titles.sort();
    let media: BTreeSet<&str> = documents
        .iter()
        .flat_map(|d| {
            d["media"]
                .as_array()
                .unwrap()
                .iter()
                .chain(d["attachments"].as_array().unwrap())
        })
        .filter(|m| m["state"] == "ok")
        .map(|m| m["ref"].as_str().unwrap())
        .collect();
    Truth {
        titles,
        media: media.len(),
    }
}

/// The CMS holds exactly what it should, and everything of it is whole.
fn judge(cms: &dyn Cms, output: &Path, truth: &Truth, what: &str) {
    let held = cms.held();
    let mut titles: Vec<String> = held.iter().map(|h| h.0.clone()).collect();
    titles.sort();
    assert_eq!(titles, truth.titles, "{what}");
    assert!(held.iter().all(|h| h.1), "{what}");
    assert_eq!(cms.files(), truth.media, "{what}: one file a picture");
    let mut names = cms.terms();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all, "{what}");
    let folder = tempfile::tempdir().unwrap();
    let target = cms.target_at(folder.path(), cms.base(), "");
    let mut verify = cms.command();
    verify
        .args(["verify", MAPPING, "--target"])
        .arg(target)
        .arg("--output")
        .arg(output);
    let said = verify.output().unwrap();
    assert_eq!(said.status.code(), Some(0), "{what}: {}", text(&said.stderr));
}

/// Plans and applies through the proxy until it is done; answers how often it took.
fn deliver(cms: &dyn Cms, output: &Path, schedule: &Arc<Schedule>, what: &str) -> u32 {
    let to: SocketAddr = cms.base().strip_prefix("http://").unwrap().parse().unwrap();
    let through = proxy(to, schedule.clone());
    let target = cms.target_at(output, &format!("http://{through}"), "retries = 12\n");
    let plan = output.join("ctk-binhthuan/plan.json");
    let mut runs = 0;
    // A new plan after each failure: what an operator would do. The same plan again would do as well.
    loop {
        runs += 1;
        assert!(runs < 30, "{what}: it does not come to an end");
        let mut command = cms.command();
        if runs == 1 || runs % 2 == 0 {
            command.args(["-q", "plan", MAPPING, "--target"]).arg(&target);
            command.arg("--output").arg(output).stdout(Stdio::null());
            if !command.status().unwrap().success() {
                continue;
            }
        }
        let mut command = cms.command();
        command
            .args(["-q", "apply"])
            .arg(&plan)
            .arg("--output")
            .arg(output);
        let child: Child = command
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        *schedule.victim.lock().unwrap() = Some(child.id());
        let ended = child.wait_with_output().unwrap();
        *schedule.victim.lock().unwrap() = None;
        match ended.status.code() {
            Some(0) => return runs,
            // Killed, unreachable, entries that came to nothing this time.
            None | Some(4 | 7) => {}
            other => panic!("{what}: {other:?} {}", text(&ended.stderr)),
        }
    }
}

fn trials(usual: u32) -> u32 {
    std::env::var("SANGTRANG_TRIALS")
        .ok()
        .and_then(|t| t.parse().ok())
        .unwrap_or(usual)
}

/// One schedule a seed.
pub fn schedules(cms: &dyn Cms, trials: u32) {
    let made = extracted(6);
    let truth = truth(made.path());
    let (mut faults, mut runs) = (0, 0);
    for seed in 0..u64::from(trials) {
        cms.wipe();
        let output = extracted(6);
        let schedule = Arc::new(Schedule {
            seed,
            asked: AtomicU32::new(0),
            share: 3 + seed % 6,
            kill: None,
            victim: Mutex::new(None),
        });
        let what = format!("seed {seed}");
        runs += deliver(cms, output.path(), &schedule, &what);
        faults += schedule.asked.load(Ordering::SeqCst) / u32::try_from(3 + seed % 6).unwrap();
        judge(cms, output.path(), &truth, &what);
    }
    eprintln!(
        "{trials} schedules, about {faults} faults, {runs} runs: one whole entry a document, one file a picture"
    );
}

/// Killed at every `step`th request: before the CMS heard of it, and after it did. Between two requests of one object stands
/// a line of the journal, so these are all its states.
pub fn kills(cms: &dyn Cms, step: usize) {
    let made = extracted(6);
    let truth = truth(made.path());
    // How many requests a run takes that nobody disturbs.
    let count = |kill| {
        Arc::new(Schedule {
            seed: 1,
            asked: AtomicU32::new(0),
            share: 0,
            kill,
            victim: Mutex::new(None),
        })
    };
    cms.wipe();
    let output = extracted(6);
    let calm = count(None);
    assert_eq!(deliver(cms, output.path(), &calm, "calm"), 1);
    judge(cms, output.path(), &truth, "calm");
    let all = calm.asked.load(Ordering::SeqCst);
    let step = if std::env::var_os("SANGTRANG_TRIALS").is_some() {
        1
    } else {
        step
    };
    let mut kills = 0;
    for at in (8..all).step_by(step) {
        for before in [true, false] {
            cms.wipe();
            let output = extracted(6);
            let what = format!("killed {} request {at}", if before { "before" } else { "after" });
            deliver(cms, output.path(), &count(Some((at, before))), &what);
            judge(cms, output.path(), &truth, &what);
            kills += 1;
        }
    }
    eprintln!("{kills} kills among {all} requests: one whole entry a document, one file a picture");
}

#[test]
fn under_any_schedule_of_faults_every_entry_is_there_once() {
    let Some(wp) = WordPress::empty() else { return };
    schedules(&wp, trials(100));
}

#[test]
fn killed_at_any_request_it_goes_on_and_nothing_is_there_twice() {
    let Some(wp) = WordPress::empty() else { return };
    kills(&wp, 3);
}
