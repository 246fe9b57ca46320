//! What stands in tables, lists, preformatted text and beside short texts comes into the document as it stood.

use super::*;
use crate::capture::Capture;
use crate::document::{Block, Span};
use proptest::prelude::*;
use std::fmt::Write;

fn run(html: &str, container: &str) -> (Page, Extraction) {
    let mapping = format!(
        "schema = 1\n[site]\nid = \"t\"\nbase = \"http://t.example/\"\n[[collection]]\nid = \"c\"\nmatch = {{ url = \".*\" }}\nscope = {{ container = [\"{container}\"] }}\n"
    );
    let mapping = Mapping::parse("t.toml", &mapping).unwrap();
    let url = mapping
        .canonical(&"http://t.example/tin/1".parse().unwrap())
        .unwrap();
    let capture = Capture::saved(
        url.as_str(),
        Some("text/html; charset=utf-8"),
        html.as_bytes().to_vec(),
    );
    let page = crate::page::read(&capture, &url, &mapping).unwrap();
    let context = Context {
        mapping: &mapping,
        learned: None,
        listing: &BTreeMap::new(),
        discovered: &[],
        aliases: &[],
        fetch: &FetchProvenance::default(),
    };
    let out = extract(&page, &mapping.rules().collection[0], &context).unwrap();
    (page, out)
}

const MENU: &str = "<div id=menu><a href=/>Trang chủ</a> <a href=/t>Tin tức</a> <a href=/v>Văn bản</a> <a href=/l>Liên hệ</a></div>";
const FOOT: &str =
    "<div id=footer>Bản quyền © Sở Tài chính. Địa chỉ: 12 Hùng Vương. Giấy phép số 1/GP-STTTT</div>";

/// A page of an old portal with this in its middle, as `@auto` reads it.
fn auto(main: &str) -> Document {
    titled("Sở Tài chính", main)
}

fn titled(title: &str, main: &str) -> Document {
    let html = format!("<title>{title}</title><body>{MENU}<div id=main>{main}</div>{FOOT}");
    let (_, mut out) = run(&html, "@auto");
    assert_eq!(out.accounting.unaccounted, 0, "{main}\n{:?}", out.accounting);
    out.documents.remove(0)
}

/// The body as one container gives it.
fn fixed(main: &str) -> Vec<Block> {
    let (_, mut out) = run(&format!("<h1>Tin</h1><div id=c>{main}</div>"), "#c");
    out.documents.remove(0).body
}

fn kinds(document: &Document) -> Vec<&'static str> {
    let kind = |b: &Block| match b {
        Block::Table { .. } => "table",
        Block::List { .. } => "list",
        Block::Gallery { .. } => "gallery",
        Block::Image { .. } => "image",
        Block::Embed { .. } => "embed",
        Block::File { .. } => "file",
        Block::Code { .. } => "code",
        Block::Paragraph { .. } => "paragraph",
        _ => "other",
    };
    document.body.iter().map(kind).collect()
}

fn said(document: &Document) -> String {
    document
        .body
        .iter()
        .map(Block::text)
        .collect::<Vec<_>>()
        .join("\n")
}

const BEGIN: &str = "<p>Đoạn văn mở đầu dài đủ để được coi là nội dung của trang này, với vài câu. Và đây là câu thứ hai của nó.</p>";
const END: &str = "<p>Đoạn văn kết thúc dài đủ để được coi là nội dung của trang này, với vài câu. Và đây là câu thứ hai của nó.</p>";

#[test]
fn lines_of_one_piece_in_many_elements() {
    for middle in [
        "<pre>Danh sách:<p>1. Nguyễn Văn A, trưởng phòng.</p><p>2. Trần Thị B, phó phòng.</p>Hết.</pre>",
        "<pre>dòng 1\n<div>dòng 2</div>dòng 3\n</pre>",
        "<ul><li style='display:inline'>Mục một</li><li style='display:inline'>Mục hai</li></ul>",
        "<table><tr><th>Nhóm <div style='display:inline'>(<a href=/x>2018</a>)</div></th><td>70,2%</td></tr><tr><th>Thủ đô</th><td>Huế</td></tr></table>",
        "<div style='display:flex'><span>Một</span><span>Hai</span></div>",
    ] {
        let document = auto(&format!("<h1>Tin</h1>{BEGIN}{middle}{END}"));
        let text = said(&document);
        for word in ["Trần Thị B", "dòng 2", "Mục hai", "2018", "Hai"] {
            assert_eq!(text.contains(word), middle.contains(word), "{middle}: {text}");
        }
    }
}

#[test]
fn the_only_line_of_a_page_may_begin_in_one_element_and_end_in_another() {
    let document = auto(
        "<h1>Tin</h1><ul><li style='display:inline'>Phòng Ngân sách của Sở</li> <li style='display:inline'>Phòng Giá của Sở</li></ul>",
    );
    assert!(said(&document).contains("Phòng Giá"), "{document:#?}");
}

#[test]
fn code_with_a_block_for_each_line() {
    let html = "<pre><code><div class=line>def f(x):</div><div class=line>    if x:</div><div class=line>        return 1</div><div class=line><br></div><div class=line>    return 2</div></code></pre>";
    let body = fixed(html);
    let [Block::Code { text, .. }] = body.as_slice() else {
        panic!("{body:#?}")
    };
    assert_eq!(text, "def f(x):\n    if x:\n        return 1\n\n    return 2");
    // Paragraphs that somebody put into preformatted text stay paragraphs.
    let body = fixed("<pre>Danh sách:<p>1. A</p><p>2. B</p>Hết.</pre>");
    assert!(
        body.len() == 4 && !body.iter().any(|b| matches!(b, Block::Code { .. })),
        "{body:#?}"
    );
}

#[test]
fn a_page_that_is_a_table_or_a_list() {
    let table = "<h1>Lịch công tác tuần 12</h1><table border=1><tr><th>Thứ</th><th>Sáng</th><th>Chiều</th></tr><tr><td>Hai<br>12/3</td><td>- 7h30: Giao ban<br>- 9h: Họp Đảng ủy</td><td>Làm việc tại cơ quan</td></tr><tr><td>Ba<br>13/3</td><td>Đi cơ sở</td><td>- 14h: Tiếp dân</td></tr></table>";
    assert_eq!(kinds(&auto(table)), ["table"]);
    let list = "<h1>Danh sách đơn vị trực thuộc Sở</h1><ol><li>Phòng Ngân sách</li><li>Phòng Tin học</li><li>Phòng Giá</li></ol>";
    assert_eq!(kinds(&auto(list)), ["list"]);
    let cell = |n: usize| {
        format!("<td><a href=lon{n}.jpg><img src=nho{n}.jpg width=150></a><br>Ảnh số {n}: đoàn rước</td>")
    };
    let rows: String = (0..4)
        .map(|n| format!("<tr>{}{}</tr>", cell(2 * n), cell(2 * n + 1)))
        .collect();
    let gallery = auto(&format!(
        "<h1>Hình ảnh lễ hội Nghinh Ông 2012</h1><table>{rows}</table>"
    ));
    let [Block::Gallery { items, .. }] = gallery.body.as_slice() else {
        panic!("{:#?}", gallery.body)
    };
    assert!(items.len() == 8 && items.iter().all(|i| i.caption.is_some()));
}

#[test]
fn a_table_of_which_part_is_content_is_content_with_its_files() {
    for (number, about) in [
        (
            11,
            "Về việc kết tác thị ngành gia trong tổng các đủ nhiều của đông.",
        ),
        (13, "Về việc đại của lãnh sở ngành ban với ra thị ban."),
    ] {
        let html = format!(
            "<table width=780><tr><td><a href=index.html>Trang chủ</a> | <a href=l1.html>Tin tức</a> | <a href=l2.html>Văn bản</a></td></tr></table>\
             <table width=780><tr><td><table border=1 class=vb><tr><td>Số/Ký hiệu</td><td>{number}/QĐ-UBND</td></tr><tr><td>Loại văn bản</td><td>Quyết định</td></tr>\
             <tr><td>Trích yếu</td><td>{about}</td></tr><tr><td>Ngày ban hành</td><td>01/02/2013</td></tr><tr><td>Ngày hiệu lực</td><td>01/03/2013</td></tr>\
             <tr><td>Cơ quan ban hành</td><td>UBND tỉnh</td></tr><tr><td>Người ký</td><td>Nguyễn Văn A</td></tr>\
             <tr><td>Tệp đính kèm</td><td><a href=files/1.doc>Tải về</a></td></tr></table></td></tr></table><hr><center>Bản quyền © Sở Tài chính. Điện thoại 0252.3822.xxx</center>"
        );
        let (_, mut out) = run(&format!("<title>Sở Tài chính</title>{html}"), "@auto");
        assert_eq!(out.accounting.unaccounted, 0);
        let document = out.documents.remove(0);
        assert_eq!(kinds(&document), ["table"], "{:#?}", document.body);
        let Block::Table { table, .. } = &document.body[0] else {
            panic!()
        };
        assert_eq!(table.rows.len(), 8);
        for value in ["Nguyễn Văn A", "01/02/2013", "UBND tỉnh"] {
            assert!(said(&document).contains(value), "{value}");
        }
        assert_eq!(document.attachments.len(), 1);
        assert!(!document.dropped.iter().any(|d| d.text.contains("Người ký")));
    }
}

#[test]
fn files_beside_a_text_are_its_attachments() {
    let document = titled(
        "Quyết định 12/QĐ-STC",
        "<h1>Tải về</h1><p>Quyết định 12/QĐ-STC ngày 3/2/2012 về công khai ngân sách.</p><p><a href=f/1.doc>Tải về</a></p><p><a href=f/2.pdf>Download</a> | <a href='/taive.aspx?tep=3.zip'>Tải file đính kèm</a></p>",
    );
    let named: Vec<_> = document.links.iter().map(|l| l.raw.as_str()).collect();
    assert_eq!(named, ["f/1.doc", "f/2.pdf", "/taive.aspx?tep=3.zip"]);
    assert_eq!(document.attachments.len(), 3, "{:#?}", document.attachments);
    // Files of other documents are not.
    let document = auto(&format!(
        "<h1>Tin</h1>{BEGIN}{END}<h3>Tin liên quan</h3><ul class=related><li><a href=f/8.pdf>Báo cáo khác</a></li></ul>"
    ));
    assert_eq!(document.attachments.len(), 0, "{:#?}", document.attachments);
}

#[test]
fn pictures_and_players_of_short_pages() {
    let short = "<h1>Phóng sự: Lễ hội Nghinh Ông</h1><p><img src=anh.jpg width=400 height=300></p><p>Phóng sự của Đài Truyền hình.</p>";
    // Whether or not the heading is taken for the title.
    assert_eq!(kinds(&auto(short)), ["image", "paragraph"]);
    let picture = titled("Phóng sự", short);
    assert_eq!(kinds(&picture), ["image", "paragraph"]);
    assert_eq!(picture.media.len(), 1);
    assert_eq!(picture.title.as_deref(), Some("Phóng sự: Lễ hội Nghinh Ông"));
    let video = auto(
        "<h1>Phóng sự: Lễ hội Nghinh Ông</h1><p><object width=480 height=360><param name=movie value='http://www.youtube.com/v/abc'><embed src='http://www.youtube.com/v/abc'></object></p><p>Phóng sự của Đài Truyền hình.</p>",
    );
    assert_eq!(kinds(&video), ["embed", "paragraph"]);
    let behind = auto("<h1>Phóng sự: Lễ hội Nghinh Ông</h1><p>Phóng sự của Đài.</p><p><img src=a.jpg></p>");
    assert_eq!(kinds(&behind), ["paragraph", "image"]);
}

#[test]
fn a_picture_that_is_passed_over_has_a_reason() {
    let document = auto(&format!(
        "<h1>Tin</h1>{BEGIN}<div class=related><p>Tin liên quan</p><ul><li><a href=/t/2><img src=khac.jpg>Hội nghị khác của tỉnh</a></li></ul></div>{END}"
    ));
    let left: Vec<_> = document.dropped.iter().filter(|d| d.media.is_some()).collect();
    assert_eq!(left.len(), 1, "{:#?}", document.dropped);
    assert_eq!(left[0].rule, "auto:picture");
    assert!(document.media.is_empty());
}

/// A random piece of a page.
#[derive(Clone, Debug)]
enum Piece {
    Words(usize),
    Element(usize, usize, Vec<Self>),
}

const TAGS: [&str; 44] = [
    "div",
    "p",
    "ul",
    "ol",
    "li",
    "table",
    "tr",
    "td",
    "th",
    "pre",
    "blockquote",
    "h2",
    "h3",
    "dl",
    "dt",
    "dd",
    "figure",
    "figcaption",
    "section",
    "details",
    "summary",
    "center",
    "fieldset",
    "form",
    "caption",
    "tbody",
    "address",
    "span",
    "b",
    "i",
    "a",
    "font",
    "code",
    "sup",
    "small",
    "label",
    "button",
    "q",
    "br",
    "img",
    "iframe",
    "video",
    "object",
    "option",
];
const LOOKS: [&str; 17] = [
    "",
    "",
    "",
    "",
    "style='display:inline'",
    "style='display:inline'",
    "style='display:block'",
    "style='display:none'",
    "style='display:inline-block'",
    "style='white-space:pre'",
    "style='display:table-cell'",
    "style='visibility:hidden'",
    "style='visibility:visible'",
    "class=caption",
    "style='text-align:center;font-style:italic'",
    "style='display:flex'",
    "class=related",
];

fn write(pieces: &[Piece], count: &mut usize, out: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Words(kind) => {
                let before = ["", "- ", "1. ", "Nguồn: ", "\n", "Ảnh: "][kind % 6];
                out.push_str(before);
                for _ in 0..kind % 4 + 1 {
                    *count += 1;
                    let _ = write!(out, "w{count} ");
                }
                out.push_str(
                    [
                        "",
                        "\n",
                        ". Đây là một câu đủ dài để được coi là văn bản của trang.",
                    ][kind % 3],
                );
            }
            Piece::Element(tag, look, inside) => {
                let (tag, look) = (TAGS[*tag], LOOKS[*look]);
                match tag {
                    "br" => out.push_str("<br>"),
                    "img" => drop(write!(out, "<img src=a{count}.jpg {look}>")),
                    "a" => drop(write!(
                        out,
                        "<a href=/x{count}.{} {look}>",
                        ["html", "pdf"][*count % 2]
                    )),
                    _ => drop(write!(out, "<{tag} {look}>")),
                }
                write(inside, count, out);
                // Old pages leave some open.
                if !matches!(tag, "br" | "img") && !count.is_multiple_of(13) {
                    let _ = write!(out, "</{tag}>");
                }
            }
        }
    }
}

fn pieces() -> impl Strategy<Value = Vec<Piece>> {
    let leaf = (0usize..24).prop_map(Piece::Words);
    let piece = leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            1 => (0usize..24).prop_map(Piece::Words),
            3 => (0..TAGS.len(), 0..LOOKS.len(), proptest::collection::vec(inner, 0..4))
                .prop_map(|(tag, look, inside)| Piece::Element(tag, look, inside)),
        ]
    });
    proptest::collection::vec(piece, 1..5)
}

/// The numbered words of a text, in order of their numbers.
fn words<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut all: Vec<String> = texts
        .flat_map(|t| t.split(|c: char| !c.is_ascii_alphanumeric()))
        .filter(|w| w.strip_prefix('w').is_some_and(|n| n.parse::<u32>().is_ok()))
        .map(str::to_owned)
        .collect();
    all.sort();
    all
}

fn letters(text: &str) -> usize {
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// Each word that the container shows is in the document or dropped, and in no more than one place.
fn check(html: &str, container: &str) -> Result<(), TestCaseError> {
    let (page, out) = run(html, container);
    let document = &out.documents[0];
    let sum = &document.accounting;
    let within = if container == "@auto" {
        Span(0, page.text.len())
    } else {
        let css = Css::new(container).unwrap();
        let element = page.select(&css).next();
        element.and_then(|e| page.text.span(e.id())).unwrap_or_default()
    };
    let lost: Vec<_> = sum
        .unaccounted_text
        .iter()
        .filter(|u| u.text.contains("differ") || within.holds(u.chars))
        .collect();
    prop_assert!(lost.is_empty(), "{html}\n{lost:?}\n{:#?}", document.body);
    prop_assert_eq!(sum.kept + sum.dropped + sum.unaccounted, sum.visible);
    prop_assert_eq!(sum.visible, letters(page.text.as_str()));
    let made: Vec<String> = document
        .body
        .iter()
        .map(Block::text)
        .chain(document.title.clone())
        .chain(document.byline.iter().map(|b| b.raw.clone()))
        .collect();
    let mut found = words(made.iter().map(String::as_str));
    found.extend(words(
        document
            .dropped
            .iter()
            .filter(|d| within.holds(d.chars))
            .map(|d| d.text.as_str()),
    ));
    found.sort();
    let shown = words(std::iter::once(page.text.slice(within)));
    prop_assert_eq!(found, shown, "{}\n{:#?}", html, document.body);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    /// Whatever stands in whatever: letters of the page are letters of the document or of what is dropped.
    #[test]
    fn no_letter_is_lost(pieces in pieces()) {
        let mut html = format!("<title>Trang thử</title><body><h1>Trang thử</h1><div id=c>{BEGIN}");
        write(&pieces, &mut 0, &mut html);
        html.push_str(END);
        html.push_str("</div>");
        check(&html, "@auto")?;
        check(&html, "#c")?;
    }
}
