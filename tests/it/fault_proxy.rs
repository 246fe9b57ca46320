//! What goes wrong between us and a server, by a schedule that a seed makes: a proxy that refuses, resets, cuts, swallows
//! answers, and kills.

use crate::support::text;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
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
pub struct Schedule {
    pub seed: u64,
    pub asked: AtomicU32,
    /// One request in so many goes wrong; 0: none.
    pub share: u64,
    /// Kill at this request.
    pub kill: Option<(u32, bool)>,
    /// From this request on nobody answers, until it is lifted.
    pub dead: AtomicU32,
    /// Requests whose first line fits are for something that is not there any more.
    pub gone: Mutex<Option<regex::Regex>>,
    /// Does the server hear the name that was asked for?
    pub named: bool,
    pub victim: Mutex<Option<u32>>,
}

impl Schedule {
    /// Nothing goes wrong, until somebody says so.
    pub fn calm() -> Self {
        Self {
            seed: 1,
            asked: AtomicU32::new(0),
            share: 0,
            kill: None,
            dead: AtomicU32::new(u32::MAX),
            gone: Mutex::default(),
            named: false,
            victim: Mutex::new(None),
        }
    }

    fn next(&self, method: &str) -> Fault {
        let n = self.asked.fetch_add(1, Ordering::SeqCst);
        if n >= self.dead.load(Ordering::SeqCst) {
            return Fault::ResetBefore;
        }
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
pub fn proxy(to: SocketAddr, schedule: Arc<Schedule>) -> SocketAddr {
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
    let gone = schedule.gone.lock().unwrap().clone();
    let line = head.lines().next().unwrap_or_default();
    if gone.is_some_and(|gone| gone.is_match(line)) {
        let answer = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
        return client.write_all(answer.as_bytes()).await;
    }
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
            Some((name, _)) if i > 0 && !schedule.named && name.eq_ignore_ascii_case("host") => {
                format!("host: {to}")
            }
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
