//! The bundled sample portal: for learning and for tests. Only `cli` and the tests may use it.
//!
//! A real HTTP server that behaves as a provincial ASP.NET portal of 2008-2023. Every article is written once, as an
//! [`article::Article`]; its page (`chrome`, `render`) and its [`Truth`] (`gold`, `blocks`) are both made from that, so the
//! truth is right by construction. Articles are made on demand from seed and index: a portal of 20,000 articles costs
//! no more memory than one of 20. It never reads a clock and keeps of what it served only
//! whether its forms have expired once, unless a log is asked for.

mod answer;
mod article;
mod blocks;
mod chrome;
mod compare;
mod faults;
mod generate;
mod gold;
mod legacy;
mod life;
mod lists;
mod media;
mod postback;
mod render;
mod seed;
mod server;
mod skin;
mod text;
#[cfg(feature = "legacy-tls")]
mod tls;
mod urls;

pub use compare::{Difference, compare};
pub use gold::{Gold, Truth};
pub use life::{CLOCK, Event, Life, Living, Trouble, serve_life};
pub use server::serve;
pub use skin::{Expected, Served, Skin};
#[cfg(feature = "legacy-tls")]
pub use tls::serve_tls1;
pub use urls::{BASE, SITE};

use article::Article;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// One answered request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, …
    pub method: String,
    /// Path and query as they were asked for.
    pub url: String,
    /// HTTP status of the answer.
    pub status: u16,
}

/// What lists print of an article.
struct Head {
    title: String,
    published: jiff::civil::DateTime,
    teaser: Option<String>,
}

/// Most requests that a log keeps; later ones are not recorded.
const MAX_LOG: usize = 2_000_000;

/// The sample portal: what it would answer, without a socket. [`serve`] puts it behind one.
#[derive(Debug)]
pub struct Portal {
    articles: usize,
    seed: u64,
    key: [u8; 32],
    log: Option<Mutex<Vec<Request>>>,
    /// Has section 4 lost the state of its forms yet?
    forgot: AtomicBool,
    /// What goes wrong, if anything does.
    faults: Option<faults::Faults>,
    /// The portal that it is dressed as; none: the sample portal itself.
    skin: Option<Skin>,
    /// The day of its life that it has; none: it rests.
    today: Option<life::Today>,
}

impl Portal {
    /// A portal of `articles` articles (at least the one of the seed), the same for the same `seed`.
    #[must_use]
    pub fn new(articles: usize, seed: u64) -> Self {
        Self {
            articles: articles.max(1),
            seed,
            key: blake3::derive_key("sangtrang demo portal machine key", &seed.to_le_bytes()),
            log: None,
            forgot: AtomicBool::new(false),
            faults: None,
            skin: None,
            today: None,
        }
    }

    /// The same articles in another portal: its pages, its addresses, its pagers. Only [`Portal::served`] and
    /// [`Portal::expected`] speak of it; [`Portal::gold`] is the truth of the sample portal.
    #[must_use]
    pub fn skinned(mut self, skin: Skin) -> Self {
        self.skin = Some(skin);
        self
    }

    /// What a portal in a skin answers to path and query, and to a form if one is sent. None without a skin.
    #[must_use]
    pub fn served(&self, url: &str, form: Option<&[u8]>) -> Option<Served> {
        Some(skin::answer(self, self.skin?, url, form))
    }

    /// What a portal in a skin must become, article by article; empty without a skin.
    #[must_use]
    pub fn expected(&self) -> Vec<Expected> {
        let all = |skin| {
            (0..self.articles)
                .map(|index| skin::expected(self, skin, index))
                .collect()
        };
        self.skin.map(all).unwrap_or_default()
    }

    /// Writes down every request, for [`Portal::requests`].
    #[must_use]
    pub fn recording(mut self) -> Self {
        self.log = Some(Mutex::default());
        self
    }

    /// A portal that has bad days: a storm of 503, walls, a challenge, drips, broken answers, traps. Its articles are the same.
    #[must_use]
    pub fn faulty(mut self) -> Self {
        self.faults = Some(faults::Faults::default());
        self
    }

    /// URLs of a faulty portal that are no content, whoever asks: a challenge, a login.
    #[must_use]
    pub fn no_content(&self) -> Vec<String> {
        self.faults.iter().flat_map(|_| faults::no_content()).collect()
    }

    /// How many articles it has.
    #[must_use]
    pub fn articles(&self) -> usize {
        self.articles
    }

    /// What was asked so far, in order; empty unless it is [`Portal::recording`].
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.log
            .as_ref()
            .map(|log| log.lock().unwrap_or_else(PoisonError::into_inner).clone())
            .unwrap_or_default()
    }

    /// How many requests were recorded so far.
    #[must_use]
    pub fn requests_len(&self) -> usize {
        self.log
            .as_ref()
            .map_or(0, |log| log.lock().unwrap_or_else(PoisonError::into_inner).len())
    }

    /// What the page of each article must become, in order of index.
    pub fn gold(&self) -> impl Iterator<Item = Gold> + '_ {
        let there = (0..self.articles).filter(|index| self.has(*index));
        there.map(|index| gold::gold(self, index))
    }

    /// What the page of the article with `index` must become; the seed's article has index 0.
    #[must_use]
    pub fn gold_of(&self, index: usize) -> Option<Gold> {
        self.has(index).then(|| gold::gold(self, index))
    }

    /// The worker process is recycled once, between pages 2 and 3 of section 4: its forms are not valid any more.
    fn forgets(&self, cat: usize, page: usize) -> bool {
        (cat, page) == (4, 3) && !self.forgot.swap(true, Ordering::Relaxed)
    }

    /// Where the article with `index` is.
    fn place(&self, index: usize) -> life::Place {
        match &self.today {
            Some(today) => today.place(index),
            None if index < self.articles => life::Place::Here,
            None => life::Place::Gone,
        }
    }

    fn has(&self, index: usize) -> bool {
        self.place(index) == life::Place::Here
    }

    /// Section of the article with `index`, 1 to 4.
    fn section(&self, index: usize) -> usize {
        self.today
            .as_ref()
            .map_or_else(|| urls::category(index), |today| today.section(index))
    }

    /// Which version of its pictures the article with `index` shows.
    fn pictures(&self, index: usize) -> u32 {
        self.today.as_ref().map_or(0, |today| today.pictures(index))
    }

    /// A page in the template of the day.
    fn dressed(&self, html: String) -> String {
        match &self.today {
            Some(today) if today.redesigned() => life::redress(&html),
            _ => html,
        }
    }

    fn article(&self, index: usize) -> Article {
        if let Some(today) = &self.today {
            today.article(index)
        } else if index == 0 {
            seed::article()
        } else {
            generate::article(self.seed, index, self.articles)
        }
    }

    /// What lists print of the article with `index`.
    fn head(&self, index: usize) -> Head {
        if let Some(today) = &self.today {
            let (title, published, teaser) = today.head(index);
            Head {
                title,
                published,
                teaser,
            }
        } else if index == 0 {
            let Article {
                title,
                published,
                teaser,
                ..
            } = seed::article();
            Head {
                title,
                published,
                teaser,
            }
        } else {
            let (title, published, teaser) = generate::head(self.seed, index);
            Head {
                title,
                published,
                teaser,
            }
        }
    }

    fn record(&self, request: Request) {
        if let Some(log) = &self.log {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            if log.len() < MAX_LOG {
                log.push(request);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::model::MappingFile;
    use std::collections::BTreeSet;

    /// The mapping that ships for this portal.
    const MAPPING: &str = include_str!("../../mappings/ctk-binhthuan.toml");

    #[test]
    fn the_shipped_mapping_reads_and_names_all_that_the_truth_drops() {
        let mapping: MappingFile = toml::from_str(MAPPING).unwrap();
        assert_eq!(mapping.site.id, SITE);
        assert_eq!(mapping.site.base.as_str(), BASE);
        let news = &mapping.collection[0];
        let rules: BTreeSet<&str> = mapping
            .drop
            .iter()
            .chain(&news.drop)
            .map(|d| d.id.as_str())
            .collect();
        for gold in Portal::new(40, 1).gold() {
            for (rule, text) in &gold.document.dropped {
                let built_in = rule == "list-marker" || rule.starts_with("fields.");
                assert!(built_in || rules.contains(rule.as_str()), "{rule}");
                assert!(!text.is_empty());
            }
        }
    }

    #[test]
    fn the_mapping_recognises_articles_and_files() {
        let mapping: MappingFile = toml::from_str(MAPPING).unwrap();
        let file = mapping.media.attachments[0].regex();
        for gold in Portal::new(30, 1).gold() {
            let path = gold.url.strip_prefix("http://ctk-binhthuan.example").unwrap();
            assert!(mapping.collection[0].matches.url.regex().is_match(path));
            assert!(
                gold.document
                    .attachments
                    .iter()
                    .all(|a| file.is_match(&a.source_url))
            );
        }
    }

    #[test]
    fn two_portals_of_one_seed_are_equal_and_indexes_do_not_depend_on_each_other() {
        let json = |portal: &Portal| serde_json::to_string(&portal.gold().collect::<Vec<_>>()).unwrap();
        assert_eq!(json(&Portal::new(40, 5)), json(&Portal::new(40, 5)));
        assert_ne!(json(&Portal::new(40, 5)), json(&Portal::new(40, 6)));
        let big = Portal::new(20_000, 5);
        assert_eq!(big.gold_of(19_999).unwrap().index, 19_999);
        assert!(big.gold_of(20_000).is_none());
    }

    /// The example that travels with the mapping is the portal's own page; `SANGTRANG_BLESS=1` writes it anew.
    #[test]
    fn the_example_of_the_mapping_is_the_page_that_the_portal_serves() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/ctk-binhthuan");
        let portal = Portal::new(1, 1);
        let page = chrome::view(&portal, &portal.article(0));
        let truth = serde_json::to_value(portal.gold_of(0).unwrap().document).unwrap();
        let names = [
            "source_key",
            "language",
            "title",
            "section",
            "byline",
            "slug",
            "dates",
        ];
        let expect: serde_json::Map<_, _> = names
            .map(|n| (n.to_owned(), truth[n].clone()))
            .into_iter()
            .collect();
        let expect = format!("{:#}\n", serde_json::Value::Object(expect));
        for (name, text) in [("seed.html", &page), ("seed.json", &expect)] {
            let path = folder.join(name);
            if std::env::var_os("SANGTRANG_BLESS").is_some() {
                std::fs::write(&path, text).unwrap();
            }
            assert_eq!(&std::fs::read_to_string(&path).unwrap(), text, "{name}");
        }
    }

    #[test]
    fn identity_makes_one_url_of_all_spellings_and_of_nothing_else() {
        let mapping = crate::mapping::Mapping::parse("ctk-binhthuan.toml", MAPPING).unwrap();
        let base = &mapping.rules().site.base;
        let mut urls = BTreeSet::new();
        for gold in Portal::new(60, 1).gold() {
            assert!(urls.insert(gold.url.clone()));
            assert!(gold.aliases.len() >= 2);
            // An address of before the redesign becomes the article by its redirect, not by its spelling.
            for alias in gold
                .aliases
                .iter()
                .filter(|a| !a.contains("/tin-tuc/"))
                .chain([&gold.url])
            {
                let url = mapping.resolve(base, alias).unwrap();
                assert_eq!(url.as_str(), gold.url, "{alias}");
                let collection = mapping.collection_for_url(&url).unwrap();
                assert_eq!(
                    mapping.source_key(collection, &url).as_deref(),
                    Some(gold.document.source_key.as_str())
                );
            }
            let truth = &gold.document;
            for link in truth
                .links
                .iter()
                .filter(|l| l.resolved.as_ref().is_some_and(|r| r.starts_with(BASE)))
            {
                assert_eq!(
                    Some(mapping.resolve(base, &link.raw).unwrap().as_str()),
                    link.resolved.as_deref()
                );
            }
            for medium in truth
                .media
                .iter()
                .chain(&truth.attachments)
                .filter(|m| !m.source_url.starts_with("data:"))
            {
                assert_eq!(
                    mapping.resolve(base, &medium.source_url).unwrap().as_str(),
                    medium.source_url
                );
            }
            for file in &truth.attachments {
                assert!(mapping.is_attachment(&mapping.resolve(base, &file.source_url).unwrap()));
            }
        }
    }
}
