//! Pages that are hard to read right (`tests/extract/hard/`): what each gives is compared with what a person found right,
//! and read again from what we write of it.

use crate::support::{ROOT, documents, expect, sangtrang, serve_router};
use axum::Router;
use axum::extract::Request;
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use sangtrang::capture::Capture;
use sangtrang::document::{Block, CaptureId, Document, FetchProvenance};
use sangtrang::extract::{Context, Judging, PartPage, bind, extract_parts};
use sangtrang::mapping::{Mapping, PageUrl};
use sangtrang::page::{Page, read};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn folder() -> PathBuf {
    Path::new(ROOT).join("tests/extract")
}

fn hard() -> Mapping {
    Mapping::load(&folder().join("hard.toml")).unwrap_or_else(|e| panic!("{e}"))
}

fn page(mapping: &Mapping, html: &[u8], address: &str) -> Page {
    let url = mapping.resolve(&mapping.rules().site.base, address).unwrap();
    let capture = Capture::saved(url.as_str(), None, html.to_vec());
    read(&capture, &url, mapping).unwrap()
}

/// The document of a page and those behind it.
fn document(mapping: &Mapping, pages: &[(Vec<u8>, String)]) -> Document {
    let first = page(mapping, &pages[0].0, &pages[0].1);
    let others: Vec<PartPage> = pages[1..]
        .iter()
        .map(|(html, address)| PartPage {
            page: page(mapping, html, address),
            capture: CaptureId::of(html),
        })
        .collect();
    let at: &PageUrl = &first.url;
    let collection = mapping.collection_for_url(at).unwrap();
    let (fetch, listing) = (FetchProvenance::default(), BTreeMap::new());
    let context = Context {
        mapping,
        learned: None,
        listing: &listing,
        discovered: &[],
        aliases: &[],
        fetch: &fetch,
    };
    let mut out = extract_parts(&first, &others, &[], collection, &context).unwrap();
    let mut document = out.documents.remove(0);
    bind(&mut document, &Judging::new(mapping, collection, None), &|_| None);
    document
}

/// The pages of a file of `hard/`, with their addresses.
fn pages(name: &str) -> Vec<(Vec<u8>, String)> {
    let read = |name: &str| std::fs::read(folder().join("hard").join(format!("{name}.html"))).unwrap();
    match &name[..2] {
        "01" => vec![(read(name), format!("/tin/{name}"))],
        "37" | "38" => vec![(read(name), format!("/vanban/{name}"))],
        "40" => vec![
            (read(name), "/view.aspx?ItemID=7".into()),
            (read(&format!("{name}.2")), "/view.aspx?ItemID=7&page=2".into()),
            (read(&format!("{name}.3")), "/view.aspx?ItemID=7&page=3".into()),
        ],
        _ => vec![(read(name), format!("/hard/{name}"))],
    }
}

fn names() -> Vec<String> {
    let files = std::fs::read_dir(folder().join("hard")).unwrap();
    let mut names: Vec<String> = files
        .filter_map(|f| {
            f.unwrap()
                .file_name()
                .into_string()
                .unwrap()
                .strip_suffix(".html")
                .map(str::to_owned)
        })
        .filter(|n| !n.contains('.'))
        .collect();
    names.sort();
    names
}

/// What a person can check: the document without identity, places and what is empty.
fn view(document: &Document) -> Value {
    let mut value = serde_json::to_value(document).unwrap();
    let mut out = Map::new();
    for key in [
        "title", "section", "byline", "source", "summary", "legal", "extra", "dates", "body",
    ] {
        out.insert(key.into(), value[key].take());
    }
    let media = |m: &sangtrang::document::Media| json!({ "source_url": m.source_url, "role": m.role, "alt": m.alt, "caption": m.caption, "credit": m.credit });
    out.insert("media".into(), document.media.iter().map(media).collect());
    out.insert(
        "attachments".into(),
        document
            .attachments
            .iter()
            .map(|a| a.source_url.clone())
            .collect(),
    );
    let links = document.links.iter();
    let links =
        links.map(|l| json!({ "raw": l.raw, "resolved": l.resolved, "kind": l.kind, "text": l.text }));
    out.insert("links".into(), links.collect());
    out.insert(
        "citations".into(),
        document
            .citations
            .iter()
            .map(|c| format!("{} {}", c.kind, c.number))
            .collect(),
    );
    let dropped = document.dropped.iter();
    let dropped = dropped.map(|d| json!([d.rule, d.media.as_ref().unwrap_or(&d.text)]));
    out.insert("dropped".into(), dropped.collect());
    let sum = &document.accounting;
    out.insert(
        "accounting".into(),
        json!([sum.visible, sum.kept, sum.dropped, sum.unaccounted]),
    );
    let gates = document
        .quality
        .gates
        .iter()
        .map(|g| format!("{:?} {}: {}", g.level, g.id, g.note));
    out.insert("gates".into(), gates.collect());
    let parts = document.provenance.parts.iter().map(|p| p.url.clone());
    out.insert("parts".into(), parts.collect());
    let mut out = Value::Object(out);
    tidy(&mut out);
    out
}

/// Leaves out what says nothing, and says plain cells and captions by their text.
fn tidy(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if let Some(src) = object.remove("src")
                && src["rule"] != "body"
            {
                object.insert("rule".into(), src["rule"].clone());
            }
            if object.contains_key("confidence") {
                object.remove("raw");
            }
            if object.contains_key("rowspan") {
                object.retain(|k, v| !(matches!(k.as_str(), "rowspan" | "colspan") && *v == json!(1)));
                object.retain(|k, v| !(k == "header" && *v == json!(false)));
            }
            object.values_mut().for_each(tidy);
            object.retain(|_, v| !(v.is_null() || *v == json!([]) || *v == json!({})));
            let only = |key: &str| (object.len() == 1).then(|| object.get(key).cloned()).flatten();
            if let Some(inner) = only("text").or_else(|| only("content")) {
                *value = inner;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(tidy),
        _ => {}
    }
}

/// JSON with short lines: what fits stands on one.
fn pretty(value: &Value, indent: usize, out: &mut String) {
    let one = value.to_string();
    let pad = " ".repeat(indent + 1);
    match value {
        Value::Object(object) if indent == 0 || one.len() > 140 => {
            out.push_str("{\n");
            for (n, (key, value)) in object.iter().enumerate() {
                out.push_str(&format!("{pad}{}: ", json!(key)));
                pretty(value, indent + 1, out);
                out.push_str(if n + 1 < object.len() { ",\n" } else { "\n" });
            }
            out.push_str(&" ".repeat(indent));
            out.push('}');
        }
        Value::Array(items) if one.len() > 140 => {
            out.push_str("[\n");
            for (n, value) in items.iter().enumerate() {
                out.push_str(&pad);
                pretty(value, indent + 1, out);
                out.push_str(if n + 1 < items.len() { ",\n" } else { "\n" });
            }
            out.push_str(&" ".repeat(indent));
            out.push(']');
        }
        _ => out.push_str(&one),
    }
}

/// `SANGTRANG_ACCEPT=1` writes what is found; a person then reads the difference.
#[test]
fn hard_pages_give_what_a_person_found_right() {
    let mapping = hard();
    let accept = std::env::var_os("SANGTRANG_ACCEPT").is_some();
    let validator = jsonschema::validator_for(&sangtrang::document::document_schema()).unwrap();
    let names = names();
    assert!(names.len() >= 40, "{} pages", names.len());
    let mut wrong = Vec::new();
    for name in &names {
        let document = document(&mapping, &pages(name));
        if let Some(error) = validator
            .iter_errors(&serde_json::to_value(&document).unwrap())
            .next()
        {
            panic!("{name}: {error} at {}", error.instance_path());
        }
        let sum = &document.accounting;
        assert_eq!(sum.unaccounted, 0, "{name}: {:?}", sum.unaccounted_text);
        assert_eq!(sum.visible, sum.kept + sum.dropped, "{name}");
        let mut found = String::new();
        pretty(&view(&document), 0, &mut found);
        found.push('\n');
        let path = folder().join("hard").join(format!("{name}.json"));
        if accept {
            std::fs::write(&path, &found).unwrap();
        } else if std::fs::read_to_string(&path).unwrap_or_default() != found {
            wrong.push(format!("{name}: found\n{found}"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} pages differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

/// What the renderer writes, with frames as frames and old addresses instead of tokens.
fn written(document: &Document) -> String {
    use sangtrang::deliver::render;
    let mut html = String::new();
    for block in &document.body {
        match block {
            Block::Embed { url, text, .. } => {
                html.push_str(&format!(
                    "<iframe src=\"{}\" title=\"{}\"></iframe>\n",
                    render::escape(url),
                    render::escape(text)
                ));
            }
            Block::RawHtml { html: raw, .. } => html.push_str(raw),
            block => html.push_str(&render::html(std::slice::from_ref(block))),
        }
    }
    let old = |token: &str| {
        let link = document.links.iter().find(|l| l.target.as_deref() == Some(token));
        link.and_then(|l| l.resolved.clone())
            .unwrap_or_else(|| token.to_owned())
    };
    let (html, _) = render::fill(&html, &|_| None, &old, render::escape);
    // Pictures that stood in the page itself are files now.
    let html = html.replace("src=\"data:", "src=\"http://cong.example/data/");
    format!("<html><body><div id=noidung><h1 class=tieude>T</h1>\n{html}</div></body></html>")
}

/// Blocks without what reading them from our own HTML cannot give again: places, how a caption was found, originals.
fn blocks(document: &Document) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(object) => {
                for key in ["src", "caption_method", "original"] {
                    object.remove(key);
                }
                object.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::String(text) => *text = text.replace("url:data:", "url:http://cong.example/data/"),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(&document.body).unwrap();
    strip(&mut value);
    value
}

/// The blocks of what is written of a document, and of the document.
fn again(mapping: &Mapping, document: &Document) -> (Value, Value, String) {
    let html = written(document);
    let read = self::document(mapping, &[(html.clone().into_bytes(), "/hard/again".into())]);
    (blocks(&read), blocks(document), html)
}

#[test]
fn reading_what_we_write_gives_the_same_blocks() {
    let mapping = hard();
    let mut wrong = Vec::new();
    for name in names() {
        let document = document(&mapping, &pages(&name));
        let (read, first, html) = again(&mapping, &document);
        if read != first {
            wrong.push(format!("{name}\n{first:#}\n{read:#}\n{html}"));
        }
    }
    assert!(wrong.is_empty(), "{} pages:\n{}", wrong.len(), wrong.join("\n\n"));
}

/// Letters with how often they stand in a text.
fn letters<'a>(texts: impl IntoIterator<Item = &'a str>) -> BTreeMap<char, usize> {
    let mut all = BTreeMap::new();
    for c in texts
        .into_iter()
        .flat_map(str::chars)
        .filter(|c| !c.is_whitespace())
    {
        *all.entry(c).or_default() += 1;
    }
    all
}

/// Every letter that a reader of the page sees is in a field, in the body or dropped by a rule, as often as on the page.
fn letters_in_and_out(
    html: &[u8],
    address: &str,
    mapping: &Mapping,
) -> (BTreeMap<char, usize>, BTreeMap<char, usize>) {
    let document = document(mapping, &[(html.to_vec(), address.to_owned())]);
    let page = page(mapping, html, address);
    let taken = document.provenance.fields.values();
    let taken = taken
        .filter(|f| ["css", "label", "label-cell", "text-anchor", "signature"].contains(&f.method.as_str()));
    let mut out: Vec<String> = taken
        .filter_map(|f| Some(page.text.slice(f.chars?).to_owned()))
        .collect();
    let shown = document.body.iter().filter(|b| !matches!(b, Block::Embed { .. }));
    out.extend(shown.map(Block::text));
    out.extend(document.dropped.iter().map(|d| d.text.clone()));
    out.extend(
        document
            .accounting
            .unaccounted_text
            .iter()
            .map(|u| u.text.clone()),
    );
    (
        letters([page.text.as_str()]),
        letters(out.iter().map(String::as_str)),
    )
}

#[test]
fn every_letter_of_a_hard_page_is_kept_or_dropped() {
    let mapping = hard();
    for name in names().iter().filter(|n| !n.starts_with("40")) {
        let (html, address) = pages(name).remove(0);
        let (seen, found) = letters_in_and_out(&html, &address, &mapping);
        assert_eq!(seen, found, "{name}");
    }
}

/// Pieces of pages as they are written: whole elements, so that what is written can be read again.
const PIECES: [&str; 36] = [
    "<p>Chữ thường, có dấu.</p>",
    "<p>a<br>b<br><br>c</p>",
    "<p align=center><b>Đề mục giữa</b></p>",
    "<p><b>I. Đề mục</b></p>",
    "<p><b>Câu đậm có chấm.</b></p>",
    "<p align=right><i>Người ký</i></p>",
    "<h3>Đề <i>mục</i> thật</h3>",
    "<ul><li>một<ul><li>hai</li></ul></li><li>ba</li></ul>",
    "<ol type=i start=4><li>bốn</li></ol>",
    "<p style='mso-list:l0 level1 lfo1'><span style='mso-list:Ignore'>1.</span> mục</p>",
    "<p style='mso-list:l0 level2 lfo1'><span style='mso-list:Ignore'>a)</span> mục con</p>",
    "<p class=MsoListParagraph>- gạch</p>",
    "<p>• chấm</p>",
    "<table border=1><tr><th>A</th><th>B (%)</th></tr><tr><td>x</td><td>1,5</td></tr><tr><td>y</td><td>2</td></tr></table>",
    "<table border=1><tr><td rowspan=2><b>A</b></td><td colspan=2><b>B</b></td></tr><tr><td><b>c</b></td><td><b>d</b></td></tr><tr><td>1</td><td>2</td><td>3</td></tr></table>",
    "<table border=0><tr><td>bố</td><td>cục</td></tr></table>",
    "<p>Đơn vị tính: tấn</p>",
    "<p>Ghi chú: số ước tính</p>",
    "<p>Nguồn: Cục Thống kê</p>",
    "<p align=center>Bảng 1. Dân số</p>",
    "<p><b>Biểu số 2:</b></p>",
    "<table border=1><tfoot><tr><td>Tổng</td><td>3 kg</td></tr></tfoot><tr><th>A</th><th>B</th></tr><tr><td rowspan=0>x</td><td>1</td></tr><tr><td>2</td></tr></table>",
    "<ol><li value=5>năm</li><li value=9>chín</li></ol>",
    "<ol reversed><li>hai</li><li>một</li></ol>",
    "<p><img src=a.jpg></p>",
    "<p><img src=b.jpg alt=B></p><p align=center>chú thích</p>",
    "<figure><img src=c.jpg><figcaption>Ảnh: C</figcaption></figure>",
    "<p>Một số hình ảnh:</p>",
    "<blockquote>trích</blockquote>",
    "<pre>a  b\n c</pre>",
    "<p><a href=/x.pdf>tệp</a></p>",
    "<p>xem <a href='http://ngoai.example/?a=1&amp;b=2'>ngoài</a> và <a href='#n'>dưới</a></p>",
    "<p id=n>đích <sup>2</sup> <u>gạch</u> x<sub>1</sub></p>",
    "<iframe src='http://v.example/1'></iframe>",
    "<div>div <p>trong</p> sau</div>",
    "chữ trần ",
];

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(200))]
    #[test]
    fn any_mixture_reads_the_same_again_and_loses_no_letter(parts in proptest::collection::vec(0..PIECES.len(), 0..14)) {
        let mapping = hard();
        let body: String = parts.iter().map(|&i| PIECES[i]).collect();
        let html = format!("<html><body><div id=noidung><h1 class=tieude>T</h1>{body}</div></body></html>");
        let (seen, found) = letters_in_and_out(html.as_bytes(), "/hard/x", &mapping);
        proptest::prop_assert_eq!(seen, found);
        let document = document(&mapping, &[(html.into_bytes(), "/hard/x".into())]);
        let (read, first, written) = again(&mapping, &document);
        proptest::prop_assert!(parts.is_empty() || !document.body.is_empty());
        proptest::prop_assert_eq!(read, first, "{}", written);
    }
}

/// A picture of that size, as far as its header says.
fn gif(width: u8, height: u8) -> Vec<u8> {
    [
        b"GIF89a".as_slice(),
        &[width, 0, height, 0, 0, 0, 0],
        b"\x21\xF9\x04\x00\x00\x00\x00\x00;",
    ]
    .concat()
}

/// The whole way: pages that go on, thumbnails whose originals are there, smaller or missing, and a table that shrinks.
#[test]
fn parts_originals_and_tables_through_crawl_and_extraction() {
    let address = serve_router(Router::new().fallback(|request: Request| async move {
        let page = |title: &str, body: &str| {
            let pager = "<div class=trang><a href='/tin?ItemID=7'>1</a> <a href='/tin?ItemID=7&page=2'>2</a></div>";
            Html(format!("<div id=noidung><h1 class=tieude>{title}</h1>{body}{pager}</div>")).into_response()
        };
        let picture = |w, h| ([(header::CONTENT_TYPE, "image/gif")], gif(w, h)).into_response();
        let at = request.uri().path_and_query().map_or("", |p| p.as_str());
        match at {
            "/" => Html("<a href='/tin?ItemID=7'>bài</a>").into_response(),
            "/tin?ItemID=7" => page(
                "Bài dài",
                "<p>Trang một.</p><p><a href=/lon.gif><img src=/nho.gif></a></p><p>Chữ.</p><p><a href=/be.gif><img src=/nho2.gif></a></p>\
                 <p>Chữ.</p><p><a href=/mat.gif><img src=/nho3.gif></a></p>",
            ),
            "/tin?ItemID=7&page=2" => page(
                "Bài dài",
                "<p>Trang hai.</p><table border=1><tr><th>A</th><th>B</th></tr><tr><td>=1+1</td><td>1.234,5</td></tr></table>",
            ),
            "/lon.gif" => picture(200, 100),
            "/be.gif" => picture(10, 10),
            "/nho.gif" => picture(50, 25),
            "/nho2.gif" => picture(51, 25),
            "/nho3.gif" => picture(52, 25),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("site.toml");
    let rules = r##"schema = 1
[site]
id = "site"
base = "http://site.example/"
[politeness]
delay = "0ms"
[url]
significant_params = ["ItemID", "page"]
[[discover]]
id = "links"
kind = "links"
allow = ['ItemID=\d+$']
[[ignore]]
id = "home"
url = '\.example/$'
[[collection]]
id = "news"
match = { url = '^/tin\?ItemID=' }
key = "{ItemID}"
parts = { url = '^(/tin\?ItemID=\d+)&page=(\d+)$', css = "div.trang a" }
scope = { container = ["#noidung"] }
fields.title = { take = [{ css = "h1" }], required = true }
drop = [{ id = "pager", css = "div.trang" }]
"##;
    std::fs::write(&mapping, rules).unwrap();
    let output = folder.path().join("out");
    let run = |command: &str| {
        let mut it = sangtrang();
        it.arg(command).arg(&mapping).arg("--output").arg(&output);
        if command == "run" {
            it.args(["--connect-to", &format!("::{address}")]);
        }
        expect(&mut it, 0);
        documents(&output.join("site"))
    };
    let found = run("run");
    let [document] = &found[..] else {
        panic!("{found:?}")
    };
    assert_eq!(document["source_key"], "news:7");
    assert_eq!(document["accounting"]["unaccounted"], 0);
    let parts = document["provenance"]["parts"].as_array().unwrap();
    let urls: Vec<&str> = parts.iter().map(|p| p["url"].as_str().unwrap()).collect();
    assert_eq!(
        urls,
        [
            "http://site.example/tin?ItemID=7",
            "http://site.example/tin?ItemID=7&page=2"
        ]
    );
    assert!(parts.iter().all(|p| p["capture"].is_string()), "{parts:?}");
    assert_eq!(document["redirects"]["from"], json!(urls));
    let images: Vec<&Value> = document["body"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|b| b["kind"] == "image")
        .collect();
    let verified: Vec<&Value> = images
        .iter()
        .map(|i| &i["image"]["original"]["verified"])
        .collect();
    assert_eq!(
        verified,
        [&json!(true), &json!(false), &json!(false)],
        "{images:?}"
    );
    let shown = document["media"].as_array().unwrap().iter();
    let shown: Vec<(&str, &str)> = shown
        .map(|m| (m["source_url"].as_str().unwrap(), m["role"].as_str().unwrap()))
        .collect();
    assert_eq!(shown[0], ("http://site.example/nho.gif", "thumbnail"));
    assert_eq!(shown[1], ("http://site.example/lon.gif", "body"));
    assert_eq!(shown[3], ("http://site.example/be.gif", "original"));
    let csv = |n: usize| {
        let id = document["id"].as_str().unwrap();
        output
            .join("site/documents/news")
            .join(format!("{id}.table-{n}.csv"))
    };
    assert_eq!(
        std::fs::read_to_string(csv(1)).unwrap(),
        "\u{FEFF}A,B\r\n'=1+1,1234.5\r\n"
    );
    // A table that the document no longer has leaves no file behind.
    std::fs::write(csv(2), "alt").unwrap();
    assert_eq!(run("extract"), found);
    assert!(csv(1).is_file() && !csv(2).exists());
}

/// An address that looks like a page's and answers with a file: no document is made of its bytes, the document that links to it
/// has it as an attachment.
#[test]
fn files_asked_for_as_pages_are_no_documents_but_attachments() {
    const PDF: &[u8] = b"%PDF-1.4\n%\xE2\xE3\xCF\xD3\n1 0 obj\n(Phu luc)\nendobj\n";
    let address = serve_router(Router::new().fallback(|request: Request| async move {
        let file = |kind: &'static str| ([(header::CONTENT_TYPE, kind)], PDF).into_response();
        match request.uri().path_and_query().map_or("", |p| p.as_str()) {
            "/" => Html("<a href='/tin?id=7'>bài</a> <a href='/tai?id=3'>tệp</a>").into_response(),
            "/tin?id=7" => Html(
                "<h1>Bài</h1><div id=noidung><p>Chữ của bài, xem <a href='/tai?id=2'>phụ lục hai</a> kèm theo.</p>\
                 <p><a href='/tai?id=1'>Tải về phụ lục</a></p><p><a href='/tin?id=8'>Bài khác</a></p></div>",
            )
            .into_response(),
            "/tin?id=8" => Html("<h1>Bài khác</h1><div id=noidung><p>Chữ.</p></div>").into_response(),
            "/tai?id=1" => file("application/pdf"),
            // Declared as a page, and none by its bytes.
            "/tai?id=2" => file("application/octet-stream"),
            "/tai?id=3" => file("text/html"),
            _ => StatusCode::NOT_FOUND.into_response(),
        }
    }));
    let folder = tempfile::tempdir().unwrap();
    let mapping = folder.path().join("site.toml");
    let rules = r##"schema = 1
[site]
id = "site"
base = "http://site.example/"
[politeness]
delay = "0ms"
[url]
significant_params = ["id"]
[[discover]]
id = "links"
kind = "links"
[[ignore]]
id = "home"
url = '\.example/$'
[[collection]]
id = "page"
match = { url = '^/' }
key = "{path}{id}"
scope = { container = ["body"] }
fields.title = { take = [{ css = "h1" }] }
"##;
    std::fs::write(&mapping, rules).unwrap();
    let output = folder.path().join("out");
    let mut it = sangtrang();
    it.arg("run").arg(&mapping).arg("--output").arg(&output);
    it.args(["--connect-to", &format!("::{address}")]);
    let told = expect(&mut it, 0);
    let told = String::from_utf8_lossy(&told.stderr).into_owned();
    assert!(told.contains("3 answers are files, no pages"), "{told}");
    let found = documents(&output.join("site"));
    let titles: Vec<&str> = found.iter().map(|d| d["title"].as_str().unwrap()).collect();
    assert_eq!(found.len(), 2, "{titles:?}");
    let document = found.iter().find(|d| d["title"] == "Bài").unwrap();
    let files = document["attachments"].as_array().unwrap();
    let addresses: Vec<&str> = files.iter().map(|f| f["source_url"].as_str().unwrap()).collect();
    assert_eq!(
        addresses,
        ["http://site.example/tai?id=2", "http://site.example/tai?id=1"]
    );
    for file in files {
        assert_eq!(
            (&file["state"], &file["mime"]),
            (&json!("ok"), &json!("application/pdf"))
        );
    }
    let body = document["body"].as_array().unwrap();
    let shown: Vec<(&str, &str)> = body
        .iter()
        .map(|b| (b["kind"].as_str().unwrap(), b["text"].as_str().unwrap()))
        .collect();
    assert_eq!(
        shown,
        [
            ("paragraph", "Chữ của bài, xem phụ lục hai kèm theo."),
            ("file", "Tải về phụ lục"),
            ("paragraph", "Bài khác"),
        ]
    );
    assert_eq!(body[1]["media"], files[1]["ref"]);
    assert_eq!(body[0]["marks"][0]["target"], files[0]["ref"]);
    let report = std::fs::read_to_string(output.join("site/report.txt")).unwrap();
    assert!(report.contains("files, no pages                  3"), "{report}");
    // A file is no page to look at either.
    let program = folder.path().join("program.html");
    std::fs::write(&program, [b"\x7FELF\x02\x01\x01".as_slice(), &[0; 99]].concat()).unwrap();
    let told = expect(sangtrang().args(["inspect", "content"]).arg(&program), 4);
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    assert!(
        told.contains("no page but a file (application/x-executable)"),
        "{told}"
    );
}

/// A table that would become huge by its spans is read without them, says so, and keeps its text.
#[test]
fn spans_without_end_are_not_followed() {
    let mapping = hard();
    let rows = "<tr><td colspan=1000>x<td>1".repeat(2000);
    let html = format!("<div id=noidung><h1 class=tieude>T</h1><table border=1>{rows}</table></div>");
    let found = document(&mapping, &[(html.into_bytes(), "/hard/x".into())]);
    let [Block::Table { table, .. }] = &found.body[..] else {
        panic!("{:?}", found.body.len())
    };
    assert_eq!((table.rows.len(), table.rows[0].len()), (2000, 2));
    let gate = found
        .quality
        .gates
        .iter()
        .find(|g| g.id == "table-shape")
        .unwrap();
    assert!(gate.note.contains("its spans are not followed"), "{}", gate.note);
    // A long text is not repeated a thousand times either.
    let long = "chữ ".repeat(50_000);
    let html = format!(
        "<div id=noidung><h1 class=tieude>T</h1><table border=1><tr><td colspan=900>{long}</td></tr><tr><td>1<td>2</tr></table></div>"
    );
    let found = document(&mapping, &[(html.into_bytes(), "/hard/x".into())]);
    let text: usize = found.body.iter().map(|b| b.text().len()).sum();
    assert!((long.len()..2 * long.len()).contains(&(text + 10)), "{text}");
    let written = serde_json::to_vec(&found).unwrap().len();
    assert!(written < 3 * long.len(), "{written}");
    // Spans of a usual table are.
    let html = "<div id=noidung><h1 class=tieude>T</h1><table border=1><tr><th colspan=100>Tên</th></tr><tr><td>a<td>1</tr></table></div>";
    let found = document(&mapping, &[(html.into(), "/hard/x".into())]);
    assert!(
        found
            .quality
            .gates
            .iter()
            .all(|g| !g.note.contains("not followed"))
    );
}

/// What a field of a date says stays in the document where it is no date.
#[test]
fn a_text_in_place_of_a_date_is_in_the_document() {
    let rules = r##"schema = 1
[site]
id = "site"
base = "http://site.example/"
[[collection]]
id = "law"
match = { url = '^/' }
key = "{path}"
scope = { container = ["#noidung"] }
fields.title = { take = [{ css = "h1" }] }
fields."dates.effective" = { take = [{ label = "Ngày có hiệu lực" }] }
"##;
    let mapping = Mapping::parse("site", rules).unwrap();
    let html = "<h1>T</h1><div id=noidung><dl><dt>Ngày có hiệu lực:</dt><dd>Sau 10 ngày kể từ ngày ký</dd></dl></div>";
    let found = document(&mapping, &[(html.into(), "/1".into())]);
    assert!(found.dates.effective.is_none());
    assert_eq!(found.extra["dates.effective"], "Sau 10 ngày kể từ ngày ký");
    assert!(found.quality.gates.iter().any(|g| g.id == "dates-readable"));
}
