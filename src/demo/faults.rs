//! What goes wrong on real servers: a storm of 503, walls of cookies and logins, a challenge, drips, answers that break off or
//! lie about their length, spaces without an end. Only a portal that is [`Portal::faulty`] has them, and its truth is the
//! same: whatever is an article comes in the end.

use super::Portal;
use super::chrome;
use super::urls::BASE;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::Response;
use http_body_util::BodyExt as _;
use std::collections::{HashSet, VecDeque};
use std::fmt::Write as _;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::time::{Sleep, sleep};

/// Articles (from 1, as in `ItemID`) that are hard to have.
const STORM: usize = 6;
const COOKIE_WALL: usize = 12;
const DRIP: usize = 18;
const BREAKS_OFF: usize = 20;
const WRONG_LENGTH: usize = 24;
/// Answers 503 of one storm.
const REFUSALS: usize = 5;
/// Pieces of a drip and the pause before each.
const PIECES: usize = 8;
const PAUSE: Duration = Duration::from_millis(40);
/// A challenge and a login: no content, whoever asks how often.
const CHALLENGE: &str = "/thong-ke-truy-cap";
const LOGIN: &str = "/noi-bo";
/// A calendar of all months of all times, and relative links that grow the path.
const CALENDAR: &str = "/lich";
const GROWING: &str = "/tai-lieu";

/// What a faulty portal remembers.
#[derive(Debug, Default)]
pub(super) struct Faults {
    /// Refusals of the storm that are left; begins with the first request for its article.
    storm: AtomicUsize,
    /// What has failed once already.
    once: Mutex<HashSet<usize>>,
}

impl Faults {
    /// Is it the first time?
    fn first(&self, what: usize) -> bool {
        // A panic of another thread cannot leave the set half written.
        self.once
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(what)
    }
}

/// URLs that are no content, as the portal means it.
pub(super) fn no_content() -> [String; 2] {
    [CHALLENGE, LOGIN].map(|path| format!("{}{path}", BASE.trim_end_matches('/')))
}

/// Links of the home page to what is no article.
pub(super) fn links(out: &mut String) {
    let _ = writeln!(
        out,
        "<div class=\"khoi\"><a href=\"{CHALLENGE}\">Thống kê truy cập</a> <a href=\"{LOGIN}\">Nội bộ</a> \
         <a href=\"{CALENDAR}/2026/11\">Lịch công tác</a> <a href=\"{GROWING}/van-ban/\">Tài liệu</a></div>"
    );
}

/// The answer of a page that is not like the others; `None` for all others.
pub(super) fn answer(
    portal: &Portal,
    uri: &Uri,
    item: Option<usize>,
    headers: &HeaderMap,
) -> Option<Response> {
    let faults = portal.faults.as_ref()?;
    let path = uri.path();
    if path.starts_with("/view.aspx") || path.starts_with("/View.aspx") {
        if item == Some(STORM) && faults.first(STORM) {
            faults.storm.store(REFUSALS, Ordering::Relaxed);
        }
        let raging = |left: usize| left.checked_sub(1);
        if faults
            .storm
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, raging)
            .is_ok()
        {
            let text = "<html><body><h1>Service Unavailable</h1><p>Máy chủ đang bận.</p></body></html>";
            return Some(page(
                StatusCode::SERVICE_UNAVAILABLE,
                text,
                &[(header::RETRY_AFTER, "1")],
            ));
        }
        let cookies = headers.get(header::COOKIE).and_then(|v| v.to_str().ok());
        if item == Some(COOKIE_WALL) && !cookies.is_some_and(|c| c.contains("qua_cua=1")) {
            let own = uri.path_and_query().map_or("/", |p| p.as_str());
            let set = [(header::LOCATION, own), (header::SET_COOKIE, "qua_cua=1; path=/")];
            return Some(page(
                StatusCode::FOUND,
                "<html><body>Object moved</body></html>",
                &set,
            ));
        }
        return None;
    }
    if path == CHALLENGE {
        let stub = "<html><body><script>document.cookie=\"D1N=9f2c\"+\"; path=/\";window.location.reload(true);</script></body></html>";
        return Some(page(StatusCode::OK, stub, &[]));
    }
    if path == LOGIN {
        let form = "<h1>Đăng nhập hệ thống</h1><form method=\"post\" action=\"/noi-bo\"><input name=\"ten\">\
                    <input type=\"password\" name=\"mat_khau\"><input type=\"submit\" value=\"Đăng nhập\"></form>";
        return Some(page(
            StatusCode::OK,
            &chrome::page("Nội bộ", LOGIN, "", form),
            &[],
        ));
    }
    if let Some(month) = path.strip_prefix(CALENDAR) {
        return calendar(month);
    }
    if path.starts_with(GROWING) {
        // It says of itself that it is the real one.
        let text = format!(
            "<html><head><link rel=\"canonical\" href=\"{path}\"><title>Tài liệu</title></head><body>\
             <p>Thư mục tài liệu</p><a href=\"van-ban/\">Văn bản</a></body></html>"
        );
        return Some(page(StatusCode::OK, &text, &[]));
    }
    None
}

fn calendar(month: &str) -> Option<Response> {
    let mut parts = month.split('/').filter_map(|p| p.parse::<i64>().ok());
    let (year, month) = (parts.next()?, parts.next()?);
    let number = year.checked_mul(12)?.checked_add(month - 1)?;
    let link = |n: i64, text: &str| {
        let (year, month) = (n.div_euclid(12), n.rem_euclid(12) + 1);
        format!("<a href=\"{CALENDAR}/{year}/{month:02}\">{text}</a> ")
    };
    let text = format!(
        "<html><head><title>Lịch</title></head><body><p>Tháng {month} năm {year}: không có sự kiện</p>{}{}</body></html>",
        link(number - 1, "trước"),
        link(number + 1, "sau")
    );
    Some(page(StatusCode::OK, &text, &[]))
}

fn page(status: StatusCode, text: &str, headers: &[(header::HeaderName, &str)]) -> Response {
    let mut response = Response::new(Body::from(text.to_owned()));
    *response.status_mut() = status;
    let kind = (header::CONTENT_TYPE, "text/html; charset=utf-8");
    for (name, value) in std::iter::once(&kind).chain(headers) {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().append(name.clone(), value);
        }
    }
    response
}

/// Sends an answer in the way of its article: slowly, not whole, or with a wrong length.
pub(super) async fn spoil(portal: &Portal, item: Option<usize>, response: Response) -> Response {
    let (Some(faults), Some(item)) = (&portal.faults, item) else {
        return response;
    };
    let fails = item == BREAKS_OFF || item == WRONG_LENGTH;
    if response.status() != StatusCode::OK || !(item == DRIP || fails && faults.first(item)) {
        return response;
    }
    let (mut head, body) = response.into_parts();
    // It was made of bytes that are there.
    let Ok(whole) = body.collect().await.map(http_body_util::Collected::to_bytes) else {
        return Response::from_parts(head, Body::empty());
    };
    let pieces: VecDeque<Bytes> = match item {
        DRIP => {
            let size = whole.len().div_ceil(PIECES).max(1);
            (0..whole.len())
                .step_by(size)
                .map(|at| whole.slice(at..whole.len().min(at + size)))
                .collect()
        }
        BREAKS_OFF => [whole.slice(..whole.len() / 2)].into(),
        _ => [whole.clone()].into(),
    };
    if item == WRONG_LENGTH {
        head.headers
            .insert(header::CONTENT_LENGTH, (whole.len() + 500).into());
    }
    let pause = (item == DRIP).then_some(PAUSE);
    Response::from_parts(
        head,
        Body::new(Pieces {
            pieces,
            pause,
            waiting: None,
            breaks: fails,
        }),
    )
}

/// A body piece by piece.
struct Pieces {
    pieces: VecDeque<Bytes>,
    /// Before each.
    pause: Option<Duration>,
    waiting: Option<Pin<Box<Sleep>>>,
    /// Is the connection cut behind the last one?
    breaks: bool,
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, std::io::Error>>> {
        if let (Some(pause), None) = (self.pause, &self.waiting) {
            self.waiting = Some(Box::pin(sleep(pause)));
        }
        if let Some(waiting) = &mut self.waiting {
            ready!(waiting.as_mut().poll(context));
            self.waiting = None;
        }
        match self.pieces.pop_front() {
            Some(piece) => Poll::Ready(Some(Ok(http_body::Frame::data(piece)))),
            None if std::mem::take(&mut self.breaks) => {
                Poll::Ready(Some(Err(std::io::ErrorKind::ConnectionReset.into())))
            }
            None => Poll::Ready(None),
        }
    }
}
