//! The shape of a mapping file. These types are the format: reader, checks and the published JSON Schema follow them.
//!
//! No `flatten`, no `untagged`: they lose the place of a mistake.

mod collection;
mod discover;
mod gate;
mod http_json;
mod media;
mod network;
mod notify;
mod politeness;
mod render;
mod retention;
mod session;
mod site;
mod sync;
mod target;

pub use self::notify::*;
pub use collection::*;
pub use discover::*;
pub use gate::*;
pub use http_json::*;
pub use media::*;
pub use network::*;
pub use politeness::*;
pub use render::*;
pub use retention::*;
pub use session::*;
pub use site::*;
pub use sync::*;
pub use target::*;

use schemars::JsonSchema;
use serde::Deserialize;

/// A mapping file: what one legacy site is like.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MappingFile {
    /// Version of the format; this program reads version 1.
    pub schema: u32,
    /// The site.
    pub site: Site,
    /// How to treat its servers.
    #[serde(default)]
    pub politeness: Politeness,
    /// Where connections may go.
    #[serde(default)]
    pub network: Network,
    /// How old their TLS may be.
    #[serde(default)]
    pub tls: Tls,
    /// Bounds of a crawl.
    #[serde(default)]
    pub limits: Limits,
    /// How the site knows us.
    #[serde(default)]
    pub session: Session,
    /// Which URLs are the same page.
    #[serde(default)]
    pub url: UrlRules,
    /// How bytes become text.
    #[serde(default)]
    pub decode: DecodeRules,
    /// What a reader sees of a page.
    #[serde(default)]
    pub page: PageRules,
    /// Answers that are no content although they may look so.
    #[serde(default)]
    pub reject: Vec<Reject>,
    /// Pages that are no documents, on purpose.
    #[serde(default)]
    pub ignore: Vec<Ignore>,
    /// Where URLs come from.
    #[serde(default)]
    pub discover: Vec<Discover>,
    /// Pages that only a browser can show.
    #[serde(default)]
    pub render: Vec<RenderRule>,
    /// Text that no document of the site keeps (header, menu, counters).
    #[serde(default)]
    pub drop: Vec<DropRule>,
    /// What must hold of documents; gates of a collection go before it.
    #[serde(default)]
    pub gate: Vec<GateRule>,
    /// Page kinds, in the order in which they are tried.
    #[serde(default)]
    pub collection: Vec<Collection>,
    /// Pictures and files.
    #[serde(default)]
    pub media: MediaRules,
    /// Links in bodies.
    #[serde(default)]
    pub links: LinkRules,
    /// How the new CMS follows the portal.
    #[serde(default)]
    pub sync: SyncRules,
    /// Who is told when a sync needs a person.
    #[serde(default)]
    pub notify: NotifyRules,
    /// What `gc` may remove.
    #[serde(default)]
    pub retention: Retention,
    /// The new CMS.
    pub target: Option<Target>,
}
