//! From text to [`Mapping`]: every problem is found before serde builds anything.

use super::check;
use super::error::{MappingError, Problems};
use super::http_json;
use super::identity::Identity;
use super::key::KeyTemplate;
use super::model::{MappingFile, Target};
use super::rules::Mapping;
use super::schema::mapping_schema;
use super::walk::Walker;
use crate::document::CaptureId;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::DeTable;
use url::Url;

/// Largest mapping file, in bytes.
const MAX_BYTES: u64 = 4 << 20;

pub(super) fn load(path: &Path) -> Result<Mapping, MappingError> {
    parse(&path.display().to_string(), &read(path)?)
}

fn read(path: &Path) -> Result<String, MappingError> {
    let io = |source| MappingError::Io {
        path: path.to_owned(),
        source,
    };
    let bytes = std::fs::metadata(path).map_err(io)?.len();
    if bytes > MAX_BYTES {
        return Err(MappingError::TooLarge {
            path: path.to_owned(),
            bytes,
            limit: MAX_BYTES,
        });
    }
    std::fs::read_to_string(path).map_err(io)
}

pub(super) fn parse(name: &str, text: &str) -> Result<Mapping, MappingError> {
    let mut problems = Problems::new(name, text);
    let (root, syntax) = DeTable::parse_recoverable(text);
    let root = root.get_ref();
    problems.add_syntax(&syntax);
    if let Some(error) = version(root) {
        let (span, found) = error;
        let help = "set `schema = 1`, or use the program that the file was written for";
        let message = format!(
            "the mapping has schema version {found}; this program reads version {}",
            check::VERSION
        );
        problems.add(
            "mapping::schema_version",
            span,
            message,
            "another format",
            Some(help.into()),
        );
        return Err(problems.into_error());
    }
    let schema = mapping_schema();
    let walker = Walker {
        schema: &schema,
        text,
        missing_counts: syntax.is_empty(),
        problems: &mut problems,
    };
    { walker }.root(root);
    if syntax.is_empty() {
        check::check(root, text, &mut problems);
    }
    problems.without_echo();
    if !problems.is_empty() {
        return Err(problems.into_error());
    }
    match toml::from_str::<MappingFile>(text) {
        Ok(mut file) => {
            if let Some(target) = &mut file.target {
                complete(target, text, root, &mut problems);
            }
            build(name, text, root, file, problems)
        }
        Err(error) => {
            problems.add(
                "mapping::invalid",
                error.span().unwrap_or(0..0),
                error.message(),
                "here",
                None,
            );
            Err(problems.into_error())
        }
    }
}

/// Reads a file that holds `[target]` alone.
pub(super) fn target(path: &Path) -> Result<Target, MappingError> {
    let text = read(path)?;
    let mut problems = Problems::new(&path.display().to_string(), &text);
    let (root, syntax) = DeTable::parse_recoverable(&text);
    let root = root.get_ref();
    problems.add_syntax(&syntax);
    let schema = schemars::schema_for!(TargetFile).to_value();
    let walker = Walker {
        schema: &schema,
        text: &text,
        missing_counts: syntax.is_empty(),
        problems: &mut problems,
    };
    { walker }.root(root);
    if syntax.is_empty() {
        check::check_target(root, &text, &mut problems);
    }
    problems.without_echo();
    if !problems.is_empty() {
        return Err(problems.into_error());
    }
    match toml::from_str::<TargetFile>(&text) {
        Ok(TargetFile { mut target }) => {
            complete(&mut target, &text, root, &mut problems);
            if problems.is_empty() {
                Ok(target)
            } else {
                Err(problems.into_error())
            }
        }
        Err(error) => {
            problems.add(
                "mapping::invalid",
                error.span().unwrap_or(0..0),
                error.message(),
                "here",
                None,
            );
            Err(problems.into_error())
        }
    }
}

/// Puts the preset below a declared target; what is still missing is a problem of its table.
fn complete(target: &mut Target, text: &str, root: &DeTable<'_>, problems: &mut Problems) {
    let place = root.get("target").map_or(0..0, Spanned::span);
    for (message, help) in http_json::complete(target, text) {
        let help = (!help.is_empty()).then_some(help);
        let place = super::place::first_line(text, place.clone());
        problems.add("mapping::http_json", place, message, "this target", help);
    }
}

/// A file that holds a target alone: a staging CMS beside the one of the mapping.
#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
struct TargetFile {
    target: Target,
}

/// The version that the file names, if it is another one.
fn version(root: &DeTable<'_>) -> Option<(Range<usize>, String)> {
    let node = root.get("schema")?;
    let found = node.get_ref().as_integer()?;
    let number = u64::from_str_radix(&found.as_str().replace('_', ""), found.radix()).ok();
    (number != Some(check::VERSION)).then(|| (node.span(), found.to_string()))
}

/// The last steps: what needs the finished rules.
fn build(
    name: &str,
    text: &str,
    root: &DeTable<'_>,
    mut file: MappingFile,
    mut problems: Problems,
) -> Result<Mapping, MappingError> {
    if file.url.case_insensitive_path {
        ignore_case(&mut file);
    }
    let urls = |origins: &[String]| origins.iter().filter_map(|o| Url::parse(o).ok()).collect();
    let (aliases, also) = (urls(&file.site.aliases), urls(&file.site.also));
    let identity = Identity::new(&file.site.base, aliases, also, file.url.clone());
    let mut start = Vec::new();
    let start_node = root.get("site").and_then(|s| s.get_ref().get("start"));
    for (i, href) in file.site.start.iter().enumerate() {
        let span = start_node
            .and_then(|n| n.get_ref().get(i))
            .map_or(0..0, Spanned::span);
        let page = file.site.base.join(href).map_err(|e| e.to_string());
        match page.and_then(|url| identity.canonical(&url).map_err(|e| e.to_string())) {
            Ok(page) if start.contains(&page) => {}
            Ok(page) => start.push(page),
            Err(error) => {
                let message = format!("`{href}` is no page to start from");
                problems.add(
                    "mapping::start",
                    span,
                    message,
                    error,
                    Some("write a path of the site: `/`".into()),
                );
            }
        }
    }
    let mut keys = BTreeMap::new();
    for c in &file.collection {
        // Read by `check` already; a collection without a template is keyed by its URL.
        if let Ok(key) = KeyTemplate::new(&c.key, c.matches.url.regex().captures_len() - 1) {
            keys.insert(c.id.clone(), key);
        }
    }
    let zone = match jiff::tz::TimeZone::get(&file.site.timezone) {
        Ok(zone) => zone,
        Err(error) => {
            problems.add("mapping::timezone", 0..0, error.to_string(), "here", None);
            return Err(problems.into_error());
        }
    };
    if !problems.is_empty() {
        return Err(problems.into_error());
    }
    let dir = Path::new(name).parent().unwrap_or(Path::new("")).to_owned();
    Ok(Mapping {
        hash: CaptureId::of(text.as_bytes()),
        file,
        dir,
        identity,
        zone,
        start,
        keys,
    })
}

/// Canonical paths are lower case here: patterns on URLs are compared without case, as the author wrote them.
fn ignore_case(file: &mut MappingFile) {
    use super::model::Discover;
    let mut fold = |pattern: &mut super::Pattern| {
        if let Ok(folded) = pattern.ignoring_case() {
            *pattern = folded;
        }
    };
    file.url.drop_path_patterns.iter_mut().for_each(&mut fold);
    file.url.rewrite.iter_mut().for_each(|r| fold(&mut r.from));
    file.reject
        .iter_mut()
        .filter_map(|r| r.url.as_mut())
        .for_each(&mut fold);
    for rule in &mut file.discover {
        match rule {
            Discover::Links(r) => {
                r.on.iter_mut()
                    .chain(&mut r.allow)
                    .chain(&mut r.deny)
                    .for_each(&mut fold);
            }
            Discover::List(r) => fold(&mut r.on),
            Discover::Sitemap(_) | Discover::Calendar(_) | Discover::Ids(_) => {}
        }
    }
    for c in &mut file.collection {
        fold(&mut c.matches.url);
        c.matches.not_url.iter_mut().for_each(&mut fold);
        let takes = c.fields.values_mut().flat_map(|f| &mut f.take);
        takes.filter_map(|t| t.url.as_mut()).for_each(&mut fold);
    }
    file.media
        .attachments
        .iter_mut()
        .chain(&mut file.media.ignore)
        .for_each(&mut fold);
    file.links.unwrap.iter_mut().for_each(&mut fold);
}
