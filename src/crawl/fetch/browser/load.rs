//! One page, from the first request to the finished tree.

use super::requests;
use super::{Browser, Dom};
use crate::browser::{Failure, MAX_RESIDENT, Process, open, resident};
use crate::capture::{Capture, Exchange};
use crate::crawl::fetch::traffic::Request;
use crate::mapping::model::RenderRule;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use url::Url;

/// How often the page is asked whether it is done.
const LOOK: Duration = Duration::from_millis(50);
/// How often the browser's memory is weighed.
const WEIGH: Duration = Duration::from_millis(500);
/// Most elements of a page; more is a script that does not end.
const MAX_ELEMENTS: u64 = 200_000;
/// Most bytes of all answers to one page.
const MAX_BYTES: u64 = 128 << 20;
/// Longest time to clear a page away, and of one look at it.
const PATIENCE: Duration = Duration::from_secs(5);
/// Name of the script world in which we look: the page cannot change what our expressions mean.
const WORLD: &str = "sangtrang";

/// How a load ended.
pub(super) enum Outcome {
    /// With a page.
    Page(Dom),
    /// The page went to another one.
    Left(Url),
}

/// What we asked the page last.
enum Asked {
    Nothing,
    World(u64),
    State(u64),
    Tree(u64),
}

/// An answer of the site for a paused request.
struct Answered {
    id: String,
    index: usize,
    result: Result<Arc<Exchange>, (&'static str, String)>,
}

/// A load in progress. What it has learned stays when it fails.
pub(super) struct Load<'b> {
    browser: &'b Browser,
    rule: &'b RenderRule,
    document: Arc<Exchange>,
    url: Url,
    requests: Vec<Request>,
    exchanges: Vec<Exchange>,
    flights: JoinSet<Answered>,
    slots: Arc<Semaphore>,
    session: String,
    frame: String,
    documents: usize,
    bytes: u64,
    last_traffic: Instant,
    navigation: u64,
    asked: Asked,
    done: bool,
}

impl<'b> Load<'b> {
    pub(super) fn new(browser: &'b Browser, rule: &'b RenderRule, document: Exchange, url: Url) -> Self {
        let slots = browser.mapping.rules().politeness.concurrency.clamp(1, 6);
        Self {
            browser,
            rule,
            document: Arc::new(document),
            url,
            requests: Vec::new(),
            exchanges: Vec::new(),
            flights: JoinSet::new(),
            slots: Arc::new(Semaphore::new(slots)),
            session: String::new(),
            frame: String::new(),
            documents: 0,
            bytes: 0,
            last_traffic: Instant::now(),
            navigation: 0,
            asked: Asked::Nothing,
            done: false,
        }
    }

    /// The page's requests, and the answers that are its data.
    pub(super) fn into_parts(self) -> (Vec<Request>, Vec<Exchange>) {
        (self.requests, self.exchanges)
    }

    /// Loads the page in a context of its own.
    pub(super) async fn run(&mut self, process: &mut Process) -> Result<Outcome, Failure> {
        let limit = self.rule.timeout.0;
        let result = tokio::time::timeout(limit, self.load(process)).await;
        // What is still in the air has nobody to answer to.
        self.flights.abort_all();
        let (context, outcome) = match result {
            Ok(result) => result?,
            Err(_) => {
                let open = self
                    .requests
                    .iter()
                    .filter(|r| r.status.is_none() && r.blocked.is_none());
                let text = format!(
                    "the page was not done after {} ms (waited for: {}; {} requests, {} without answer)",
                    limit.as_millis(),
                    self.rule.wait.describe(),
                    self.requests.len(),
                    open.count()
                );
                return Err(Failure::new("render-timeout", text));
            }
        };
        let params = json!({ "browserContextId": context });
        let disposed = process.pipe.call("", "Target.disposeBrowserContext", params);
        match tokio::time::timeout(PATIENCE, disposed).await {
            Ok(Ok(_)) => Ok(outcome),
            _ => Err(Failure::gone("it did not let go of a page")),
        }
    }

    async fn load(&mut self, process: &mut Process) -> Result<(String, Outcome), Failure> {
        let context = self
            .open(process)
            .await
            .map_err(|e| Failure::gone(&e.to_string()))?;
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut weighed = Instant::now();
        loop {
            tokio::select! {
                message = process.pipe.receive() => {
                    let message = message.ok_or_else(|| Failure::gone("it ended, or broke the protocol"))?;
                    if let Some(outcome) = self.message(process, message).await? {
                        return Ok((context, outcome));
                    }
                }
                Some(answered) = self.flights.join_next(), if !self.flights.is_empty() => {
                    // A flight that panicked leaves its request open; the timeout names it.
                    if let Ok(answered) = answered {
                        self.answer(process, answered).await?;
                    }
                }
                _ = look.tick() => {
                    if weighed.elapsed() >= WEIGH {
                        weighed = Instant::now();
                        let bytes = resident(process.id());
                        if bytes > MAX_RESIDENT {
                            let text = format!("the page made the browser grow to {} MiB", bytes >> 20);
                            return Err(Failure::new("render-too-large", text));
                        }
                    }
                    if self.documents > 0 && matches!(self.asked, Asked::Nothing) {
                        let params = json!({ "frameId": self.frame, "worldName": WORLD });
                        let id = self.send(process, "Page.createIsolatedWorld", params).await?;
                        self.asked = Asked::World(id);
                    }
                }
            }
        }
    }

    /// Opens an empty page, pauses its requests and sends it to the document.
    async fn open(&mut self, process: &mut Process) -> std::io::Result<String> {
        let opened = open(process, None).await?;
        self.frame = opened.frame;
        self.session = opened.session;
        let to = json!({ "url": self.url.as_str() });
        self.navigation = process.pipe.send(&self.session, "Page.navigate", to).await?;
        Ok(opened.context)
    }

    async fn send(&self, process: &mut Process, method: &str, params: Value) -> Result<u64, Failure> {
        let sent = process.pipe.send(&self.session, method, params).await;
        sent.map_err(|e| Failure::gone(&e.to_string()))
    }

    async fn message(&mut self, process: &mut Process, message: Value) -> Result<Option<Outcome>, Failure> {
        let session = message["sessionId"].as_str().unwrap_or_default();
        match message["method"].as_str() {
            Some("Fetch.requestPaused") if session == self.session => {
                return self.paused(process, &message["params"]).await;
            }
            Some("Inspector.targetCrashed") => {
                return Err(Failure::new("render-crashed", "the page crashed"));
            }
            Some("Target.detachedFromTarget") if message["params"]["sessionId"] == self.session.as_str() => {
                return Err(Failure::new("render-crashed", "the page closed itself"));
            }
            Some(_) => return Ok(None),
            None => {}
        }
        let Some(id) = message["id"].as_u64() else {
            return Ok(None);
        };
        if id == self.navigation {
            let error = message["result"]["errorText"]
                .as_str()
                .or(message["error"]["message"].as_str());
            // An aborted navigation was replaced by another one.
            if let Some(error) = error.filter(|e| *e != "net::ERR_ABORTED") {
                return Err(Failure::new(
                    "render-failed",
                    format!("the browser refused the page: {error}"),
                ));
            }
            return Ok(None);
        }
        match self.asked {
            Asked::World(asked) if asked == id => {
                let Some(world) = message["result"]["executionContextId"].as_i64() else {
                    // Between two documents.
                    self.asked = Asked::Nothing;
                    return Ok(None);
                };
                let expression = if self.done { self.tree() } else { self.state() };
                let params = json!({
                    "expression": expression, "contextId": world, "returnByValue": true,
                    "timeout": PATIENCE.as_millis() as u64,
                });
                let id = self.send(process, "Runtime.evaluate", params).await?;
                self.asked = if self.done {
                    Asked::Tree(id)
                } else {
                    Asked::State(id)
                };
                Ok(None)
            }
            Asked::State(asked) if asked == id => {
                self.asked = Asked::Nothing;
                self.judge(&message["result"])?;
                Ok(None)
            }
            Asked::Tree(asked) if asked == id => {
                self.asked = Asked::Nothing;
                let value = &message["result"]["result"]["value"];
                let (Some(cut), Some(text)) = (value[0].as_bool(), value[1].as_str()) else {
                    return Ok(None);
                };
                Ok(Some(Outcome::Page(self.dom(cut, text))))
            }
            _ => Ok(None),
        }
    }

    /// Is the page done?
    fn judge(&mut self, result: &Value) -> Result<(), Failure> {
        if let Some(details) = result["exceptionDetails"].as_object() {
            let said = details.get("exception").and_then(|e| e["description"].as_str());
            let said: String = said.unwrap_or("an exception").chars().take(300).collect();
            return Err(Failure::new(
                "render-failed",
                format!("`wait.css` cannot be looked for: {said}"),
            ));
        }
        let value = &result["result"]["value"];
        let Some(elements) = value[2].as_u64() else {
            return Ok(());
        };
        if value[3] == "about:blank" {
            return Ok(());
        }
        if elements > MAX_ELEMENTS {
            let text = format!("the page grew to {elements} elements, more than {MAX_ELEMENTS}");
            return Err(Failure::new("render-too-large", text));
        }
        let wait = &self.rule.wait;
        let quiet = wait.idle.is_none_or(|idle| {
            value[0] == "complete" && self.flights.is_empty() && self.last_traffic.elapsed() >= idle.0
        });
        self.done = quiet && value[1] == true;
        Ok(())
    }

    fn state(&self) -> String {
        let css = match &self.rule.wait.css {
            Some(css) => format!("d.querySelector({})!==null", Value::from(css.as_str())),
            None => "true".to_owned(),
        };
        format!(
            "(()=>{{const d=document;return[d.readyState,{css},d.getElementsByTagName('*').length,location.href]}})()"
        )
    }

    fn tree(&self) -> String {
        let limit = self.browser.mapping.rules().limits.page_bytes;
        format!(
            "(()=>{{const d=document,t=d.doctype;let s=t?new XMLSerializer().serializeToString(t)+'\\n':'';\
             s+=d.documentElement?d.documentElement.outerHTML:'';return[s.length>{limit},s.slice(0,{limit})]}})()"
        )
    }

    fn dom(&self, cut: bool, text: &str) -> Dom {
        let limit = usize::try_from(self.browser.mapping.rules().limits.page_bytes).unwrap_or(usize::MAX);
        let end = text.floor_char_boundary(limit);
        Dom {
            url: self.url.to_string(),
            text: text[..end].to_owned(),
            cut: cut || end < text.len(),
            at: crate::ledger::clock::now(),
        }
    }

    /// A request of the page: judged, answered from what we have, or fetched.
    async fn paused(&mut self, process: &mut Process, event: &Value) -> Result<Option<Outcome>, Failure> {
        let id = event["requestId"].as_str().unwrap_or_default().to_owned();
        let mut request = requests::request(event);
        let main = request.kind == "Document" && event["frameId"] == self.frame.as_str();
        self.last_traffic = Instant::now();
        let index = self.requests.len();
        if main && self.documents == 0 {
            self.documents = 1;
            self.requests.push(request);
            let document = self.document.clone();
            self.answer(
                process,
                Answered {
                    id,
                    index,
                    result: Ok(document),
                },
            )
            .await?;
            return Ok(None);
        }
        let browser = self.browser;
        if let Some(reason) =
            requests::refused(&browser.mapping, &browser.origins, self.rule, &request, index)
        {
            request.blocked = Some(reason.to_owned());
            // A page that asks for ever is told no for ever, but not written down for ever.
            if index <= requests::MAX_REQUESTS {
                self.requests.push(request);
            }
            let params = json!({ "requestId": id, "errorReason": "BlockedByClient" });
            self.send(process, "Fetch.failRequest", params).await?;
            return Ok(None);
        }
        let Ok(url) = Url::parse(&request.url) else {
            return Ok(None);
        };
        if main {
            if let (Ok(own), Ok(to)) = (
                browser.mapping.canonical(&self.url),
                browser.mapping.canonical(&url),
            ) && own != to
            {
                return Ok(Some(Outcome::Left(url)));
            }
            self.documents += 1;
            if self.documents > browser.mapping.rules().limits.redirects {
                let text = format!("the page loads itself again and again ({} times)", self.documents);
                return Err(Failure::new("render-loop", text));
            }
        }
        let kept = browser.kept.lock().ok().and_then(|k| k.get(&request));
        let (method, headers) = requests::ours(event);
        let sent = request.sent.clone();
        self.requests.push(request);
        if let Some(exchange) = kept {
            self.answer(
                process,
                Answered {
                    id,
                    index,
                    result: Ok(exchange),
                },
            )
            .await?;
            return Ok(None);
        }
        let (http, slots) = (browser.http.clone(), self.slots.clone());
        let limit = browser.mapping.rules().limits.page_bytes;
        self.flights.spawn(async move {
            // The semaphore is never closed.
            let _slot = slots.acquire_owned().await;
            let result = http.send(method, &url, headers, sent, limit).await;
            Answered {
                id,
                index,
                result: result.map(Arc::new),
            }
        });
        Ok(None)
    }

    /// Hands the site's answer to the page, and writes it down.
    async fn answer(&mut self, process: &mut Process, answered: Answered) -> Result<(), Failure> {
        self.last_traffic = Instant::now();
        let browser = self.browser;
        let Some(request) = self.requests.get_mut(answered.index) else {
            return Ok(());
        };
        let limit = browser.mapping.rules().limits.page_bytes;
        let read = answered.result.and_then(|exchange| {
            let capture =
                Capture::from_exchange(&exchange, limit).map_err(|e| ("bad-coding", e.to_string()))?;
            self.bytes += capture.body.len() as u64;
            if capture.truncated.is_some() || self.bytes > MAX_BYTES {
                return Err(("too-large", String::new()));
            }
            Ok((exchange, capture))
        });
        let (method, params) = match read {
            Ok((exchange, capture)) => {
                request.status = Some(exchange.status);
                request.mime = capture.header("content-type");
                request.bytes = capture.body.len() as u64;
                let params = requests::fulfilment(&answered.id, &exchange, &capture);
                if request.is_data() {
                    request.body = Some(Arc::new(capture.body));
                    // The first document is in the archive's way already.
                    if !Arc::ptr_eq(&exchange, &self.document) {
                        self.exchanges.push((*exchange).clone());
                    }
                } else if let Ok(mut kept) = browser.kept.lock() {
                    kept.keep(request, &exchange);
                }
                ("Fetch.fulfillRequest", params)
            }
            Err((class, _)) => {
                request.blocked = Some(class.to_owned());
                let reason = if class == "timeout" { "TimedOut" } else { "Failed" };
                let params = json!({ "requestId": answered.id, "errorReason": reason });
                ("Fetch.failRequest", params)
            }
        };
        self.send(process, method, params).await?;
        Ok(())
    }
}
