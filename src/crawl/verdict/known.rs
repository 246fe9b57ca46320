//! Answers that every site may give in place of content: challenges, firewalls, login forms, maintenance. They are data
//! (`known.toml`); a mapping adds its own by `[[reject]]`.

use super::{Outcome, RejectClass, rejected};
use crate::capture::Capture;
use crate::lang::fold;
use crate::page::Page;
use scraper::Selector;
use serde::Deserialize;
use std::sync::LazyLock;

/// What of a body is searched for marks: stubs are short, and marks of long pages stand in their head.
const SEARCHED: usize = 256 << 10;

#[derive(Deserialize)]
struct File {
    signature: Vec<Signature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    id: String,
    class: RejectClass,
    max_text: Option<usize>,
    max_bytes: Option<usize>,
    header: Option<String>,
    css: Option<String>,
    #[serde(default)]
    text_any: Vec<String>,
    #[serde(default)]
    body_any: Vec<String>,
    #[serde(default)]
    body_all: Vec<String>,
}

struct Compiled {
    rule: Signature,
    css: Option<Selector>,
}

/// The file is part of the program; a test reads it, so that an empty list can only mean a build that did not test.
static SIGNATURES: LazyLock<Vec<Compiled>> = LazyLock::new(|| {
    let file: Result<File, _> = toml::from_str(include_str!("known.toml"));
    let compiled = |mut rule: Signature| {
        for text in &mut rule.text_any {
            *text = fold(text);
        }
        let css = rule.css.as_deref().and_then(|c| Selector::parse(c).ok());
        Compiled { rule, css }
    };
    file.map(|f| f.signature.into_iter().map(compiled).collect())
        .unwrap_or_default()
});

/// By the looks of an answer: `known:ID`.
#[must_use]
pub fn of_looks(capture: &Capture, page: &Page) -> Option<Outcome> {
    let length = page.text.len();
    let head = &capture.body[..capture.body.len().min(SEARCHED)];
    let in_body = |mark: &String| memchr::memmem::find(head, mark.as_bytes()).is_some();
    let found = SIGNATURES.iter().find(|Compiled { rule, css }| {
        rule.max_text.is_none_or(|most| length <= most)
            && rule.max_bytes.is_none_or(|most| capture.body.len() <= most)
            && rule.header.as_deref().is_none_or(|h| has_header(capture, h))
            && (rule.body_any.is_empty() || rule.body_any.iter().any(in_body))
            && rule.body_all.iter().all(in_body)
            && (rule.text_any.is_empty() || rule.text_any.iter().any(|t| page.has_text(t)))
            && (rule.css.is_none() || css.as_ref().is_some_and(|c| page.html.select(c).next().is_some()))
    })?;
    Some(rejected(found.rule.class, format!("known:{}", found.rule.id)))
}

fn has_header(capture: &Capture, header: &str) -> bool {
    let (name, value) = header.split_once(':').unwrap_or((header, ""));
    capture
        .header(name.trim())
        .is_some_and(|v| v.to_ascii_lowercase().contains(value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::tests::page;

    fn class(html: &str) -> String {
        let page = page("http://h/a", html, "");
        let capture = Capture {
            notes: Vec::new(),
            id: crate::document::CaptureId::of(html.as_bytes()),
            url: "http://h/a".into(),
            status: 200,
            headers: vec![("Server".into(), b"x".to_vec())],
            body: html.as_bytes().to_vec(),
            at: jiff::Timestamp::UNIX_EPOCH,
            truncated: None,
        };
        of_looks(&capture, &page).map_or_else(String::new, |o| o.class().to_owned())
    }

    #[test]
    fn every_signature_compiles() {
        let file: File = toml::from_str(include_str!("known.toml")).unwrap();
        assert_eq!(SIGNATURES.len(), file.signature.len());
        for Compiled { rule, css } in SIGNATURES.iter() {
            assert_eq!(rule.css.is_some(), css.is_some(), "{}", rule.id);
            let one = rule.header.is_some() || css.is_some() || !rule.text_any.is_empty();
            assert!(
                one || !rule.body_any.is_empty() || !rule.body_all.is_empty(),
                "{}",
                rule.id
            );
        }
    }

    #[test]
    fn stubs_are_known_and_articles_about_them_are_content() {
        assert_eq!(
            class(
                r#"<html><body><script>document.cookie="D1N=ab"+"; path=/";window.location.reload(true);</script></body></html>"#
            ),
            "known:cookie-stub"
        );
        assert_eq!(
            class("<form><input name=u><input type=password name=p> Đăng nhập</form>"),
            "known:login-form"
        );
        assert_eq!(
            class("<h1>Trang web đang được nâng cấp, mời quay lại sau</h1>"),
            "known:maintenance"
        );
        let long = "Cục Thống kê tỉnh thông báo số liệu tháng. ".repeat(40);
        for html in [
            format!("<p>Hệ thống đang bảo trì trong tuần.</p><p>{long}</p>"),
            format!("<form><input type=password></form><p>{long}</p>"),
            format!("<script>document.cookie='a=1';if(x)location='/y'</script><p>{long}</p>"),
        ] {
            assert_eq!(class(&html), "");
        }
        assert_eq!(class("<p>Tin vắn.</p>"), "");
    }
}
