//! Old TLS, against real servers of `openssl s_server`: ten kinds, as measured in the field. What a mapping does not ask
//! for is not spoken.

use crate::support::{documents, expect, sangtrang, text};
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// Name, certificate (key, digest, host), options of the server; does `modern` open it with any certificate?
const KINDS: [(&str, Certificate, &[&str], bool); 10] = [
    ("tls-1.0", USUAL, &["-tls1", "-cipher", "ALL:@SECLEVEL=0"], false),
    (
        "tls-1.1",
        USUAL,
        &["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"],
        false,
    ),
    ("static-rsa", USUAL, &["-tls1_2", "-cipher", "AES128-SHA"], false),
    (
        "dhe-1024",
        USUAL,
        &[
            "-tls1_2",
            "-cipher",
            "DHE-RSA-AES128-SHA256:@SECLEVEL=0",
            "-dhparam",
            "dh1024.pem",
        ],
        false,
    ),
    (
        "cbc-sha",
        USUAL,
        &["-tls1_2", "-cipher", "ECDHE-RSA-AES128-SHA"],
        false,
    ),
    (
        "rsa-1024",
        ("rsa:1024", "-sha256", "site.example"),
        &["-cipher", "DEFAULT:@SECLEVEL=0"],
        true,
    ),
    (
        "sha-1",
        ("rsa:2048", "-sha1", "site.example"),
        &["-cipher", "DEFAULT:@SECLEVEL=0"],
        true,
    ),
    ("wrong-host", ("rsa:2048", "-sha256", "other.example"), &[], true),
    ("tls-1.3", USUAL, &["-tls1_3"], true),
    (
        "ecdhe-gcm",
        USUAL,
        &["-tls1_2", "-cipher", "ECDHE-RSA-AES128-GCM-SHA256"],
        true,
    ),
];

type Certificate = (&'static str, &'static str, &'static str);
const USUAL: Certificate = ("rsa:2048", "-sha256", "site.example");

fn openssl(folder: &Path) -> Command {
    let mut command = Command::new("openssl");
    // The system's own file forbids old TLS to the server, too.
    command
        .current_dir(folder)
        .env("OPENSSL_CONF", "/dev/null")
        .stdin(Stdio::null());
    command
}

fn is_there() -> bool {
    let there = Command::new("openssl")
        .arg("version")
        .output()
        .is_ok_and(|o| o.status.success());
    if !there {
        eprintln!("SKIPPED: there is no `openssl` command to make old servers with");
    }
    there
}

/// A server that ends with the test.
struct Server {
    child: Child,
    port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A site of one page behind TLS.
fn serve((key, digest, host): Certificate, options: &[&str]) -> Server {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    file("req.cnf", "[req]\ndistinguished_name = name\n[name]\n");
    expect(
        openssl(folder.path())
            .args([
                "req", "-x509", "-nodes", "-days", "30", "-newkey", key, digest, "-config", "req.cnf",
            ])
            .args([
                "-keyout",
                "key.pem",
                "-out",
                "cert.pem",
                "-subj",
                &format!("/CN={host}"),
            ])
            .args(["-addext", &format!("subjectAltName=DNS:{host}")]),
        0,
    );
    if options.contains(&"-dhparam") {
        expect(
            openssl(folder.path()).args(["dhparam", "-dsaparam", "-out", "dh1024.pem", "1024"]),
            0,
        );
    }
    let page = "<div id=content><h1>Tin cũ</h1><p>Nội dung sau một máy chủ cũ.</p></div>";
    let head = "HTTP/1.0 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n";
    file(
        "tin",
        &format!("{head}Content-Length: {}\r\n\r\n{page}", page.len()),
    );
    let gone = "HTTP/1.0 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    file("robots.txt", gone);
    file("sitemap.xml", gone);
    let mut child = openssl(folder.path())
        .args([
            "s_server",
            "-accept",
            "127.0.0.1:0",
            "-cert",
            "cert.pem",
            "-key",
            "key.pem",
            "-HTTP",
        ])
        .args(options)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let port = loop {
        let line = lines.next().expect("the server says where it listens").unwrap();
        if let Some(place) = line.strip_prefix("ACCEPT ") {
            break place.rsplit(':').next().unwrap().parse().unwrap();
        }
    };
    // What it says later is not read, but must go somewhere.
    std::thread::spawn(move || lines.for_each(drop));
    Server {
        child,
        port,
        _folder: folder,
    }
}

fn mapping(folder: &Path, tls: &str) -> PathBuf {
    let path = folder.join("site.toml");
    let text = format!(
        r##"schema = 1
[site]
id = "site"
base = "https://site.example/"
start = ["/tin"]
[politeness]
delay = "0ms"
backoff = "1ms"
retries = 0
[[collection]]
id = "news"
match = {{ url = '^/tin' }}
key = "{{path}}"
scope = {{ container = ["#content"] }}
fields.title = {{ take = [{{ css = "h1" }}], required = true }}
[[drop]]
id = "outside"
outside = true
{tls}
"##
    );
    std::fs::write(&path, text).unwrap();
    path
}

fn run(mapping: &Path, server: &Server, output: &Path) -> Command {
    let mut command = sangtrang();
    command
        .arg("run")
        .arg(mapping)
        .args(["--connect-to", &format!("::127.0.0.1:{}", server.port)])
        .arg("--output")
        .arg(output);
    command
}

/// Is the page read with these rules? What was said, else.
fn reads(server: &Server, tls: &str) -> Result<serde_json::Value, String> {
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path(), tls);
    let output = folder.path().join("out");
    let done = run(&mapping, server, &output).output().unwrap();
    if done.status.success() {
        let mut found = documents(&output.join("site"));
        assert_eq!(found.len(), 1);
        return Ok(found.remove(0));
    }
    assert_eq!(done.status.code(), Some(7), "{}", text(&done.stderr));
    Err(text(&done.stderr))
}

const LEGACY: bool = cfg!(feature = "legacy-tls");

#[test]
fn modern_reads_five_of_ten_kinds_of_servers_and_legacy_all_of_them_when_asked_to() {
    if !is_there() {
        return;
    }
    if !LEGACY {
        eprintln!("SKIPPED: half of this test needs `--features legacy-tls`");
    }
    for (name, certificate, options, modern) in KINDS {
        let server = serve(certificate, options);
        let usual = reads(&server, "");
        let said = usual.expect_err("no certificate of these tests is valid");
        assert!(said.contains("inspect tls site.example"), "{name}: {said}");
        let any = "[tls]\nallow_invalid = true\nreason = \"a test\"";
        let read = reads(&server, any);
        assert_eq!(read.is_ok(), modern, "{name}: {read:?}");
        if LEGACY {
            let old = "[tls]\nprofile = \"legacy\"\nallow_invalid = true\nreason = \"a test\"";
            let read = reads(&server, old);
            assert!(read.is_ok(), "{name}: {read:?}");
        }
    }
}

#[test]
fn what_the_probe_prints_is_what_the_mapping_needs_and_stands_in_the_document() {
    if !is_there() {
        return;
    }
    for (name, certificate, options, modern) in KINDS {
        if !modern && !LEGACY {
            continue;
        }
        let server = serve(certificate, options);
        let found = expect(
            sangtrang()
                .args(["inspect", "tls", "site.example", "--json", "--connect-to"])
                .arg(format!("::127.0.0.1:{}", server.port)),
            0,
        );
        let found: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
        let lines = found["mapping"].as_str().unwrap();
        let document = reads(&server, lines).unwrap_or_else(|e| panic!("{name}:\n{lines}\n{e}"));
        let notes = document["provenance"]["fetch"]["notes"].to_string();
        assert!(
            notes.contains("tls-reason") && notes.contains("probed"),
            "{name}: {notes}"
        );
        let old = lines.contains("profile = ");
        assert_eq!(old, LEGACY && (!modern || name == "rsa-1024"), "{name}: {lines}");
        // Another certificate than the pinned one is refused.
        if lines.contains("pins") {
            let other = serve(certificate, options);
            let said = reads(&other, lines).expect_err("another certificate");
            assert!(said.contains("which is not pinned"), "{name}: {said}");
        }
    }
}

#[test]
fn a_profile_that_this_build_does_not_speak_is_refused_before_anything_is_asked() {
    if LEGACY {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let mapping = mapping(folder.path(), "[tls]\nprofile = \"legacy\"\nreason = \"a test\"");
    let mut command = sangtrang();
    command
        .arg("run")
        .arg(&mapping)
        .arg("--output")
        .arg(folder.path().join("out"));
    let said = text(&expect(&mut command, 2).stderr);
    assert!(said.contains("--features legacy-tls"), "{said}");
}

#[test]
fn what_is_no_tls_server_is_said_to_be_none() {
    let plain = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = plain.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for socket in plain.incoming() {
            let _ = std::io::Write::write_all(&mut socket.unwrap(), b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let said = expect(
        sangtrang()
            .args(["inspect", "tls"])
            .arg(format!("127.0.0.1:{port}")),
        7,
    );
    assert!(
        text(&said.stderr).contains("no TLS with"),
        "{}",
        text(&said.stderr)
    );
    expect(sangtrang().args(["inspect", "tls", "http://a.example/"]), 2);
}

/// The sample portal behind TLS 1.0: read whole, with the lines that the probe prints.
#[cfg(feature = "legacy-tls")]
#[test]
fn the_sample_portal_behind_tls_1_0_is_read_with_what_the_probe_prints() {
    use std::io::BufRead as _;
    let mut portal = sangtrang()
        .args([
            "-q",
            "demo",
            "--serve",
            "127.0.0.1:0",
            "--tls1",
            "--articles",
            "12",
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(portal.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let port: u16 = line
        .trim()
        .trim_end_matches('/')
        .rsplit(':')
        .next()
        .unwrap()
        .parse()
        .unwrap();
    let portal = Server {
        child: portal,
        port,
        _folder: tempfile::tempdir().unwrap(),
    };
    let to = format!("::127.0.0.1:{}", portal.port);
    let found = expect(
        sangtrang().args([
            "inspect",
            "tls",
            "ctk-binhthuan.example",
            "--json",
            "--connect-to",
            &to,
        ]),
        0,
    );
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).unwrap();
    let lines = found["mapping"].as_str().unwrap();
    assert!(
        lines.contains("profile = \"legacy\"") && lines.contains("pins = "),
        "{lines}"
    );

    let folder = tempfile::tempdir().unwrap();
    let usual = Path::new(crate::support::ROOT).join("mappings/ctk-binhthuan.toml");
    let text = std::fs::read_to_string(usual).unwrap();
    let examples = text.find("[[collection.example]]").unwrap_or(text.len());
    let text = text[..examples].replace("http://ctk-binhthuan.example", "https://ctk-binhthuan.example");
    let mapping = folder.path().join("old.toml");
    std::fs::write(&mapping, format!("{text}\n{lines}\n")).unwrap();
    let output = folder.path().join("out");
    let mut run = sangtrang();
    run.args(["run", "--delay", "0ms", "--connect-to", &to])
        .arg(&mapping)
        .arg("--output")
        .arg(&output);
    // Its challenge and its login are findings.
    expect(&mut run, 4);
    let found = documents(&output.join("ctk-binhthuan"));
    assert_eq!(found.len(), 12);
    for document in &found {
        let notes = &document["provenance"]["fetch"]["notes"];
        assert_eq!(notes["tls-profile"], "legacy", "{notes}");
        assert_eq!(notes["tls-protocol"], "TLSv1", "{notes}");
    }
    let report = std::fs::read_to_string(output.join("ctk-binhthuan/report.txt")).unwrap();
    assert!(report.contains("TLS legacy (TLSv1): opened by TLSv1"), "{report}");
}
