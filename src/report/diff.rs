//! A comparison as one HTML file for people: it needs nothing but itself, runs nothing and loads nothing. Everything that comes
//! from a page is escaped by the templates. Documents are written one by one, however many.

use minijinja::value::Serde;
use minijinja::{Environment, context};
use serde_json::Value;
use std::io::{self, Write};

const HEAD: &str = include_str!("diff/head.html");
const DOCUMENT: &str = include_str!("diff/document.html");
const FOOT: &str = include_str!("diff/foot.html");

/// Writes the summary and the documents (objects of `diff/1`) as HTML.
///
/// # Errors
/// When a document cannot be read or `out` cannot be written.
pub fn diff_html(
    out: &mut impl Write,
    summary: &Value,
    documents: impl Iterator<Item = io::Result<Value>>,
) -> io::Result<()> {
    // Names that end in `.html` are escaped as HTML.
    let mut templates = Environment::new();
    for (name, text) in [
        ("head.html", HEAD),
        ("document.html", DOCUMENT),
        ("foot.html", FOOT),
    ] {
        templates.add_template(name, text).map_err(io::Error::other)?;
    }
    let mut write = |name: &str, values: minijinja::Value| -> io::Result<()> {
        let template = templates.get_template(name).map_err(io::Error::other)?;
        let text = template.render(values).map_err(io::Error::other)?;
        out.write_all(text.as_bytes())
    };
    let at = |side: &str| {
        let at = summary[side]["at"].as_i64()?;
        let at = jiff::Timestamp::from_millisecond(at).ok()?;
        Some(at.strftime("%Y-%m-%d %H:%M UTC").to_string())
    };
    let all = minijinja::Value::from(Serde(summary));
    write(
        "head.html",
        context! { old_at => at("old"), new_at => at("new"), ..all },
    )?;
    let mut count = 0_u64;
    for document in documents {
        let document = document?;
        count += 1;
        let sign = match document["change"].as_str() {
            Some("changed") => "~",
            Some("moved") => ">",
            Some("added") => "+",
            Some("removed") => "-",
            _ => "=",
        };
        let all = minijinja::Value::from(Serde(&document));
        write("document.html", context! { sign => sign, ..all })?;
    }
    write("foot.html", context! { documents => count })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_a_page_says_is_text_and_the_file_loads_nothing() {
        let evil = "<script>alert(1)</script>\"><img src=x onerror=alert(1)>";
        let change = json!({ "class": "field", "name": evil, "old": evil, "new": "b", "words": [
            { "tag": "same", "text": evil }, { "tag": "removed", "text": evil }, { "tag": "added", "text": "b" } ] });
        let lone = json!({ "class": "media", "name": "a", "old": null, "new": evil });
        let document = json!({ "change": "changed", "id": "x", "source_key": evil, "title": evil, "url": "javascript:alert(1)",
            "classes": ["field"], "difference": { "fields": [change], "body": [
                { "change": "removed", "old": 1, "kind": "paragraph", "text": evil },
                { "change": "changed", "old": 1, "new": 2, "kind": "paragraph", "parts": [change] } ],
                "media": [lone], "links": [], "origins": [{ "field": "title", "old": null, "new": evil }],
                "drops": [], "accounting": [], "gates": [] } });
        let summary = json!({ "old": { "kind": "folder", "name": evil }, "new": { "kind": "run", "name": "r", "at": 0 },
            "by_class": { "field": 1 }, "ignored": {}, "changed": 1 });
        let mut out = Vec::new();
        diff_html(&mut out, &summary, [Ok(document)].into_iter()).unwrap();
        let html = String::from_utf8(out).unwrap();
        assert!(
            !html.contains("<script")
                && !html.contains("<img")
                && !html.contains("href=")
                && !html.contains("src=x\"")
        );
        assert_eq!(html.matches("&lt;script&gt;").count(), 13, "{html}");
        assert!(html.contains("1970-01-01 00:00 UTC") && html.contains("<del>&lt;script"));
        assert!(html.trim_end().ends_with("</html>"));
    }
}
