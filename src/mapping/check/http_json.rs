//! `[target.http]`: paths that stay below the CMS, pointers that are some, names that templates may use.

use super::Check;
use super::table::{Node, Table};
use crate::mapping::template::{Expr, Text};
use crate::mapping::walk::proposal;
use http::header::{HeaderName, HeaderValue};
use std::ops::Range;

/// What templates may name.
const NAMES: [&str; 31] = [
    "vars",
    "of",
    "id",
    "ids",
    "key",
    "slug",
    "hash",
    "live",
    "page",
    "offset",
    "size",
    "cursor",
    "object",
    "title",
    "language",
    "date",
    "modified",
    "summary",
    "body",
    "author",
    "cover",
    "terms",
    "fields",
    "collection",
    "source_key",
    "legacy",
    "name",
    "parent",
    "filename",
    "stem",
    "mime",
];
const MORE_NAMES: [&str; 3] = ["alt", "caption", "credit"];
/// Keys of an object's tables that hold a pointer.
const POINTERS: [&str; 12] = [
    "id", "key", "slug", "url", "modified", "rendered", "user", "items", "cursor", "object", "read", "fields",
];
/// Headers that are ours to send, or the connection's.
const OURS: [&str; 8] = [
    "authorization",
    "proxy-authorization",
    "cookie",
    "host",
    "content-length",
    "transfer-encoding",
    "connection",
    "accept",
];

impl Check<'_> {
    pub(super) fn http_json(&mut self, target: &Table<'_, '_>) {
        let declared = target.text("kind").is_some_and(|(kind, _)| kind == "http-json");
        for key in ["preset", "http"] {
            if !declared && target.get(key).is_some() {
                let message = format!("`{key}` is for `kind = \"http-json\"`");
                self.add(
                    "mapping::http_json",
                    target.key_span(key),
                    message,
                    "another kind of target",
                    "",
                );
            }
        }
        let Some(http) = target.sub("http") else { return };
        if let Some((base, span)) = http.text("base") {
            self.path("base", base, span);
        }
        for name in ["document", "term", "media", "file", "probe"] {
            if let Some(object) = http.sub(name) {
                self.object(&object, true);
            }
        }
        if let Some(error) = http.sub("error") {
            for (pointer, span) in error.texts("code").chain(error.texts("text")) {
                self.pointer(pointer, span);
            }
        }
        self.headers(&http);
        for (name, span, value) in all_texts(&http) {
            self.names(name, value, span);
        }
    }

    /// An object or a table in it.
    fn object(&mut self, table: &Table<'_, '_>, top: bool) {
        for (key, node) in table.table {
            let key = key.get_ref().as_ref();
            if let Some(text) = node.get_ref().as_str() {
                match key {
                    "path" | "item" | "query" | "many" | "public" => self.path(key, text, node.span()),
                    "method" => self.method(text, node.span()),
                    _ if POINTERS.contains(&key) && (top || key != "value") => {
                        self.pointer(text, node.span())
                    }
                    _ => {}
                }
            } else if let Some(inner) = Table::of(node) {
                match key {
                    // Values of fields, bodies and headers are the CMS's own words.
                    "fields" => {
                        for (_, _, field) in table.named("fields") {
                            if let Some((read, span)) = field.text("read") {
                                self.pointer(read, span);
                            }
                        }
                    }
                    "body" | "headers" => {}
                    _ => self.object(&inner, false),
                }
            } else {
                for (text, span) in table.texts(key).filter(|_| key == "exist") {
                    self.path(key, text, span);
                }
            }
        }
    }

    /// Nothing in a path leads away from the CMS.
    fn path(&mut self, key: &str, text: &str, span: Range<usize>) {
        let away = text.contains("://")
            || text.starts_with("//")
            || text.contains('\\')
            || text.split(['/', '?']).any(|part| part == "..");
        if away {
            let help = "write it below `url`: the secret goes nowhere else";
            let message = format!("`{key}` leads away from the CMS");
            self.add(
                "mapping::http_json",
                span,
                message,
                "not a path below `url`",
                help,
            );
        }
    }

    fn pointer(&mut self, text: &str, span: Range<usize>) {
        if !text.is_empty() && !text.starts_with('/') {
            let help = format!("write `/{}`", text.replace('.', "/"));
            let message = format!("`{text}` is no JSON pointer");
            self.add(
                "mapping::http_json",
                span,
                message,
                "pointers begin with `/`",
                &help,
            );
        }
    }

    fn method(&mut self, text: &str, span: Range<usize>) {
        let known = ["POST", "PUT", "PATCH", "DELETE"];
        if !known.contains(&text) {
            let message = format!("`{text}` is no method of a write");
            self.add(
                "mapping::http_json",
                span,
                message,
                "not known",
                &proposal(text, &known),
            );
        }
    }

    /// Headers that a mapping may set.
    fn headers(&mut self, http: &Table<'_, '_>) {
        let own = http.sub("auth").and_then(|auth| auth.text("header"));
        let mut names: Vec<(&str, Range<usize>, &str)> = own.into_iter().map(|(n, s)| (n, s, "x")).collect();
        let map = http.get("headers").and_then(|n| n.get_ref().as_table());
        for (name, value) in map.into_iter().flatten() {
            names.push((
                name.get_ref(),
                name.span(),
                value.get_ref().as_str().unwrap_or_default(),
            ));
        }
        for (name, span, value) in names {
            let valid =
                HeaderName::from_bytes(name.as_bytes()).is_ok() && HeaderValue::from_str(value).is_ok();
            if !valid || OURS.contains(&name.to_ascii_lowercase().as_str()) {
                let help = "secrets go by `auth`; the connection's headers are not for a mapping";
                let message = format!("the header `{name}` cannot be set");
                self.add("mapping::http_json", span, message, "not here", help);
            }
        }
    }

    /// Templates name what there is.
    fn names(&mut self, key: &str, text: &str, span: Range<usize>) {
        let said: Vec<(String, Range<usize>)> = if ["live", "mine"].contains(&key) {
            let names = Expr::new(text).map(|e| e.names()).unwrap_or_default();
            names.into_iter().map(|n| (n, 0..text.len())).collect()
        } else {
            Text::new(text).iter().flat_map(Text::names).collect()
        };
        for (name, at) in said {
            let root = name.split('.').next().unwrap_or_default();
            let known: Vec<&str> = NAMES.into_iter().chain(MORE_NAMES).collect();
            if !known.contains(&root) {
                let place = super::place::inside(self.text, &span, text, at).unwrap_or_else(|| span.clone());
                let message = format!("a template names `{root}`, which there is not");
                self.add(
                    "mapping::template",
                    place,
                    message,
                    "not known",
                    &proposal(root, &known),
                );
            }
        }
    }
}

/// Every text below a table, with the key under which it stands.
fn all_texts<'t>(table: &Table<'t, '_>) -> Vec<(&'t str, Range<usize>, &'t str)> {
    fn walk<'t>(key: &'t str, node: &'t Node<'_>, out: &mut Vec<(&'t str, Range<usize>, &'t str)>) {
        let value = node.get_ref();
        if let Some(text) = value.as_str() {
            out.push((key, node.span(), text));
        }
        value
            .as_array()
            .into_iter()
            .flatten()
            .for_each(|item| walk(key, item, out));
        for (name, inner) in value.as_table().into_iter().flatten() {
            walk(name.get_ref(), inner, out);
        }
    }
    let mut out = Vec::new();
    for (name, node) in table.table {
        walk(name.get_ref(), node, &mut out);
    }
    out
}
