//! The real CMSs, on loopback, started by the scripts of the tests and emptied between runs.

use std::path::{Path, PathBuf};
use std::process::Command;

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Which CMS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    WordPress,
    Directus,
}

/// A CMS that runs; it ends with the value.
pub struct Cms {
    pub kind: Kind,
    /// Address without a slash at its end.
    pub base: String,
    user: String,
    secret: String,
    script: &'static str,
    data: PathBuf,
    /// Holds the data.
    _folder: tempfile::TempDir,
}

impl Cms {
    /// An empty one; says loudly when there is none on this machine.
    pub fn start(kind: Kind) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let data = folder.path().join("cms");
        let port = std::net::TcpListener::bind("127.0.0.1:0")
            .and_then(|l| l.local_addr())
            .expect("a free port")
            .port()
            .to_string();
        let (script, args) = match kind {
            Kind::WordPress => {
                if !Path::new("/usr/share/wordpress/wp-load.php").exists() {
                    eprintln!("SKIPPED: there is no WordPress; `tests/cms/wordpress.sh deps` installs it");
                    return None;
                }
                // The web server's user must be able to read its data.
                open(folder.path());
                (
                    "wordpress.sh",
                    vec!["up".into(), data.clone().into_os_string(), port.into()],
                )
            }
            Kind::Directus => {
                let script = Path::new(ROOT).join("tests/cms/directus.sh");
                let there = Command::new(script).arg("there").status();
                if !there.is_ok_and(|s| s.success()) {
                    eprintln!("SKIPPED: there is no Directus; `tests/cms/directus.sh deps` installs it");
                    return None;
                }
                let args = vec!["up".into(), data.clone().into_os_string(), port.into()];
                ("directus.sh", args)
            }
        };
        let output = Command::new(Path::new(ROOT).join("tests/cms").join(script))
            .args(args)
            .env("WP_UNTIL", std::process::id().to_string())
            .env("CMS_UNTIL", std::process::id().to_string())
            .output()
            .expect("the script runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(
            output.status.success(),
            "{script}: {said}{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let value = |name: &str| {
            said.lines()
                .find_map(|l| l.strip_prefix(name))
                .unwrap_or_default()
                .trim_matches('"')
                .to_owned()
        };
        let cms = Self {
            kind,
            base: value("CMS_BASE=").trim_end_matches('/').to_owned(),
            user: "admin".into(),
            secret: value("CMS_SECRET="),
            script,
            data,
            _folder: folder,
        };
        if kind == Kind::Directus {
            let folder = tempfile::tempdir().expect("a temporary folder");
            let target = cms.target(folder.path(), &cms.base, "");
            let mut setup = cms.command();
            setup
                .args(["--quiet", "target", "setup", super::MAPPING, "--target"])
                .arg(target);
            super::succeed(&mut setup);
        }
        Some(cms)
    }

    pub const fn name(&self) -> &'static str {
        match self.kind {
            Kind::WordPress => "WordPress",
            Kind::Directus => "Directus",
        }
    }

    /// The binary, with the secrets in its environment.
    pub fn command(&self) -> Command {
        let mut command = Command::new(super::BIN);
        command
            .current_dir(ROOT)
            .env("CMS_USER", &self.user)
            .env("CMS_SECRET", &self.secret);
        command
    }

    /// Writes a target file for the CMS at `base`, which may be something before it.
    pub fn target(&self, folder: &Path, base: &str, more: &str) -> PathBuf {
        let path = folder.join("target.toml");
        std::fs::write(&path, target(self.kind, base, more)).expect("a target file");
        path
    }

    /// Removes all content.
    pub fn wipe(&self) {
        match self.kind {
            Kind::WordPress => self.run("wipe"),
            Kind::Directus => {
                let runtime = super::reactor();
                runtime.block_on(async {
                    let client = super::client(1);
                    for of in ["items/articles", "items/categories", "files"] {
                        let answer = client
                            .delete(format!("{}/{of}", self.base))
                            .bearer_auth(&self.secret)
                            .header("content-type", "application/json")
                            .body(r#"{"query":{"limit":-1}}"#)
                            .send()
                            .await
                            .expect("an answer");
                        assert!(answer.status().is_success(), "{of}: {}", answer.status());
                    }
                });
            }
        }
    }

    fn run(&self, what: &str) {
        let mut command = Command::new(Path::new(ROOT).join("tests/cms").join(self.script));
        super::succeed(command.arg(what).arg(&self.data));
    }
}

impl Drop for Cms {
    fn drop(&mut self) {
        self.run("reset");
    }
}

/// A target file.
pub fn target(kind: Kind, base: &str, more: &str) -> String {
    let rest = match kind {
        Kind::WordPress => "kind = \"wordpress\"\nuser_env = \"CMS_USER\"\n",
        Kind::Directus => "kind = \"directus\"\n",
    };
    let entry = match kind {
        Kind::WordPress => "",
        Kind::Directus => {
            "[[target.entry]]\ncollection = \"news\"\ntype = \"articles\"\nterms = { categories = \"section\" }\n"
        }
    };
    format!("[target]\nurl = \"{base}/\"\nname = \"bench\"\nsecret_env = \"CMS_SECRET\"\n{rest}{more}{entry}")
}

#[cfg(unix)]
fn open(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(folder, std::fs::Permissions::from_mode(0o755)).expect("permissions");
}

#[cfg(not(unix))]
fn open(_: &Path) {}
