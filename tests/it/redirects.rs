//! Old addresses at a real nginx before a real WordPress.

use crate::cms::{MAPPING, WordPress, extracted, free_port};
use crate::support::{expect, text};
use std::path::Path;
use std::process::{Child, Command};

/// A server that ends with the test.
pub struct Nginx(pub Child);

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers.
        let _ = Command::new("kill")
            .args(["-TERM", &self.0.id().to_string()])
            .status();
        let _ = self.0.wait();
    }
}

/// nginx with the written files, on a port of its own; it answers when this returns.
fn nginx(folder: &Path, redirects: &Path, port: u16) -> Nginx {
    let conf = folder.join("nginx.conf");
    let folder = folder.display();
    let redirects = redirects.display();
    std::fs::write(
        &conf,
        format!(
            "daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; events {{ }}\n\
             http {{ access_log off; client_body_temp_path {folder}/cb; proxy_temp_path {folder}/px; fastcgi_temp_path {folder}/fc; uwsgi_temp_path {folder}/uw; scgi_temp_path {folder}/sc;\n\
             include {redirects}/nginx-map.conf;\nserver {{ listen 127.0.0.1:{port}; include {redirects}/nginx-server.conf; location / {{ return 404; }} }} }}\n"
        ),
    )
    .unwrap();
    let nginx = Nginx(Command::new("nginx").arg("-c").arg(&conf).spawn().unwrap());
    wait_for(port);
    nginx
}

/// Returns when somebody listens.
pub fn wait_for(port: u16) {
    for _ in 0..2000 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return;
        }
        std::thread::yield_now();
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    panic!("nobody listens at {port}");
}

#[test]
fn every_old_address_has_one_decision_and_nginx_carries_it_out() {
    let Some(wp) = WordPress::empty() else { return };
    let folder = extracted(12);
    let rules = "[[target.redirect]]\nfrom = '^/(Default\\.aspx)?(\\?.*)?$'\nto = \"BASE/\"\n[[target.redirect]]\nfrom = '^/admin/'\ngone = true\n"
        .replace("BASE", &wp.base);
    let target = wp.target(folder.path(), &rules);
    let run = |args: &[&str], code: i32| {
        let mut command = wp.command();
        command.args(args).arg("--output").arg(folder.path());
        if args[0] != "apply" {
            command.arg("--target").arg(&target);
        }
        expect(&mut command, code)
    };
    run(&["plan", MAPPING], 0);
    let plan = folder.path().join("ctk-binhthuan/plan.json");
    run(&["apply", plan.to_str().unwrap()], 0);
    let log = folder.path().join("access.log");
    std::fs::write(
        &log,
        "1.2.3.4 - - [23/Nov/2026:10:00:00 +0700] \"GET /View.aspx?ItemID=2 HTTP/1.1\" 200 512\n\
         1.2.3.4 - - [23/Nov/2026:10:00:00 +0700] \"GET /Rss.aspx HTTP/1.1\" 200 512\n",
    )
    .unwrap();
    let said = run(
        &["redirects", "write", MAPPING, "--log", log.to_str().unwrap()],
        4,
    );
    assert!(
        text(&said.stderr).contains("unresolved: /Rss.aspx (1 hits): only in the access log"),
        "{}",
        text(&said.stderr)
    );
    let redirects = folder.path().join("ctk-binhthuan/redirects");
    let lines = std::fs::read_to_string(redirects.join("ledger.jsonl")).unwrap();
    let mut seen = std::collections::HashSet::new();
    let mut led = 0;
    for line in lines.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert!(seen.insert(row["from"].as_str().unwrap().to_owned()), "{line}");
        led += u32::from(row["decision"] == "redirect");
    }
    for document in crate::support::documents(&folder.path().join("ctk-binhthuan")) {
        for old in document["redirects"]["from"].as_array().unwrap() {
            let old = url::Url::parse(old.as_str().unwrap()).unwrap();
            assert!(
                seen.contains(&old[url::Position::BeforePath..url::Position::AfterQuery]),
                "{old}"
            );
        }
    }
    assert!(led > 24, "{led}");
    if Command::new("nginx").arg("-v").output().is_err() {
        eprintln!("SKIPPED: there is no nginx");
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let port = free_port();
    let _nginx = nginx(place.path(), &redirects, port);
    let at = format!("http://127.0.0.1:{port}/");
    let said = run(&["redirects", "verify", MAPPING, "--at", &at], 0);
    assert!(text(&said.stderr).contains("0 wrong"), "{}", text(&said.stderr));
    // A post that is not public any more is noticed.
    let post = wp.posts()[0]["id"].as_u64().unwrap();
    wp.edit(&format!("posts/{post}"), serde_json::json!({ "status": "draft" }));
    let said = run(&["redirects", "verify", MAPPING, "--at", &at], 4);
    assert!(
        text(&said.stderr).contains("expected a page at"),
        "{}",
        text(&said.stderr)
    );
}

#[test]
fn the_companion_answers_old_addresses_as_the_ledger_says() {
    let Some(wp) = WordPress::companion() else { return };
    let folder = extracted(12);
    // Lists, pages of handlers and the like have a server's rules, or an archive.
    let rules = "mode = \"companion\"\n[[target.redirect]]\nfrom = '.*'\narchive = true\n";
    let target = wp.target(folder.path(), rules);
    let run = |args: &[&str], code: i32| {
        let mut command = wp.command();
        command.args(args).arg("--output").arg(folder.path());
        if args[0] != "apply" {
            command.arg("--target").arg(&target);
        }
        expect(&mut command, code)
    };
    run(&["plan", MAPPING], 0);
    let plan = folder.path().join("ctk-binhthuan/plan.json");
    let said = text(&run(&["apply", plan.to_str().unwrap()], 0).stderr);
    assert!(said.contains("old addresses lead to new ones"), "{said}");
    // The run itself wrote the files for the servers.
    let redirects = folder.path().join("ctk-binhthuan/redirects");
    assert!(redirects.join("nginx-map.conf").is_file() && redirects.join("ledger.jsonl").is_file());
    let said = text(&run(&["redirects", "verify", MAPPING], 0).stderr);
    let asked = regex::Regex::new(r"for (\d+) old addresses: 0 wrong").unwrap();
    let asked: u32 = asked.captures(&said).unwrap()[1].parse().unwrap();
    assert!(asked > 24, "{said}");
}
