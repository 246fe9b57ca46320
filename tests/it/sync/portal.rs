//! An old portal that lives: a start page, a list with pages, articles, pictures. Tests edit it and read what it was asked for.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

/// Items of one page of the list.
pub const PER_PAGE: usize = 5;

#[derive(Clone)]
pub struct Article {
    pub title: String,
    pub body: String,
    /// Is it on the list?
    pub listed: bool,
}

/// How the portal is today.
#[derive(Default)]
pub struct Today {
    pub articles: BTreeMap<u32, Article>,
    /// Bytes of the one picture.
    pub picture: Vec<u8>,
    /// Does it send validators and answer to them?
    pub validators: bool,
    /// What changes in every answer, outside the content.
    pub counter: bool,
    visits: u32,
    /// Pages that are not there are 200 and say so.
    pub soft_404: bool,
    /// Everything asks for a login.
    pub login: bool,
    /// The list is there, without a single item.
    pub empty_list: bool,
    /// Everything is 503.
    pub down: bool,
    /// `lastmod` of articles in the sitemap.
    pub lastmod: BTreeMap<u32, String>,
    /// A template around the content.
    pub chrome: String,
    /// What was asked for: path and query.
    pub asked: Vec<String>,
}

pub struct Portal {
    pub address: SocketAddr,
    today: Arc<Mutex<Today>>,
}

impl Portal {
    /// With so many articles.
    pub fn new(articles: u32) -> Self {
        let mut today = Today {
            validators: true,
            picture: png(1),
            ..Today::default()
        };
        for id in 1..=articles {
            today.articles.insert(id, article(id));
        }
        let today = Arc::new(Mutex::new(today));
        let router = axum::Router::new()
            .route("/{*path}", get(answer))
            .route("/", get(answer))
            .with_state(today.clone());
        Self {
            address: crate::support::serve_router(router),
            today,
        }
    }

    pub fn today(&self) -> MutexGuard<'_, Today> {
        self.today.lock().unwrap()
    }

    /// What was asked for since the last time.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.today().asked)
    }

    /// Writes the mapping of the portal; `more` are further tables.
    pub fn mapping(&self, folder: &Path, more: &str) -> PathBuf {
        let path = folder.join("song.toml");
        std::fs::write(&path, format!("{MAPPING}{more}")).unwrap();
        path
    }
}

pub const MAPPING: &str = r#"schema = 1
[site]
id = "song"
base = "http://song.example/"
start = ["/", "/list"]
[politeness]
breaker = 3
breaker_rest = "20ms"
retries = 1
backoff = "5ms"
give_up = "300ms"
[[discover]]
kind = "list"
id = "list"
on = '/list'
item = "li.item"
fields.day = { css = "span" }
pager = { kind = "query", param = "page", stop_after = 1 }
[[discover]]
kind = "sitemap"
id = "map"
[[collection]]
id = "news"
match = { url = '^/view' }
key = "{id}"
scope = { container = ["div.text"] }
fields.title = { take = [{ css = "h1" }], required = true }
fields.section = { take = [{ value = "Tin tức" }] }
[[drop]]
id = "chrome"
outside = true
[[ignore]]
id = "home"
url = 'example/$'
"#;

/// A new article.
pub fn article(id: u32) -> Article {
    Article {
        title: format!("Bài viết số {id}"),
        body: format!(
            "<p>Nội dung của bài viết thứ {id}, đủ dài để không ai nhầm với một trang báo lỗi.</p><p><img src=\"/anh.png\" alt=\"\"></p>"
        ),
        listed: true,
    }
}

/// A picture of one colour.
pub fn png(shade: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, 2, 2);
    encoder.set_color(png::ColorType::Grayscale);
    encoder
        .write_header()
        .unwrap()
        .write_image_data(&[shade; 4])
        .unwrap();
    bytes
}

async fn answer(
    State(today): State<Arc<Mutex<Today>>>,
    uri: axum::http::Uri,
    query: RawQuery,
    headers: HeaderMap,
) -> Response {
    let mut today = today.lock().unwrap();
    let asked = uri.path_and_query().map_or("", |p| p.as_str()).to_owned();
    today.asked.push(asked.clone());
    today.visits += 1;
    if today.down {
        return (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "0")]).into_response();
    }
    if uri.path() == "/robots.txt" {
        return StatusCode::NOT_FOUND.into_response();
    }
    if today.login {
        return page(
            "<form><input type=password name=p><input name=u> Đăng nhập</form>",
            "text/html; charset=utf-8",
        );
    }
    let number = |name: &str| -> Option<usize> {
        let query = query.0.as_deref().unwrap_or_default();
        url::form_urlencoded::parse(query.as_bytes())
            .find(|(n, _)| n == name)?
            .1
            .parse()
            .ok()
    };
    let (body, kind) = match uri.path() {
        "/" => (
            "<a href=\"/list\">Danh sách</a>".to_owned(),
            "text/html; charset=utf-8",
        ),
        "/anh.png" => {
            return whole(&today, &headers, today.picture.clone(), "image/png");
        }
        "/sitemap.xml" => {
            let urls: String = today
                .lastmod
                .iter()
                .map(|(id, day)| {
                    format!("<url><loc>http://song.example/view?id={id}</loc><lastmod>{day}</lastmod></url>")
                })
                .collect();
            return whole(
                &today,
                &headers,
                format!("<urlset>{urls}</urlset>").into_bytes(),
                "application/xml",
            );
        }
        "/list" => {
            let page = number("page").unwrap_or(1);
            let items: String = today
                .articles
                .iter()
                .rev()
                .filter(|(_, a)| a.listed && !today.empty_list)
                .skip((page - 1) * PER_PAGE)
                .take(PER_PAGE)
                .map(|(id, a)| format!("<li class=item><a href=\"/view?id={id}\">{}</a></li>", a.title))
                .collect();
            (format!("<ul>{items}</ul>"), "text/html; charset=utf-8")
        }
        "/view" => match number("id").and_then(|id| today.articles.get(&u32::try_from(id).ok()?)) {
            Some(a) => (
                format!("<h1>{}</h1><div class=text>{}</div>", a.title, a.body),
                "text/html; charset=utf-8",
            ),
            None if today.soft_404 => (
                "<h1>Không tìm thấy bài viết này</h1>".to_owned(),
                "text/html; charset=utf-8",
            ),
            None => return StatusCode::NOT_FOUND.into_response(),
        },
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    let counter = if today.counter {
        format!("<p>Lượt truy cập: {}</p>", today.visits)
    } else {
        String::new()
    };
    let html = format!(
        "<!doctype html><title>Cổng thông tin</title><body>{}{body}{counter}</body>",
        today.chrome
    );
    whole(&today, &headers, html.into_bytes(), kind)
}

fn page(html: &str, kind: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], html.to_owned()).into_response()
}

/// The body, or 304 to those who have it.
fn whole(today: &Today, headers: &HeaderMap, body: Vec<u8>, kind: &'static str) -> Response {
    if !today.validators {
        return ([(header::CONTENT_TYPE, kind)], body).into_response();
    }
    let etag = format!("\"{}\"", &blake3::hash(&body).to_hex()[..16]);
    if headers
        .get(header::IF_NONE_MATCH)
        .is_some_and(|v| v.as_bytes() == etag.as_bytes())
    {
        return (StatusCode::NOT_MODIFIED, [(header::ETAG, etag)]).into_response();
    }
    (
        [(header::CONTENT_TYPE, kind.to_owned()), (header::ETAG, etag)],
        body,
    )
        .into_response()
}
