//! `[page]`, `[media]`, `[links]`: what counts as seen, what happens to pictures and links.

use crate::mapping::pattern::{Css, Pattern};
use schemars::JsonSchema;
use serde::Deserialize;

/// `[media]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct MediaRules {
    /// Fetch pictures and attachments.
    pub fetch: bool,
    /// A link whose canonical URL matches one of these is an attachment.
    pub attachments: Vec<Pattern>,
    /// Attributes that hold the real picture, tried before `srcset` and `src`; `…srcset` hold a set, of which the largest is taken.
    pub lazy_attrs: Vec<String>,
    /// Pictures of the design, never content (spacer, print icon).
    pub ignore: Vec<Pattern>,
}

impl Default for MediaRules {
    fn default() -> Self {
        Self {
            fetch: true,
            attachments: vec![Pattern::builtin(
                r"(?i)\.(docx?|xlsx?|pptx?|pdf|zip|rar|7z|odt|ods|rtf|csv)(\?|$)",
            )],
            lazy_attrs: [
                "data-original",
                "data-src",
                "data-lazy-src",
                "data-lazy",
                "data-echo",
                "data-original-src",
                "data-srcset",
                "data-lazy-srcset",
            ]
            .map(Into::into)
            .to_vec(),
            ignore: Vec::new(),
        }
    }
}

/// `[page]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct PageRules {
    /// Elements whose text counts although a style hides it: what a script of the page would show (tabs, "read more").
    pub reveal: Vec<Css>,
}

/// `[links]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinkRules {
    /// Links whose URL matches lose their link, the text stays (print and e-mail links).
    pub unwrap: Vec<Pattern>,
}
