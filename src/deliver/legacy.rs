//! Old addresses in the form in which two spellings of one address are equal.

use std::borrow::Cow;
use url::Url;

/// Path without case and escapes, parameters decoded and sorted: what the companion plugin of WordPress makes of an address
/// that is asked for. `None` for what is no http address.
#[must_use]
pub fn legacy_address(url: &str) -> Option<String> {
    let url = Url::parse(url)
        .ok()
        .filter(|u| matches!(u.scheme(), "http" | "https"))?;
    let path = decode(url.path()).to_lowercase();
    let mut pairs: Vec<String> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|p| !p.is_empty())
        .map(|p| decode(&p.replace('+', " ")).into_owned())
        .collect();
    if pairs.is_empty() {
        return Some(path);
    }
    pairs.sort();
    Some(format!("{path}?{}", pairs.join("&")))
}

fn decode(text: &str) -> Cow<'static, str> {
    Cow::Owned(
        percent_encoding::percent_decode_str(text)
            .decode_utf8_lossy()
            .into_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_address_are_equal() {
        let address = |u: &str| legacy_address(u).unwrap();
        assert_eq!(
            address("http://a.example/View.aspx?ItemID=1&CatID=2"),
            "/view.aspx?CatID=2&ItemID=1"
        );
        assert_eq!(
            address("http://a.example/view.ASPX?CatID=2&ItemID=1#x"),
            "/view.aspx?CatID=2&ItemID=1"
        );
        assert_eq!(address("http://a.example/T%E1%BA%ADp%20tin/"), "/tập tin/");
        assert_eq!(address("http://a.example/x?"), "/x");
        assert_eq!(legacy_address("mailto:a@b.example"), None);
    }
}
