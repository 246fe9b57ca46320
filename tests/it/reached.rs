//! How a target is reached: its certificate, and where the secret comes from.

use crate::cms::{Cms as _, MAPPING, free_port};
use crate::directus::Directus;
use crate::redirects::{Nginx, wait_for};
use crate::support::{expect, sangtrang, text};
use std::path::Path;
use std::process::Command;

const RULE: &str = "[[target.entry]]\ncollection = \"news\"\ntype = \"articles\"\nterms = { categories = \"section\" }\nfields = { signature = \"byline.raw\" }\n";

/// Asks for the state of a target of these lines.
fn check(folder: &Path, lines: &str, code: i32) -> String {
    let file = folder.join("target.toml");
    std::fs::write(
        &file,
        format!("[target]\nkind = \"directus\"\nretries = 1\nfloor = \"20ms\"\n{lines}\n{RULE}"),
    )
    .unwrap();
    let mut command = sangtrang();
    command
        .env("CMS_SECRET", "static-admin-token-0001")
        .args(["target", "check", MAPPING, "--target"])
        .arg(&file);
    let output = expect(&mut command, code);
    let said = text(&output.stderr) + &text(&output.stdout);
    assert!(!said.contains("static-admin-token"), "{said}");
    said
}

#[test]
fn a_certificate_is_checked_unless_it_is_pinned() {
    let Some(cms) = Directus::empty() else { return };
    let has = |name: &str, flag: &str| Command::new(name).arg(flag).output().is_ok();
    if !has("nginx", "-v") || !has("openssl", "version") {
        eprintln!("SKIPPED: there is no nginx or no openssl");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let mut made = Command::new("openssl");
    made.args([
        "req",
        "-x509",
        "-nodes",
        "-days",
        "30",
        "-newkey",
        "rsa:2048",
        "-subj",
        "/CN=127.0.0.1",
    ])
    .args(["-addext", "subjectAltName=IP:127.0.0.1"])
    .arg("-keyout")
    .arg(at("key.pem"))
    .arg("-out")
    .arg(at("cert.pem"));
    expect(&mut made, 0);
    let mut print = Command::new("openssl");
    print
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(at("cert.pem"));
    let print = text(&expect(&mut print, 0).stdout);
    let print = print
        .trim()
        .rsplit('=')
        .next()
        .unwrap()
        .replace(':', "")
        .to_lowercase();
    let port = free_port();
    let place = folder.path().display();
    std::fs::write(
        at("nginx.conf"),
        format!(
            "daemon off; pid {place}/nginx.pid; error_log {place}/error.log; worker_processes 1; events {{ }}\n\
             http {{ access_log off; client_body_temp_path {place}/cb; proxy_temp_path {place}/px; fastcgi_temp_path {place}/fc; uwsgi_temp_path {place}/uw; scgi_temp_path {place}/sc;\n\
             server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {place}/cert.pem; ssl_certificate_key {place}/key.pem; location / {{ proxy_pass {}; }} }} }}\n",
            cms.base()
        ),
    )
    .unwrap();
    let _nginx = Nginx(
        Command::new("nginx")
            .arg("-c")
            .arg(at("nginx.conf"))
            .spawn()
            .unwrap(),
    );
    wait_for(port);
    let url = format!("url = \"https://127.0.0.1:{port}/\"\nsecret_env = \"CMS_SECRET\"");
    let said = check(folder.path(), &url, 3);
    assert!(said.to_lowercase().contains("certificate"), "{said}");
    let said = check(folder.path(), &format!("{url}\npin = \"sha256:{print}\""), 0);
    assert!(said.contains("Directus 12"), "{said}");
    let other = format!("{url}\npin = \"sha256:{}\"", "0".repeat(64));
    check(folder.path(), &other, 3);
}

#[test]
fn the_secret_comes_from_environment_file_or_command() {
    let Some(cms) = Directus::empty() else { return };
    let folder = tempfile::tempdir().unwrap();
    let url = format!("url = \"{}/\"", cms.base());
    let file = folder.path().join("secret");
    std::fs::write(&file, "static-admin-token-0001\nsecond line\n").unwrap();
    let secret_file = format!("secret_file = \"{}\"", file.display());
    for from in [
        "secret_env = \"CMS_SECRET\"",
        &secret_file,
        "secret_command = [\"printf\", \"%s\\\\n\", \"static-admin-token-0001\"]",
    ] {
        check(folder.path(), &format!("{url}\n{from}"), 0);
    }
    for (from, why) in [
        (
            "secret_env = \"NO_SUCH_VARIABLE\"",
            "the environment has no `NO_SUCH_VARIABLE`",
        ),
        ("secret_file = \"/nowhere/secret\"", "/nowhere/secret"),
        ("secret_command = [\"false\"]", "the command `false` failed"),
        ("secret_command = [\"true\"]", "gives no secret"),
    ] {
        let said = check(folder.path(), &format!("{url}\n{from}"), 3);
        assert!(said.contains(why), "{why}: {said}");
    }
    // What opens no door is said to be wrong, and repeated nowhere.
    std::fs::write(&file, "another-secret-0002").unwrap();
    let said = check(folder.path(), &format!("{url}\n{secret_file}"), 3);
    assert!(!said.contains("another-secret"), "{said}");
}
