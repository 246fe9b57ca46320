//! The binary, the portal, and a folder that goes away.

use sangtrang::demo::{Portal, serve};
use serde_json::Value;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The root of the project.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The binary, run from the project's root, without a terminal and without the caller's settings.
pub fn sangtrang() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sangtrang"));
    command
        .current_dir(ROOT)
        .env_remove("SANGTRANG_OUTPUT")
        .env_remove("SANGTRANG_LOG")
        .env("NO_COLOR", "1");
    command
}

/// What serves on a loopback port, in a thread with a reactor of its own; it ends with the value.
pub struct Served {
    pub address: SocketAddr,
    stop: CancellationToken,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Served {
    pub fn start<F, S>(serve: F) -> Self
    where
        F: FnOnce(tokio::net::TcpListener, CancellationToken) -> S + Send + 'static,
        S: Future<Output = std::io::Result<()>>,
    {
        let stop = CancellationToken::new();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = std::thread::spawn({
            let stop = stop.clone();
            move || {
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                    tell.send(listener.local_addr().unwrap()).unwrap();
                    serve(listener, stop).await.unwrap();
                });
            }
        });
        Self {
            address: told.recv().unwrap(),
            stop,
            thread: Some(thread),
        }
    }
}

/// The bundled portal on a loopback port.
pub struct Server {
    pub address: SocketAddr,
    pub portal: Arc<Portal>,
    _served: Served,
}

impl Server {
    pub fn start(portal: Portal) -> Self {
        let portal = Arc::new(portal);
        let serving = portal.clone();
        let served = Served::start(move |listener, stop| serve(serving, listener, stop));
        Self {
            address: served.address,
            portal,
            _served: served,
        }
    }

    /// The flag that sends the canonical host's traffic here.
    pub fn connect_to(&self) -> String {
        format!("::127.0.0.1:{}", self.address.port())
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

/// Serves a small site of a test's own on a loopback port; it ends with the test process.
pub fn serve_router(router: axum::Router) -> SocketAddr {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            tell.send(listener.local_addr().unwrap()).unwrap();
            axum::serve(listener, router).await.unwrap();
        });
    });
    told.recv().unwrap()
}

/// A command that runs the whole job of the bundled mapping against `server`.
pub fn run_bundled(server: &Server, output: &Path) -> Command {
    let mut command = sangtrang();
    command
        .args([
            "run",
            "mappings/ctk-binhthuan.toml",
            "--delay",
            "0ms",
            "--concurrency",
            "8",
        ])
        .args(["--connect-to", &server.connect_to()])
        .arg("--output")
        .arg(output);
    command
}

/// Runs a command and shows what it said when the exit code is another one.
#[track_caller]
pub fn expect(command: &mut Command, code: i32) -> Output {
    let output = command.output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(code),
        "{command:?}\n--- stdout\n{}\n--- stderr\n{}",
        text(&output.stdout),
        text(&output.stderr)
    );
    output
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All files below `folder`, sorted, relative.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(&next).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.push(path.strip_prefix(folder).unwrap().to_owned());
            }
        }
    }
    found.sort();
    found
}

/// The documents of `documents.jsonl`.
pub fn documents(site: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(site.join("documents.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// The shared material beside the project, if it is there; says loudly when not.
pub fn shared(what: &str) -> Option<PathBuf> {
    let root =
        std::env::var_os("SANGTRANG_SHARED").map_or_else(|| Path::new(ROOT).join("../shared"), PathBuf::from);
    let path = root.join(what);
    if path.exists() {
        return Some(path);
    }
    eprintln!(
        "SKIPPED: `{}` is not here; set SANGTRANG_SHARED to judge against it",
        path.display()
    );
    None
}
