//! Session ids that servers write into URLs, as far as everybody knows them. A name alone is believed only if it means
//! nothing else on any site: `NewsID`, `SessionID` (of a parliament) and `sid` (PHP-Nuke's story id) are no sessions.

use super::url_rules::decoded;

/// Parameters that are session ids whatever their value: servlets, PHP, ASP, ASP.NET, ColdFusion, osCommerce, Zen Cart.
const NAMES: [&str; 12] = [
    "jsessionid",
    "phpsessid",
    "phpsessionid",
    "asp.net_sessionid",
    "aspsessionid",
    "cfid",
    "cftoken",
    "oscsid",
    "zenid",
    "bv_sessionid",
    "bv_engineid",
    "__cfduid",
];
/// Parameters that are session ids if their value looks like one: phpBB `sid`, vBulletin `s`, and what others wrote.
const PERHAPS: [&str; 8] = [
    "sid",
    "s",
    "sess",
    "sessid",
    "session",
    "sessionid",
    "session_id",
    "sessiontoken",
];
/// Servers name their ASP cookie so, with eight letters behind it.
const ASP: &str = "aspsessionid";
/// Path parameters (RFC 3986, 3.3) that are session ids.
const MATRIX: [&str; 3] = ["jsessionid", "phpsessid", "sessionid"];
/// Shortest value that looks like a session id: 16 characters of base 32 hold 80 bits.
const SHORTEST: usize = 16;
/// Length of the ids of ASP.NET (120 bits in base 32).
const ASPNET: usize = 24;

/// Is the query parameter a session id?
pub(super) fn is_parameter(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let letters = name.strip_prefix(ASP).unwrap_or_default();
    NAMES.contains(&name.as_str())
        || (letters.len() == 8 && letters.bytes().all(|b| b.is_ascii_lowercase()))
        || (PERHAPS.contains(&name.as_str()) && looks_random(value))
}

/// Letters and digits in one run, both of them, too many for a number or a word.
fn looks_random(value: &str) -> bool {
    value.len() >= SHORTEST
        && value
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-_,".contains(&b))
        && value.bytes().any(|b| b.is_ascii_digit())
        && value.bytes().any(|b| b.is_ascii_alphabetic())
}

/// The path without `;jsessionid=…` and without the segments of cookieless ASP.NET; `None` if it holds none.
pub(super) fn without_in_path(path: &str) -> Option<String> {
    let cut = without_matrix(path);
    let path = cut.as_deref().unwrap_or(path);
    let kept: Vec<&str> = path.split('/').filter(|s| !is_segment(&decoded(s))).collect();
    let fewer = kept.len() < path.split('/').count();
    if !fewer {
        return cut;
    }
    let joined = kept.join("/");
    Some(if joined.starts_with('/') {
        joined
    } else {
        format!("/{joined}")
    })
}

/// `text` without `;jsessionid=…`, which ends at `/`, `;`, `&` or the end; `None` if there is none.
pub(super) fn without_matrix(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(';') {
        let (before, parameter) = rest.split_at(at);
        let end = parameter[1..]
            .find(['/', ';', '&'])
            .map_or(parameter.len(), |end| end + 1);
        let name = parameter[1..end].split('=').next().unwrap_or_default();
        out.push_str(before);
        if !MATRIX.contains(&name.to_ascii_lowercase().as_str()) {
            out.push_str(&parameter[..end]);
        }
        rest = &parameter[end..];
    }
    out.push_str(rest);
    (out.len() < text.len()).then_some(out)
}

/// `(S(lit3py55t21z5v55vlm25s55))`, with forms ticket and anonymous id `(A(…)S(…)F(…))`, or `(lit3py55t21z5v55vlm25s55)`
/// of ASP.NET 1.
fn is_segment(segment: &str) -> bool {
    let Some(inner) = segment.strip_prefix('(').and_then(|s| s.strip_suffix(')')) else {
        return false;
    };
    if inner.len() == ASPNET
        && inner
            .bytes()
            .all(|b| b.is_ascii_lowercase() || (b'0'..=b'5').contains(&b))
    {
        return true;
    }
    let mut rest = inner;
    while !rest.is_empty() {
        let Some((kind, tail)) = rest.split_once('(') else {
            return false;
        };
        let known = matches!(kind, "A" | "S" | "F" | "X" | "a" | "s" | "f" | "x");
        let Some((value, tail)) = tail.split_once(')').filter(|_| known) else {
            return false;
        };
        if value.is_empty() || value.contains('(') {
            return false;
        }
        rest = tail;
    }
    !inner.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_ids_and_what_only_looks_like_them() {
        for (name, value) in [
            ("PHPSESSID", "1"),
            ("jsessionid", "AB!-12!34"),
            ("ASPSESSIONIDQQTBBRAC", "x"),
            ("sid", "0123456789abcdef0123456789abcdef"),
            ("SessionId", "lit3py55t21z5v55vlm25s55"),
            ("CFTOKEN", "8"),
        ] {
            assert!(is_parameter(name, value), "{name}={value}");
        }
        for (name, value) in [
            ("NewsID", "0123456789abcdef0123456789abcdef"),
            ("sid", "4012"),
            ("SessionID", "12"),
            ("s", "tin tức thời sự trong nước"),
            ("sid", "12345678901234567890"),
            ("ASPSESSIONIDx", "1"),
        ] {
            assert!(!is_parameter(name, value), "{name}={value}");
        }
    }

    #[test]
    fn in_the_path() {
        let path = |text: &str| without_in_path(text).unwrap_or_else(|| text.to_owned());
        assert_eq!(path("/a/b.jsp;jsessionid=1A2B.node1"), "/a/b.jsp");
        assert_eq!(path("/a;JSESSIONID=1/b;v=2;jsessionid=3;w"), "/a/b;v=2;w");
        assert_eq!(path("/(S(lit3py55t21z5v55vlm25s55))/a.aspx"), "/a.aspx");
        assert_eq!(path("/x/%28A%28a1%29S%28b2%29%29/a"), "/x/a");
        assert_eq!(path("/(lit3py55t21z5v55vlm25s55)"), "/");
        for kept in [
            "/(S())/a", "/(abc)/a", "/S(x)", "/(Q(x))", "/a;v=1", "/()", "/((S(x)",
        ] {
            assert_eq!(path(kept), kept);
        }
        assert_eq!(
            without_matrix("id=1;jsessionid=2&b=3").as_deref(),
            Some("id=1&b=3")
        );
    }
}
