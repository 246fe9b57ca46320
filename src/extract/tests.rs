//! Whole pages.

use super::*;
use crate::capture::Capture;
use crate::document::Block;

const MAPPING: &str = r#"
schema = 1
[site]
id = "t"
base = "http://t.example/"
[[drop]]
id = "menu"
css = "div.menu"
[[collection]]
id = "news"
key = "{ItemID}"
[collection.match]
url = '^/view'
[collection.scope]
container = ["td.giua"]
stop_before = ["TIN TỨC CÙNG LOẠI KHÁC:"]
[collection.fields.title]
take = [{ css = "div.tieude" }]
required = true
[collection.fields.section]
take = [{ css = "div.chuyenmuc" }]
[collection.fields.byline]
take = [{ signature = true }]
[collection.fields."dates.event"]
take = [{ lead = true, regex = '(ngày \d{1,2}/\d{1,2}/\d{4})' }]
[collection.fields."dates.published"]
take = [{ css = "div.ngaydang" }, { infer = "dates.event" }]
[[collection.drop]]
id = "related-list"
from = "TIN TỨC CÙNG LOẠI KHÁC:"
to = "Trang:"
[[collection.drop]]
id = "pager"
from = "Trang:"
"#;

fn run(html: &str) -> Extraction {
    let mapping = Mapping::parse("t.toml", MAPPING).unwrap();
    let url = mapping
        .resolve(&mapping.rules().site.base, "/view?ItemID=1")
        .unwrap();
    let capture = Capture::saved(url.as_str(), None, html.as_bytes().to_vec());
    let page = crate::page::read(&capture, &url, &mapping).unwrap();
    let fetch = FetchProvenance::default();
    let listing = BTreeMap::new();
    let context = Context {
        mapping: &mapping,
        learned: None,
        listing: &listing,
        discovered: &[],
        aliases: &[],
        fetch: &fetch,
    };
    extract(&page, &mapping.rules().collection[0], &context).unwrap()
}

fn wrap(body: &str) -> String {
    format!(
        "<div class=menu>Trang chủ</div><table><tr><td class=giua><div class=chuyenmuc>TIN HOẠT ĐỘNG NGÀNH</div>\
         <div class=tieude>Hội nghị <font>sơ kết</font></div>{body}\
         <div>TIN TỨC CÙNG LOẠI KHÁC:</div><p>&nbsp;</p><div>Trang: <br>/</div></td></tr></table>"
    )
}

fn body(html: &str) -> Vec<Block> {
    let mut out = run(&wrap(html));
    assert_eq!(out.accounting.unaccounted, 0, "{:?}", out.accounting);
    out.documents.remove(0).body
}

#[test]
fn a_mark_behind_white_space_is_no_loss() {
    // A combining dot below behind a space: composed with the letter before it, it would be another letter.
    for space in [" ", "\n", "<br>", "</p><p>"] {
        let html = format!("<p>Dòng có chữ í{space}\u{323}\u{323} lạ.</p>");
        let out = run(&wrap(&html));
        assert_eq!(out.accounting.unaccounted, 0, "{space:?}: {:?}", out.accounting);
    }
}

#[test]
fn the_seed_in_word_html() {
    let out = run(&wrap(
        "<p class=MsoNormal><span><font>Chiều ngày 14/7/2023, tại Cục Thống kê Chỉ thị số 01/CT-UBND ngày 12/01/2023.<o:p></o:p></font></span></p>\
         <p>&nbsp;</p><p>giao lưu trong Khối./.</p><p align=right><b>CTK Bình Thuận</b></p>\
         <p>Một số hình ảnh tại hội nghị:</p><p><img src=1.jpg></p><p align=center>Đồng chí Phạm Quốc Hùng</p>\
         <p><img src=2.jpg></p><p>&nbsp;</p><p><img src=3.jpg></p>",
    ));
    let doc = &out.documents[0];
    assert_eq!(doc.title.as_deref(), Some("Hội nghị sơ kết"));
    assert_eq!(doc.byline.as_ref().unwrap().raw, "CTK Bình Thuận");
    assert_eq!(doc.dates.event.as_ref().unwrap().raw, "ngày 14/7/2023");
    assert_eq!(
        doc.dates.published.as_ref().unwrap().method,
        "inferred:dates.event"
    );
    assert_eq!(doc.citations[0].number, "01/CT-UBND");
    assert_eq!(doc.body.len(), 3, "{:#?}", doc.body);
    let Block::Gallery { lead, items, .. } = &doc.body[2] else {
        panic!("{:?}", doc.body[2])
    };
    assert_eq!(
        (lead.as_deref(), items.len()),
        (Some("Một số hình ảnh tại hội nghị:"), 3)
    );
    assert_eq!(items[0].caption.as_ref().unwrap().text, "Đồng chí Phạm Quốc Hùng");
    assert_eq!(out.accounting.unaccounted, 0, "{:?}", out.accounting);
    let dropped: Vec<_> = out
        .dropped
        .iter()
        .map(|d| (d.rule.as_str(), d.text.as_str()))
        .collect();
    assert_eq!(
        dropped[1..],
        [("related-list", "TIN TỨC CÙNG LOẠI KHÁC:"), ("pager", "Trang: /")]
    );
}

#[test]
fn the_whole_seed_with_its_citations() {
    let seed = include_str!("testdata/seed.txt");
    let lines: Vec<&str> = seed.lines().map(str::trim).filter(|l| !l.is_empty()).collect();
    let end = lines.iter().position(|l| *l == "CTK Bình Thuận").unwrap();
    let paragraphs: String = lines[2..=end]
        .iter()
        .map(|l| {
            format!("<p class=MsoNormal><font face=Arial><span>{l}<o:p></o:p></span></font></p><p>&nbsp;</p>")
        })
        .collect();
    let out = run(&wrap(&paragraphs));
    let doc = &out.documents[0];
    let texts: Vec<String> = doc.body.iter().map(Block::text).collect();
    assert_eq!(texts, lines[2..end]);
    assert_eq!(doc.byline.as_ref().unwrap().raw, "CTK Bình Thuận");
    let cited: Vec<_> = doc
        .citations
        .iter()
        .map(|c| (c.kind.as_str(), c.number.as_str(), c.date.as_deref()))
        .collect();
    assert_eq!(
        cited,
        [
            ("Chỉ thị", "01/CT-UBND", Some("2023-01-12")),
            ("Quyết định", "60/QĐ-UBND", Some("2023-01-09")),
            ("Kế hoạch", "179/KH-UBND", Some("2023-01-18")),
            ("Kế hoạch", "02/KH-KTĐ", Some("2023-03-14")),
            ("Kế hoạch", "05/KH-KTĐ", Some("2023-03-23")),
            ("Quy chế", "03/QC-KTĐ", Some("2023-03-14")),
            ("Kết luận", "01-KL/TW", Some("2021-05-15")),
            ("Chỉ thị", "05-CT/TW", None),
        ]
    );
    assert_eq!(out.accounting.unaccounted, 0, "{:?}", out.accounting);
}

#[test]
fn nesting_is_bounded() {
    let out = run(&wrap(&format!(
        "{}sâu{}",
        "<div>".repeat(100_000),
        "</div>".repeat(100_000)
    )));
    assert_eq!(out.accounting.unaccounted, 0);
    let lists = run(&wrap(&format!("{}sâu", "<ul><li>".repeat(50_000))));
    assert_eq!(
        lists.accounting.visible,
        lists.accounting.kept + lists.accounting.dropped + lists.accounting.unaccounted
    );
}

#[test]
fn tables_lists_and_breaks() {
    let blocks = body(
        "<p>a<br>b<br><br>c</p><p>Đơn vị tính: tỷ đồng</p><table border=1><tr><td rowspan=2><b>Chỉ tiêu</b><td colspan=2><b>Năm</b>\
         <tr><td>2022<td>2023<tr><td>GRDP<td>1.234,5<td>-</table><ul><li>x<ul><li>y</ul></ul>\
         <p class=MsoListParagraph><span style='mso-list:Ignore'>·&nbsp;</span>m",
    );
    assert!(matches!(&blocks[0], Block::Paragraph { text, .. } if text == "a\nb"));
    let Block::Table { table, .. } = &blocks[2] else {
        panic!("{blocks:?}")
    };
    assert_eq!(
        (table.header_rows, table.units.as_deref()),
        (2, Some("Đơn vị tính: tỷ đồng"))
    );
    assert_eq!(table.rows[2][1].number.as_deref(), Some("1234.5"));
    assert_eq!(table.rows[0][2].origin, Some((0, 1)));
    assert_eq!(
        blocks.iter().filter(|b| matches!(b, Block::List { .. })).count(),
        2,
        "{blocks:?}"
    );
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]
    #[test]
    fn no_letter_is_lost(parts in proptest::collection::vec(0usize..52, 0..40)) {
        const PARTS: [&str; 52] = [
            "<p>", "</p>", "chữ ", "<b>", "</b>", "<table>", "<tr>", "<td>", "</table>", "<ul>", "<li>", "</ul>",
            "<img src=a.png>", "<br>", "Ảnh: x", "<h2>", "</h2>", "<a href='b.pdf'>", "</a>", "./.", "12,5",
            "<p class=MsoListParagraph>- ", "<caption>", "<figcaption>", "<div align=center>", "</div>",
            "<pre>", "</pre>", "\n  hai\n", "<p style='mso-list:l0 level2 lfo1'>", "1.&nbsp; ", "a) ", "• ", "<a name=x></a>",
            "<a href='#x'>", "<dl><dt>", "<dd>", "<figure>", "</figure>", "<table border=1>", "<th>", "<td colspan=3>",
            "<noscript>", "</noscript>", "<object>", "th&shy;u", "<xml>", "</xml>", "<div style='white-space:pre'>", "Tổng số",
            "1.234", "<p><b>I. Đề mục</b></p>",
        ];
        let html: String = parts.iter().map(|&i| PARTS[i]).collect();
        let sum = run(&wrap(&html)).accounting;
        proptest::prop_assert_eq!(sum.visible, sum.kept + sum.dropped + sum.unaccounted);
        // Broken markup may push text out of the container: then it must be listed as unclaimed, not lost.
        proptest::prop_assert!(!sum.unaccounted_text.iter().any(|u| u.text.contains("letters differ")), "{:?} {}", sum, html);
        let listed: usize = sum.unaccounted_text.iter().map(|u| u.text.chars().filter(|c| !c.is_whitespace()).count()).sum();
        proptest::prop_assert_eq!(listed, sum.unaccounted);
    }

    #[test]
    fn bytes_never_panic(text in "\\PC{0,200}") {
        run(&text);
    }
}

#[test]
fn drawings_and_formulas_are_kept_as_they_are_and_frames_by_their_address() {
    let extraction = run(
        "<td class=giua><div class=tieude>T</div><p>Trước <math><mi>x</mi><mo>=</mo><mn>2</mn></math> sau.</p>\
         <video src=\"/v.mp4\">Không xem được.</video><iframe src=\"http://maps.example/x\" title=\"Bản đồ\"></iframe></td>",
    );
    let document = &extraction.documents[0];
    let kinds: Vec<String> = document
        .body
        .iter()
        .map(|b| serde_json::to_value(b).unwrap()["kind"].to_string())
        .collect();
    assert_eq!(
        kinds,
        [
            "\"paragraph\"",
            "\"raw_html\"",
            "\"paragraph\"",
            "\"embed\"",
            "\"embed\""
        ]
    );
    let Block::RawHtml { html, text, .. } = &document.body[1] else {
        panic!()
    };
    assert!(html.starts_with("<math>"), "{html}");
    assert_eq!(text.replace(' ', ""), "x=2");
    assert_eq!(document.accounting.unaccounted, 0, "{:?}", document.accounting);
}
