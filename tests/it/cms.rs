//! A real WordPress on loopback, started once, and wiped before each test that uses it; and extracted portals to deliver.

use crate::support::{ROOT, Server, expect, run_bundled, sangtrang, text};
use sangtrang::demo::Portal;
use sangtrang::net;
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// What the target file of a test says beside address and secrets.
pub const FAST: &str = "floor = \"20ms\"\n";

/// A CMS that really runs here, as the tests of faults need it: what is in it, told without our own code.
pub trait Cms {
    /// Its address, without a slash at the end.
    fn base(&self) -> &str;
    /// Writes a target file for the CMS behind `base`; the ledger knows all of them under one name.
    fn target_at(&self, folder: &Path, base: &str, more: &str) -> PathBuf;
    /// A command with the secrets in its environment.
    fn command(&self) -> Command;
    /// Removes all content.
    fn wipe(&self);
    /// Documents with title (as text), and whether they are public.
    fn held(&self) -> Vec<(String, bool)>;
    /// How many files.
    fn files(&self) -> usize;
    /// Names of categories.
    fn terms(&self) -> Vec<String>;
}

impl Cms for WordPress {
    fn base(&self) -> &str {
        &self.base
    }
    fn target_at(&self, folder: &Path, base: &str, more: &str) -> PathBuf {
        Self::target_at(self, folder, base, more)
    }
    fn command(&self) -> Command {
        Self::command(self)
    }
    fn wipe(&self) {
        Self::wipe(self);
    }
    fn held(&self) -> Vec<(String, bool)> {
        let title = |p: &Value| p["title"]["raw"].as_str().unwrap().replace("&amp;", "&");
        let posts = self.posts();
        posts
            .iter()
            .map(|p| (title(p), p["status"] == "publish"))
            .collect()
    }
    fn files(&self) -> usize {
        self.media().len()
    }
    fn terms(&self) -> Vec<String> {
        let all = self.get("categories?per_page=100");
        let names = all.as_array().unwrap().iter();
        names.map(|c| c["name"].as_str().unwrap().to_owned()).collect()
    }
}

/// The CMS, held by one test.
pub struct WordPress {
    pub base: String,
    pub user: String,
    pub secret: String,
    pub root: PathBuf,
    _turn: MutexGuard<'static, ()>,
}

static TURN: Mutex<()> = Mutex::new(());
static STARTED: OnceLock<Option<(PathBuf, String, String)>> = OnceLock::new();

fn script(args: &[&str]) -> Option<String> {
    let output = Command::new(Path::new(ROOT).join("tests/cms/wordpress.sh"))
        .args(args)
        .env("WP_UNTIL", std::process::id().to_string())
        .output()
        .unwrap();
    if !output.status.success() {
        eprintln!(
            "wordpress.sh {args:?}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
        return None;
    }
    Some(text(&output.stdout))
}

/// A port that nobody listens at.
pub fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

impl WordPress {
    /// An empty WordPress; says loudly when there is none on this machine.
    pub fn empty() -> Option<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        if !Path::new("/usr/share/wordpress/wp-load.php").exists() {
            eprintln!("SKIPPED: there is no WordPress; `tests/cms/wordpress.sh deps` installs it");
            return None;
        }
        let (root, base, secret) = STARTED
            .get_or_init(|| {
                let port = free_port();
                // Where the web server's user may read, whoever runs the tests.
                let root = std::env::temp_dir().join(format!("sangtrang-wp-{}", std::process::id()));
                let said = script(&["up", root.to_str().unwrap(), &port.to_string()])?;
                let secret = said.lines().find_map(|l| l.strip_prefix("CMS_SECRET="))?;
                Some((root, format!("http://127.0.0.1:{port}"), secret.to_owned()))
            })
            .clone()
            .expect("WordPress is installed and starts");
        script(&["wipe", root.to_str().unwrap()]).unwrap();
        Some(Self {
            base,
            user: "admin".into(),
            secret,
            root: root.join("www"),
            _turn: turn,
        })
    }

    /// Removes all content.
    pub fn wipe(&self) {
        script(&["wipe", self.root.parent().unwrap().to_str().unwrap()]).unwrap();
    }

    /// With the companion plugin.
    pub fn companion() -> Option<Self> {
        let this = Self::empty()?;
        let folder = this.root.join("wp-content/mu-plugins");
        std::fs::create_dir_all(&folder).unwrap();
        let target = tempfile::tempdir().unwrap();
        let file = this.target(target.path(), "mode = \"companion\"\n");
        let mut setup = sangtrang();
        setup
            .args(["target", "setup", "mappings/ctk-binhthuan.toml", "--target"])
            .arg(&file)
            .arg("--mu-plugins")
            .arg(&folder);
        expect(&mut setup, 0);
        Some(this)
    }

    /// Writes a target file.
    pub fn target(&self, folder: &Path, more: &str) -> PathBuf {
        self.target_at(folder, &self.base, more)
    }

    /// The same through a proxy; the ledger knows both under one name.
    pub fn target_at(&self, folder: &Path, base: &str, more: &str) -> PathBuf {
        let path = folder.join("target.toml");
        let text = format!(
            "[target]\nkind = \"wordpress\"\nurl = \"{base}/\"\nname = \"test\"\nuser_env = \"CMS_USER\"\nsecret_env = \"CMS_SECRET\"\n{FAST}{more}"
        );
        std::fs::write(&path, text).unwrap();
        path
    }

    /// A command with the secrets in its environment.
    pub fn command(&self) -> Command {
        let mut command = sangtrang();
        command
            .env("CMS_USER", &self.user)
            .env("CMS_SECRET", &self.secret);
        command
    }

    /// Asks as the administrator. Answers status, headers and JSON (or text).
    pub fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, http::HeaderMap, Value) {
        use base64::Engine as _;
        let pair = base64::engine::general_purpose::STANDARD.encode(format!("{}:{}", self.user, self.secret));
        let mut headers = http::HeaderMap::new();
        headers.insert("authorization", format!("Basic {pair}").parse().unwrap());
        headers.insert("content-type", "application/json".parse().unwrap());
        ask(&format!("{}/{path}", self.base), method, headers, body)
    }

    /// A list or an object of the REST interface.
    pub fn get(&self, path: &str) -> Value {
        let (status, _, body) = self.ask("GET", &format!("wp-json/wp/v2/{path}"), None);
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// Changes something as an editor does.
    pub fn edit(&self, path: &str, body: Value) -> Value {
        let (status, _, answer) = self.ask("POST", &format!("wp-json/wp/v2/{path}"), Some(&body));
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    /// All posts, whatever their state.
    pub fn posts(&self) -> Vec<Value> {
        self.get("posts?status=any&per_page=100&context=edit&orderby=id&order=asc")
            .as_array()
            .unwrap()
            .clone()
    }

    /// All files.
    pub fn media(&self) -> Vec<Value> {
        self.get("media?per_page=100&context=edit&orderby=id&order=asc")
            .as_array()
            .unwrap()
            .clone()
    }
}

/// One request.
pub fn ask(
    url: &str,
    method: &str,
    headers: http::HeaderMap,
    body: Option<&Value>,
) -> (u16, http::HeaderMap, Value) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let client = net::client(&net::Options::default()).unwrap();
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let response = client
            .request(
                method.parse().unwrap(),
                &url.parse().unwrap(),
                headers,
                body.into(),
            )
            .await
            .unwrap();
        let (status, headers) = (response.status.as_u16(), response.headers.clone());
        let limits = net::BodyLimits {
            bytes: 64 << 20,
            deadline: Instant::now() + Duration::from_secs(60),
            rate: (0, Duration::from_secs(1)),
        };
        let (bytes, _) = net::read_body(response, limits).await;
        let json = serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(text(&bytes)));
        (status, headers, json)
    })
}

/// The mapping of the bundled portal.
pub const MAPPING: &str = "mappings/ctk-binhthuan.toml";

/// An output folder with a portal of so many articles, extracted: a copy for whoever asks.
pub fn extracted(articles: usize) -> tempfile::TempDir {
    static MADE: Mutex<Vec<(usize, tempfile::TempDir)>> = Mutex::new(Vec::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if !made.iter().any(|(n, _)| *n == articles) {
        let server = Server::start(Portal::new(articles, 7));
        let folder = tempfile::tempdir().unwrap();
        let output = run_bundled(&server, folder.path()).output().unwrap();
        assert!(
            matches!(output.status.code(), Some(0 | 4)),
            "{}",
            text(&output.stderr)
        );
        made.push((articles, folder));
    }
    let from = &made.iter().find(|(n, _)| *n == articles).unwrap().1;
    let to = tempfile::tempdir().unwrap();
    copy(from.path(), to.path());
    to
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// Changes one document as a new extraction would: its file and its line.
pub fn change(output: &Path, key: &str, change: impl Fn(&mut Value)) {
    let site = output.join("ctk-binhthuan");
    let lines = std::fs::read_to_string(site.join("documents.jsonl")).unwrap();
    let mut found = false;
    let mut all = String::new();
    for line in lines.lines() {
        let mut document: Value = serde_json::from_str(line).unwrap();
        if document["source_key"] == key {
            found = true;
            change(&mut document);
            let path = site.join(format!(
                "documents/news/{}.json",
                document["id"].as_str().unwrap()
            ));
            std::fs::write(path, document.to_string()).unwrap();
        }
        all.push_str(&document.to_string());
        all.push('\n');
    }
    assert!(found, "no document {key}");
    std::fs::write(site.join("documents.jsonl"), all).unwrap();
}
