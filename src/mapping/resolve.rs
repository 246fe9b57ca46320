//! What a reference on a page means (WHATWG URL Standard), as browsers resolve it.

use url::{ParseError, Url};

/// The URL that `href` means on a page with base URL `base`.
///
/// `///host/path` is `//host/path` for browsers, which take any number of slashes; the parser does so only behind a
/// scheme.
///
/// # Errors
/// When it means none.
pub fn resolve_href(base: &Url, href: &str) -> Result<Url, ParseError> {
    let href = href.trim();
    let answer = base.join(href);
    if answer != Err(ParseError::EmptyHost) || !matches!(base.scheme(), "http" | "https") {
        return answer;
    }
    // Tabs and line ends stand for nothing wherever they are.
    let plain: String = href
        .chars()
        .filter(|c| !matches!(c, '\t' | '\n' | '\r'))
        .collect();
    let host = plain.trim_start_matches(['/', '\\']);
    if host.is_empty() || plain.len() - host.len() < 3 {
        return answer;
    }
    base.join(&format!("//{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_slashes_than_two() {
        let base = Url::parse("http://h/a/b").unwrap();
        let resolved = |href: &str| resolve_href(&base, href).map(|u| u.to_string());
        assert_eq!(resolved("///x/../y").as_deref(), Ok("http://x/y"));
        assert_eq!(resolved("\\\\/\n/x").as_deref(), Ok("http://x/"));
        assert_eq!(resolved("///"), Err(ParseError::EmptyHost));
        assert_eq!(resolved(" c ").as_deref(), Ok("http://h/a/c"));
    }
}
