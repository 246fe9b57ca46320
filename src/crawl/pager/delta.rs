//! Answers of an ASP.NET UpdatePanel: `length|type|id|content|`, one after the other. They are made a page again, with the
//! fields of the form that was sent, so that the next page is found as on any other. Pure.
//!
//! The format is that of `MicrosoftAjaxWebForms.js` (`PageRequestManager._parseDelta`): lengths count UTF-16 units.

use super::request::Request;
use scraper::{Html, Selector};
use std::collections::{BTreeMap, HashSet};
use std::fmt::Write as _;

/// Most parts of one answer.
const MAX_PARTS: usize = 10_000;

/// Why an answer brings no page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeltaError {
    /// It is no delta.
    Malformed,
    /// The server sends the reader elsewhere, or says that the form is not valid any more.
    Expired(String),
}

struct Part<'a> {
    kind: &'a str,
    id: &'a str,
    content: &'a str,
}

fn parts(text: &str) -> Result<Vec<Part<'_>>, DeltaError> {
    let mut parts = Vec::new();
    let mut rest = text.trim_start_matches('\u{feff}');
    while !rest.is_empty() && parts.len() < MAX_PARTS {
        let mut next = || {
            let (word, after) = rest.split_once('|')?;
            rest = after;
            Some(word)
        };
        let (Some(length), Some(kind), Some(id)) = (next(), next(), next()) else {
            // White space behind the last part is nothing.
            return if rest.trim().is_empty() && !parts.is_empty() {
                Ok(parts)
            } else {
                Err(DeltaError::Malformed)
            };
        };
        let length: usize = length.trim().parse().map_err(|_| DeltaError::Malformed)?;
        let end = utf16_end(rest, length).ok_or(DeltaError::Malformed)?;
        let content = &rest[..end];
        rest = rest[end..].strip_prefix('|').ok_or(DeltaError::Malformed)?;
        parts.push(Part { kind, id, content });
    }
    Ok(parts)
}

/// Byte offset behind `units` UTF-16 units.
fn utf16_end(text: &str, units: usize) -> Option<usize> {
    let mut left = units;
    for (at, c) in text.char_indices() {
        if left == 0 {
            return Some(at);
        }
        left = left.checked_sub(c.len_utf16())?;
    }
    (left == 0).then_some(text.len())
}

/// The page that an answer to `asked` makes: the panels inside a form with all fields that would be sent now.
///
/// # Errors
/// See [`DeltaError`].
pub fn to_page(asked: &Request, text: &str) -> Result<String, DeltaError> {
    let parts = parts(text)?;
    let pairs = || url::form_urlencoded::parse(asked.body.as_bytes());
    // The script manager's field comes first: `panel|control`. The next request names its own control.
    let manager = pairs().next().filter(|(_, value)| value.contains('|'));
    let mut fields: BTreeMap<String, String> = pairs()
        .filter(|(name, _)| name != "__ASYNCPOST" && name != "__EVENTTARGET" && name != "__EVENTARGUMENT")
        .map(|(n, v)| (n.into_owned(), v.into_owned()))
        .collect();
    let mut panels = String::new();
    for part in &parts {
        match part.kind {
            "updatePanel" => panels.push_str(part.content),
            "hiddenField" => {
                fields.insert(part.id.to_owned(), part.content.to_owned());
            }
            "pageRedirect" | "error" => {
                let said: String = part.content.chars().take(200).collect();
                return Err(DeltaError::Expired(said));
            }
            _ => {}
        }
    }
    if panels.is_empty() {
        return Err(DeltaError::Malformed);
    }
    if let Some((name, _)) = &manager {
        fields.remove(name.as_ref());
    }
    let own = names(&panels);
    let mut page = format!("<html><body><form action=\"{}\">", escape(&asked.url));
    for (name, value) in fields.iter().filter(|(n, _)| !own.contains(*n)) {
        // Writing to a string cannot fail.
        let _ = write!(
            page,
            "<input type=\"hidden\" name=\"{}\" value=\"{}\">",
            escape(name),
            escape(value)
        );
    }
    if let Some((name, value)) = manager {
        let panel = value.split('|').next().unwrap_or_default();
        let _ = write!(
            page,
            "<meta name=\"sangtrang-update-panel\" content=\"{}|{}\">",
            escape(&name),
            escape(panel)
        );
    }
    page.push_str(&panels);
    page.push_str("</form></body></html>");
    Ok(page)
}

/// Names of the fields that a fragment brings along.
fn names(fragment: &str) -> HashSet<String> {
    let Ok(fields) = Selector::parse("input[name], select[name], textarea[name]") else {
        return HashSet::new();
    };
    let page = Html::parse_fragment(fragment);
    page.select(&fields)
        .filter_map(|f| f.attr("name").map(str::to_owned))
        .collect()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(body: &str) -> Request {
        Request {
            rule: "r".into(),
            method: "POST".into(),
            url: "http://h/l".into(),
            headers: Vec::new(),
            body: body.into(),
        }
    }

    #[test]
    fn a_delta_becomes_a_page_with_the_state_of_now() {
        let panel = "<div>Tin 😀 <a href=\"x\">một</a><input name=\"q\" value=\"2\"></div>";
        let units: usize = panel.chars().map(char::len_utf16).sum();
        let text = format!(
            "1|#||4|{units}|updatePanel|ctl00_P|{panel}|4|hiddenField|__VIEWSTATE|a|b\"|0|asyncPostBackControlIDs|||"
        );
        let body = "sm=ctl00%24P%7Cctl00%24grid&__EVENTTARGET=g&__EVENTARGUMENT=Page%242&__VIEWSTATE=old&q=1&k=%26&__ASYNCPOST=true";
        let page = to_page(&asked(body), &text).unwrap();
        assert!(page.contains(panel));
        assert!(
            page.contains("name=\"__VIEWSTATE\" value=\"a|b&quot;\""),
            "{page}"
        );
        assert!(page.contains("name=\"k\" value=\"&amp;\""));
        assert!(page.contains("content=\"sm|ctl00$P\""), "{page}");
        assert_eq!(page.matches("name=\"q\"").count(), 1);
        assert!(!page.contains("old") && !page.contains("ASYNCPOST"));
    }

    #[test]
    fn what_is_no_delta_or_an_end_is_said() {
        let request = asked("");
        assert_eq!(
            to_page(&request, "15|pageRedirect||/Login.aspx?x=1|"),
            Err(DeltaError::Expired("/Login.aspx?x=1".into()))
        );
        for text in [
            "",
            "<html>",
            "5|updatePanel|x|ab|",
            "99999999999999999999|a|b|c|",
            "1|a|b",
        ] {
            assert_eq!(to_page(&request, text), Err(DeltaError::Malformed), "{text}");
        }
    }
}
