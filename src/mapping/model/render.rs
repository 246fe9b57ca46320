//! `[[render]]`: pages that only a browser can show.

use super::Span;
use crate::mapping::pattern::{Css, Pattern};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[[render]]`: pages that only a browser can show.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderRule {
    /// Id.
    pub id: String,
    /// Pages, by path and query of their canonical URL. The first rule that fits counts.
    pub on: Pattern,
    /// `always`, or only when the page as sent is `empty`.
    #[serde(default)]
    pub when: RenderWhen,
    /// When the page is taken as done.
    #[serde(default)]
    pub wait: RenderWait,
    /// Longest time until then.
    #[serde(default = "default_timeout")]
    pub timeout: Span,
    /// What the browser does not load.
    #[serde(default = "default_block")]
    pub block: Vec<RenderBlock>,
    /// Other origins (`https://cdn.example.org`) from which the page may load; only the site itself if empty.
    #[serde(default)]
    pub origins: Vec<String>,
}

impl RenderRule {
    /// Every page, with the defaults: for a look at a page for which the mapping has no rule.
    #[must_use]
    pub fn usual() -> Self {
        Self {
            id: "usual".into(),
            on: Pattern::builtin(""),
            when: RenderWhen::default(),
            wait: RenderWait::default(),
            timeout: default_timeout(),
            block: default_block(),
            origins: Vec::new(),
        }
    }
}

/// Which of the pages are rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RenderWhen {
    /// All of them.
    #[default]
    Always,
    /// Those that, as sent, hold no item of their list or no text of their collection.
    Empty,
}

/// When a rendered page is taken as done: all that is named must hold.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RenderWait {
    /// An element that is there.
    pub css: Option<Css>,
    /// The page is loaded and has asked for nothing for so long.
    pub idle: Option<Span>,
}

impl Default for RenderWait {
    fn default() -> Self {
        Self {
            css: None,
            idle: Some(Span::millis(500)),
        }
    }
}

impl RenderWait {
    /// As a note beside what was rendered.
    #[must_use]
    pub fn describe(&self) -> String {
        let css = self.css.as_ref().map(|c| format!("css {}", c.as_str()));
        let idle = self.idle.map(|i| format!("idle {} ms", i.0.as_millis()));
        css.into_iter().chain(idle).collect::<Vec<_>>().join(", ")
    }
}

/// A kind of request that a rendered page may do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RenderBlock {
    /// Pictures.
    Image,
    /// Fonts.
    Font,
    /// Sound and film.
    Media,
    /// Style sheets.
    Stylesheet,
}

fn default_timeout() -> Span {
    Span::secs(30)
}

fn default_block() -> Vec<RenderBlock> {
    vec![RenderBlock::Image, RenderBlock::Font, RenderBlock::Media]
}
