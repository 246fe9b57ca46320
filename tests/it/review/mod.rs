//! The review in a browser: over HTTP, then in a real Chromium, on the bundled portal's output and on a page that means harm.

mod browser;
mod hostile;
mod http;
mod many;

use crate::cms::MAPPING;
use crate::support::{sangtrang, text};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A running `sangtrang review`; it ends with the value.
pub struct Review {
    pub url: String,
    pub address: SocketAddr,
    pub told: Value,
    child: Child,
}

impl Review {
    pub fn start(output: &Path) -> Self {
        Self::of(MAPPING.as_ref(), output, &[])
    }

    pub fn of(mapping: &Path, output: &Path, more: &[&str]) -> Self {
        let mut child = sangtrang()
            .arg("review")
            .arg(mapping)
            .args(["--json", "--output"])
            .arg(output)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        if line.is_empty() {
            let output = child.wait_with_output().unwrap();
            panic!("it did not start: {}", text(&output.stderr));
        }
        let told: Value = serde_json::from_str(&line).unwrap();
        Self {
            url: told["url"].as_str().unwrap().to_owned(),
            address: told["address"].as_str().unwrap().parse().unwrap(),
            told,
            child,
        }
    }

    /// Ctrl-C; answers the exit code.
    pub fn interrupt(mut self) -> Option<i32> {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-INT", &id])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }

    pub fn client(&self) -> Client {
        Client {
            address: ([127, 0, 0, 1], self.address.port()).into(),
            cookies: Vec::new(),
            language: "en".into(),
            more: Vec::new(),
        }
    }
}

impl Drop for Review {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a browser without a script is: cookies, a language, redirects by hand.
#[derive(Clone)]
pub struct Client {
    address: SocketAddr,
    pub cookies: Vec<(String, String)>,
    pub language: String,
    pub more: Vec<(String, String)>,
}

pub struct Reply {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, v)| v.as_str()).unwrap_or_default()
    }

    pub fn text(&self) -> String {
        text(&self.body)
    }

    /// Texts of the elements that a selector finds.
    pub fn all(&self, css: &str) -> Vec<String> {
        let page = scraper::Html::parse_document(&self.text());
        let css = scraper::Selector::parse(css).unwrap();
        page.select(&css)
            .map(|e| {
                let all: String = e.text().collect();
                all.split_whitespace().collect::<Vec<_>>().join(" ")
            })
            .collect()
    }

    /// All values of an attribute.
    pub fn attrs(&self, css: &str, name: &str) -> Vec<String> {
        let page = scraper::Html::parse_document(&self.text());
        let css = scraper::Selector::parse(css).unwrap();
        page.select(&css)
            .filter_map(|e| e.attr(name).map(str::to_owned))
            .collect()
    }

    /// The first value of an attribute.
    #[track_caller]
    pub fn attr(&self, css: &str, name: &str) -> String {
        let found = self.attrs(css, name).into_iter().next();
        found.unwrap_or_else(|| panic!("no {name} of {css}: {}", self.text()))
    }
}

impl Client {
    pub fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, "")
    }

    #[track_caller]
    pub fn page(&mut self, path: &str) -> Reply {
        let reply = self.get(path);
        assert_eq!(reply.status, 200, "{path}: {}", reply.text());
        reply
    }

    pub fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let mut form = url::form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.send("POST", path, &form.finish())
    }

    fn send(&mut self, method: &str, path: &str, body: &str) -> Reply {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let given = |name: &str| self.more.iter().any(|(n, _)| n.eq_ignore_ascii_case(name));
        let mut head = format!(
            "{method} {path} HTTP/1.0\r\nAccept-Language: {}\r\n",
            self.language
        );
        if !given("host") {
            head += &format!("Host: {}\r\n", self.address);
        }
        for (name, value) in &self.more {
            head += &format!("{name}: {value}\r\n");
        }
        if !self.cookies.is_empty() {
            let all: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
            head += &format!("Cookie: {}\r\n", all.join("; "));
        }
        if method == "POST" {
            head += &format!(
                "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n",
                body.len()
            );
        }
        // What refuses a long body may answer before it has read it.
        let _ = stream.write_all(format!("{head}\r\n{body}").as_bytes());
        let mut bytes = Vec::new();
        let _ = stream.read_to_end(&mut bytes);
        let end = bytes
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {}", text(&bytes)));
        let head = text(&bytes[..end]);
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|l| l.split_once(": "))
            .map(|(n, v)| (n.to_owned(), v.to_owned()))
            .collect();
        for (_, cookie) in headers
            .iter()
            .filter(|(n, _)| n.eq_ignore_ascii_case("set-cookie"))
        {
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(n, _)| n != name);
            self.cookies.push((name.to_owned(), value.to_owned()));
        }
        Reply {
            status,
            headers,
            body: bytes[end + 4..].to_vec(),
        }
    }

    /// Decides about the document at `path` as its page lets one: with that page's own token, revision and filters.
    pub fn decide(&mut self, path: &str, fields: &[(&str, &str)]) -> Reply {
        let page = self.page(path);
        let token = page.attr(".verdict input[name=token]", "value");
        let revision = page.attr(".verdict input[name=revision]", "value");
        let query = page.attr(".verdict input[name=query]", "value");
        let action = page.attr("form.verdict", "action");
        let mut all = vec![
            ("token", token.as_str()),
            ("revision", &revision),
            ("query", &query),
        ];
        all.extend(fields);
        self.post(&action, &all)
    }
}
