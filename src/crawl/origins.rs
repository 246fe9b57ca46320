//! robots.txt of every origin of a site.

use super::robots::Robots;
use std::collections::HashMap;
use std::time::Duration;
use url::{Origin, Url};

/// What robots.txt says, origin by origin. An origin that was not asked for forbids nothing: saved pages have none.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    by_origin: HashMap<Origin, Robots>,
}

impl Origins {
    /// What the origin of `url` says.
    pub(super) fn set(&mut self, url: &Url, robots: Robots) {
        self.by_origin.insert(url.origin(), robots);
    }

    /// May this URL be fetched?
    pub(super) fn allows(&self, url: &Url) -> bool {
        self.by_origin.get(&url.origin()).is_none_or(|r| r.allows(url))
    }

    /// Hosts (with their port, as in URLs) that ask for a delay.
    pub(super) fn delays(&self) -> impl Iterator<Item = (String, Duration)> {
        self.by_origin.iter().filter_map(|(origin, robots)| {
            let text = origin.ascii_serialization();
            let host = super::frontier::host_of(&text).to_owned();
            Some((host, robots.crawl_delay?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_origin_speaks_for_itself() {
        let mut origins = Origins::default();
        let robots = Robots::parse(b"User-agent: *\nDisallow: /x\nCrawl-delay: 3", "sangtrang");
        let url = |text: &str| Url::parse(text).unwrap();
        origins.set(&url("http://a.example:8080/robots.txt"), robots);
        origins.set(&url("http://b.example/"), Robots::deny_all());
        assert!(!origins.allows(&url("http://a.example:8080/x")));
        assert!(origins.allows(&url("http://a.example:8080/y")));
        assert!(!origins.allows(&url("http://b.example/y")));
        assert!(origins.allows(&url("http://c.example/x")));
        let delays: Vec<_> = origins.delays().collect();
        assert_eq!(delays, [("a.example:8080".to_owned(), Duration::from_secs(3))]);
    }
}
