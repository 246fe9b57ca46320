//! A site of a drill's own: HTTP by hand, so that it can break every rule, and a log of what it saw and when.

use crate::support::{sangtrang, text};
use serde_json::Value;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::Instant;

/// A request as the server saw it.
#[derive(Clone, Debug)]
pub struct Asked {
    pub method: String,
    pub host: String,
    /// Path and query.
    pub path: String,
    /// Request line and header fields.
    pub head: String,
    pub body: String,
    /// When it was read.
    pub at: Instant,
    /// How often this path was asked for, this time among them.
    pub nth: usize,
    /// Its place in the log.
    pub index: usize,
}

impl Asked {
    /// The number behind `id=`.
    pub fn id(&self) -> Option<u32> {
        self.path.split("id=").nth(1)?.parse().ok()
    }
    /// A header field, by lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (n, value) = line.split_once(':')?;
            n.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// Writes an answer by hand.
type Writes = Box<dyn FnOnce(&mut TcpStream) -> std::io::Result<()> + Send>;

/// What the server does with a request.
pub enum Reply {
    /// A well-formed answer: status, further header lines, body.
    Answer(u16, String, Vec<u8>),
    /// Anything.
    Raw(Writes),
}

impl Reply {
    pub fn page(html: impl Into<String>) -> Self {
        Self::Answer(
            200,
            "Content-Type: text/html; charset=utf-8\r\n".into(),
            html.into().into_bytes(),
        )
    }
    pub fn status(status: u16) -> Self {
        Self::Answer(status, String::new(), Vec::new())
    }
    pub fn with(status: u16, headers: impl Into<String>) -> Self {
        Self::Answer(status, headers.into(), Vec::new())
    }
    pub fn to(location: &str) -> Self {
        Self::Answer(302, format!("Location: {location}\r\n"), Vec::new())
    }
    pub fn raw(write: impl FnOnce(&mut TcpStream) -> std::io::Result<()> + Send + 'static) -> Self {
        Self::Raw(Box::new(write))
    }
}

/// One line of the server's log.
#[derive(Clone, Debug)]
pub struct Seen {
    pub asked: Asked,
    /// 0 for a raw answer.
    pub status: u16,
    /// Just before the first byte of the answer was written.
    pub answering: Instant,
    /// When the exchange was over.
    pub over: Option<Instant>,
}

/// The server; its threads end with the test process.
pub struct Site {
    pub address: SocketAddr,
    log: Arc<Mutex<Vec<Seen>>>,
}

impl Site {
    pub fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        Self::at("127.0.0.1", handler)
    }

    /// On another address of this machine.
    pub fn at(ip: &str, handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((ip, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let log = Arc::new(Mutex::new(Vec::new()));
        let handler = Arc::new(handler);
        std::thread::spawn({
            let log = log.clone();
            move || {
                for stream in listener.incoming() {
                    let (Ok(stream), handler, log) = (stream, handler.clone(), log.clone()) else {
                        continue;
                    };
                    std::thread::spawn(move || answer(stream, &*handler, &log));
                }
            }
        });
        Self { address, log }
    }

    pub fn log(&self) -> Vec<Seen> {
        self.log.lock().unwrap().clone()
    }

    pub fn len(&self) -> usize {
        self.log.lock().unwrap().len()
    }

    /// How often paths that start so were asked for.
    pub fn count(&self, prefix: &str) -> usize {
        self.log
            .lock()
            .unwrap()
            .iter()
            .filter(|s| s.asked.path.starts_with(prefix))
            .count()
    }
}

fn answer(mut stream: TcpStream, handler: &dyn Fn(&Asked) -> Reply, log: &Mutex<Vec<Seen>>) -> Option<()> {
    let mut request = Vec::new();
    let mut block = [0; 4096];
    let end = loop {
        if let Some(at) = request.windows(4).position(|w| w == b"\r\n\r\n") {
            break at + 4;
        }
        let n = stream.read(&mut block).ok().filter(|n| *n > 0)?;
        request.extend_from_slice(&block[..n]);
    };
    let head = text(&request[..end]);
    let mut first = head.lines().next()?.split(' ');
    let mut asked = Asked {
        method: first.next()?.to_owned(),
        path: first.next()?.to_owned(),
        host: String::new(),
        body: String::new(),
        at: Instant::now(),
        nth: 1,
        index: 0,
        head,
    };
    asked.host = asked.header("host").unwrap_or_default().to_owned();
    let length: usize = asked
        .header("content-length")
        .and_then(|l| l.parse().ok())
        .unwrap_or(0);
    while request.len() < end + length {
        let n = stream.read(&mut block).ok().filter(|n| *n > 0)?;
        request.extend_from_slice(&block[..n]);
    }
    asked.body = text(&request[end..]);
    {
        let mut log = log.lock().unwrap();
        asked.index = log.len();
        asked.nth += log
            .iter()
            .filter(|s| s.asked.path == asked.path && s.asked.host == asked.host)
            .count();
        log.push(Seen {
            asked: asked.clone(),
            status: 0,
            answering: asked.at,
            over: None,
        });
    }
    let reply = handler(&asked);
    {
        let seen = &mut log.lock().unwrap()[asked.index];
        seen.answering = Instant::now();
        if let Reply::Answer(status, ..) = &reply {
            seen.status = *status;
        }
    }
    // Whoever hangs up early is seen by `over`.
    let _ = match reply {
        Reply::Answer(status, headers, body) => {
            let date = httpdate::fmt_http_date(std::time::SystemTime::now());
            let date = if headers.contains("Date:") {
                String::new()
            } else {
                format!("Date: {date}\r\n")
            };
            let head = format!(
                "HTTP/1.1 {status} X\r\n{date}Content-Length: {}\r\nConnection: close\r\n{headers}\r\n",
                body.len()
            );
            let whole = [head.as_bytes(), &body].concat();
            stream.write_all(&whole)
        }
        Reply::Raw(write) => write(&mut stream),
    };
    log.lock().unwrap()[asked.index].over = Some(Instant::now());
    Some(())
}

/// What a mapping says beside the usual.
#[derive(Default)]
pub struct Rules<'a> {
    /// Further keys of `[site]`.
    pub site: &'a str,
    /// Further keys of `[politeness]`.
    pub politeness: &'a str,
    /// Further tables.
    pub more: &'a str,
}

/// Writes the mapping of `http://site.example/`, whose articles are `/view?id=N`.
pub fn mapping(folder: &Path, rules: &Rules<'_>) -> PathBuf {
    let path = folder.join("site.toml");
    let Rules {
        site,
        politeness,
        more,
    } = rules;
    let mut lines: HashMap<&str, &str> =
        HashMap::from([("concurrency", "4"), ("delay", "\"0ms\""), ("backoff", "\"5ms\"")]);
    lines.retain(|key, _| !politeness.lines().any(|l| l.starts_with(&format!("{key} ="))));
    let usual: String = lines.iter().map(|(k, v)| format!("{k} = {v}\n")).collect();
    let text = format!(
        r##"schema = 1
[site]
id = "site"
base = "http://site.example/"
{site}
[politeness]
{usual}{politeness}
{more}
[[discover]]
id = "links"
kind = "links"
[[collection]]
id = "news"
match = {{ url = '^/view\?' }}
key = "{{id}}"
scope = {{ container = ["#content"] }}
fields.title = {{ take = [{{ css = "h1" }}], required = true }}
[[drop]]
id = "outside"
outside = true
"##
    );
    std::fs::write(&path, text).unwrap();
    path
}

/// `sangtrang run` of that mapping, with every host of it at `address`.
pub fn job(mapping: &Path, address: SocketAddr, output: &Path) -> Command {
    let mut command = plain_job(mapping, output);
    command.args(["--connect-to", &format!("::{address}")]);
    command
}

/// The same without saying where hosts are.
pub fn plain_job(mapping: &Path, output: &Path) -> Command {
    let mut command = sangtrang();
    command
        .args(["-q", "run"])
        .arg(mapping)
        .arg("--output")
        .arg(output);
    command
}

/// The own sentence of article `id`.
pub fn sentence(id: u32) -> String {
    let words = [
        "kinh tế",
        "xã hội",
        "thống kê",
        "nông nghiệp",
        "du lịch",
        "dân số",
        "công nghiệp",
    ];
    let mut random = fastrand::Rng::with_seed(u64::from(id));
    let said: Vec<&str> = (0..20 + id % 30)
        .map(|_| words[random.usize(..words.len())])
        .collect();
    format!("Bài {id} nói về {}.", said.join(", "))
}

/// The page of article `id`.
pub fn article(id: u32) -> String {
    format!(
        "<html><head><title>Cục Thống kê</title></head><body><div>Cục Thống kê</div><div id=content><h1>Bài viết số {id}</h1><p>{}</p></div></body></html>",
        sentence(id)
    )
}

/// A page of links to articles.
pub fn links(ids: impl IntoIterator<Item = u32>) -> String {
    ids.into_iter()
        .map(|id| format!("<a href='/view?id={id}'>{id}</a> "))
        .collect()
}

/// Answers as a healthy site with articles 1 to `last` does; anything else is 404.
pub fn healthy(asked: &Asked, last: u32) -> Reply {
    match asked.id() {
        _ if asked.path == "/" => Reply::page(links(1..=last)),
        Some(id) if asked.path.starts_with("/view?id=") && (1..=last).contains(&id) => {
            Reply::page(article(id))
        }
        _ => Reply::status(404),
    }
}

/// The documents are exactly the articles of `ids`, each once, each with its own text.
#[track_caller]
pub fn articles_are(output: &Path, ids: impl IntoIterator<Item = u32>) {
    let text = std::fs::read_to_string(output.join("site/documents.jsonl")).unwrap();
    let mut found: Vec<(u32, String)> = text
        .lines()
        .map(|line| {
            let document: Value = serde_json::from_str(line).unwrap();
            let title = document["title"].as_str().unwrap_or_default();
            let id = title.rsplit(' ').next().and_then(|n| n.parse().ok());
            let id = id.unwrap_or_else(|| panic!("no article is called `{title}`: {line}"));
            (id, document["body"].to_string())
        })
        .collect();
    found.sort();
    for (id, body) in &found {
        let sentence = sentence(*id);
        assert!(
            body.contains(&sentence),
            "article {id} says {body}, not {sentence}"
        );
    }
    let mut expected: Vec<u32> = ids.into_iter().collect();
    expected.sort_unstable();
    assert_eq!(found.iter().map(|f| f.0).collect::<Vec<_>>(), expected);
}

/// The class under which the report names `url` (path and query of the site); empty if it does not.
pub fn class(output: &Path, url: &str) -> String {
    let file = std::fs::read(output.join("site/run.json")).unwrap();
    let report: Value = serde_json::from_slice(&file).unwrap();
    let failures = report["failures"]["first"].as_array().unwrap();
    let url = format!("http://site.example{url}");
    let found = failures.iter().find(|f| f["url"] == url.as_str());
    found.map_or("", |f| f["class"].as_str().unwrap()).to_owned()
}
