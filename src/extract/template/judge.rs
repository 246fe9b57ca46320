//! Whether a page is what its template taught: an odd page is told, not read as if it were like the others.

use super::model::{Article, Model};
use crate::lang::fold;
use crate::mapping::Css;
use crate::page::Page;

/// How much longer or shorter than all pages of the sample a text may be, as a factor.
const BAND: usize = 4;

/// Shortest text that is no alarm by itself, in characters.
const SHORT: usize = 20;

/// What is odd about a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Alarm {
    /// Its address is that of no template.
    Unknown,
    /// The container is missing.
    NoContainer,
    /// The container is empty.
    Empty,
    /// The headline is missing.
    NoTitle,
    /// Its text is far longer or shorter than that of all pages that taught.
    Length(usize),
    /// It asks for a password.
    Login,
    /// It says what pages say that hold no article.
    Gone,
}

impl std::fmt::Display for Alarm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("its address is that of no template"),
            Self::NoContainer => f.write_str("what holds the text is missing"),
            Self::Empty => f.write_str("there is no text"),
            Self::NoTitle => f.write_str("the headline is missing"),
            Self::Length(chars) => write!(f, "{chars} characters of text are out of the template's range"),
            Self::Login => f.write_str("it asks for a password"),
            Self::Gone => f.write_str("it says that there is no article"),
        }
    }
}

/// What is odd about a page by what was learned; empty if nothing is.
#[must_use]
pub fn alarms(model: &Model, page: &Page) -> Vec<Alarm> {
    let location = page.url.path_and_query();
    let known = model
        .templates
        .iter()
        .find(|t| t.article.is_some() && regex::Regex::new(&t.url).is_ok_and(|r| r.is_match(location)));
    let Some(article) = known.and_then(|t| t.article.as_ref()) else {
        return vec![Alarm::Unknown];
    };
    let gone = model
        .templates
        .iter()
        .filter_map(|t| t.message.as_ref())
        .any(|(text, css)| {
            let shows = |css: &String| Css::new(css).is_ok_and(|css| page.select(&css).next().is_some());
            page.has_text(&fold(text)) && css.as_ref().is_none_or(shows)
        });
    let mut out = of_article(article, page);
    if gone {
        out.push(Alarm::Gone);
    }
    out
}

fn of_article(article: &Article, page: &Page) -> Vec<Alarm> {
    let mut out = Vec::new();
    let first = |css: &str| {
        let css = Css::new(css).ok()?;
        page.select(&css).next().map(|e| {
            (
                page.text_of(e).chars().count(),
                e.descendants().any(|d| {
                    d.value()
                        .as_element()
                        .is_some_and(|e| matches!(e.name(), "img" | "iframe" | "object" | "video"))
                }),
            )
        })
    };
    if page
        .select(&Css::builtin("input[type='password' i]"))
        .next()
        .is_some()
        && first(&article.container.css).is_none()
    {
        out.push(Alarm::Login);
    }
    match first(&article.container.css) {
        None => out.push(Alarm::NoContainer),
        Some((0, false)) => out.push(Alarm::Empty),
        Some((chars, pictures)) => {
            let short = chars < SHORT && chars * BAND < article.band.0 && !pictures;
            if chars > article.band.1 * BAND || short {
                out.push(Alarm::Length(chars));
            }
        }
    }
    if let Some(title) = &article.title
        && first(&title.css).is_none_or(|(chars, _)| chars == 0)
    {
        out.push(Alarm::NoTitle);
    }
    out
}
