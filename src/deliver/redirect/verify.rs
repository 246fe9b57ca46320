//! Asks a running server for old addresses, and the new ones for their pages.

use super::{Decision, Redirect};
use crate::net::{BodyLimits, Client, read_body};
use bytes::Bytes;
use http::{HeaderMap, Method};
use serde::Serialize;
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use url::Url;

/// Requests at once.
const LANES: usize = 8;
/// Redirects in a row that are followed.
const HOPS: usize = 5;

/// An address that does not do what it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Wrong {
    /// The old address.
    pub from: String,
    /// What it should do.
    pub expected: String,
    /// What it does.
    pub found: String,
}

/// Asks `at` for each address: a redirect must lead in one step to its target, and that must be a page; what is gone must say
/// so. Unresolved and archived ones are left out.
pub async fn verify(
    client: &Client,
    at: &Url,
    all: Vec<Redirect>,
    cancel: &CancellationToken,
    progress: &dyn Fn(u64),
) -> (u64, Vec<Wrong>) {
    let (mut set, mut asked, mut wrong) = (JoinSet::new(), 0, Vec::new());
    let keep = |ended: Option<Result<Option<Wrong>, tokio::task::JoinError>>, wrong: &mut Vec<Wrong>| {
        if let Some(Ok(Some(one))) = ended {
            wrong.push(one);
        }
    };
    for redirect in all {
        if cancel.is_cancelled() {
            break;
        }
        if !matches!(redirect.decision, Decision::Redirect | Decision::Gone) {
            continue;
        }
        if set.len() >= LANES {
            keep(set.join_next().await, &mut wrong);
        }
        let (client, at) = (client.clone(), at.clone());
        set.spawn(async move { one(&client, &at, redirect).await });
        asked += 1;
        progress(asked);
    }
    while let Some(ended) = set.join_next().await {
        keep(Some(ended), &mut wrong);
    }
    wrong.sort_by(|a, b| a.from.cmp(&b.from));
    (asked, wrong)
}

async fn one(client: &Client, at: &Url, redirect: Redirect) -> Option<Wrong> {
    let wrong = |expected: &str, found: String| {
        Some(Wrong {
            from: redirect.from.clone(),
            expected: expected.to_owned(),
            found,
        })
    };
    let Ok(url) = at.join(&redirect.from) else {
        return wrong("an address", "none".into());
    };
    let (status, location) = match get(client, &url).await {
        Ok(found) => found,
        Err(error) => return wrong("an answer", error),
    };
    if redirect.decision == Decision::Gone {
        return if status == 410 {
            None
        } else {
            wrong("410", status.to_string())
        };
    }
    let to = redirect.to.clone().unwrap_or_default();
    let target = at.join(&to).ok();
    let led = location.and_then(|l| url.join(&l).ok());
    if !matches!(status, 301 | 308) {
        return wrong(&format!("301 to {to}"), status.to_string());
    }
    if led.is_none() || led != target {
        let led = led.map(String::from).unwrap_or_default();
        return wrong(&format!("301 to {to}"), format!("{status} to {led}"));
    }
    let mut next = target?;
    for _ in 0..HOPS {
        match get(client, &next).await {
            Ok((200, _)) => return None,
            Ok((301 | 302 | 307 | 308, Some(on))) => match next.join(&on) {
                Ok(on) => return wrong(&format!("a page at {to}"), format!("it leads on to {on}")),
                Err(_) => return wrong(&format!("a page at {to}"), "it leads nowhere".into()),
            },
            Ok((status, _)) => return wrong(&format!("a page at {to}"), status.to_string()),
            // One more try: a page may be slow the first time.
            Err(error) if error.contains("no answer") => next = next.clone(),
            Err(error) => return wrong(&format!("a page at {to}"), error),
        }
    }
    wrong(&format!("a page at {to}"), "no answer".into())
}

async fn get(client: &Client, url: &Url) -> Result<(u16, Option<String>), String> {
    let response = client
        .request(Method::GET, url, HeaderMap::new(), Bytes::new())
        .await
        .map_err(|e| e.to_string())?;
    let status = response.status.as_u16();
    let location = response
        .headers
        .get(http::header::LOCATION)
        .and_then(|l| l.to_str().ok())
        .map(str::to_owned);
    // The body is not wanted, but a connection that is to be used again wants it read.
    let limits = BodyLimits {
        bytes: 32 << 20,
        deadline: Instant::now() + Duration::from_secs(60),
        rate: (0, Duration::from_secs(1)),
    };
    let _ = read_body(response, limits).await;
    Ok((status, location))
}
