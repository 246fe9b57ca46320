//! How the site knows us: headers, cookies, `Authorization`. Secrets come from the environment and go to the site alone:
//! what is archived has their place, not their value.

use crate::crawl::CrawlError;
use crate::mapping::Mapping;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use cookie_store::CookieStore;
use http::header::{self, HeaderMap, HeaderName, HeaderValue};
use std::sync::{Mutex, PoisonError};
use url::{Origin, Url};

/// Most cookies that one run keeps, and the longest one, in bytes (RFC 6265, 6.1 asks for at least as much).
const MAX_COOKIES: usize = 3000;
const MAX_COOKIE: usize = 4096;
/// What an archive holds in the place of a secret.
const KEPT_BACK: &str = "(kept back)";

/// What every request carries.
pub(super) struct Session {
    jar: Mutex<CookieStore>,
    /// Origins of the site.
    origins: Vec<Origin>,
    headers: Vec<(HeaderName, HeaderValue)>,
    /// For the first origin only.
    authorization: Option<HeaderValue>,
    /// What is filled into the login's form.
    pub(super) login: Vec<(String, String)>,
}

/// A secret's value, or an error that names its variable and nothing else.
fn secret(name: &str, env: &dyn Fn(&str) -> Option<String>) -> Result<String, CrawlError> {
    env(name)
        .filter(|v| !v.is_empty())
        .ok_or_else(|| CrawlError::Secret {
            variable: name.to_owned(),
        })
}

impl Session {
    /// By the mapping's `[session]`; `env` gives the environment.
    ///
    /// # Errors
    /// [`CrawlError::Secret`] for a variable that is not set or no header value.
    pub(super) fn new(mapping: &Mapping, env: &dyn Fn(&str) -> Option<String>) -> Result<Self, CrawlError> {
        let rules = &mapping.rules().session;
        let base = &mapping.rules().site.base;
        let also = mapping
            .rules()
            .site
            .also
            .iter()
            .filter_map(|o| Url::parse(o).ok());
        let mut authorization = None;
        let unfit = |name: &str| CrawlError::Secret {
            variable: name.to_owned(),
        };
        if let Some(basic) = &rules.basic {
            let (user, password) = (secret(&basic.user_env, env)?, secret(&basic.password_env, env)?);
            let text = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            authorization = Some((text, basic.password_env.as_str()));
        }
        if let Some(name) = &rules.bearer_env {
            authorization = Some((format!("Bearer {}", secret(name, env)?), name));
        }
        let authorization = match authorization {
            Some((text, name)) => {
                let mut value = HeaderValue::from_str(&text).map_err(|_| unfit(name))?;
                value.set_sensitive(true);
                Some(value)
            }
            None => None,
        };
        let mut login = Vec::new();
        for (name, field) in rules.login.iter().flat_map(|l| &l.fields) {
            let value = match &field.env {
                Some(variable) => secret(variable, env)?,
                None => field.value.clone().unwrap_or_default(),
            };
            login.push((name.clone(), value));
        }
        let mut jar = CookieStore::default();
        for cookie in &rules.cookies {
            // One that no jar would keep is not sent either.
            let _ = jar.parse(cookie, base);
        }
        let headers = rules.headers.iter().filter_map(|(name, value)| {
            Some((
                HeaderName::try_from(name.as_str()).ok()?,
                HeaderValue::from_str(value).ok()?,
            ))
        });
        Ok(Self {
            jar: Mutex::new(jar),
            origins: std::iter::once(base.clone())
                .chain(also)
                .map(|u| u.origin())
                .collect(),
            headers: headers.collect(),
            authorization,
            login,
        })
    }

    /// Adds to a request what the site wants of it.
    pub(super) fn dress(&self, url: &Url, headers: &mut HeaderMap) {
        let origin = url.origin();
        if self.origins.contains(&origin) {
            for (name, value) in &self.headers {
                headers.entry(name).or_insert_with(|| value.clone());
            }
        }
        if self.origins.first() == Some(&origin)
            && let Some(value) = &self.authorization
        {
            headers.insert(header::AUTHORIZATION, value.clone());
        }
        let jar = self.jar.lock().unwrap_or_else(PoisonError::into_inner);
        let cookies: Vec<String> = jar
            .get_request_values(url)
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty()
            && let Ok(mut value) = HeaderValue::from_str(&cookies.join("; "))
        {
            value.set_sensitive(true);
            headers.insert(header::COOKIE, value);
        }
    }

    /// Keeps the cookies of an answer.
    pub(super) fn keep(&self, url: &Url, received: &[(String, Vec<u8>)]) {
        let cookies = received
            .iter()
            .filter(|(n, v)| n.eq_ignore_ascii_case("set-cookie") && v.len() <= MAX_COOKIE);
        let mut jar = None;
        for (_, value) in cookies {
            let jar = jar.get_or_insert_with(|| self.jar.lock().unwrap_or_else(PoisonError::into_inner));
            if let Ok(text) = std::str::from_utf8(value)
                && jar.iter_any().count() < MAX_COOKIES
            {
                // A cookie that is refused (another domain's, say) is just not kept.
                let _ = jar.parse(text, url);
            }
        }
    }
}

/// Headers as the archive keeps them: cookies by name, `Authorization` by scheme.
pub(super) fn without_secrets(headers: &HeaderMap) -> Vec<(String, Vec<u8>)> {
    let plain = |value: &HeaderValue| value.as_bytes().to_vec();
    headers
        .iter()
        .map(|(name, value)| {
            let text = String::from_utf8_lossy(value.as_bytes());
            let value = if *name == header::AUTHORIZATION {
                let scheme = text.split(' ').next().unwrap_or_default();
                format!("{scheme} {KEPT_BACK}").into_bytes()
            } else if *name == header::COOKIE {
                let names = text.split("; ").map(|c| c.split('=').next().unwrap_or_default());
                let cookies: Vec<String> = names.map(|n| format!("{n}={KEPT_BACK}")).collect();
                cookies.join("; ").into_bytes()
            } else {
                plain(value)
            };
            (name.as_str().to_owned(), value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn session(rules: &str) -> Session {
        let mapping = crate::crawl::tests::mapping(rules);
        Session::new(&mapping, &|name| {
            (name != "UNSET").then(|| format!("value of {name}"))
        })
        .unwrap()
    }

    fn sent(session: &Session, url: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        session.dress(&Url::parse(url).unwrap(), &mut headers);
        headers
    }

    #[test]
    fn secrets_go_to_the_first_origin_and_not_into_the_archive() {
        let session = session(
            "[session]\nheaders = { Accept-Language = 'vi' }\ncookies = ['lang=vi']\nbasic = { user_env = 'U', password_env = 'P' }\n",
        );
        let headers = sent(&session, "http://h/a");
        assert_eq!(headers["accept-language"], "vi");
        assert_eq!(headers["cookie"], "lang=vi");
        let plain = STANDARD.decode(
            headers["authorization"]
                .to_str()
                .unwrap()
                .strip_prefix("Basic ")
                .unwrap(),
        );
        assert_eq!(plain.unwrap(), b"value of U:value of P");
        let archived = without_secrets(&headers);
        let text: Vec<String> = archived
            .iter()
            .map(|(n, v)| format!("{n}: {}", String::from_utf8_lossy(v)))
            .collect();
        assert!(
            text.contains(&"authorization: Basic (kept back)".to_owned()),
            "{text:?}"
        );
        assert!(text.contains(&"cookie: lang=(kept back)".to_owned()), "{text:?}");
        for other in ["http://h:81/a", "https://h/a", "http://other.example/"] {
            assert!(!sent(&session, other).contains_key("authorization"), "{other}");
        }
        assert!(sent(&session, "http://other.example/").is_empty());
    }

    #[test]
    fn cookies_stay_with_their_host_and_have_bounds() {
        let session = session("");
        let url = Url::parse("http://h/").unwrap();
        let set = |text: &str| session.keep(&url, &[("Set-Cookie".into(), text.as_bytes().to_vec())]);
        set("ASP.NET_SessionId=abc; path=/; HttpOnly");
        set("evil=1; domain=other.example");
        set(&format!("long={}", "x".repeat(MAX_COOKIE)));
        assert_eq!(sent(&session, "http://h/x")["cookie"], "ASP.NET_SessionId=abc");
        assert!(sent(&session, "http://other.example/").is_empty());
        for n in 0..MAX_COOKIES + 10 {
            set(&format!("c{n}=1; path=/p{n}"));
        }
        assert_eq!(session.jar.lock().unwrap().iter_any().count(), MAX_COOKIES);
    }

    #[test]
    fn a_secret_that_is_not_there_is_named() {
        let mapping = crate::crawl::tests::mapping("[session]\nbearer_env = 'UNSET'\n");
        let error = Session::new(&mapping, &|_| None).err().unwrap().to_string();
        assert!(error.contains("`UNSET`"), "{error}");
    }
}
