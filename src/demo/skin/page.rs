//! Pages of a portal in a skin: what the templates are told, and what is answered to an address.

use super::super::article::Stamp;
use super::super::chrome::{day, minute};
use super::super::render::{self, escape};
use super::super::text::SECTIONS as LABELS;
use super::super::{Portal, media};
use super::piece::{self, Piece};
use super::urls::{self, Place};
use super::{Habits, PER_PAGE, SECTIONS, Skin, list_pages, of_section, section};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::DateTime;
use minijinja::{AutoEscape, Environment};
use serde_json::{Value, json};

/// What a portal in a skin answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Served {
    /// HTTP status.
    pub status: u16,
    /// The header of this name.
    pub content_type: &'static str,
    /// The bytes.
    pub body: Vec<u8>,
}

impl Served {
    fn missing() -> Self {
        Self {
            status: 404,
            content_type: "text/html",
            body: b"<html><body><h1>404</h1></body></html>".to_vec(),
        }
    }
}

/// The day of every visit.
const TODAY: &str = "Thứ tư, 19/07/2023";

/// Articles that boxes name on every page.
const LATEST: usize = 5;

/// Monday first.
const WEEKDAYS: [&str; 7] = [
    "Thứ hai",
    "Thứ ba",
    "Thứ tư",
    "Thứ năm",
    "Thứ sáu",
    "Thứ bảy",
    "Chủ nhật",
];
const MONTHS: [&str; 12] = [
    "Một",
    "Hai",
    "Ba",
    "Tư",
    "Năm",
    "Sáu",
    "Bảy",
    "Tám",
    "Chín",
    "Mười",
    "Mười Một",
    "Mười Hai",
];

pub(in super::super) fn answer(portal: &Portal, skin: Skin, url: &str, form: Option<&[u8]>) -> Served {
    let habits = skin.habits();
    let path = url.split('?').next().unwrap_or(url);
    if path == "/robots.txt" {
        return Served {
            status: 200,
            content_type: "text/plain",
            body: b"User-agent: *\nDisallow: /admin/private/\n".to_vec(),
        };
    }
    if let Some(served) = urls::in_folder(skin, path).and_then(|name| file(path, name)) {
        return served;
    }
    let site = Site::new(portal, skin, &habits, url);
    let Some(place) = urls::places(skin, &site.heads).get(&urls::normal(url)).copied() else {
        return Served::missing();
    };
    let place = match (place, form) {
        (Place::List(cat, _), Some(form)) if urls::posts(skin) => match site.posted(cat, form) {
            Some(page) => Place::List(cat, page),
            None => {
                return Served {
                    status: 500,
                    ..Served::missing()
                };
            }
        },
        (place, _) => place,
    };
    site.page(place)
}

/// A picture or a file of a skin's folder.
fn file(path: &str, name: &str) -> Option<Served> {
    if name.ends_with(".png") {
        return Some(Served {
            status: 200,
            content_type: "image/png",
            body: media::picture(path).bytes,
        });
    }
    let id = name.strip_prefix("phu-luc-")?.strip_suffix(".pdf")?;
    let body =
        format!("%PDF-1.4\n% phu luc {id}\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n");
    Some(Served {
        status: 200,
        content_type: "application/pdf",
        body: body.into_bytes(),
    })
}

struct Site<'a> {
    portal: &'a Portal,
    skin: Skin,
    habits: &'a Habits,
    url: &'a str,
    heads: Vec<(String, String)>,
}

impl<'a> Site<'a> {
    fn new(portal: &'a Portal, skin: Skin, habits: &'a Habits, url: &'a str) -> Self {
        let heads = (0..portal.articles)
            .map(|index| piece::head(portal, index))
            .collect();
        Self {
            portal,
            skin,
            habits,
            url,
            heads,
        }
    }

    fn article(&self, index: usize) -> String {
        let (title, month) = &self.heads[index];
        urls::article(self.skin, index, title, month)
    }

    /// The page of a list that a form asks for; it must bring the state of a page that was served.
    fn posted(&self, cat: usize, form: &[u8]) -> Option<usize> {
        let fields: std::collections::BTreeMap<_, _> = url::form_urlencoded::parse(form).collect();
        let page = fields
            .get("__EVENTARGUMENT")?
            .strip_prefix("Page$")?
            .parse()
            .ok()?;
        let last = list_pages(self.portal.articles, cat);
        let known = (1..=last).any(|p| {
            fields
                .get("__VIEWSTATE")
                .is_some_and(|s| *s == self.state(cat, p))
        });
        (known && (1..=last).contains(&page)).then_some(page)
    }

    /// The hidden state of a page; the server keeps nothing.
    fn state(&self, cat: usize, page: usize) -> String {
        let hash = blake3::keyed_hash(
            &self.portal.key,
            format!("{}|{cat}|{page}", self.habits.name).as_bytes(),
        );
        STANDARD.encode(hash.as_bytes())
    }

    fn page(&self, place: Place) -> Served {
        let (cat, page) = match place {
            Place::List(cat, page) => (cat, page),
            Place::Article(index) | Place::Print(index) => (section(index), 0),
            _ => (0, 0),
        };
        let hash = blake3::hash(self.url.as_bytes());
        let noise = hash.as_bytes();
        let mut context = json!({
            "kind": match place {
                Place::Home => "home",
                Place::List(..) => "list",
                Place::Article(_) | Place::Print(_) => "article",
                Place::Login => "login",
                Place::Gone => "gone",
            },
            "site": self.habits.site, "title": self.habits.site, "today": TODAY, "base": self.skin.base(),
            "home": "/", "login": urls::login(self.skin), "self": self.url,
            "visits": format!("1.204.{:03}", 100 + u16::from(noise[0])), "online": noise[1] % 40 + 3,
            "state": self.state(cat, page), "module": 410 + cat, "wp": "WPQ2", "n": 3,
            "guid": "8f2c1d7e-64b3-4a0f-9b57-3d1c22aa90e1", "guid_": "8f2c1d7e_64b3_4a0f_9b57_3d1c22aa90e1",
            "menu": (1..=SECTIONS).map(|c| json!({ "label": LABELS[c - 1], "url": urls::list(self.skin, c, 1) })).collect::<Vec<_>>(),
            "latest": (0..LATEST.min(self.heads.len())).map(|i| self.entry(i)).collect::<Vec<_>>(),
            "popular": self.popular(),
        });
        if cat > 0 {
            context["section"] = LABELS[cat - 1].into();
            context["section_url"] = urls::list(self.skin, cat, 1).into();
            context["instance"] = urls::INSTANCES[cat - 1].into();
        }
        let mut html = None;
        match place {
            Place::List(cat, page) => {
                context["title"] = LABELS[cat - 1].into();
                context["l"] = self.list(cat, page);
            }
            Place::Article(index) => {
                context["title"] = self.heads[index].0.clone().into();
                let piece = piece::piece(self.portal, self.skin, index);
                context["a"] = self.piece(&piece, noise[2]);
                html = Some(self.body(&piece));
            }
            Place::Print(index) => {
                let piece = piece::piece(self.portal, self.skin, index);
                let title = escape(&piece.article.title);
                let page = format!(
                    "<html><head><title>{title}</title></head><body onload=\"window.print()\"><h2>{title}</h2>\n{}</body></html>",
                    self.body(&piece)
                );
                return self.bytes(&page);
            }
            Place::Home | Place::Login | Place::Gone => {}
        }
        escaped(&mut context);
        if let (Some(html), Value::Object(article)) = (html, &mut context["a"]) {
            article.insert("body".into(), html.into());
        }
        match rendered(self.habits, &context) {
            Ok(page) => self.bytes(&page),
            Err(e) => Served {
                status: 500,
                content_type: "text/plain",
                body: e.to_string().into_bytes(),
            },
        }
    }

    fn bytes(&self, page: &str) -> Served {
        Served {
            status: 200,
            content_type: self.habits.content_type,
            body: render::encode(page, self.habits.charset),
        }
    }

    fn body(&self, piece: &Piece) -> String {
        let article = piece::written(self.skin, &piece.article);
        render::framed(&article, article.charset, self.habits.frame)
    }

    /// What a list or a box says of an article.
    fn entry(&self, index: usize) -> Value {
        let head = self.portal.head(index);
        let mut entry = times(head.published);
        entry["title"] = head.title.into();
        entry["url"] = self.article(index).into();
        entry["summary"] = head.teaser.into();
        entry["id"] = urls::id(index).into();
        entry["views"] = (40 + index * 7 % 900).into();
        entry
    }

    /// The most read ones; one of them is no more.
    fn popular(&self) -> Vec<Value> {
        let mut out: Vec<Value> = [2, 7, 9]
            .into_iter()
            .filter(|i| *i < self.heads.len())
            .map(|i| self.entry(i))
            .collect();
        out.push(json!({ "title": "Thông báo tạm dừng tiếp công dân", "url": urls::gone(self.skin) }));
        out
    }

    fn list(&self, cat: usize, page: usize) -> Value {
        let last = list_pages(self.heads.len(), cat);
        let all: Vec<usize> = of_section(self.heads.len(), cat).collect();
        let from = (page - 1) * PER_PAGE;
        let shown = &all[from.min(all.len())..(from + PER_PAGE).min(all.len())];
        let link = |p: usize| urls::list(self.skin, cat, p);
        json!({
            "label": LABELS[cat - 1], "page": page, "last": last, "total": all.len(),
            "from": from + 1, "to": from + shown.len(), "first": link(1), "end": link(last),
            "prev": (page > 1).then(|| link(page - 1)), "next": (page < last).then(|| link(page + 1)),
            "pages": (1..=last).map(|p| json!({ "n": p, "url": link(p), "on": p == page })).collect::<Vec<_>>(),
            "items": shown.iter().map(|i| self.entry(*i)).collect::<Vec<_>>(),
        })
    }

    fn piece(&self, piece: &Piece, noise: u8) -> Value {
        let article = &piece.article;
        let (index, cat) = (article.index, section(article.index));
        let near = |i: Option<usize>| self.article(i.filter(|i| *i < self.heads.len()).unwrap_or(index));
        let mut out = times(article.published);
        let facts = json!({
            "title": article.title, "url": self.article(index), "id": urls::id(index), "dated": piece.dated,
            "summary": article.summary, "author": piece.author, "source": piece.source,
            "section": LABELS[cat - 1], "section_url": urls::list(self.skin, cat, 1), "section_id": cat,
            "print": urls::print(self.skin, index, &article.title).unwrap_or_else(|| "javascript:window.print()".into()),
            "views": 40 + index * 7 % 900 + usize::from(noise), "votes": noise % 9, "stars": format!("{},{}", noise % 5, noise % 10),
            "key": format!("{noise:02x}"),
            "modified": (article.stamp != Stamp::Day).then(|| minute(article.published)),
            "before": near(index.checked_sub(1)), "after": near(Some(index + 1)),
            "related": piece.related.iter().map(|i| self.entry(*i)).collect::<Vec<_>>(),
        });
        if let (Value::Object(out), Value::Object(facts)) = (&mut out, facts) {
            out.extend(facts);
        }
        let mut ld = json!({
            "@context": "https://schema.org", "@type": "NewsArticle", "headline": article.title,
            "articleSection": LABELS[cat - 1], "publisher": { "@type": "Organization", "name": self.habits.site },
        });
        if piece.dated {
            ld["datePublished"] = out["iso"].clone();
        }
        if let Some(author) = &piece.author {
            ld["author"] = json!({ "@type": "Person", "name": author });
        }
        out["jsonld"] = ld;
        out
    }
}

/// A moment in all the ways in which portals print it.
fn times(at: DateTime) -> Value {
    let d = at.date();
    let weekday = WEEKDAYS[usize::try_from(d.weekday().to_monday_zero_offset()).unwrap_or(0)];
    let month = MONTHS[usize::try_from(d.month() - 1).unwrap_or(0)];
    let (hour, half) = if at.hour() > 12 {
        (at.hour() - 12, "PM")
    } else {
        (at.hour(), "AM")
    };
    json!({
        "day": day(d), "dot": d.strftime("%d.%m.%Y").to_string(), "time": at.strftime("%H:%M").to_string(),
        "ampm": format!("{hour:02}:{:02} {half}", at.minute()), "weekday": weekday,
        "long": format!("ngày {} tháng {} năm {}", d.day(), d.month(), d.year()),
        "wp": format!("{} Tháng {month}, {}", d.day(), d.year()),
        "iso": format!("{}+07:00", at.strftime("%Y-%m-%dT%H:%M:%S")),
        // What NukeViet makes of a date: the T is read as the name of the zone.
        "nuke": at.strftime("%Y-%m-%d+07%H:%M:%S").to_string(),
    })
}

/// Escapes every text; JSON-LD becomes text that ends no script.
fn escaped(value: &mut Value) {
    match value {
        Value::String(text) => *text = escape(text),
        Value::Array(items) => items.iter_mut().for_each(escaped),
        Value::Object(fields) => {
            for (name, field) in fields {
                if name == "jsonld" {
                    *field = field.to_string().replace('<', "\\u003c").into();
                } else {
                    escaped(field);
                }
            }
        }
        _ => {}
    }
}

fn rendered(habits: &Habits, context: &Value) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.add_template(habits.name, habits.template)?;
    environment
        .get_template(habits.name)?
        .render(minijinja::value::Serde(context))
}
