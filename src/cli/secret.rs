//! How a target is reached: its rules, and the secret from environment, file or command. A secret is never printed.

use super::args::SiteArgs;
use super::error::CliError;
use super::exit::Exit;
use super::target::load_mapping;
use crate::deliver::sink::directus::Directus;
use crate::deliver::sink::http_json::Declared;
use crate::deliver::sink::wordpress::WordPress;
use crate::deliver::{ApiError, Mapper};
use crate::mapping::Mapping;
use crate::mapping::model::Target;
use crate::pipeline::{Layout, mapper};
use std::path::Path;
use std::sync::Arc;
use url::Url;

/// Everything that a command needs to deliver.
pub(super) struct Site {
    pub(super) mapping: Arc<Mapping>,
    pub(super) target: Target,
    pub(super) mapper: Arc<Mapper>,
    pub(super) layout: Layout,
}

impl Site {
    /// Reads mapping and target.
    pub(super) fn load(args: &SiteArgs) -> Result<Self, CliError> {
        let mapping = load_mapping(&args.mapping)?;
        let target = match &args.target {
            Some(path) => {
                let target = target_file(path)?;
                known_collections(&mapping, &target)?;
                target
            }
            None => mapping.rules().target.clone().ok_or_else(|| {
                CliError::new(
                    Exit::Config,
                    "target::none",
                    format!("`{}` has no [target]", args.mapping.display()),
                )
                .hint("write one (docs/deliver.md), or name a file that has one: `--target FILE`")
            })?,
        };
        let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
        Ok(Self {
            mapper: mapper(&mapping, &target),
            mapping,
            target,
            layout,
        })
    }

    /// Where the new site answers: what `--at` says, else where the CMS is.
    pub(super) fn host(&self, at: Option<&str>) -> Result<Url, CliError> {
        let text = at.unwrap_or(&self.target.url);
        Url::parse(text).map_err(|e| {
            CliError::new(Exit::Usage, "usage::url", format!("`{text}` is no address: {e}"))
                .hint("`--at https://www.example.org/`")
        })
    }

    /// The WordPress of the target.
    pub(super) fn wordpress(&self) -> Result<Arc<WordPress>, CliError> {
        let user = match &self.target.user_env {
            Some(name) => variable(name)?,
            None => return Err(missing("`user_env` names no variable with the user of WordPress")),
        };
        let site = WordPress::new(&self.target, user, self.secret()?).map_err(api_error)?;
        Ok(Arc::new(site))
    }

    /// The Directus of the target.
    pub(super) fn directus(&self) -> Result<Arc<Directus>, CliError> {
        let project = Directus::new(&self.target, self.secret()?).map_err(api_error)?;
        Ok(Arc::new(project))
    }

    /// The declared CMS of the target.
    pub(super) fn declared(&self) -> Result<Arc<Declared>, CliError> {
        let user = self.target.user_env.as_deref().map(variable).transpose()?;
        let cms = Declared::new(&self.target, user, self.secret()?).map_err(api_error)?;
        Ok(Arc::new(cms))
    }

    /// The secret.
    pub(super) fn secret(&self) -> Result<String, CliError> {
        let target = &self.target;
        if let Some(name) = &target.secret_env {
            return variable(name);
        }
        if let Some(file) = &target.secret_file {
            let path = self.mapping.dir().join(file);
            let text = fs_err::read_to_string(&path)
                .map_err(|e| missing(&format!("the secret cannot be read: {e}")))?;
            return first_line(&text, &format!("the file `{}`", path.display()));
        }
        if let [program, args @ ..] = &target.secret_command[..] {
            let output = std::process::Command::new(program)
                .args(args)
                .stdin(std::process::Stdio::null())
                .output()
                .map_err(|e| missing(&format!("the command `{program}` cannot be run: {e}")))?;
            if !output.status.success() {
                return Err(missing(&format!(
                    "the command `{program}` failed ({})",
                    output.status
                )));
            }
            return first_line(
                &String::from_utf8_lossy(&output.stdout),
                &format!("the command `{program}`"),
            );
        }
        Err(missing("the target names no secret"))
    }
}

/// The target of a file of its own.
pub(super) fn target_file(path: &Path) -> Result<Target, CliError> {
    Mapping::load_target(path).map_err(|e| super::target::mapping_error(path, e))
}

/// Entries of a target file against the mapping that it is used with.
pub(super) fn known_collections(mapping: &Mapping, target: &Target) -> Result<(), CliError> {
    let known = |id: &str| mapping.rules().collection.iter().any(|c| c.id == id);
    match target.entry.iter().find(|e| !known(&e.collection)) {
        Some(entry) => Err(CliError::new(
            Exit::Config,
            "mapping::entry",
            format!(
                "the mapping has no collection `{}`, which an entry of the target names",
                entry.collection
            ),
        )),
        None => Ok(()),
    }
}

fn variable(name: &str) -> Result<String, CliError> {
    match std::env::var(name) {
        Ok(value) if !value.trim().is_empty() => Ok(value.trim().to_owned()),
        _ => Err(missing(&format!("the environment has no `{name}`"))),
    }
}

fn first_line(text: &str, from: &str) -> Result<String, CliError> {
    match text.lines().next().map(str::trim).filter(|l| !l.is_empty()) {
        Some(line) => Ok(line.to_owned()),
        None => Err(missing(&format!("{from} gives no secret"))),
    }
}

fn missing(what: &str) -> CliError {
    CliError::new(Exit::Config, "target::secret", what).hint(
        "put the secret into the environment, a file or a command: `secret_env`, `secret_file`, `secret_command` of [target]",
    )
}

pub(super) fn api_error(error: ApiError) -> CliError {
    CliError::new(Exit::Config, "target::client", error)
}

/// Paths that a plan names, as they were given.
pub(super) fn given(path: &Path) -> String {
    path.display().to_string()
}

/// Runs `$work` with the CMS of a target.
macro_rules! with_sink {
    ($site:expr, |$sink:ident| $work:expr) => {
        match $site.target.kind {
            crate::mapping::model::TargetKind::Wordpress => {
                let $sink = $site.wordpress()?;
                $work
            }
            crate::mapping::model::TargetKind::Directus => {
                let $sink = $site.directus()?;
                $work
            }
            crate::mapping::model::TargetKind::HttpJson => {
                let $sink = $site.declared()?;
                $work
            }
        }
    };
}
pub(super) use with_sink;
