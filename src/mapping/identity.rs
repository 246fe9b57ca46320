//! Which URLs are the same page: the rules of `[url]`, and [`PageUrl`], which only this file makes.

use super::model::UrlRules;
use super::url_rules::{Parts, RULES};
use std::fmt;
use url::Url;

/// Longest URL that is followed, in bytes. No server of this field answers longer ones; a trap makes them.
const MAX_URL: usize = 8 << 10;
/// How often the rules run until nothing changes. Honest rules settle in two rounds.
const MAX_ROUNDS: usize = 8;

/// A page's one URL, canonical by the rules of its mapping.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PageUrl(Url);

impl PageUrl {
    /// As text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// As a URL.
    #[must_use]
    pub fn as_url(&self) -> &Url {
        &self.0
    }

    /// Path and query: what `match.url` of a collection looks at.
    #[must_use]
    pub fn path_and_query(&self) -> &str {
        &self.0[url::Position::BeforePath..]
    }

    /// The first 16 bytes of the BLAKE3 hash of the text: the key of dedupe indexes.
    #[must_use]
    pub fn key(&self) -> [u8; 16] {
        let hash = blake3::hash(self.as_str().as_bytes());
        let mut key = [0; 16];
        key.copy_from_slice(&hash.as_bytes()[..16]);
        key
    }
}

impl fmt::Display for PageUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a URL is no page of the site.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// No URL at all.
    #[error("`{text}` is not a URL: {reason}")]
    Invalid {
        /// As found.
        text: String,
        /// What the URL parser says.
        reason: String,
    },
    /// A scheme that is not fetched (`mailto:`, `javascript:`).
    #[error("`{scheme}:` is not fetched")]
    Scheme {
        /// The scheme, lower case.
        scheme: String,
    },
    /// A page of another site.
    #[error(
        "`{url}` is not of this site; if it is the same site, name its origin in `site.aliases`, if it belongs to it, in `site.also`"
    )]
    OffSite {
        /// The URL, without its fragment.
        url: Url,
    },
    /// A URL that a trap makes.
    #[error("`{url}` looks like a trap: {reason}")]
    Trap {
        /// The URL.
        url: String,
        /// Which limit it broke.
        reason: String,
    },
}

/// One step on the way to the canonical URL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityStep {
    /// The rule, by its key in the mapping where it has one (`url.drop_params`).
    pub rule: &'static str,
    /// The URL before.
    pub before: String,
    /// The URL after; the reason, if the rule refused the URL.
    pub after: String,
}

/// The compiled rules of one site.
#[derive(Debug)]
pub(super) struct Identity {
    base: Url,
    aliases: Vec<Url>,
    /// Origins whose pages belong to the site and are pages of their own.
    also: Vec<Url>,
    rules: UrlRules,
}

impl Identity {
    pub(super) fn new(base: &Url, aliases: Vec<Url>, also: Vec<Url>, rules: UrlRules) -> Self {
        Self {
            base: base.clone(),
            aliases,
            also,
            rules,
        }
    }

    /// Only what holds for every site: the rules without a mapping, `url`'s own origin as the base.
    fn without_site(url: &Url) -> Self {
        let mut base = url.clone();
        if let Some(host) = url.host_str().and_then(|h| h.strip_suffix('.')) {
            // A host that was one with its closing dot is one without it.
            let _ = base.set_host(Some(host));
        }
        Self::new(&base, vec![url.clone()], Vec::new(), UrlRules::default())
    }

    pub(super) fn canonical(&self, url: &Url) -> Result<PageUrl, UrlError> {
        self.walk(url, &mut None).map(PageUrl)
    }

    pub(super) fn explain(&self, url: &Url) -> Vec<IdentityStep> {
        let mut steps = Some(Vec::new());
        let end = self.walk(url, &mut steps);
        let mut steps = steps.unwrap_or_default();
        if let Err(error) = end {
            let rule = match &error {
                UrlError::Invalid { .. } => "url",
                UrlError::Scheme { .. } => "scheme",
                UrlError::OffSite { .. } => "site.aliases",
                UrlError::Trap { .. } => "url.max_repeated_segments",
            };
            let before = steps.last().map_or_else(|| url.to_string(), |s| s.after.clone());
            steps.push(IdentityStep {
                rule,
                before,
                after: error.to_string(),
            });
        }
        steps
    }

    fn walk(&self, url: &Url, steps: &mut Option<Vec<IdentityStep>>) -> Result<Url, UrlError> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(UrlError::Scheme {
                scheme: url.scheme().to_owned(),
            });
        }
        if url.as_str().len() > MAX_URL {
            return Err(too_long(url.as_str()));
        }
        let mut note = |rule, before: &Url, after: &Url| {
            if let Some(steps) = steps
                && before != after
            {
                steps.push(IdentityStep {
                    rule,
                    before: before.to_string(),
                    after: after.to_string(),
                });
            }
        };
        let mut plain = url.clone();
        plain.set_fragment(None);
        note("fragment", url, &plain);
        let mut current = self.at_base(&plain)?;
        note("site.aliases", &plain, &current);
        for _ in 0..MAX_ROUNDS {
            let start = current.clone();
            for (name, apply) in RULES {
                let mut parts = Parts {
                    path: current.path().to_owned(),
                    query: current.query().map(str::to_owned),
                };
                apply(&self.rules, &mut parts);
                if parts.path == current.path() && parts.query.as_deref() == current.query() {
                    continue;
                }
                let before = current.clone();
                current.set_path(&parts.path);
                current.set_query(parts.query.as_deref());
                note(name, &before, &current);
                if current.as_str().len() > MAX_URL {
                    return Err(too_long(current.as_str()));
                }
            }
            if current == start {
                return self.no_trap(current);
            }
        }
        Err(UrlError::Trap {
            url: current.to_string(),
            reason: "the rules of `url` change it again and again; a pattern matches what it made".into(),
        })
    }

    /// `url` under the base origin, if the site answers there.
    fn at_base(&self, url: &Url) -> Result<Url, UrlError> {
        let ours = std::iter::once(&self.base)
            .chain(&self.aliases)
            .any(|site| same_origin(site, url));
        let mut moved = match self.also.iter().find(|site| same_origin(site, url)) {
            _ if ours => self.base.clone(),
            Some(origin) => origin.clone(),
            None => return Err(UrlError::OffSite { url: url.clone() }),
        };
        moved.set_path(url.path());
        moved.set_query(url.query());
        moved.set_fragment(None);
        // Neither can fail for http(s); a password in a link is no part of a page's identity.
        let _ = moved.set_username("");
        let _ = moved.set_password(None);
        Ok(moved)
    }

    fn no_trap(&self, url: Url) -> Result<Url, UrlError> {
        let most = self.rules.max_repeated_segments;
        if most == 0 {
            return Ok(url);
        }
        let mut segments: Vec<&str> = url.path().split('/').filter(|s| !s.is_empty()).collect();
        segments.sort_unstable();
        let repeated = segments.chunk_by(|a, b| a == b).find(|run| run.len() > most);
        match repeated {
            Some(run) => Err(UrlError::Trap {
                reason: format!("`{}` stands {} times in its path", run[0], run.len()),
                url: url.to_string(),
            }),
            None => Ok(url),
        }
    }
}

/// Identity of a URL of no site in particular: the rules that need no mapping. The steps and their end.
///
/// # Errors
/// When it is not fetched, or too long.
pub fn identity_without_site(url: &Url) -> (Vec<IdentityStep>, Result<PageUrl, UrlError>) {
    let identity = Identity::without_site(url);
    (identity.explain(url), identity.canonical(url))
}

fn too_long(text: &str) -> UrlError {
    let head: String = text.chars().take(100).collect();
    UrlError::Trap {
        url: format!("{head}…"),
        reason: format!("longer than {MAX_URL} bytes"),
    }
}

/// Scheme, host and port are equal; a host's closing dot does not count.
fn same_origin(a: &Url, b: &Url) -> bool {
    let host = |u: &Url| u.host_str().map(|h| h.trim_end_matches('.').to_owned());
    a.scheme() == b.scheme() && a.port_or_known_default() == b.port_or_known_default() && host(a) == host(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mapping::Mapping;
    use proptest::prelude::*;

    fn mapping(rules: &str) -> Mapping {
        let text = format!(
            "schema = 1\n[site]\nid = 'x'\nbase = 'http://x.example/'\naliases = ['http://www.x.example', 'https://x.example']\n{rules}"
        );
        match Mapping::parse("x.toml", &text) {
            Ok(mapping) => mapping,
            Err(error) => panic!("{error}: {:?}", error.problems()),
        }
    }

    const ASPNET: &str = "[url]
case_insensitive_path = true
session_ids = true
significant_params = ['ItemID', 'CatID']
index_files = ['Default.aspx']
max_repeated_segments = 2
[[url.rewrite]]
from = '^/print\\.aspx\\?'
to = '/view.aspx?'
";

    fn canonical(m: &Mapping, url: &str) -> String {
        match Url::parse(url).map(|u| m.canonical(&u)) {
            Ok(Ok(page)) => page.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn spellings_of_one_page() {
        let m = mapping(ASPNET);
        for spelling in [
            "http://x.example/View.aspx?ItemID=4012&CatID=7",
            "http://X.example:80/view.ASPX?catid=7&itemid=4012",
            "https://x.example/View.aspx?utm_source=z&ItemID=4012&CatID=7#top",
            "http://www.x.example./a/../%56iew.aspx?&ItemID=4012&&CatID=7&",
            "http://x.example/(S(a1b2c3))/View.aspx?ItemID=4012&CatID=7",
            "http://user:secret@x.example/Print.aspx?CatID=7&ItemID=4012",
        ] {
            assert_eq!(
                canonical(&m, spelling),
                "http://x.example/view.aspx?ItemID=4012&CatID=7"
            );
        }
        assert_eq!(
            canonical(&m, "http://x.example/Default.aspx?"),
            "http://x.example/"
        );
        assert_eq!(
            canonical(&m, "http://x.example/Default.aspx?x=1"),
            "http://x.example/"
        );
    }

    #[test]
    fn percent_encoding_is_normalised_and_case_of_vietnamese_letters_too() {
        let m = mapping("");
        assert_eq!(
            canonical(&m, "http://x.example/tin%2dt%e1%bb%a9c/Đ|a?q=%7e%2f%zz+b&a=[1]"),
            "http://x.example/tin-t%E1%BB%A9c/%C4%90%7Ca?a=%5B1%5D&q=~%2F%zz+b"
        );
        let iis = mapping("[url]\ncase_insensitive_path = true\n");
        assert_eq!(
            canonical(&iis, "http://x.example/TIN-TỨC"),
            canonical(&iis, "http://x.example/tin-tức")
        );
        // A byte that is no UTF-8 stays as it is, its digits upper case.
        assert_eq!(
            canonical(&iis, "http://x.example/A%e0B"),
            "http://x.example/a%E0b"
        );
    }

    #[test]
    fn www_and_https_are_other_sites_unless_listed() {
        let m = mapping("");
        for url in [
            "https://www.x.example/",
            "http://x.example:8080/",
            "http://y.example/",
        ] {
            assert!(
                matches!(
                    m.canonical(&Url::parse(url).unwrap()),
                    Err(UrlError::OffSite { .. })
                ),
                "{url}"
            );
        }
        let base = Url::parse("http://x.example/a/b").unwrap();
        assert_eq!(m.resolve(&base, " ../c ").unwrap().as_str(), "http://x.example/c");
        assert!(matches!(
            m.resolve(&base, "mailto:a@b.vn"),
            Err(UrlError::Scheme { .. })
        ));
        assert!(matches!(
            m.resolve(&base, "JavaScript:void(0)"),
            Err(UrlError::Scheme { .. })
        ));
        assert!(matches!(
            m.resolve(&base, "http://["),
            Err(UrlError::Invalid { .. })
        ));
    }

    #[test]
    fn session_ids_go_if_asked_for() {
        let m = mapping("[url]\nsession_ids = true\n");
        for (spelling, page) in [
            ("/a.jsp;jsessionid=1A2B?id=3", "/a.jsp?id=3"),
            (
                "/(S(lit3py55t21z5v55vlm25s55))/v.aspx?NewsID=3",
                "/v.aspx?NewsID=3",
            ),
            ("/v.php?PHPSESSID=abc&id=3", "/v.php?id=3"),
            ("/v.php?PHPSESSID=abc", "/v.php"),
            ("/v.php?id=3;jsessionid=abc", "/v.php?id=3"),
        ] {
            let url = format!("http://x.example{spelling}");
            assert_eq!(canonical(&m, &url), format!("http://x.example{page}"));
            assert_eq!(canonical(&mapping(""), &url).contains("abc"), url.contains("abc"));
        }
    }

    #[test]
    fn traps_are_refused() {
        let m = mapping(ASPNET);
        let url = Url::parse("http://x.example/a/b/a/b/a/").unwrap();
        assert!(
            matches!(m.canonical(&url), Err(UrlError::Trap { reason, .. }) if reason.contains("3 times"))
        );
        let long = Url::parse(&format!("http://x.example/{}", "a".repeat(9000))).unwrap();
        assert!(matches!(m.canonical(&long), Err(UrlError::Trap { .. })));
    }

    #[test]
    fn explain_names_each_rule() {
        let m = mapping(ASPNET);
        let url = Url::parse("http://www.x.example/Print.aspx?x=1&ItemID=4#a").unwrap();
        let steps = m.explain_url(&url);
        let rules: Vec<_> = steps.iter().map(|s| s.rule).collect();
        assert_eq!(
            rules,
            [
                "fragment",
                "site.aliases",
                "url.case_insensitive_path",
                "url.significant_params",
                "url.rewrite"
            ]
        );
        assert!(steps.windows(2).all(|w| w[0].after == w[1].before));
        let (steps, end) = identity_without_site(&Url::parse("http://me@x.example./%7ea?#b").unwrap());
        assert_eq!(end.unwrap().as_str(), "http://x.example/~a");
        assert_eq!(steps.len(), 4);
        let off = m.explain_url(&Url::parse("http://y.example/").unwrap());
        assert_eq!(off.last().map(|s| s.rule), Some("site.aliases"));
    }

    proptest! {
        #[test]
        fn canonical_is_idempotent(path in "[ -~à-ỹ]{0,30}", query in "[ -~à-ỹ]{0,40}") {
            for m in [mapping(""), mapping(ASPNET)] {
                let Ok(url) = Url::parse(&format!("http://x.example/{path}?{query}")) else { continue };
                if let Ok(once) = m.canonical(&url) {
                    prop_assert_eq!(m.canonical(once.as_url()), Ok(once.clone()));
                    // Also as a text that the ledger has kept.
                    let again = Url::parse(once.as_str()).unwrap();
                    prop_assert_eq!(m.canonical(&again), Ok(once));
                }
            }
        }

        #[test]
        fn parameter_order_does_not_matter(
            params in proptest::collection::btree_map("[a-z]{1,6}|itemid|catid", "[A-Za-z0-9%+]{0,5}", 0..6),
            seed in any::<u64>(),
        ) {
            let pairs: Vec<String> = params.iter().map(|(n, v)| format!("{n}={v}")).collect();
            let mut shuffled = pairs.clone();
            fastrand::Rng::with_seed(seed).shuffle(&mut shuffled);
            for m in [mapping(""), mapping(ASPNET)] {
                prop_assert_eq!(
                    canonical(&m, &format!("http://x.example/v?{}", pairs.join("&"))),
                    canonical(&m, &format!("http://x.example/v?{}", shuffled.join("&")))
                );
            }
        }
    }
}
