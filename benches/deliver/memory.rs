//! How much memory delivery takes when a portal is large. What stands in the place of WordPress here is no WordPress: it
//! answers in its form and keeps what it is given, so that 100,000 documents do not take an hour. It says nothing of
//! correctness; the tests do, against the real one.

use super::cms::{self, Kind};
use super::{BIN, MAPPING, Ours, SITE, extracted, load, watched};
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, HashMap};
use std::io::{BufWriter, Write as _};
use std::os::unix::fs::FileExt as _;
use std::process::Command;
use std::sync::{Arc, LazyLock, Mutex};

/// Articles that are really crawled and extracted; the others are copies of them under other ids.
const REAL: usize = 200;
/// Copies of an article that show the same files.
const SHARE: usize = 5;

pub fn measure(documents: usize) {
    let folder = multiplied(documents);
    let runtime = super::reactor();
    let site = Arc::new(Site::default());
    let listener = runtime
        .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
        .expect("a port");
    let base = format!("http://{}", listener.local_addr().expect("its address"));
    site.base.lock().expect("no panic").clone_from(&base);
    let router = Router::new()
        .route("/wp-json/", get(index))
        .route("/wp-json/wp/v2/users/me", get(me))
        .route("/wp-json/wp/v2/{of}", any(many))
        .route("/wp-json/wp/v2/{of}/{id}", any(one))
        .route("/files/{id}/{name}", get(file))
        .fallback(|| async {
            (
                StatusCode::NOT_FOUND,
                json!({ "code": "rest_no_route" }).to_string(),
            )
        })
        .with_state(site);
    runtime.spawn(async move { axum::serve(listener, router).await });
    let target = folder.path().join("target.toml");
    std::fs::write(&target, cms::target(Kind::WordPress, &base, "")).expect("a target file");
    let plan_file = folder.path().join(SITE).join("plan.json");
    let run = |args: &[&str]| -> Ours {
        let mut command = Command::new(BIN);
        command
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("CMS_USER", "admin")
            .env("CMS_SECRET", "secret")
            .arg("--quiet")
            .args(args);
        if args[0] == "apply" {
            command.arg(&plan_file);
        } else {
            command.arg(MAPPING).arg("--target").arg(&target);
        }
        watched(command.arg("--output").arg(folder.path()))
    };
    println!("\n{documents} documents; load {}", load());
    println!("command       peak MiB   wall s    cpu s");
    let row = |name: &str, args: &[&str]| {
        let ours = run(args);
        println!(
            "{name:<12} {:>9.1} {:>8.1} {:>8.1}",
            ours.peak as f64 / 1024.0 / 1024.0,
            ours.wall,
            ours.cpu
        );
    };
    row("plan", &["plan"]);
    let size = std::fs::metadata(&plan_file).expect("a plan").len();
    row("apply", &["apply"]);
    row("verify", &["verify"]);
    row("plan again", &["plan"]);
    println!(
        "plan.json: {:.1} MiB; load {}",
        size as f64 / 1024.0 / 1024.0,
        load()
    );
}

/// The output of a portal of so many documents.
fn multiplied(documents: usize) -> tempfile::TempDir {
    let folder = extracted(REAL);
    let site = folder.path().join(SITE);
    let jsonl = site.join("documents.jsonl");
    let real: Vec<String> = std::fs::read_to_string(&jsonl)
        .expect("documents")
        .lines()
        .map(str::to_owned)
        .collect();
    let real: Vec<Article> = real.into_iter().map(Article::new).collect();
    let mut lines = BufWriter::new(std::fs::File::create(&jsonl).expect("documents"));
    let mut left = documents;
    for copy in 0.. {
        // All of one copy refer to each other; some copies show the same files.
        let names = copied(&site, &real, copy);
        for article in real.iter().take(left) {
            let line = article.copy(&names, copy);
            if copy > 0 {
                let file = site.join(format!("documents/news/{}.json", names[&article.id]));
                std::fs::write(file, &line).expect("a document");
            }
            writeln!(lines, "{line}").expect("a line");
        }
        left = left.saturating_sub(real.len());
        if left == 0 {
            break;
        }
    }
    lines.flush().expect("documents");
    folder
}

/// An article that was really extracted.
struct Article {
    line: String,
    id: String,
    key: String,
    /// References and types of its files.
    files: Vec<(String, String)>,
}

impl Article {
    fn new(line: String) -> Self {
        let document: Value = serde_json::from_str(&line).expect("JSON");
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let lists = ["media", "attachments"];
        let files = lists
            .iter()
            .flat_map(|l| document[*l].as_array().into_iter().flatten())
            .filter(|m| m["state"] == "ok")
            .map(|m| (text(&m["ref"]), text(&m["mime"])))
            .collect();
        Self {
            id: text(&document["id"]),
            key: text(&document["source_key"]),
            files,
            line,
        }
    }

    /// Its line under other names.
    fn copy(&self, names: &HashMap<String, String>, copy: usize) -> String {
        static NAME: LazyLock<regex::Regex> = LazyLock::new(|| {
            let uuid = "[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}";
            regex::Regex::new(&format!("media:[0-9a-f]{{64}}|{uuid}")).expect("a pattern")
        });
        if copy == 0 {
            return self.line.clone();
        }
        let line = NAME.replace_all(&self.line, |found: &regex::Captures<'_>| {
            names
                .get(&found[0])
                .cloned()
                .unwrap_or_else(|| found[0].to_owned())
        });
        let key = &self.key;
        line.replacen(
            &format!("\"source_key\":\"{key}\""),
            &format!("\"source_key\":\"{key}-{copy}\""),
            1,
        )
    }
}

/// New names of articles and files for one copy; writes the files.
fn copied(site: &std::path::Path, real: &[Article], copy: usize) -> HashMap<String, String> {
    use sangtrang::document::{CaptureId, DocumentId, extension};
    let mut names = HashMap::new();
    let group = copy / SHARE;
    for article in real {
        let id = DocumentId::new(SITE, &format!("{}-{copy}", article.key));
        names.insert(article.id.clone(), id.to_string());
        for (file, mime) in article.files.iter().filter(|_| group > 0) {
            let bytes = format!("{file} {group}");
            let id = CaptureId::of(bytes.as_bytes()).to_string();
            let folder = site.join("media").join(&id[..2]);
            std::fs::create_dir_all(&folder).expect("a folder");
            let name = format!("{}.{}", &id[2..], extension(mime).unwrap_or("bin"));
            std::fs::write(folder.join(name), bytes).expect("a file");
            names.insert(file.clone(), format!("media:{id}"));
        }
    }
    names
}

/// What is kept, on disk.
struct Site {
    base: Mutex<String>,
    kept: Mutex<Kept>,
}

struct Kept {
    file: std::fs::File,
    end: u64,
    last: u64,
    types: BTreeMap<String, BTreeMap<u64, Place>>,
    slugs: HashMap<(String, String), u64>,
}

#[derive(Clone, Copy)]
struct Place {
    at: u64,
    length: usize,
}

impl Default for Site {
    fn default() -> Self {
        Self {
            base: Mutex::default(),
            kept: Mutex::new(Kept {
                file: tempfile::tempfile().expect("a file"),
                end: 0,
                last: 0,
                types: BTreeMap::new(),
                slugs: HashMap::new(),
            }),
        }
    }
}

impl Kept {
    fn put(&mut self, of: &str, id: u64, fields: &Map<String, Value>) {
        let text = serde_json::to_vec(fields).expect("JSON");
        self.file.write_all_at(&text, self.end).expect("a disk");
        let place = Place {
            at: self.end,
            length: text.len(),
        };
        self.end += text.len() as u64;
        self.types.entry(of.to_owned()).or_default().insert(id, place);
    }

    fn get(&self, place: Place) -> Map<String, Value> {
        let mut text = vec![0; place.length];
        self.file.read_exact_at(&mut text, place.at).expect("a disk");
        serde_json::from_slice(&text).expect("JSON")
    }
}

fn answer(status: u16, value: &Value) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("content-type", "application/json")], value.to_string()).into_response()
}

async fn index() -> Response {
    answer(
        200,
        &json!({ "namespaces": ["wp/v2"], "name": "no WordPress", "timezone_string": "Asia/Ho_Chi_Minh" }),
    )
}

async fn me() -> Response {
    let may = [
        "edit_posts",
        "publish_posts",
        "edit_others_posts",
        "manage_categories",
        "upload_files",
        "unfiltered_html",
    ];
    let capabilities: Map<String, Value> = may.iter().map(|m| ((*m).to_owned(), true.into())).collect();
    answer(200, &json!({ "slug": "admin", "capabilities": capabilities }))
}

async fn many(
    State(site): State<Arc<Site>>,
    Path(of): Path<String>,
    Query(query): Query<HashMap<String, String>>,
    method: Method,
    headers: axum::http::HeaderMap,
    body: Bytes,
) -> Response {
    let base = site.base.lock().expect("no panic").clone();
    let mut kept = site.kept.lock().expect("no panic");
    if method == Method::OPTIONS {
        let known = [
            "title",
            "content",
            "excerpt",
            "categories",
            "tags",
            "featured_media",
            "author",
            "slug",
            "date",
            "status",
        ];
        let properties: Map<String, Value> = known.iter().map(|k| ((*k).to_owned(), json!({}))).collect();
        return answer(200, &json!({ "schema": { "properties": properties } }));
    }
    if method == Method::POST {
        let form = headers
            .get("content-type")
            .and_then(|t| t.to_str().ok())
            .unwrap_or_default();
        let fields = match form.split_once("boundary=") {
            Some((_, boundary)) => multipart(&body, boundary.trim_matches('"')),
            None => serde_json::from_slice(&body).expect("JSON"),
        };
        kept.last += 1;
        let id = kept.last;
        kept.put(&of, id, &fields);
        let slug = fields.get("slug").and_then(Value::as_str).unwrap_or_default();
        kept.slugs.insert((of.clone(), slug.to_owned()), id);
        return answer(201, &shown(&base, &of, id, &fields));
    }
    let number = |name: &str| query.get(name).and_then(|v| v.parse::<usize>().ok());
    let ids: Vec<u64> = if let Some(include) = query.get("include") {
        include.split(',').filter_map(|i| i.parse().ok()).collect()
    } else if let Some(slugs) = query.get("slug") {
        let find = |slug: &str| kept.slugs.get(&(of.clone(), slug.to_owned())).copied();
        slugs.split(',').filter_map(find).collect()
    } else {
        let (size, page) = (number("per_page").unwrap_or(10), number("page").unwrap_or(1));
        let all = kept.types.get(&of);
        all.into_iter()
            .flat_map(|t| t.keys().copied())
            .skip((page - 1) * size)
            .take(size)
            .collect()
    };
    let found = ids.iter().filter_map(|id| {
        let place = kept.types.get(&of)?.get(id)?;
        Some(shown(&base, &of, *id, &kept.get(*place)))
    });
    answer(200, &Value::Array(found.collect()))
}

async fn one(
    State(site): State<Arc<Site>>,
    Path((of, id)): Path<(String, u64)>,
    method: Method,
    body: Bytes,
) -> Response {
    let base = site.base.lock().expect("no panic").clone();
    let mut kept = site.kept.lock().expect("no panic");
    let Some(place) = kept.types.get(&of).and_then(|t| t.get(&id)).copied() else {
        return answer(404, &json!({ "code": "rest_post_invalid_id" }));
    };
    let mut fields = kept.get(place);
    if method == Method::POST {
        let new: Map<String, Value> = serde_json::from_slice(&body).expect("JSON");
        fields.extend(new);
        kept.put(&of, id, &fields);
    }
    answer(200, &shown(&base, &of, id, &fields))
}

async fn file(State(site): State<Arc<Site>>, Path((id, _)): Path<(u64, String)>) -> Response {
    let kept = site.kept.lock().expect("no panic");
    let Some(place) = kept.types.get("media").and_then(|t| t.get(&id)).copied() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    use base64::Engine as _;
    let fields = kept.get(place);
    let bytes = fields["bytes"].as_str().unwrap_or_default();
    base64::engine::general_purpose::STANDARD
        .decode(bytes)
        .expect("its own form")
        .into_response()
}

/// An object as WordPress shows it to editors.
fn shown(base: &str, of: &str, id: u64, fields: &Map<String, Value>) -> Value {
    let mut out = Map::new();
    out.insert("id".into(), id.into());
    for (name, value) in fields {
        let shown = match (name.as_str(), value) {
            ("content", value) => json!({ "raw": value, "rendered": value }),
            ("title" | "excerpt" | "caption" | "description", value) => json!({ "raw": value }),
            ("date", Value::String(date)) => {
                let at: jiff::Timestamp = date.parse().expect("a date");
                let text = at.strftime("%Y-%m-%dT%H:%M:%S").to_string();
                out.insert("date_gmt".into(), text.into());
                continue;
            }
            ("bytes" | "filename", _) => continue,
            (_, value) => value.clone(),
        };
        out.insert(name.clone(), shown);
    }
    out.insert("modified_gmt".into(), "2026-01-01T00:00:00".into());
    let slug = fields.get("slug").and_then(Value::as_str).unwrap_or_default();
    out.insert("link".into(), format!("{base}/{slug}/").into());
    out.insert("permalink_template".into(), format!("{base}/%postname%/").into());
    if of == "media" {
        let name = fields.get("filename").and_then(Value::as_str).unwrap_or_default();
        out.insert("source_url".into(), format!("{base}/files/{id}/{name}").into());
        out.insert("status".into(), "inherit".into());
    }
    out.into()
}

/// Fields and file of a form.
fn multipart(body: &[u8], boundary: &str) -> Map<String, Value> {
    use base64::Engine as _;
    let mut fields = Map::new();
    let delimiter = format!("--{boundary}");
    let marks: Vec<usize> = memchr::memmem::find_iter(body, delimiter.as_bytes()).collect();
    for pair in marks.windows(2) {
        let part = &body[pair[0] + delimiter.len() + 2..pair[1] - 2];
        let Some(end) = memchr::memmem::find(part, b"\r\n\r\n") else {
            continue;
        };
        let head = String::from_utf8_lossy(&part[..end]);
        let value = &part[end + 4..];
        let attribute = |name: &str| {
            let from = head.find(&format!("{name}=\""))? + name.len() + 2;
            head[from..].split('"').next().map(str::to_owned)
        };
        let Some(name) = attribute(" name") else { continue };
        if let Some(filename) = attribute("filename") {
            fields.insert("filename".into(), filename.into());
            let bytes = base64::engine::general_purpose::STANDARD.encode(value);
            fields.insert("bytes".into(), bytes.into());
        } else {
            fields.insert(name, String::from_utf8_lossy(value).into());
        }
    }
    fields
}
