//! Cookies: the working group's cases of RFC 6265, through the crate that keeps our cookies.

use super::{Reasons, Suite, data, read};
use cookie_store::{Cookie, CookieExpiration, CookieStore};
use serde_json::Value;
use url::Url;

const SERVER: &str = "http://home.example.org:8888/cookie-parser";

#[test]
fn http_state_cookies() {
    let Some(path) = data("http-state/parser.json") else {
        return;
    };
    let cases: Value = serde_json::from_str(&read(&path)).unwrap();
    let mut suite = Suite::new("http-state cookies");
    for case in cases.as_array().unwrap() {
        let name = case["test"].as_str().unwrap();
        let from = Url::parse(&format!("{SERVER}?{name}")).unwrap();
        let to = case["sent-to"].as_str().unwrap_or("/cookie-parser-result");
        let to = from.join(to).unwrap();
        let mut store = CookieStore::new();
        for received in case["received"].as_array().unwrap() {
            // A cookie that is refused is just not kept.
            let _ = store.parse(received.as_str().unwrap(), &from);
        }
        // The crate gives them in no order; RFC 6265 sorts by path, for servers that must not rely on it.
        let mut ours: Vec<(String, String)> = store
            .get_request_values(&to)
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let word = |cookie: &Value, key: &str| cookie[key].as_str().unwrap_or_default().to_owned();
        let mut theirs: Vec<(String, String)> = case["sent"]
            .as_array()
            .unwrap()
            .iter()
            .map(|cookie| (word(cookie, "name"), word(cookie, "value")))
            .collect();
        ours.sort();
        theirs.sort();
        suite.case(name, &ours, &theirs);
    }
    suite.finish(222, COOKIES);
}

#[test]
fn http_state_dates() {
    let Some(folder) = data("http-state") else { return };
    let mut suite = Suite::new("http-state dates");
    let mut unread = 0;
    let server = Url::parse(SERVER).unwrap();
    for file in ["examples.json", "bsd-examples.json"] {
        let text = read(&folder.join(file));
        let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with("//")).collect();
        let cases: Value = serde_json::from_str(&lines.concat()).unwrap();
        for case in cases.as_array().unwrap() {
            let date = case["test"].as_str().unwrap();
            let theirs = case["expected"].as_str().map(|d| {
                let since = httpdate::parse_http_date(d).unwrap();
                since.duration_since(std::time::UNIX_EPOCH).unwrap().as_secs()
            });
            let cookie = Cookie::parse(format!("a=b; Expires={date}"), &server).unwrap();
            let ours = match cookie.expires {
                CookieExpiration::AtUtc(at) => u64::try_from(at.unix_timestamp()).ok(),
                CookieExpiration::SessionEnd => None,
            };
            // A date that the crate cannot read makes a cookie of the session: it is kept for the run, and no longer.
            if ours.is_none() && theirs.is_some() {
                unread += 1;
                continue;
            }
            suite.case(date, &ours, &theirs);
        }
    }
    suite.finish(20, &[]);
    eprintln!("  {unread} dates are not read: such cookies live as long as the run");
    assert_eq!(unread, 50);
}

const COOKIES: Reasons = &[
    (
        "its date was in the future when the case was written",
        &["0002", "COMMA0006"],
    ),
    (
        "control characters inside a value are kept; the HTTP client refuses to send them",
        &["DISABLED_CHROMIUM0022", "DISABLED_CHROMIUM0023"],
    ),
    (
        "a cookie's path is compared as it is written, not percent-decoded (RFC 6265 5.1.4)",
        &["DISABLED_PATH0029"],
    ),
    (
        "no list of public suffixes and no cleaning of odd domains: cookies go to the hosts of the mapping only",
        &["DOMAIN0013", "DOMAIN0017"],
    ),
];
