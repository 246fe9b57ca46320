//! Natural keys: `{ItemID}` a query parameter, `{1}` a group of `match.url`, `{path}`, `{url}`, and text.

use super::identity::PageUrl;
use super::pattern::Pattern;
use super::url_rules::{decoded, same_name};

/// A key template, read once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyTemplate(Vec<Part>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    Text(String),
    Param(String),
    Group(usize),
    Path,
    Url,
}

impl KeyTemplate {
    /// Reads `{…}` templates; `groups` is how many groups `match.url` has.
    ///
    /// # Errors
    /// A text for people that says what is wrong with it.
    pub(super) fn new(text: &str, groups: usize) -> Result<Self, String> {
        let mut parts = Vec::new();
        let mut rest = text;
        while let Some(open) = rest.find(['{', '}']) {
            if rest[open..].starts_with('}') {
                return Err("`}` without `{`".into());
            }
            let (before, inside) = (&rest[..open], &rest[open + 1..]);
            let close = inside.find('}').ok_or("`{` without `}`")?;
            if !before.is_empty() {
                parts.push(Part::Text(before.to_owned()));
            }
            parts.push(match inside[..close].trim() {
                "" => return Err("`{}` names nothing".into()),
                "path" => Part::Path,
                "url" => Part::Url,
                name if name.contains('{') => return Err("`{` inside `{…}`".into()),
                name if name.bytes().all(|b| b.is_ascii_digit()) => match name.parse() {
                    Ok(n) if (1..=groups).contains(&n) => Part::Group(n),
                    _ => {
                        return Err(format!(
                            "`{{{name}}}` is no group of `match.url`, which has {groups}"
                        ));
                    }
                },
                name => Part::Param(name.to_owned()),
            });
            rest = &inside[close + 1..];
        }
        if !rest.is_empty() {
            parts.push(Part::Text(rest.to_owned()));
        }
        if parts.iter().all(|p| matches!(p, Part::Text(_))) {
            return Err("the same key for every page: it names nothing of the URL".into());
        }
        Ok(Self(parts))
    }

    /// The query parameters that it needs.
    pub(super) fn params(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|part| match part {
            Part::Param(name) => Some(name.as_str()),
            _ => None,
        })
    }

    /// The key of `url`; `None` if a parameter or group is not there.
    pub(super) fn fill(&self, url: &PageUrl, pattern: &Pattern, ignore_case: bool) -> Option<String> {
        let groups = pattern.regex().captures(url.path_and_query());
        let mut out = String::new();
        for part in &self.0 {
            match part {
                Part::Text(text) => out.push_str(text),
                Part::Path => out.push_str(url.as_url().path()),
                Part::Url => out.push_str(url.as_str()),
                Part::Group(n) => out.push_str(groups.as_ref()?.get(*n)?.as_str()),
                Part::Param(name) => {
                    let query = url.as_url().query()?;
                    let mut params = query.split('&').map(|p| p.split_once('=').unwrap_or((p, "")));
                    let (_, value) = params.find(|(n, _)| same_name(ignore_case, name, n))?;
                    if value.is_empty() {
                        return None;
                    }
                    out.push_str(&decoded(value));
                }
            }
        }
        Some(out)
    }
}
