//! `[media]`, `[links]`, `[target]`: what happens to pictures and links, and where documents go.

use crate::mapping::pattern::Pattern;
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
    /// Attributes that hold the real picture, tried before `src`.
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
            lazy_attrs: ["data-original", "data-src", "data-lazy-src"]
                .map(Into::into)
                .to_vec(),
            ignore: Vec::new(),
        }
    }
}

/// `[links]`
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct LinkRules {
    /// Links whose URL matches lose their link, the text stays (print and e-mail links).
    pub unwrap: Vec<Pattern>,
}

/// `[target]`: the new CMS. Read by delivery; a crawl does not look at it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// `wordpress`, `directus`, `files`, …
    pub kind: String,
    /// Base URL of the CMS.
    pub url: Option<String>,
    /// Name of the environment variable that holds the secret.
    pub secret_env: Option<String>,
    /// What an editor's change in the CMS means: `hold`.
    #[serde(default)]
    pub drift: Drift,
    /// When a page that is gone is taken off the CMS.
    #[serde(default)]
    pub retire: Retire,
}

/// What an editor's change means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Drift {
    /// The entry is left alone and shown in the plan.
    #[default]
    Hold,
}

/// `[target.retire]`
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Retire {
    /// Runs in a row that must miss the page.
    pub after_misses: u32,
    /// Ask for the page itself before believing it.
    pub probe: bool,
    /// Largest share of a collection that one run may retire.
    pub max_share: f64,
    /// Largest number that one run may retire.
    pub max_count: u32,
}

impl Default for Retire {
    fn default() -> Self {
        Self {
            after_misses: 3,
            probe: true,
            max_share: 0.02,
            max_count: 10,
        }
    }
}
