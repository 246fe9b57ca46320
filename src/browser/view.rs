//! What text a reader sees of a page: laid out by Chromium, with its scripts off and without a network.

use super::page::{self, Opened};
use super::{Failure, MAX_RESIDENT, Process, find, resident};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest time of one page.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often the browser's memory is weighed.
const WEIGH: Duration = Duration::from_millis(500);
/// Requests of one page that are answered; the rest is refused.
const MAX_REQUESTS: usize = 100;
/// Most characters of a page's text that are taken.
const MAX_TEXT: usize = 8 << 20;
/// Scripts do not run, nothing is embedded, and what is asked for goes through us.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline' http: https:; base-uri 'none'; form-action 'none'";
/// Where links begin and end in the text: noncharacters, which no page's text needs.
const LINK: (char, char) = ('\u{FDD0}', '\u{FDD1}');

/// Runs in a world of its own when the page is laid out. What stands in `noscript` is no text for readers with scripts; closed
/// `details` are opened, as readers do; what a style leaves out until it is scrolled to is shown.
const READ: &str = r"(()=>{const d=document;
if(location.href==='about:blank')return null;
d.querySelectorAll('noscript').forEach(n=>n.remove());
d.querySelectorAll('details').forEach(e=>{e.open=true});
const s=d.createElement('style');s.textContent='*{content-visibility:visible !important}';
(d.head||d.documentElement).append(s);
d.querySelectorAll('a[href]').forEach(a=>{a.prepend('\uFDD0');a.append('\uFDD1')});
return d.body?d.body.innerText.slice(0,MAX):''})()";

/// A page as it is served to the browser.
#[derive(Clone, Copy, Debug)]
pub struct Served<'a> {
    /// Its address: style sheets are relative to it.
    pub url: &'a str,
    /// Content-Type header.
    pub mime: &'a str,
    /// Its bytes, without codings.
    pub body: &'a [u8],
}

/// A line of a page as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its text.
    pub text: String,
    /// Do all of its letters stand in links? Numbers beside them (dates, counts) do not make it a text.
    pub linked: bool,
}

/// A browser that shows pages, one after the other.
pub struct View {
    program: PathBuf,
    process: Option<Process>,
    version: String,
}

impl View {
    /// Starts the program at `path`, else in `SANGTRANG_CHROMIUM`, else a usual name in PATH.
    ///
    /// # Errors
    /// When there is none, or it does not start.
    pub async fn start(path: Option<&Path>) -> Result<Self, Failure> {
        let program = find(path).map_err(|e| Failure::new("browser-missing", e.to_string()))?;
        let process = Process::start(&program, AGENT).await?;
        Ok(Self {
            version: process.version.clone(),
            process: Some(process),
            program,
        })
    }

    /// `Chromium 148`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The lines that a page shows. `sheet` gives the style sheets that are there; nothing else is answered.
    ///
    /// # Errors
    /// When the page cannot be laid out in time. The next page gets a new browser.
    pub async fn show(
        &mut self,
        page: &Served<'_>,
        sheet: &mut dyn FnMut(&str) -> Option<Vec<u8>>,
    ) -> Result<Vec<Line>, Failure> {
        // Taken out: whatever goes wrong from here on ends this browser.
        let mut process = match self.process.take() {
            Some(process) => process,
            None => Process::start(&self.program, AGENT).await?,
        };
        let shown = tokio::time::timeout(PATIENCE, read(&mut process, page, sheet)).await;
        let text = shown.map_err(|_| {
            let text = format!("the page was not laid out after {} s", PATIENCE.as_secs());
            Failure::new("render-timeout", text)
        })??;
        self.process = Some(process);
        Ok(lines(&text))
    }
}

const AGENT: &str = "Mozilla/5.0 (sangtrang; offline)";

async fn read(
    process: &mut Process,
    page: &Served<'_>,
    sheet: &mut dyn FnMut(&str) -> Option<Vec<u8>>,
) -> Result<String, Failure> {
    let gone = |e: std::io::Error| Failure::gone(&e.to_string());
    let Opened {
        context,
        session,
        frame,
    } = open(process).await.map_err(gone)?;
    let to = json!({ "url": page.url });
    let navigation = process
        .pipe
        .send(&session, "Page.navigate", to)
        .await
        .map_err(gone)?;
    let mut weighed = Instant::now();
    let (mut requests, mut world, mut reading) = (0, None, None);
    loop {
        let message = tokio::time::timeout(WEIGH, process.pipe.receive()).await;
        if weighed.elapsed() >= WEIGH {
            weighed = Instant::now();
            if resident(process.id()) > MAX_RESIDENT {
                return Err(Failure::new(
                    "render-too-large",
                    "the page made the browser grow too large",
                ));
            }
        }
        let Ok(message) = message else { continue };
        let message = message.ok_or_else(|| Failure::gone("it ended, or broke the protocol"))?;
        match message["method"].as_str() {
            Some("Fetch.requestPaused") => {
                let asked = &message["params"];
                let main = asked["resourceType"] == "Document" && asked["frameId"] == frame.as_str();
                let (method, params) = if main && requests == 0 {
                    ("Fetch.fulfillRequest", fulfil(asked, page.mime, page.body))
                } else {
                    let url = asked["request"]["url"].as_str().unwrap_or_default();
                    let found = (asked["resourceType"] == "Stylesheet" && requests < MAX_REQUESTS)
                        .then(|| sheet(url))
                        .flatten();
                    match found {
                        Some(bytes) => ("Fetch.fulfillRequest", fulfil(asked, "text/css", &bytes)),
                        // Aborted: a page that wants to go elsewhere stays.
                        None => (
                            "Fetch.failRequest",
                            json!({ "requestId": asked["requestId"], "errorReason": "Aborted" }),
                        ),
                    }
                };
                requests += 1;
                process.pipe.send(&session, method, params).await.map_err(gone)?;
            }
            Some("Page.loadEventFired") if requests > 0 && world.is_none() => {
                let params = json!({ "frameId": frame, "worldName": "sangtrang" });
                let sent = process
                    .pipe
                    .send(&session, "Page.createIsolatedWorld", params)
                    .await;
                world = Some(sent.map_err(gone)?);
            }
            Some("Inspector.targetCrashed" | "Target.detachedFromTarget") => {
                return Err(Failure::new("render-crashed", "the page crashed"));
            }
            Some(_) => {}
            None => {
                let id = message["id"].as_u64();
                if id == Some(navigation)
                    && let Some(error) = message["result"]["errorText"].as_str()
                {
                    return Err(Failure::new(
                        "render-failed",
                        format!("the browser refused the page: {error}"),
                    ));
                }
                if id.is_some() && id == world {
                    let read = READ.replace("MAX", &MAX_TEXT.to_string());
                    let params = json!({ "expression": read, "returnByValue": true,
                        "contextId": message["result"]["executionContextId"] });
                    let sent = process.pipe.send(&session, "Runtime.evaluate", params).await;
                    reading = Some(sent.map_err(gone)?);
                }
                if id.is_some() && id == reading {
                    // It was still the empty page that was asked: the page itself will be loaded, too.
                    let Some(text) = message["result"]["result"]["value"].as_str() else {
                        (world, reading) = (None, None);
                        continue;
                    };
                    let text = text.to_owned();
                    let params = json!({ "browserContextId": context });
                    let disposed = process.pipe.call("", "Target.disposeBrowserContext", params);
                    disposed.await.map_err(gone)?;
                    return Ok(text);
                }
            }
        }
    }
}

/// An empty page that runs no script and tells when it has loaded.
async fn open(process: &mut Process) -> std::io::Result<Opened> {
    let opened = page::open(process, Some((1280, 900))).await?;
    let pipe = &mut process.pipe;
    let off = json!({ "value": true });
    pipe.call(&opened.session, "Emulation.setScriptExecutionDisabled", off)
        .await?;
    pipe.call(&opened.session, "Page.enable", json!({})).await?;
    Ok(opened)
}

fn fulfil(asked: &Value, mime: &str, body: &[u8]) -> Value {
    json!({
        "requestId": asked["requestId"], "responseCode": 200,
        "responseHeaders": [
            { "name": "content-type", "value": mime },
            { "name": "content-security-policy", "value": POLICY },
        ],
        "body": BASE64.encode(body),
    })
}

/// The lines of a text with marks around its links.
fn lines(text: &str) -> Vec<Line> {
    let mut open = 0_usize;
    let mut all = Vec::new();
    for line in text.split('\n') {
        let (mut shown, mut outside, mut inside) = (String::new(), false, false);
        for c in line.chars() {
            match c {
                c if c == LINK.0 => open += 1,
                c if c == LINK.1 => open = open.saturating_sub(1),
                c => {
                    outside |= open == 0 && c.is_alphabetic();
                    inside |= open > 0 && c.is_alphanumeric();
                    shown.push(c);
                }
            }
        }
        if shown.chars().any(char::is_alphanumeric) {
            all.push(Line {
                text: shown.trim().to_owned(),
                linked: inside && !outside,
            });
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_linked_if_all_of_it_is() {
        let text = "\u{FDD0}Trang chủ\u{FDD1} | \u{FDD0}Tin\u{FDD1} (12/07)\nXem \u{FDD0}đây\u{FDD1}\n\u{FDD0}\nhai\ndòng\n\u{FDD1}\n \nhết\n12 345";
        let told: Vec<_> = lines(text).into_iter().map(|l| (l.text, l.linked)).collect();
        let told: Vec<_> = told.iter().map(|(t, l)| (t.as_str(), *l)).collect();
        assert_eq!(
            told,
            [
                ("Trang chủ | Tin (12/07)", true),
                ("Xem đây", false),
                ("hai", true),
                ("dòng", true),
                ("hết", false),
                ("12 345", false)
            ]
        );
    }
}
