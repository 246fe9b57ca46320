//! Seeds, trials, bounded runs, and judges that do not ask the program.

use crate::support::{Server, files, sangtrang, text};
use sangtrang::demo::{Portal, compare};
use sangtrang::document::Document;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A run that takes longer than this stands still.
pub const STANDS_STILL: Duration = Duration::from_secs(180);
/// Requests in flight of [`bundled`].
pub const CONCURRENCY: usize = 8;

/// The dice of a drill; its seed is printed.
pub fn random(drill: &str) -> fastrand::Rng {
    let seed = std::env::var("SANGTRANG_SEED")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or_else(|| fastrand::u64(..));
    eprintln!("{drill}: SANGTRANG_SEED={seed}");
    fastrand::Rng::with_seed(seed)
}

/// How many trials; `usual` unless `SANGTRANG_TRIALS` says more or less, in the same proportion to 20.
pub fn trials(usual: usize) -> usize {
    let asked = std::env::var("SANGTRANG_TRIALS")
        .ok()
        .and_then(|s| s.parse::<usize>().ok());
    asked.map_or(usual, |asked| (asked * usual).div_ceil(20)).max(1)
}

/// The whole job of the bundled mapping against `server`.
pub fn bundled(server: &Server, output: &Path) -> Command {
    let mut command = sangtrang();
    command
        .args(["-q", "run", "mappings/ctk-binhthuan.toml", "--delay", "0ms"])
        .args(["--concurrency", &CONCURRENCY.to_string()])
        .args(["--connect-to", &server.connect_to()])
        .arg("--output")
        .arg(output);
    command
}

/// The folder of the bundled portal's site below `output`.
pub fn site_of(output: &Path) -> PathBuf {
    output.join("ctk-binhthuan")
}

/// How a process ended and what it said.
#[derive(Debug)]
pub struct Ended {
    pub status: ExitStatus,
    pub said: String,
    /// Most memory that it ever held, as the kernel counts it (`VmHWM`).
    pub peak_bytes: u64,
    pub took: Duration,
}

impl Ended {
    /// Demands an exit code.
    #[track_caller]
    pub fn with(self, code: i32) -> Self {
        assert_eq!(self.status.code(), Some(code), "{}", self.said);
        self
    }
}

/// A process that is ended when its drill fails.
pub struct Running {
    child: Child,
    said: tempfile::NamedTempFile,
    began: Instant,
    peak_bytes: u64,
}

impl Running {
    pub fn start(command: &mut Command) -> Self {
        let said = tempfile::NamedTempFile::new().unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(said.reopen().unwrap())
            .spawn()
            .unwrap();
        Self {
            child,
            said,
            began: Instant::now(),
            peak_bytes: 0,
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Has it ended?
    pub fn ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until `happened`, or until the process has ended; tells which.
    pub fn until(&mut self, mut happened: impl FnMut() -> bool) -> bool {
        loop {
            if happened() {
                return true;
            }
            if self.ended() {
                return false;
            }
            self.bounded();
            std::thread::park_timeout(Duration::from_micros(200));
        }
    }

    /// SIGKILL; tells whether it hit a living process.
    pub fn kill(mut self) -> bool {
        use std::os::unix::process::ExitStatusExt;
        let _ = self.child.kill();
        self.child.wait().unwrap().signal() == Some(9)
    }

    pub fn signal(&self, name: &str) {
        let pid = self.id().to_string();
        assert!(
            Command::new("kill")
                .args([name, &pid])
                .status()
                .unwrap()
                .success()
        );
    }

    /// Waits for its end.
    pub fn end(mut self) -> Ended {
        let status = loop {
            self.measure();
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            self.bounded();
            std::thread::park_timeout(Duration::from_millis(2));
        };
        Ended {
            status,
            said: text(&std::fs::read(self.said.path()).unwrap()),
            peak_bytes: self.peak_bytes,
            took: self.began.elapsed(),
        }
    }

    fn measure(&mut self) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap_or_default();
        let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:"));
        let kib = peak.and_then(|p| p.trim().trim_end_matches("kB").trim().parse::<u64>().ok());
        self.peak_bytes = self.peak_bytes.max(kib.unwrap_or(0) * 1024);
    }

    fn bounded(&mut self) {
        if self.began.elapsed() > STANDS_STILL {
            let _ = self.child.kill();
            panic!(
                "the run stands still; it said:\n{}",
                text(&std::fs::read(self.said.path()).unwrap())
            );
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs a command to its end, within bounds.
pub fn run(command: &mut Command) -> Ended {
    Running::start(command).end()
}

/// Every article of the portal is there once, and right field by field.
#[track_caller]
pub fn equals_gold(portal: &Portal, site: &Path) {
    let mut truths: BTreeMap<String, _> = portal
        .gold()
        .map(|g| (g.document.source_key.clone(), g.document))
        .collect();
    let lines = std::fs::read_to_string(site.join("documents.jsonl")).unwrap();
    for line in lines.lines() {
        let document: Document = serde_json::from_str(line).unwrap();
        let key = document.source_key.clone();
        let truth = truths
            .remove(&key)
            .unwrap_or_else(|| panic!("{key} is there twice, or no article of the portal"));
        let differences = compare(&truth, &document).unwrap();
        assert!(differences.is_empty(), "{key}: {differences:?}");
        let file = site.join("documents").join(&document.collection);
        let file = file.join(format!("{}.json", document.id));
        let alone: Document = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        assert!(
            compare(&truth, &alone).unwrap().is_empty(),
            "{key}: its file differs"
        );
    }
    assert!(
        truths.is_empty(),
        "missing: {:?}",
        truths.keys().collect::<Vec<_>>()
    );
    // Tables have files of their own beside their documents.
    let mut alone = files(&site.join("documents"));
    alone.retain(|path| path.extension().is_some_and(|e| e == "json"));
    assert_eq!(
        alone.len(),
        portal.articles(),
        "files below documents/: {alone:?}"
    );
}

/// SQLite's own judgement of the ledger.
#[track_caller]
pub fn ledger_is_sound(site: &Path) {
    let path = site.join("ledger.db");
    let ledger = rusqlite::Connection::open(&path).unwrap();
    let said: String = ledger
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .unwrap();
    assert_eq!(said, "ok", "{}", path.display());
}

/// `warcio check` of every archive file; says loudly when it is not installed.
#[track_caller]
pub fn warcio_agrees(site: &Path) {
    let archive = site.join("archive");
    let paths: Vec<PathBuf> = files(&archive).iter().map(|f| archive.join(f)).collect();
    match Command::new("warcio").arg("check").args(&paths).output() {
        Ok(output) => assert!(
            output.status.success(),
            "warcio check {paths:?}:\n{}{}",
            text(&output.stdout),
            text(&output.stderr)
        ),
        Err(_) => eprintln!("SKIPPED: warcio is not installed; the archive is not judged by it"),
    }
}

/// URLs that the ledger says are captured for good (pages, media; not robots.txt, which every run reads anew).
pub fn committed(site: &Path) -> BTreeSet<String> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE;
    let Ok(ledger) = rusqlite::Connection::open_with_flags(site.join("ledger.db"), flags) else {
        return BTreeSet::new();
    };
    let Ok(mut rows) = ledger.prepare("SELECT url FROM url WHERE state = 1 AND kind IN (0, 1)") else {
        return BTreeSet::new();
    };
    let urls = rows.query_map([], |row| row.get::<_, String>(0)).unwrap();
    urls.map(|url| url.unwrap().replacen("http://ctk-binhthuan.example", "", 1))
        .collect()
}

/// Archives of many runs, judged at once: `warcio` takes long to start.
#[derive(Default)]
pub struct Archives {
    folder: Option<tempfile::TempDir>,
    kept: usize,
}

impl Archives {
    /// Keeps copies of the archive files below `site`.
    pub fn keep(&mut self, site: &Path) {
        let folder = self.folder.get_or_insert_with(|| tempfile::tempdir().unwrap());
        let to = folder.path().join("archive");
        std::fs::create_dir_all(&to).unwrap();
        for file in files(&site.join("archive")) {
            self.kept += 1;
            let name = format!("{}-{}", self.kept, file.display());
            std::fs::copy(site.join("archive").join(&file), to.join(name)).unwrap();
        }
    }

    /// [`warcio_agrees`] of all that was kept.
    #[track_caller]
    pub fn warcio_agrees(&self) {
        warcio_agrees(self.folder.as_ref().unwrap().path());
    }
}
