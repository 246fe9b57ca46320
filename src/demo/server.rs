//! The portal behind a socket.

use super::answer::Answer;
use super::article::{Charset, Stamp};
use super::life::{self, Living, Place};
use super::lists::Paging;
use super::urls::{Spelling, href};
use super::{Portal, Request, chrome, faults, lists, media, postback, render};
use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::connect_info::IntoMakeServiceWithConnectInfo;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::Response;
use axum::routing::get;
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Largest form that the portal reads, in bytes.
const MAX_FORM: usize = 1 << 20;

/// Answers requests on `listener` until `stop` is cancelled; then the open requests are finished.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    portal: Arc<Portal>,
    listener: TcpListener,
    stop: CancellationToken,
) -> std::io::Result<()> {
    axum::serve(listener, router(portal))
        .with_graceful_shutdown(async move { stop.cancelled().await })
        .await
}

/// What is served.
#[derive(Clone)]
pub(super) enum Host {
    /// A portal that rests.
    Resting(Arc<Portal>),
    /// The portal of whatever day it is.
    Living(Arc<Living>),
}

pub(super) fn router(portal: Arc<Portal>) -> Router {
    Router::new().fallback(handle).with_state(Host::Resting(portal))
}

/// The same with a clock, which tells who asks from where.
pub(super) fn living(life: Arc<Living>) -> IntoMakeServiceWithConnectInfo<Router, SocketAddr> {
    Router::new()
        .route(life::CLOCK, get(clock).post(clock))
        .fallback(handle)
        .with_state(Host::Living(life))
        .into_make_service_with_connect_info()
}

/// Tells the day, and sets it.
async fn clock(
    State(host): State<Host>,
    ConnectInfo(from): ConnectInfo<SocketAddr>,
    method: Method,
    uri: Uri,
) -> Response {
    let Host::Living(life) = host else {
        return Answer::plain(StatusCode::NOT_FOUND, "no clock").into_response();
    };
    if !from.ip().is_loopback() {
        return Answer::plain(StatusCode::FORBIDDEN, "only loopback sets the clock").into_response();
    }
    if method == Method::POST {
        let query = fields(uri.query().unwrap_or_default().as_bytes());
        let Some(day) = query.get("day").and_then(|day| day.parse().ok()) else {
            return Answer::plain(StatusCode::BAD_REQUEST, "say ?day=N").into_response();
        };
        life.set_day(day);
    }
    let day = life.day();
    let json = serde_json::json!({ "day": day, "date": life::Life::date(day).to_string() }).to_string();
    Answer::new(StatusCode::OK, "application/json; charset=utf-8", json).into_response()
}

async fn handle(
    State(host): State<Host>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let portal = match host {
        Host::Resting(portal) => portal,
        Host::Living(life) => life.portal(),
    };
    let item = viewed(&uri);
    if let Some(response) = faults::answer(&portal, &uri, item, &headers) {
        portal.record(Request {
            method: method.to_string(),
            url: uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
            status: response.status().as_u16(),
        });
        return response;
    }
    let mut answer = match to_bytes(body, MAX_FORM).await {
        Ok(form) => route(&portal, &method, &uri, &headers, &form),
        Err(_) => Answer::plain(StatusCode::PAYLOAD_TOO_LARGE, "form too large"),
    };
    answer.revalidate(&headers);
    answer.compress(&headers);
    portal.record(Request {
        method: method.to_string(),
        url: uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        status: answer.status.as_u16(),
    });
    faults::spoil(&portal, item, answer.into_response()).await
}

/// The article that an address asks for.
fn viewed(uri: &Uri) -> Option<usize> {
    let path = uri.path().to_ascii_lowercase();
    let query = fields(uri.query().unwrap_or_default().as_bytes());
    query.get("itemid").filter(|_| path == "/view.aspx")?.parse().ok()
}

/// Query or form fields by lower-case name.
fn fields(encoded: &[u8]) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(encoded)
        .map(|(name, value): (Cow<'_, str>, Cow<'_, str>)| (name.to_ascii_lowercase(), value.into_owned()))
        .collect()
}

fn route(portal: &Portal, method: &Method, uri: &Uri, headers: &HeaderMap, form: &Bytes) -> Answer {
    let asked = uri.path_and_query().map_or("/", |p| p.as_str());
    let posted = (method == Method::POST).then_some(form.as_ref());
    if let Some(served) = portal.served(asked, posted) {
        let status = StatusCode::from_u16(served.status).unwrap_or(StatusCode::OK);
        return Answer::new(status, served.content_type, served.body);
    }
    let path = uri.path().to_ascii_lowercase();
    let query = fields(uri.query().unwrap_or_default().as_bytes());
    let number = |name: &str| query.get(name).and_then(|v| v.parse::<usize>().ok());
    if let Some(answer) = life::answer(portal, method, &path, &number) {
        return answer;
    }
    match path.as_str() {
        "/" | "/default.aspx" => match (number("catid"), method) {
            (Some(cat), &Method::POST) => post(portal, cat, headers, form),
            (Some(cat), _) => list(portal, cat, number("page").unwrap_or(1)),
            (None, _) => home(portal),
        },
        lists::ENDPOINT => {
            let answer = lists::endpoint(portal, number("catid").unwrap_or(0), number("trang").unwrap_or(1));
            match answer {
                Some(json) => Answer::new(StatusCode::OK, "application/json; charset=utf-8", json),
                None => Answer::error(StatusCode::NOT_FOUND, "The resource cannot be found."),
            }
        }
        "/view.aspx" => view(portal, number("itemid")),
        "/print.aspx" => match item(portal, number("itemid")) {
            Some(index) => Answer::html(chrome::print(&portal.article(index))),
            None => missing(portal),
        },
        "/download.ashx" => download(portal, number("id")),
        "/robots.txt" => Answer::plain(
            StatusCode::OK,
            "User-agent: *\nDisallow: /admin/\n\nSitemap: http://ctk-binhthuan.example/sitemap.xml\n",
        ),
        "/admin/login.aspx" => Answer::html("<html><body><form>Đăng nhập</form></body></html>"),
        _ => other(portal, &path),
    }
}

fn home(portal: &Portal) -> Answer {
    let mut answer = Answer::html(portal.dressed(chrome::home(portal)));
    answer.header(
        header::SET_COOKIE,
        b"ASP.NET_SessionId=0zkm2yrx; path=/; HttpOnly",
    );
    answer
}

/// The index of the article with `id`, if the portal has it.
fn item(portal: &Portal, id: Option<usize>) -> Option<usize> {
    id?.checked_sub(1).filter(|index| portal.has(*index))
}

/// What is answered, with status 200, for an article that is not there.
fn missing(portal: &Portal) -> Answer {
    let soft = |today: &life::Today| today.suffers(life::Trouble::SoftMissing);
    let page = match &portal.today {
        Some(today) if soft(today) => chrome::unheard_of(),
        _ => chrome::not_found(),
    };
    Answer::html(portal.dressed(page))
}

fn view(portal: &Portal, id: Option<usize>) -> Answer {
    let Some(index) = item(portal, id) else {
        let index = id.and_then(|id| id.checked_sub(1));
        return match index.map(|index| portal.place(index)) {
            Some(Place::Moved(to)) => Answer::redirect(&format!("/{}", href(to, Spelling::Usual))),
            _ => missing(portal),
        };
    };
    let article = portal.article(index);
    let kind = match article.charset {
        Charset::Utf8 | Charset::Utf8Nfd => "text/html; charset=utf-8",
        Charset::Windows1258 | Charset::Legacy(_) => "text/html",
    };
    let body = render::encode(&portal.dressed(chrome::view(portal, &article)), article.charset);
    Answer::new(StatusCode::OK, kind, body)
        .tagged(index.is_multiple_of(2) || article.stamp == Stamp::Minute)
        .modified(portal.today.as_ref().and_then(|today| today.modified(index)))
}

fn list(portal: &Portal, cat: usize, page: usize) -> Answer {
    if page > 1 && matches!(lists::paging(cat), Paging::Postback | Paging::Panel) {
        // Such a grid knows no page in its address.
        return list(portal, cat, 1);
    }
    match lists::list(portal, cat, page) {
        Some(html) => Answer::html(portal.dressed(html))
            .tagged(cat == 2)
            .modified(portal.today.as_ref().and_then(life::Today::last)),
        None => Answer::html(portal.dressed(chrome::not_found())),
    }
}

fn post(portal: &Portal, cat: usize, headers: &HeaderMap, form: &Bytes) -> Answer {
    let mut fields = fields(form);
    let managed = format!("{}|{}", postback::PANEL, postback::TARGET);
    let delta = headers.get("x-microsoftajax").is_some_and(|v| v == "Delta=true")
        && fields.get(postback::MANAGER) == Some(&managed)
        && fields.get("__asyncpost").is_some_and(|v| v == "true");
    let mut take = |name: &str| fields.remove(name).unwrap_or_default();
    let form = postback::Form {
        target: take("__eventtarget"),
        argument: take("__eventargument"),
        state: take("__viewstate"),
        validation: take("__eventvalidation"),
    };
    let page = postback::page(portal, cat, &form).filter(|page| !portal.forgets(cat, *page));
    if lists::paging(cat) == Paging::Panel && delta {
        return match page.and_then(|page| postback::delta(portal, cat, page)) {
            Some(text) => Answer::new(StatusCode::OK, "text/plain; charset=utf-8", text),
            None => {
                let said = "Validation of viewstate MAC failed.";
                let text = format!("{}|error|500|{said}|", said.len());
                Answer::new(StatusCode::OK, "text/plain; charset=utf-8", text)
            }
        };
    }
    match page.and_then(|page| lists::list(portal, cat, page)) {
        Some(html) => Answer::html(portal.dressed(html)),
        None => Answer::error(
            StatusCode::INTERNAL_SERVER_ERROR,
            "Invalid postback or callback argument",
        ),
    }
}

fn download(portal: &Portal, id: Option<usize>) -> Answer {
    let Some(id) = id.filter(|id| id / 10 < portal.articles && matches!(id % 10, 1 | 2)) else {
        return Answer::error(StatusCode::NOT_FOUND, "Không có tệp này");
    };
    let file = media::file(id);
    let mut answer = Answer::new(StatusCode::OK, file.declared, file.bytes).tagged(true);
    answer.header(header::CONTENT_DISPOSITION, &file.disposition);
    answer
}

fn other(portal: &Portal, path: &str) -> Answer {
    if let Some(name) = path.strip_prefix("/hinhanh/") {
        return picture(portal, path, name);
    }
    if let Some(id) = path
        .strip_prefix("/tin-tuc/")
        .and_then(|p| p.strip_suffix(".html"))
        && let Some(index) = id.parse().ok().and_then(|id: usize| id.checked_sub(1))
        && portal.place(index) != Place::Gone
    {
        return Answer::redirect(&format!("/{}", href(index, Spelling::Usual)));
    }
    let part = match path {
        "/sitemap.xml" => Some(None),
        _ => path
            .strip_prefix("/sitemap-")
            .and_then(|p| p.strip_suffix(".xml"))
            .and_then(|n| n.parse().ok())
            .map(Some),
    };
    match part.and_then(|part| chrome::sitemap(portal, part)) {
        Some(xml) => Answer::new(StatusCode::OK, "text/xml; charset=utf-8", xml),
        None => Answer::error(StatusCode::NOT_FOUND, "The resource cannot be found."),
    }
}

/// Pictures are made from their name; the numbers 404 and 200 stand for the two ways in which one is missing.
fn picture(portal: &Portal, path: &str, name: &str) -> Answer {
    let number = name
        .strip_suffix(".png")
        .and_then(|n| n.rsplit('-').next())
        .and_then(|n| n.parse::<u16>().ok());
    match number {
        Some(1..=9) => {
            let (replaced, day) = match portal.today.as_ref().and_then(|today| today.picture(path)) {
                Some((replaced, day)) => (replaced, Some(day)),
                None => (0, None),
            };
            let bytes = media::version(path, replaced).bytes;
            Answer::new(StatusCode::OK, "image/png", bytes)
                .tagged(true)
                .modified(day)
        }
        Some(200) => Answer::html("<html><body>Không tìm thấy tệp ảnh</body></html>"),
        _ => Answer::error(StatusCode::NOT_FOUND, "The resource cannot be found."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;

    /// One request on a connection of its own: head and body.
    async fn ask(port: u16, method: &str, path: &str, headers: &str, body: &str) -> (String, Vec<u8>) {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: ctk-binhthuan.example\r\nConnection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        let end = answer.windows(4).position(|w| w == b"\r\n\r\n").unwrap();
        let head = String::from_utf8_lossy(&answer[..end]).into_owned();
        (head, answer[end + 4..].to_vec())
    }

    async fn get(port: u16, path: &str) -> (String, String) {
        let (head, body) = ask(port, "GET", path, "", "").await;
        (head, String::from_utf8_lossy(&body).into_owned())
    }

    /// Runs `test` against a portal of `articles` articles on a loopback port, then stops it and gives its log.
    async fn with_portal<F: Future<Output = ()>>(
        articles: usize,
        test: impl FnOnce(u16) -> F,
    ) -> Vec<Request> {
        let portal = Arc::new(Portal::new(articles, 1).recording());
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let stop = CancellationToken::new();
        let server = tokio::spawn(serve(Arc::clone(&portal), listener, stop.clone()));
        test(port).await;
        stop.cancel();
        server.await.unwrap().unwrap();
        portal.requests()
    }

    fn hidden(html: &str, name: &str) -> String {
        let rest = html.split(&format!("id=\"{name}\" value=\"")).nth(1).unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    fn form(html: &str, argument: &str) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("__EVENTTARGET", postback::TARGET)
            .append_pair("__EVENTARGUMENT", argument)
            .append_pair("__VIEWSTATE", &hidden(html, "__VIEWSTATE"))
            .append_pair("__EVENTVALIDATION", &hidden(html, "__EVENTVALIDATION"))
            .finish()
    }

    const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

    fn items(html: &str) -> Vec<usize> {
        let links = html.split("class=\"tieudetin\" href=\"View.aspx?ItemID=").skip(1);
        links
            .map(|l| l.split('&').next().unwrap().parse().unwrap())
            .collect()
    }

    #[tokio::test]
    async fn postbacks_walk_a_list_and_refuse_what_was_not_offered() {
        let log = with_portal(500, |port| async move {
            let path = "/Default.aspx?CatID=3";
            let (_, mut html) = get(port, path).await;
            let (head, _) = ask(port, "POST", path, FORM, &form(&html, "Page$13")).await;
            assert!(head.starts_with("HTTP/1.1 500"), "{head}");
            let mut seen: BTreeSet<usize> = items(&html).into_iter().collect();
            for page in 2..=13 {
                let (head, body) = ask(port, "POST", path, FORM, &form(&html, &format!("Page${page}"))).await;
                assert!(head.starts_with("HTTP/1.1 200"), "page {page}: {head}");
                html = String::from_utf8(body).unwrap();
                for item in items(&html) {
                    assert!(seen.insert(item), "item {item} twice");
                }
            }
            assert_eq!(seen.len(), 125);
        })
        .await;
        assert_eq!(log.len(), 14);
        assert_eq!((log[1].method.as_str(), log[1].status), ("POST", 500));
    }

    #[tokio::test]
    async fn the_portal_answers_like_one_of_its_time() {
        let log = with_portal(60, |port| async move {
            let (head, home) = get(port, "/").await;
            assert!(head.contains("ASP.NET_SessionId") && home.contains("/admin/Login.aspx"));
            let (_, seed) = get(port, "/view.aspx?itemid=1").await;
            assert!(seed.contains("Khối thi đua số 3") && seed.contains("MsoNormal"));
            let (head, _) = get(port, "/tin-tuc/5.html").await;
            assert!(
                head.starts_with("HTTP/1.1 301") && head.contains("location: /View.aspx?ItemID=5&CatID=1")
            );
            let (head, gone) = get(port, "/View.aspx?ItemID=61").await;
            assert!(head.starts_with("HTTP/1.1 200") && gone.contains("Không tìm thấy bài viết"));
            let (head, legacy) = ask(port, "GET", "/View.aspx?ItemID=6", "", "").await;
            assert!(head.contains("content-type: text/html\r\n"), "{head}");
            assert!(!encoding_rs::WINDOWS_1258.decode(&legacy).2);
            let (head, image) = get(port, "/hinhanh/2023/1-404.png").await;
            assert!(head.starts_with("HTTP/1.1 404") && !image.is_empty());
            let (_, robots) = get(port, "/robots.txt").await;
            assert!(robots.contains("Disallow: /admin/") && robots.contains("sitemap.xml"));
            let (_, map) = get(port, "/sitemap-1.xml").await;
            assert_eq!(map.matches("<loc>").count(), 60);
            assert!(get(port, "/sitemap-2.xml").await.0.starts_with("HTTP/1.1 404"));
        })
        .await;
        assert!(log.iter().any(|r| r.url == "/tin-tuc/5.html" && r.status == 301));
    }

    #[tokio::test]
    async fn validators_compression_and_file_names() {
        with_portal(60, |port| async move {
            let path = "/View.aspx?ItemID=1";
            let (head, plain) = ask(port, "GET", path, "", "").await;
            let etag = head
                .split("etag: ")
                .nth(1)
                .unwrap()
                .split("\r\n")
                .next()
                .unwrap()
                .to_owned();
            let condition = format!("If-None-Match: {etag}\r\n");
            let (head, body) = ask(port, "GET", path, &condition, "").await;
            assert!(head.starts_with("HTTP/1.1 304") && body.is_empty());
            assert!(!get(port, "/View.aspx?ItemID=4").await.0.contains("etag"));
            let (head, packed) = ask(port, "GET", path, "Accept-Encoding: gzip, br\r\n", "").await;
            assert!(head.contains("content-encoding: gzip") && packed.len() < plain.len());
            let (head, _) = ask(port, "GET", "/Download.ashx?id=31", "", "").await;
            assert!(head.contains("filename*=UTF-8''Ph%E1%BB%A5"), "{head}");
            let (head, _) = ask(port, "GET", "/Download.ashx?id=71", "", "").await;
            assert!(head.contains("filename=\"Phụ lục"), "{head}");
        })
        .await;
    }
}
