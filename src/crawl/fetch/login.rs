//! Logging in by a form. What is sent and what comes back is not archived: it holds secrets, and it is no content.

use super::http::{Http, target};
use crate::capture::{Capture, Exchange};
use crate::crawl::CrawlError;
use crate::crawl::pager::{self, Request, form_type};
use crate::lang::fold;
use crate::mapping::model::LoginSuccess;
use crate::mapping::{Css, Mapping};
use crate::page::{self, Page};
use http::Method;
use http::header::{HeaderMap, HeaderName, HeaderValue};
use std::sync::Arc;
use std::time::Instant;
use url::Url;

/// Logins of one run: more means that the site throws us out again and again.
const MAX_LOGINS: u32 = 5;
/// Redirects behind the form.
const MAX_HOPS: usize = 10;
/// Largest page of a login, in bytes.
const MAX_PAGE: u64 = 8 << 20;

/// When we logged in last, and how often.
#[derive(Debug, Default)]
pub(super) struct Logins {
    last: Option<Instant>,
    count: u32,
}

impl Http {
    /// Does the mapping say how to log in?
    pub(in crate::crawl) fn can_log_in(&self) -> bool {
        self.mapping.rules().session.login.is_some()
    }

    /// Logs in, unless that was done since `asked`; callers at the same time wait for one login.
    ///
    /// # Errors
    /// [`CrawlError::Login`] with what went wrong.
    pub(in crate::crawl) async fn log_in(&self, asked: Option<Instant>) -> Result<(), CrawlError> {
        let mut logins = self.logins.lock().await;
        if let (Some(last), Some(asked)) = (logins.last, asked)
            && last >= asked
        {
            return Ok(());
        }
        let Some(rule) = &self.mapping.rules().session.login else {
            return Ok(());
        };
        let base = &self.mapping.rules().site.base;
        let failed = |url: &Url, reason: String| CrawlError::Login {
            url: url.to_string(),
            reason,
        };
        let url = base.join(&rule.url).map_err(|e| failed(base, e.to_string()))?;
        if logins.count >= MAX_LOGINS {
            return Err(failed(
                &url,
                format!("the site asked for a login {MAX_LOGINS} times"),
            ));
        }
        logins.count += 1;
        let form = self
            .walk(Method::GET, url.clone(), None)
            .await
            .map_err(|e| failed(&url, e))?;
        let (mapping, values) = (self.mapping.clone(), self.session.login.clone());
        let filled = self
            .read(form, move |page| fill(&mapping, page, &values))
            .await
            .map_err(|e| failed(&url, e))?;
        let to = Url::parse(&filled.url).map_err(|e| failed(&url, e.to_string()))?;
        let same_site = self.mapping.canonical(&to).is_ok() && to.origin() == url.origin();
        if !same_site {
            let reason = format!("its form goes to `{to}`, which is not the site: nothing was sent");
            return Err(failed(&url, reason));
        }
        let method = if filled.method == "POST" {
            Method::POST
        } else {
            Method::GET
        };
        let behind = self
            .walk(method, to, Some(filled))
            .await
            .map_err(|e| failed(&url, e))?;
        let mapping = self.mapping.clone();
        let checked = self.read(behind, move |page| check(&mapping, page)).await;
        checked.map_err(|e| failed(&url, e))?;
        logins.last = Some(Instant::now());
        Ok(())
    }

    /// A request and the redirects behind it.
    async fn walk(&self, method: Method, url: Url, form: Option<Request>) -> Result<Exchange, String> {
        let (mut method, mut url, mut form) = (method, url, form);
        for _ in 0..MAX_HOPS {
            let mut headers = HeaderMap::new();
            let content_type = form.as_ref().map(|_| form_type());
            for (name, value) in content_type.iter() {
                if let (Ok(name), Ok(value)) =
                    (HeaderName::try_from(name.as_str()), HeaderValue::from_str(value))
                {
                    headers.insert(name, value);
                }
            }
            let body = form.take().map(|f| f.body.into_bytes()).unwrap_or_default();
            let sent = self.send(method.clone(), &url, headers, body, MAX_PAGE).await;
            let exchange = sent.map_err(|(class, text)| format!("{class}: {text}"))?;
            match target(&exchange, &url) {
                Some(to) if self.mapping.canonical(&to).is_ok() => {
                    // What was sent is not sent on (RFC 9110, 15.4: 303, and what browsers do with 301 and 302).
                    (method, url) = (Method::GET, to);
                }
                Some(to) => return Err(format!("it leads to `{to}`, which is not the site")),
                None if exchange.status == 200 => return Ok(exchange),
                None => return Err(format!("HTTP {}", exchange.status)),
            }
        }
        Err("too many redirects".into())
    }

    /// Looks at a page, outside the reactor.
    async fn read<T: Send + 'static>(
        &self,
        exchange: Exchange,
        look: impl FnOnce(&Page) -> Result<T, String> + Send + 'static,
    ) -> Result<T, String> {
        let mapping = self.mapping.clone();
        let work = move || {
            let capture = Capture::from_exchange(&exchange, MAX_PAGE).map_err(|e| e.to_string())?;
            let url = Url::parse(&exchange.url).map_err(|e| e.to_string())?;
            let url = mapping.canonical(&url).map_err(|e| e.to_string())?;
            let page = page::read(&capture, &url, &mapping).map_err(|e| e.to_string())?;
            look(&page)
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|_| "its page cannot be read".to_owned())?
    }
}

/// The form of the login.
fn form(mapping: &Mapping) -> Css {
    let rule = mapping.rules().session.login.as_ref();
    let own = rule.and_then(|r| r.form.clone());
    own.unwrap_or_else(|| Css::builtin("form:has(input[type=password i])"))
}

fn fill(mapping: &Arc<Mapping>, page: &Page, values: &[(String, String)]) -> Result<Request, String> {
    let css = form(mapping);
    pager::filled(page, css.selector(), values).ok_or_else(|| {
        format!(
            "there is no form `{}` on the page (`session.login.form` says which one it is)",
            css.as_str()
        )
    })
}

/// Are we in?
fn check(mapping: &Arc<Mapping>, page: &Page) -> Result<(), String> {
    let rule = mapping.rules().session.login.as_ref();
    let missing = match rule.and_then(|r| r.success.as_ref()) {
        Some(success) => lacks(success, page),
        None => {
            let css = form(mapping);
            let again = page.html.select(css.selector()).next().is_some();
            again.then(|| "shows the form again".to_owned())
        }
    };
    match missing {
        None => Ok(()),
        Some(missing) => Err(format!(
            "the page behind it {missing}: look at the values in the environment and at `session.login`"
        )),
    }
}

fn lacks(success: &LoginSuccess, page: &Page) -> Option<String> {
    if let Some(css) = &success.css
        && page.html.select(css.selector()).next().is_none()
    {
        return Some(format!("has no `{}`", css.as_str()));
    }
    if let Some(text) = &success.text
        && !page.has_text(&fold(text))
    {
        return Some(format!("does not say `{text}`"));
    }
    if let Some(url) = &success.url
        && !url.regex().is_match(page.url.as_str())
    {
        return Some(format!(
            "is `{}`, which does not match `session.login.success.url`",
            page.url.as_str()
        ));
    }
    None
}
