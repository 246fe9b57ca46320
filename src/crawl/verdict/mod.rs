//! What an answer means. Pure.

mod known;
pub mod soft404;

pub use known::of_looks;

use crate::lang::fold;
use crate::mapping::model::{Reject, RejectClass};
use crate::page::Page;
use std::time::Duration;

/// What an answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Content.
    Captured,
    /// The capture that we have is still right.
    NotModified,
    /// Not there; with the class.
    Gone(String),
    /// An answer that is neither content nor an absence; with the class.
    Rejected(String),
    /// The site does not want us here: a login form, a challenge, a firewall. It says nothing of the page.
    Blocked {
        /// Class: `known:ID` or `reject:ID`.
        class: String,
        /// It asks for a login.
        login: bool,
    },
    /// To be asked for again; `after` is what the server asked for.
    Retry {
        /// Class: `http-503`, `timeout`, …
        class: String,
        /// `Retry-After`.
        after: Option<Duration>,
    },
}

impl Outcome {
    /// The class of what is no content; empty for content.
    #[must_use]
    pub fn class(&self) -> &str {
        match self {
            Self::Captured | Self::NotModified => "",
            Self::Gone(class)
            | Self::Rejected(class)
            | Self::Blocked { class, .. }
            | Self::Retry { class, .. } => class,
        }
    }
}

/// By the status alone. Redirects are handled before.
#[must_use]
pub fn of_status(status: u16, after: Option<Duration>) -> Outcome {
    let class = || format!("http-{status}");
    match status {
        200..=299 => Outcome::Captured,
        304 => Outcome::NotModified,
        404 | 410 => Outcome::Gone("gone".into()),
        408 | 425 | 429 | 500 | 502..=504 | 507..=509 | 520..=530 => Outcome::Retry {
            class: class(),
            after,
        },
        401 | 407 => Outcome::Blocked {
            class: class(),
            login: true,
        },
        403 => Outcome::Blocked {
            class: class(),
            login: false,
        },
        _ => Outcome::Rejected(class()),
    }
}

/// By the mapping's reject rules: the first that holds. All conditions that a rule names must hold.
#[must_use]
pub fn of_page(rules: &[Reject], url: &str, view: &Page) -> Option<Outcome> {
    let rule = rules.iter().find(|rule| {
        rule.url.as_ref().is_none_or(|p| p.regex().is_match(url))
            && rule
                .css
                .as_ref()
                .is_none_or(|c| view.html.select(c.selector()).next().is_some())
            && (rule.text_any.is_empty() || rule.text_any.iter().any(|t| view.has_text(&fold(t))))
    })?;
    Some(rejected(rule.class, format!("reject:{}", rule.id)))
}

fn rejected(kind: RejectClass, class: String) -> Outcome {
    match kind {
        RejectClass::Gone => Outcome::Gone(class),
        // Down for now: worth another try.
        RejectClass::Maintenance => Outcome::Retry { class, after: None },
        RejectClass::Login => Outcome::Blocked { class, login: true },
        RejectClass::Blocked | RejectClass::Challenge => Outcome::Blocked { class, login: false },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn soft_404_is_gone_and_never_content() {
        let extra = "[[reject]]\nid = \"soft\"\ntext_any = [\"Không  TÌM thấy\"]\nclass = \"gone\"";
        let mapping = super::super::tests::mapping(extra);
        let rules = &mapping.rules().reject;
        let page = super::super::tests::page("http://h/x", "<p>Trang không tìm\u{a0}thấy.</p>", extra);
        assert_eq!(
            of_page(rules, "http://h/x", &page),
            Some(Outcome::Gone("reject:soft".into()))
        );
        let page = super::super::tests::page("http://h/x", "<p>Tin</p>", extra);
        assert_eq!(of_page(rules, "http://h/x", &page), None);
        assert!(matches!(of_status(503, None), Outcome::Retry { .. }));
        assert_eq!(of_status(404, None), Outcome::Gone("gone".into()));
    }
}
