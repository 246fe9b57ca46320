//! Who is told of a sync by e-mail, and by HTTPS: what the transport protects, and that nothing is said without it.

use super::follow::Life;
use super::portal::Portal;
use crate::support::{expect, files, sangtrang, text};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// A mail server that writes what it gets to a folder.
const SMTP: &str = r#"
import asyncio, ssl, sys
from aiosmtpd.handlers import Mailbox
from aiosmtpd.smtp import SMTP
folder, how, cert, key = sys.argv[1:5]
context = None
if how != 'none':
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(cert, key)
async def main():
    loop = asyncio.get_running_loop()
    starttls = {'tls_context': context, 'require_starttls': True} if how == 'starttls' else {}
    make = lambda: SMTP(Mailbox(folder), loop=loop, **starttls)
    server = await loop.create_server(make, '127.0.0.1', 0, ssl=context if how == 'tls' else None)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()
asyncio.run(main())
"#;

/// A web server behind TLS that writes each body it gets to a folder.
const HTTPS: &str = r#"
import http.server, os, ssl, sys
folder, _, cert, key = sys.argv[1:5]
os.makedirs(folder, exist_ok=True)
class Hook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers['content-length']))
        open(os.path.join(folder, str(len(os.listdir(folder)))), 'wb').write(body)
        self.send_response(204)
        self.end_headers()
    def log_message(self, *args): pass
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(cert, key)
server = http.server.HTTPServer(('127.0.0.1', 0), Hook)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
"#;

/// A server in Python that ends with the test.
struct Served {
    child: Child,
    port: u16,
}

impl Served {
    /// Starts `script`, which needs `module`; `None` where no Python has it.
    fn start(script: &str, module: &str, args: [&str; 4]) -> Option<Self> {
        for python in ["python3", "/usr/bin/python3"] {
            let has = Command::new(python)
                .args(["-c", &format!("import {module}")])
                .output();
            if !has.is_ok_and(|h| h.status.success()) {
                continue;
            }
            let mut child = Command::new(python)
                .args(["-c", script])
                .args(args)
                .stdout(Stdio::piped())
                .spawn()
                .unwrap();
            let mut line = String::new();
            BufReader::new(child.stdout.take().unwrap())
                .read_line(&mut line)
                .unwrap();
            return Some(Self {
                port: line.trim().parse().unwrap(),
                child,
            });
        }
        eprintln!("SKIPPED: no Python here has `{module}` (Debian: python3-aiosmtpd)");
        None
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A certificate of 127.0.0.1 that nobody knows, with its key; `None` without the `openssl` command.
fn certificate(folder: &Path) -> Option<(PathBuf, PathBuf)> {
    let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-nodes", "-days", "30", "-newkey", "rsa:2048", "-sha256",
        ])
        .args(["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"])
        .args([
            "-addext",
            "extendedKeyUsage=serverAuth",
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        ])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&cert)
        .output();
    if made.is_ok_and(|m| m.status.success()) {
        return Some((cert, key));
    }
    eprintln!("SKIPPED: there is no `openssl` command to make a certificate with");
    None
}

/// What arrived.
fn arrived(folder: &Path) -> Vec<String> {
    files(folder)
        .iter()
        .map(|f| std::fs::read_to_string(folder.join(f)).unwrap())
        .collect()
}

fn mail(port: u16, tls: &str) -> String {
    format!(
        "[notify.mail]\nserver = \"127.0.0.1\"\nport = {port}\ntls = \"{tls}\"\nfrom = \"Sang Trang <sangtrang@song.example>\"\nto = [\"truc@song.example\", \"ban@song.example\"]\n"
    )
}

#[test]
fn an_e_mail_says_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let boxes = folder.path().join("mail");
    let Some(server) = Served::start(SMTP, "aiosmtpd", [boxes.to_str().unwrap(), "none", "", ""]) else {
        return;
    };
    let portal = Portal::new(12);
    let life = Life::new(&portal, &mail(server.port, "none"));
    life.sync(&[], 0);
    portal.today().login = true;
    life.sync(&["--full"], 7);
    let mails = arrived(&boxes);
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(
        mails[0].contains("Subject: [sangtrang] song: the portal or the CMS was not reachable"),
        "{}",
        mails[0]
    );
    assert!(mails[0].contains("truc@song.example") && mails[0].contains("ban@song.example"));
    assert!(
        mails[0].contains("site song") && mails[0].contains("(new)"),
        "{}",
        mails[0]
    );
}

/// Mail by STARTTLS and by TLS, a webhook by HTTPS: from a server whose certificate is known the notice arrives, to any
/// other one nothing is said, and the next sync tries again.
#[test]
fn nothing_is_told_to_a_server_that_cannot_prove_who_it_is() {
    for (script, module, how) in [
        (SMTP, "aiosmtpd", "starttls"),
        (SMTP, "aiosmtpd", "tls"),
        (HTTPS, "ssl", "https"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let Some((cert, key)) = certificate(folder.path()) else {
            return;
        };
        let inbox = folder.path().join("inbox");
        let args = [
            inbox.to_str().unwrap(),
            how,
            cert.to_str().unwrap(),
            key.to_str().unwrap(),
        ];
        let Some(server) = Served::start(script, module, args) else {
            return;
        };
        let notify = if how == "https" {
            format!(
                "[notify.webhook]\nurl = \"https://127.0.0.1:{}/hook\"\nretries = 0\n",
                server.port
            )
        } else {
            mail(server.port, how)
        };
        let portal = Portal::new(12);
        let life = Life::new(&portal, &notify);
        life.sync(&[], 0);
        portal.today().login = true;
        let said = expect(&mut life.command(sangtrang(), &["--full"]), 7);
        assert!(
            text(&said.stderr).contains("the next sync tries again"),
            "{how}: {}",
            text(&said.stderr)
        );
        assert!(!inbox.exists() || arrived(&inbox).is_empty(), "{how}");
        // The system's store knows the certificate now.
        let mut command = life.command(sangtrang(), &["--full"]);
        let said = expect(command.env("SSL_CERT_FILE", &cert), 7);
        let got = arrived(&inbox);
        // What was not told; perhaps also that it is still so a day later.
        assert!(!got.is_empty(), "{how}: {}", text(&said.stderr));
        assert!(got.iter().all(|g| g.contains("song")), "{how}: {got:?}");
    }
}
