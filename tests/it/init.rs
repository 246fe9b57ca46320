//! What `init` says and leaves behind where a site gives it little.

use crate::support::{expect, sangtrang, serve_router, text};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use std::path::Path;

fn init(url: &str, folder: &Path, code: i32) -> String {
    let mut command = sangtrang();
    command.args([
        "init",
        url,
        "--id",
        "x",
        "--delay",
        "0ms",
        "--allow-net",
        "127.0.0.1/32",
    ]);
    command
        .arg("--mappings")
        .arg(folder.join("m"))
        .arg("--output")
        .arg(folder.join("o"));
    text(&expect(&mut command, code).stderr)
}

/// A server that is down is not reached: it is neither robots.txt nor TLS, and nothing of the try is left behind.
#[test]
fn a_site_that_answers_errors_is_unreachable() {
    let address = serve_router(
        Router::new().fallback(|_: Request| async { (StatusCode::INTERNAL_SERVER_ERROR, "no") }),
    );
    let folder = tempfile::tempdir().unwrap();
    let said = init(&format!("http://{address}/"), folder.path(), 7);
    assert!(said.contains("500"), "{said}");
    assert!(!said.contains("robots"), "{said}");
    assert!(!folder.path().join("o/x-sample").exists());
    assert!(!folder.path().join("m/x.toml").exists());
}

/// Pages whose links all lead to another host by their `<base>`: that is said, and not that more pages would help.
#[test]
fn a_base_of_another_host_is_named() {
    let address = serve_router(Router::new().fallback(|_: Request| async {
        let html = "<html><head><base href=\"http://cong.example/\"></head><body><a href=\"tin/1.html\">Tin số một</a><p>Trang chủ</p></body></html>";
        ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response()
    }));
    let folder = tempfile::tempdir().unwrap();
    let said = init(&format!("http://{address}/"), folder.path(), 4);
    assert!(said.contains("http://cong.example/"), "{said}");
    assert!(!said.contains("--pages"), "{said}");
    assert!(!said.contains("the same command continues"), "{said}");
}
