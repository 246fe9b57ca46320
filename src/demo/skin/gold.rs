//! What the page of an article in a skin must become, made from the article and never from its HTML.

use super::super::Portal;
use super::super::blocks::Maker;
use super::super::chrome;
use super::super::text::SECTIONS;
use super::{Skin, piece, section, urls};
use crate::document::{Block, DateValue, Precision};
use serde::Serialize;

/// The truth about one article's page in a skin, as far as no mapping decides it.
#[derive(Clone, Debug, Serialize)]
pub struct Expected {
    /// Index of the article; the seed's has 0.
    pub index: usize,
    /// Canonical URL of the page.
    pub url: String,
    /// The headline.
    pub title: String,
    /// The section.
    pub section: String,
    /// When it was published: printed on the page, else in the list.
    pub published: DateValue,
    /// Who wrote it.
    pub byline: Option<String>,
    /// What follows "Nguồn:".
    pub source: Option<String>,
    /// Printed between title and body.
    pub summary: Option<String>,
    /// Blocks; what their media and links lead to is not said.
    pub body: Vec<Block>,
}

impl Expected {
    /// Captions of the pictures, in order.
    #[must_use]
    pub fn captions(&self) -> Vec<&str> {
        self.body
            .iter()
            .flat_map(|b| match b {
                Block::Image { image, .. } => std::slice::from_ref(image),
                Block::Gallery { items, .. } => items.as_slice(),
                _ => &[],
            })
            .filter_map(|i| i.caption.as_ref().map(|c| c.text.as_str()))
            .collect()
    }

    /// Text of the body, a block a line.
    #[must_use]
    pub fn text(&self) -> String {
        self.body.iter().map(Block::text).collect::<Vec<_>>().join("\n")
    }
}

/// The truth about the article with `index`.
pub(in super::super) fn expected(portal: &Portal, skin: Skin, index: usize) -> Expected {
    let piece = piece::piece(portal, skin, index);
    let habits = skin.habits();
    let article = piece.article;
    let mut maker = Maker::default();
    for node in &article.body {
        maker.node(node);
    }
    let at = article.published;
    let timed = if piece.dated {
        habits.time
    } else {
        habits.list_time
    };
    let (title, month) = piece::head(portal, index);
    Expected {
        index,
        url: format!(
            "{}{}",
            skin.base().trim_end_matches('/'),
            urls::article(skin, index, &title, &month)
        ),
        title: article.title,
        section: SECTIONS[section(index) - 1].to_owned(),
        published: DateValue {
            value: if timed {
                format!("{}+07:00", at.strftime("%Y-%m-%dT%H:%M:%S"))
            } else {
                at.date().to_string()
            },
            precision: if timed { Precision::Minute } else { Precision::Day },
            raw: chrome::day(at.date()),
            method: if piece.dated { "css" } else { "listing" }.into(),
            confidence: 1.0,
        },
        byline: piece.author.or(maker.signature),
        source: piece.source.or(maker.source),
        summary: article.summary,
        body: maker.body,
    }
}
