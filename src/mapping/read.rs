//! From text to [`Mapping`]: every problem is found before serde builds anything.

use super::error::{MappingError, Problems};
use super::identity::Identity;
use super::key::KeyTemplate;
use super::model::MappingFile;
use super::rules::Mapping;
use crate::document::CaptureId;
use std::collections::BTreeMap;
use std::path::Path;
use url::Url;

/// Largest mapping file, in bytes.
const MAX_BYTES: u64 = 4 << 20;

pub(super) fn load(path: &Path) -> Result<Mapping, MappingError> {
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
    let text = std::fs::read_to_string(path).map_err(io)?;
    parse(&path.display().to_string(), &text)
}

pub(super) fn parse(name: &str, text: &str) -> Result<Mapping, MappingError> {
    let mut problems = Problems::new(name, text);
    let file: MappingFile = match toml::from_str(text) {
        Ok(file) => file,
        Err(error) => {
            problems.add(
                "mapping::invalid",
                error.span().unwrap_or(0..0),
                error.message(),
                "here",
                None,
            );
            return Err(problems.into_error());
        }
    };
    build(name, text, file, problems)
}

/// The last steps: what needs the finished rules.
fn build(
    name: &str,
    text: &str,
    mut file: MappingFile,
    mut problems: Problems,
) -> Result<Mapping, MappingError> {
    if file.url.case_insensitive_path {
        ignore_case(&mut file);
    }
    let aliases = file
        .site
        .aliases
        .iter()
        .filter_map(|a| Url::parse(a).ok())
        .collect();
    let identity = Identity::new(&file.site.base, aliases, file.url.clone());
    let mut start = Vec::new();
    for href in &file.site.start {
        let page = file.site.base.join(href).map_err(|e| e.to_string());
        match page.and_then(|url| identity.canonical(&url).map_err(|e| e.to_string())) {
            Ok(page) if start.contains(&page) => {}
            Ok(page) => start.push(page),
            Err(error) => problems.add("mapping::start", 0..0, error, "here", None),
        }
    }
    let zone = jiff::tz::TimeZone::get(&file.site.timezone).unwrap_or(jiff::tz::TimeZone::UTC);
    let mut keys = BTreeMap::new();
    for c in &file.collection {
        match KeyTemplate::new(&c.key, c.matches.url.regex().captures_len() - 1) {
            Ok(key) => {
                keys.insert(c.id.clone(), key);
            }
            Err(error) => problems.add("mapping::key", 0..0, error, "here", None),
        }
    }
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
            Discover::Sitemap(_) => {}
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
