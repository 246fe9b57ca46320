//! An answer becomes plain data: verdict, links, lists. Pure; runs outside the reactor. The page is parsed once.

use super::discover::{self, Asked, Found, Link};
use super::fetch::http::TOO_SLOW;
use super::fetch::{Answer, End};
use super::frontier::Health;
use super::origins::Origins;
use super::pager::{Request, delta, json};
use super::politeness::retry_after;
use super::verdict::soft404::{self, Fingerprint, Judgement, Learned};
use super::verdict::{self, Outcome};
use super::{sitemap, trap};
use crate::capture::{Capture, Truncated};
use crate::document::CaptureId;
use crate::ledger::{Place, Ready, UrlKind};
use crate::mapping::model::{Discover, Pager};
use crate::mapping::{Mapping, PageUrl};
use crate::page;
use regex::Regex;
use std::sync::LazyLock;
use std::time::{Duration, SystemTime};
use url::Url;

/// What the recorder writes.
pub(super) struct Processed {
    pub task: Ready,
    pub answer: Answer,
    pub outcome: Outcome,
    pub redirect: Option<Redirect>,
    pub capture: Option<CaptureId>,
    pub bytes: u64,
    pub found: Found,
    /// Pages and further sitemaps of a sitemap, with the day of their last change as it says it.
    pub listed: Vec<(Link, Option<String>)>,
    /// How long the answer took; `None` if it came from elsewhere.
    pub latency: Option<Duration>,
    /// What a content page says, as one number.
    pub signature: Option<u64>,
    /// The form that was sent is not valid any more.
    pub expired: bool,
    /// What the page is by its handler's probe.
    pub judgement: Judgement,
    /// How "not found" looks: the answer to a probe.
    pub fingerprint: Option<Fingerprint>,
    /// Where its exchanges stand, if they are archived already.
    pub places: Option<Vec<Place>>,
}

impl Processed {
    /// Would a login change this answer?
    pub(super) fn wants_login(&self) -> bool {
        matches!(self.outcome, Outcome::Blocked { login: true, .. })
    }

    /// What this answer says of its host.
    pub(super) fn health(&self) -> Health {
        match (&self.outcome, self.latency) {
            (_, None) => Health::Unknown,
            _ if self.redirect.is_some() => Health::Unknown,
            (Outcome::Retry { .. } | Outcome::Blocked { .. }, _) => Health::Bad,
            (_, Some(latency)) => Health::Good(latency),
        }
    }
}

/// Where a redirect leads.
pub(super) enum Redirect {
    To(PageUrl, Option<String>),
    OffSite,
}

pub(super) fn process(
    mapping: &Mapping,
    learned: &Learned,
    task: Ready,
    answer: Answer,
    now: SystemTime,
) -> Processed {
    let mut out = Processed {
        task,
        outcome: Outcome::Rejected("no-answer".into()),
        answer,
        redirect: None,
        capture: None,
        bytes: 0,
        found: Found::default(),
        listed: Vec::new(),
        latency: None,
        places: None,
        signature: None,
        expired: false,
        judgement: Judgement::Unknown,
        fingerprint: None,
    };
    let retry = |class: &str| Outcome::Retry {
        class: class.to_owned(),
        after: None,
    };
    match &out.answer.end {
        End::Network(class, _) => out.outcome = retry(class),
        End::Redirects(class) => out.outcome = Outcome::Rejected((*class).to_owned()),
        End::Redirect(target) if leads_to_login(mapping, &out.task.url, target) => {
            out.outcome = Outcome::Blocked {
                class: "login".into(),
                login: true,
            };
        }
        End::Redirect(target) => {
            out.redirect = Some(match mapping.canonical(target) {
                Ok(url) => {
                    let spelling = (url.as_str() != target.as_str()).then(|| target.to_string());
                    Redirect::To(url, spelling)
                }
                Err(_) => Redirect::OffSite,
            });
        }
        End::Response => {
            // A page that breaks a parser must not end the crawl: its bytes are archived, its class says what happened.
            let work = std::panic::AssertUnwindSafe(|| respond(mapping, learned, &mut out, now));
            if std::panic::catch_unwind(work).is_err() {
                out.outcome = Outcome::Rejected("unreadable".into());
                out.found = Found::default();
                out.listed.clear();
            }
        }
    }
    out
}

fn respond(mapping: &Mapping, learned: &Learned, out: &mut Processed, now: SystemTime) {
    let Some(exchange) = out.answer.exchanges.last() else {
        return;
    };
    let limits = &mapping.rules().limits;
    let max = match out.task.kind {
        UrlKind::Media => limits.media_bytes,
        UrlKind::Page | UrlKind::Postback | UrlKind::Probe => limits.page_bytes,
        UrlKind::Robots | UrlKind::Sitemap => sitemap::MAX_BYTES,
    };
    let capture = match Capture::from_exchange(exchange, max) {
        Ok(capture) => capture,
        Err(crate::capture::CaptureError::TooLarge { .. }) => {
            out.outcome = Outcome::Rejected("too-large".into());
            return;
        }
        Err(_) => {
            out.outcome = Outcome::Rejected("bad-coding".into());
            return;
        }
    };
    let date = capture.header("date");
    let after = capture
        .header("retry-after")
        .and_then(|v| retry_after(&v, date.as_deref(), now));
    out.outcome = verdict::of_status(capture.status, after);
    out.bytes = capture.body.len() as u64;
    match capture.truncated {
        Some(Truncated::Length) => out.outcome = Outcome::Rejected("too-large".into()),
        Some(Truncated::Time | Truncated::Disconnect) if out.outcome == Outcome::Captured => {
            let slow = capture.notes.iter().any(|(name, _)| name == TOO_SLOW);
            out.outcome = Outcome::Retry {
                class: if slow { "too-slow" } else { "truncated" }.into(),
                after: None,
            };
        }
        _ => {}
    }
    if out.outcome != Outcome::Captured {
        return;
    }
    out.capture = Some(capture.id);
    let Ok(url) = Url::parse(&out.task.url) else {
        return;
    };
    match out.task.kind {
        UrlKind::Media | UrlKind::Robots => {
            // A page in place of a file: a login or an error page.
            if out.task.kind == UrlKind::Media
                && is_html(&capture)
                && let Ok(url) = mapping.canonical(&url)
                && let Ok(page) = page::read(&capture, &url, mapping)
                && let Some(outcome) = verdict::of_page(&mapping.rules().reject, url.as_str(), &page)
                    .or_else(|| verdict::of_looks(&capture, &page))
            {
                out.outcome = outcome;
            }
        }
        UrlKind::Sitemap => {
            let sitemap = sitemap::parse(&capture.body);
            let kinds = [
                (sitemap.pages, UrlKind::Page),
                (sitemap.sitemaps, UrlKind::Sitemap),
            ];
            for (urls, kind) in kinds {
                out.listed.extend(urls.iter().filter_map(|entry| {
                    let (url, spelling) = discover::canonical(mapping, &url, &entry.url)?;
                    let via = "sitemap".to_owned();
                    let link = Link {
                        url,
                        spelling,
                        kind,
                        via,
                    };
                    Some((link, entry.lastmod.clone()))
                }));
            }
        }
        UrlKind::Page | UrlKind::Postback | UrlKind::Probe => {
            let Ok(url) = mapping.canonical(&url) else { return };
            let request = out.task.request.as_deref().and_then(Request::from_bytes);
            let capture = match &request {
                Some(request) => match answer_of(mapping, &url, request, capture, out) {
                    Some(page) => page,
                    None => return,
                },
                None => capture,
            };
            if !is_html(&capture) {
                if out.task.kind == UrlKind::Page && is_unknown(&capture) {
                    out.outcome = Outcome::Rejected("unsupported".into());
                }
                return;
            }
            let page = match page::read(&capture, &url, mapping) {
                Ok(page) => page,
                Err(_) => {
                    out.outcome = Outcome::Rejected("too-large".into());
                    return;
                }
            };
            let verdict = verdict::of_page(&mapping.rules().reject, url.as_str(), &page)
                .or_else(|| verdict::of_looks(&capture, &page));
            match verdict {
                Some(outcome) => out.outcome = outcome,
                None if out.task.kind == UrlKind::Probe => out.fingerprint = Some(Fingerprint::of(&page)),
                None => {
                    if let Some(handler) = soft404::handler(mapping, &url) {
                        out.judgement = learned.judge(&handler, &page);
                    }
                    if out.judgement == Judgement::Missing {
                        out.outcome = Outcome::Gone("soft-404".into());
                        return;
                    }
                    out.signature = Some(soft404::signature(&page, trap::wanted(mapping, &url)));
                    let asked = match &request {
                        Some(request) => Asked::Request(out.task.page, &request.rule),
                        None => Asked::Url,
                    };
                    out.found = discover::discover(mapping, &url, &page, asked);
                }
            }
        }
    }
}

/// The page in the answer to a pager's request. What an endpoint says in JSON goes into `out` at once; then there is none.
fn answer_of(
    mapping: &Mapping,
    url: &PageUrl,
    request: &Request,
    capture: Capture,
    out: &mut Processed,
) -> Option<Capture> {
    let rule = mapping.rules().discover.iter().find_map(|rule| match rule {
        Discover::List(list) if list.id == request.rule => Some(list),
        _ => None,
    });
    let page = |html: String| Capture {
        headers: vec![("content-type".into(), b"text/html; charset=utf-8".to_vec())],
        body: html.into_bytes(),
        ..capture.clone()
    };
    match rule.and_then(|r| r.pager.as_ref()) {
        Some(Pager::Json(pager)) => {
            let Some(answer) = json::read(pager, &capture.body) else {
                out.outcome = Outcome::Rejected("not-json".into());
                return None;
            };
            match (&answer.html, rule) {
                (Some(html), _) if answer.items.is_empty() => Some(page(html.clone())),
                (_, Some(rule)) => {
                    out.found = discover::from_json(mapping, url, rule, &answer, out.task.page);
                    None
                }
                _ => None,
            }
        }
        Some(Pager::AspnetPostback { delta: true, .. }) if !is_html(&capture) => {
            let content_type = capture.header("content-type");
            let (text, _) = page::read_text(&capture.body, content_type.as_deref());
            match delta::to_page(request, &text) {
                Ok(html) => Some(page(html)),
                Err(error) => {
                    out.expired = matches!(error, delta::DeltaError::Expired(_));
                    out.outcome = Outcome::Rejected("bad-delta".into());
                    None
                }
            }
        }
        _ => Some(capture),
    }
}

/// Is the target of a redirect the page of the mapping's login, and the asked page another one?
fn leads_to_login(mapping: &Mapping, asked: &str, target: &Url) -> bool {
    let Some(login) = &mapping.rules().session.login else {
        return false;
    };
    let same = |a: &Url, b: &Url| a.origin() == b.origin() && a.path().eq_ignore_ascii_case(b.path());
    let login = mapping.rules().site.base.join(&login.url).ok();
    let asked = Url::parse(asked).ok();
    login.is_some_and(|login| same(&login, target) && !asked.is_some_and(|asked| same(&login, &asked)))
}

/// Would this page end our session?
fn is_logout(mapping: &Mapping, url: &PageUrl) -> bool {
    static NAMES: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"(?i)(log|sign)[-_]?(out|off)|dang-?xuat|/thoat\b").ok());
    mapping.rules().session.login.is_some()
        && NAMES
            .as_ref()
            .is_some_and(|names| names.is_match(url.path_and_query()))
}

/// Is it worth a parse? By the declared type and the first bytes.
fn is_html(capture: &Capture) -> bool {
    if page::file(capture).is_some() {
        return false;
    }
    match capture.header("content-type") {
        Some(kind) => {
            let kind = kind.to_ascii_lowercase();
            kind.contains("html") || kind.trim().is_empty()
        }
        None => capture.body.trim_ascii_start().starts_with(b"<"),
    }
}

/// Bytes without a name: neither text nor a type that anybody declared.
fn is_unknown(capture: &Capture) -> bool {
    let declared = capture.header("content-type").unwrap_or_default();
    let vague = page::VAGUE.contains(&declared.split(';').next().unwrap_or_default().trim());
    let head = &capture.body[..capture.body.len().min(4096)];
    vague
        && infer::get(head).is_none()
        && (head.contains(&0) || std::str::from_utf8(head).is_err_and(|e| e.error_len().is_some()))
}

/// Why an offered URL is not fetched.
pub(super) fn skip(mapping: &Mapping, robots: &Origins, url: &PageUrl, depth: u32) -> Option<&'static str> {
    if !robots.allows(url.as_url()) {
        Some("robots")
    } else if is_logout(mapping, url) {
        Some("logout")
    } else if depth > mapping.rules().limits.depth {
        Some("depth")
    } else {
        None
    }
}
