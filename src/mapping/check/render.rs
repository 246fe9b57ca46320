//! `[[render]]`: rules that a browser can obey.

use super::Check;
use super::table::Table;
use crate::mapping::parse_span;
use std::time::Duration;
use url::Url;

/// Longest `timeout` and `idle` of a rule: a page that needs more is no page.
const MAX_TIMEOUT: Duration = Duration::from_secs(600);

impl Check<'_> {
    pub(super) fn render(&mut self, root: &Table<'_, '_>) {
        self.unique(root.tables("render"), "render");
        for rule in root.tables("render") {
            if let Some((id, span)) = rule.text("id") {
                self.id(id, span, true);
            }
            if let Some((pattern, span)) = rule.text("on")
                && pattern.trim_start_matches("(?i)").starts_with("^http")
            {
                let help = "begin with the path: '^/tin-moi'";
                let label = "looks at path and query";
                self.add(
                    "mapping::pattern",
                    span,
                    "the pattern can never match",
                    label,
                    help,
                );
            }
            let wait = rule.sub("wait");
            if let Some(wait) = &wait
                && wait.get("css").is_none()
                && wait.get("idle").is_none()
            {
                let help = "write `{ css = \"…\" }` or `{ idle = \"500ms\" }`";
                let span = wait.span.clone();
                self.add(
                    "mapping::render",
                    span,
                    "`wait` names nothing",
                    "would never wait",
                    help,
                );
            }
            let idle = wait.as_ref().and_then(|w| w.text("idle"));
            let timeout = rule.text("timeout");
            for (key, value) in [("idle", idle), ("timeout", timeout)] {
                let Some((text, span)) = value else { continue };
                let Ok(time) = parse_span(text) else { continue };
                if time.is_zero() || time > MAX_TIMEOUT {
                    let message = format!("`{key}` is out of range");
                    self.add("mapping::range", span, message, "more than 0, at most `10m`", "");
                }
            }
            for (origin, span) in rule.texts("origins") {
                let url = Url::parse(origin)
                    .ok()
                    .filter(|u| matches!(u.scheme(), "http" | "https"));
                if !url.is_some_and(|u| u.path() == "/" && u.query().is_none() && u.fragment().is_none()) {
                    let message = format!("`{origin}` is not an origin");
                    let help = "write scheme and host: `https://cdn.example.org`";
                    self.add("mapping::url", span, message, "not scheme and host", help);
                }
            }
        }
    }
}
