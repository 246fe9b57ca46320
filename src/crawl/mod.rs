//! url -> capture: run loop, frontier, politeness, robots, sitemap, discovery, pagers, fetch, verdict.

pub mod discover;
pub mod frontier;
pub mod pager;
pub mod politeness;
pub mod robots;
pub mod sitemap;
mod process;
pub mod verdict;
pub mod fetch;

#[cfg(test)]
mod tests {
    use crate::capture::{Capture, Exchange};
    use crate::mapping::Mapping;
    use crate::page::{self, Page};

    /// A mapping of `http://h/` with further rules.
    pub(super) fn mapping(extra: &str) -> Mapping {
        let text = format!("schema = 1\n[site]\nid = \"h\"\nbase = \"http://h/\"\n{extra}");
        Mapping::parse("h.toml", &text).unwrap()
    }

    /// A page of that site.
    pub(super) fn page(url: &str, html: &str, extra: &str) -> Page {
        let mapping = mapping(extra);
        let url = mapping.canonical(&url.parse().unwrap()).unwrap();
        let exchange = Exchange {
            url: url.to_string(),
            method: "GET".into(),
            request_headers: Vec::new(),
            request_body: Vec::new(),
            status: 200,
            reason: String::new(),
            headers: vec![("content-type".into(), b"text/html; charset=utf-8".to_vec())],
            body: html.as_bytes().to_vec(),
            at: jiff::Timestamp::UNIX_EPOCH,
            ip: None,
            truncated: None,
        };
        page::read(&Capture::from_exchange(&exchange, 1 << 20).unwrap(), &url, &mapping).unwrap()
    }
}
