//! The sense of a mapping: what no schema can say. Works on the spanned table and skips what has the wrong shape, so
//! that it adds its problems to those of the walker.

mod collection;
mod discover;
mod gates;
mod http_json;
mod network;
mod notify;
mod render;
mod session;
mod site;
mod table;

use super::error::Problems;
use super::place;
use std::collections::BTreeMap;
use std::ops::Range;
use table::Table;
use toml::de::DeTable;

/// Version of the format that this program reads.
pub(super) const VERSION: u64 = 1;

/// Checks the whole mapping.
pub(super) fn check(root: &DeTable<'_>, text: &str, problems: &mut Problems) {
    let root = Table {
        table: root,
        span: 0..0,
    };
    let mut check = Check {
        text,
        problems,
        language: language(root.table),
        lists: BTreeMap::new(),
    };
    check.site(&root);
    check.numbers(&root);
    check.url_rules(&root);
    check.rejects(&root);
    check.discover(&root);
    check.render(&root);
    check.session(&root);
    check.network(&root);
    check.notify(&root);
    check.unique(root.tables("drop"), "drop");
    root.tables("drop").for_each(|d| check.drop_rule(&d));
    check.gates(&root);
    check.collections(&root);
    check.decode(&root);
    check.target(&root);
}

/// Checks a file that holds `[target]` alone.
pub(super) fn check_target(root: &DeTable<'_>, text: &str, problems: &mut Problems) {
    let root = Table {
        table: root,
        span: 0..0,
    };
    Check {
        text,
        problems,
        language: String::new(),
        lists: BTreeMap::new(),
    }
    .target(&root);
}

/// The site's language, or the default.
fn language(root: &DeTable<'_>) -> String {
    let site = root.get("site").and_then(|s| s.get_ref().as_table());
    let named = site.and_then(|s| s.get("language")?.get_ref().as_str());
    named.map_or_else(crate::mapping::model::default_language, str::to_owned)
}

struct Check<'c> {
    text: &'c str,
    problems: &'c mut Problems,
    /// The site's language.
    language: String,
    /// List rules with the names of their fields.
    lists: BTreeMap<String, Vec<String>>,
}

impl Check<'_> {
    fn add(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: &str,
        help: &str,
    ) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.problems
            .add(code, place::first_line(self.text, span), message, label, help);
    }

    /// Ids become folders and parts of names. `under`: may it hold `_`?
    fn id(&mut self, id: &str, span: Range<usize>, under: bool) {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || (under && b == b'_');
        if id.is_empty() || id.len() > 64 || id.starts_with('-') || !id.bytes().all(plain) {
            let marks = if under { "`-` and `_`" } else { "and `-`" };
            let help = format!("write 1 to 64 ASCII letters, digits {marks}, no `-` first");
            self.add(
                "mapping::id",
                span,
                format!("`{id}` cannot be an id"),
                "it becomes a folder or part of a name",
                &help,
            );
        }
    }

    fn unique<'t, 'i: 't>(&mut self, tables: impl Iterator<Item = Table<'t, 'i>>, kind: &str) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for table in tables {
            let Some((id, span)) = table.text("id") else {
                continue;
            };
            if id.trim().is_empty() {
                self.add(
                    "mapping::id",
                    span,
                    "the id is empty",
                    "reports could not name it",
                    "",
                );
            } else if let Some(first) = seen.get(id) {
                let line = self.text[..*first].matches('\n').count() + 1;
                let message = format!("two {kind} rules have the id `{id}`");
                let help = format!("the first is in line {line}; give this one another id");
                self.add("mapping::duplicate_id", span, message, "already taken", &help);
            } else {
                seen.insert(id, span.start);
            }
        }
    }
}
