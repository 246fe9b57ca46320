//! Articles from seed and index. Features are dealt out by index, so that each occurs among the first 24.

use super::article::{
    Article, Attachment, Caption, CellModel, Charset, Heads, Href, Node, Picture, PictureSource, Run, Skin,
    Stamp, TableModel, cite,
};
use super::legacy::Legacy;
use super::{text, urls};
use crate::document::{Align, Citation, MarkKind};
use fastrand::Rng;
use jiff::ToSpan as _;
use jiff::civil::{Date, DateTime, date};
use urls::Spelling;

/// How many related articles a filled list names.
const RELATED: usize = 3;

/// The random numbers of one article: they depend on nothing but seed and index.
pub(super) fn rng(seed: u64, index: usize) -> Rng {
    let mut bytes = seed.to_le_bytes().to_vec();
    bytes.extend((index as u64).to_le_bytes());
    let hash = blake3::hash(&bytes);
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    Rng::with_seed(u64::from_le_bytes(first))
}

/// When the article with `index` was published: four a day, backwards from July 2023.
fn published(index: usize) -> DateTime {
    let days = i64::try_from(index / 4).unwrap_or(0).min(20_000);
    let day = date(2023, 7, 17).saturating_sub(days.days());
    let (hour, minute) = [(16, 45), (15, 30), (10, 5), (8, 0)][index % 4];
    day.at(hour, minute, 0, 0)
}

/// Articles that the page of `index` lists under "TIN TỨC CÙNG LOẠI KHÁC:".
pub(super) fn related(index: usize, total: usize) -> Vec<usize> {
    if index.is_multiple_of(5) {
        return Vec::new();
    }
    (1..=RELATED)
        .map(|k| index + 4 * k)
        .filter(|i| *i < total)
        .collect()
}

/// Articles whose related list names `index`.
pub(super) fn related_from(index: usize) -> impl Iterator<Item = usize> {
    (1..=RELATED)
        .filter_map(move |k| index.checked_sub(4 * k))
        .filter(|i| !i.is_multiple_of(5))
}

/// Title, date and teaser alone, for lists: the same values as in [`article`].
pub(super) fn head(seed: u64, index: usize) -> (String, DateTime, Option<String>) {
    let mut rng = rng(seed, index);
    let when = published(index);
    let mut title = text::title(&mut rng, index + 1, when.year());
    if Legacy::of(index) == Some(Legacy::Tcvn3Css) {
        title = title.to_uppercase();
    }
    let teaser = (index % 2 == 1).then(|| text::sentences(&mut rng, 1));
    (title, when, teaser)
}

/// The article with `index` in a portal of `total`.
pub(super) fn article(seed: u64, index: usize, total: usize) -> Article {
    let (mut article, mut rng) = young(seed, index, total);
    if let Some(legacy) = Legacy::of(index) {
        legacy.age(&mut rng, &mut article);
    }
    article
}

/// The same in Unicode, whatever its age.
pub(super) fn unaged(seed: u64, index: usize, total: usize) -> Article {
    young(seed, index, total).0
}

fn young(seed: u64, index: usize, total: usize) -> (Article, Rng) {
    let (title, when, teaser) = head(seed, index);
    let mut rng = rng(seed ^ 0x5eed, index);
    let mut citations = Vec::new();
    let event = index.is_multiple_of(2).then(|| {
        let day = when.date().saturating_sub(i64::from(rng.u8(1..4)).days());
        (day, format!("ngày {}", printed(day)))
    });
    let summary = (index % 4 == 1).then(|| text::sentences(&mut rng, 1));
    let body = body(
        &mut rng,
        index,
        event.as_ref().map(|e| e.1.as_str()),
        when.date(),
        &mut citations,
    );
    let article = Article {
        index,
        title,
        published: when,
        stamp: [Stamp::ListOnly, Stamp::Minute, Stamp::Day][index % 3],
        summary,
        description: None,
        teaser,
        event,
        body,
        citations,
        skin: [Skin::Word, Skin::Clean, Skin::Breaks, Skin::Layout][(index / 4 + index) % 4],
        charset: match (Legacy::of(index), index % 8) {
            (Some(legacy), _) => Charset::Legacy(legacy),
            (None, 5) => Charset::Windows1258,
            (None, 7) => Charset::Utf8Nfd,
            (None, _) => Charset::Utf8,
        },
        related: related(index, total),
    };
    (article, rng)
}

fn printed(day: Date) -> String {
    format!("{}/{}/{}", day.day(), day.month(), day.year())
}

fn body(
    rng: &mut Rng,
    index: usize,
    event: Option<&str>,
    day: Date,
    citations: &mut Vec<Citation>,
) -> Vec<Node> {
    let mut body = vec![lead(rng, event)];
    body.push(Node::text(text::sentences(rng, 3)));
    if index % 3 != 1 {
        body.push(cited(rng, index, day, citations));
    }
    if index % 4 == 2 {
        let level = if index % 8 == 2 { 3 } else { 2 };
        body.push(Node::Heading(
            level,
            format!("{}. Kết quả tại {}", index % 9 + 1, text::place(rng)),
        ));
    }
    body.push(marked(rng, index));
    body.extend(list(rng, index));
    body.extend(linked(index));
    body.extend(table(rng, index));
    if index % 9 == 4 {
        body.push(Node::Quote(format!("{}.", text::clause(rng))));
    }
    body.extend(pictures(rng, index));
    if index % 4 == 3 {
        let file = Attachment { id: index * 10 + 1 };
        let label = format!("Tải về phụ lục số {index}");
        body.push(Node::File(file, label));
    }
    if index % 6 == 4 {
        // A centred line is no caption, because no picture stands before it.
        body.push(Node::text(text::sentences(rng, 1)));
        body.push(Node::Paragraph {
            runs: vec![Run::plain("* * *")],
            align: Some(Align::Center),
        });
    }
    body.extend(ending(rng, index));
    body
}

fn lead(rng: &mut Rng, event: Option<&str>) -> Node {
    let clause = text::clause(rng);
    let part = text::pick(rng, &["Sáng", "Chiều"]);
    Node::text(match event {
        Some(day) => format!("{part} {day}, {clause}."),
        None => format!("Thời gian qua, {clause}."),
    })
}

fn cited(rng: &mut Rng, index: usize, day: Date, citations: &mut Vec<Citation>) -> Node {
    let issued = day.saturating_sub(i64::from(rng.u8(20..200)).days());
    let number = rng.u16(10..999);
    let (kind, code, issuer) = [
        ("Quyết định", "QĐ", "UBND"),
        ("Kế hoạch", "KH", "CTK"),
        ("Chỉ thị", "CT", "UBND"),
        ("Công văn", "CV", "TCTK"),
    ][index % 4];
    let symbol = format!("{number}/{code}-{issuer}");
    citations.push(cite(kind, &symbol, issuer, Some(&issued.to_string())));
    let when = format!("{:02}/{:02}/{}", issued.day(), issued.month(), issued.year());
    Node::text(format!(
        "Thực hiện {kind} số {symbol} ngày {when}, {}.",
        text::clause(rng)
    ))
}

fn marked(rng: &mut Rng, index: usize) -> Node {
    let clause = text::clause(rng);
    let runs = match index % 5 {
        0 => vec![
            Run::plain("Diện tích gieo trồng đạt 25 m"),
            Run::marked("2", MarkKind::Sup),
            Run::plain(format!(" mỗi hộ; {clause}.")),
        ],
        1 => vec![
            Run::marked("Về số liệu:", MarkKind::Bold),
            Run::plain(format!(" {clause}.")),
        ],
        2 => vec![
            Run::plain("Theo báo cáo, "),
            Run::marked("chỉ số giá tiêu dùng", MarkKind::Italic),
            Run::plain(format!(" tăng nhẹ; {clause}.")),
        ],
        3 => vec![Run::plain(format!(
            "Địa điểm: {}\nThời gian: cả ngày.",
            text::place(rng)
        ))],
        _ => vec![
            Run::plain("Lưu ý: "),
            Run::marked("không kê khai trùng", MarkKind::Underline),
            Run::plain(format!(" số liệu; {clause}.")),
        ],
    };
    Node::Paragraph { runs, align: None }
}

fn list(rng: &mut Rng, index: usize) -> Option<Node> {
    let (ordered, pseudo) = match index % 7 {
        3 => (false, false),
        5 => (false, true),
        6 => (true, false),
        _ => return None,
    };
    let items = (0..3).map(|_| format!("{};", text::clause(rng))).collect();
    Some(Node::List {
        ordered,
        pseudo,
        items,
    })
}

/// The article that the text of `index` links to, if it does (every third), and how.
fn mention(index: usize) -> (usize, Spelling) {
    let spelling = [
        Spelling::Usual,
        Spelling::Lower,
        Spelling::Absolute,
        Spelling::Swapped,
    ][index / 3 % 4];
    (index.saturating_sub(2), spelling)
}

/// How the texts of other articles spell the address of `index`.
pub(super) fn mentions_of(index: usize, total: usize) -> impl Iterator<Item = Spelling> {
    let from = [1, index + 2]
        .into_iter()
        .filter(move |j| *j < total && j % 3 == 1);
    from.map(mention)
        .filter(move |(to, _)| *to == index)
        .map(|(_, spelling)| spelling)
}

fn linked(index: usize) -> Option<Node> {
    let mut runs = Vec::new();
    if index % 3 == 1 {
        let (to, spelling) = mention(index);
        runs.push(Run::plain("Xem thêm "));
        runs.push(Run::link(format!("bài số {to}"), Href::Article(to, spelling)));
        runs.push(Run::plain("."));
    }
    let other = match index % 11 {
        2 => Some((
            "Tổng cục Thống kê",
            Href::External("https://www.gso.gov.vn/so-lieu-thong-ke/".into()),
        )),
        3 => Some((
            "ổ đĩa chung",
            Href::FileUri("file:///C:/Documents/bieu-mau.doc".into()),
        )),
        5 => Some(("hộp thư", Href::Mailto("mailto:binhthuan@gso.gov.vn".into()))),
        7 => Some((
            "mở biểu mẫu",
            Href::Script("javascript:__doPostBack('ctl00$main$lnk','')".into()),
        )),
        _ => None,
    };
    if let Some((label, href)) = other {
        runs.push(Run::plain(if runs.is_empty() {
            "Liên hệ qua "
        } else {
            " Liên hệ qua "
        }));
        runs.push(Run::link(label, href));
        runs.push(Run::plain(" để biết thêm chi tiết."));
    }
    if index % 6 == 2 {
        let file = Attachment { id: index * 10 + 2 };
        runs.push(Run::plain(if runs.is_empty() {
            "Số liệu ở "
        } else {
            " Số liệu ở "
        }));
        runs.push(Run::link("tệp đính kèm", Href::File(file)));
        runs.push(Run::plain(" của bản tin."));
    }
    (!runs.is_empty()).then(|| Node::Paragraph {
        runs: joined(runs),
        align: None,
    })
}

/// Joins neighbours that carry no mark.
fn joined(runs: Vec<Run>) -> Vec<Run> {
    let mut out: Vec<Run> = Vec::new();
    for run in runs {
        match out.last_mut() {
            Some(last)
                if run.link.is_none() && run.mark.is_none() && last.link.is_none() && last.mark.is_none() =>
            {
                last.text.push_str(&run.text);
            }
            _ => out.push(run),
        }
    }
    out
}

fn number(rng: &mut Rng) -> String {
    match rng.u8(..10) {
        0 => "-".into(),
        1 => "...".into(),
        2 => format!("-{},{}", rng.u8(1..9), rng.u8(1..10)),
        3..6 => format!("{},{}", rng.u8(10..99), rng.u8(1..10)),
        6 | 7 => format!("{}.{:03}", rng.u16(1..999), rng.u16(..1000)),
        _ => format!("{}.{:03},{}", rng.u16(1..99), rng.u16(..1000), rng.u8(1..10)),
    }
}

fn table(rng: &mut Rng, index: usize) -> Option<Node> {
    let heads = match index % 10 {
        2 | 7 => Heads::Th,
        4 => Heads::Bold,
        _ => return None,
    };
    let mut rows = vec![
        vec![
            CellModel::spanning("Khu vực", 2, 1),
            CellModel::spanning("Chỉ tiêu", 2, 1),
            CellModel::spanning("Thực hiện", 1, 2),
            CellModel::spanning("So sánh (%)", 2, 1),
        ],
        vec![CellModel::new("2022"), CellModel::new("2023")],
    ];
    for area in [text::place(rng), "Toàn tỉnh"] {
        for (n, label) in ["Giá trị sản xuất", "Doanh thu bán lẻ"].into_iter().enumerate() {
            let mut row = Vec::new();
            if n == 0 {
                row.push(CellModel::spanning(area, 2, 1));
            }
            row.push(CellModel::new(label));
            row.extend((0..3).map(|_| CellModel::new(number(rng))));
            rows.push(row);
        }
    }
    Some(Node::Table(TableModel {
        caption: (index % 20 == 7).then(|| "Một số chỉ tiêu chủ yếu".to_owned()),
        units: (index % 20 != 7).then(|| "Đơn vị tính: Tỷ đồng".to_owned()),
        heads,
        header_rows: 2,
        rows,
    }))
}

pub(super) fn caption(rng: &mut Rng, index: usize) -> Caption {
    let person = text::pick(rng, text::PEOPLE);
    match index % 2 {
        0 => Caption {
            text: format!("Đồng chí {person} phát biểu. Ảnh: Văn phòng Cục"),
            italic: true,
            credit: Some("Văn phòng Cục".into()),
        },
        _ => Caption {
            text: format!("Đồng chí {person} tại {}", text::place(rng)),
            italic: false,
            credit: None,
        },
    }
}

fn path(index: usize, n: usize) -> String {
    format!("/hinhanh/{}/{}-{n}.png", published(index).year(), index + 1)
}

fn pictures(rng: &mut Rng, index: usize) -> Option<Node> {
    let alt = (index % 4 < 2).then(|| "Quang cảnh buổi làm việc".to_owned());
    let one = |source, caption| Picture {
        source,
        alt: alt.clone(),
        caption,
    };
    let (items, table) = match index % 12 {
        2 | 8 => (
            vec![one(
                PictureSource::Path(path(index, 1)),
                Some(caption(rng, index)),
            )],
            false,
        ),
        3 | 9 => (vec![one(PictureSource::Data, None)], false),
        4 => (
            vec![one(
                PictureSource::Missing(path(index, 404)),
                Some(caption(rng, index)),
            )],
            false,
        ),
        5 | 11 => (
            vec![one(
                PictureSource::Path(path(index, 1)),
                Some(caption(rng, index)),
            )],
            true,
        ),
        7 => (
            vec![
                one(PictureSource::Path(path(index, 1)), None),
                one(PictureSource::Path(path(index, 2)), Some(caption(rng, index))),
            ],
            false,
        ),
        10 => (vec![one(PictureSource::Html(path(index, 200)), None)], false),
        _ => return None,
    };
    Some(Node::Pictures {
        lead: None,
        items,
        table,
    })
}

/// The last paragraph, the signature, the source, and sometimes a gallery behind them all.
fn ending(rng: &mut Rng, index: usize) -> Vec<Node> {
    let last = text::sentences(rng, 2);
    if index % 8 == 6 {
        return vec![Node::text(last)];
    }
    let mut nodes = vec![Node::text(format!("{}./.", last.trim_end_matches('.')))];
    nodes.push(Node::Signature(match index % 3 {
        0 => "CTK Bình Thuận".into(),
        1 => format!("Chi cục Thống kê {}", text::place(rng)),
        _ => text::pick(rng, text::PEOPLE).to_owned(),
    }));
    if index % 6 == 4 {
        nodes.push(Node::Source("Báo Bình Thuận".into()));
    }
    if index % 12 == 1 {
        let items = (1..=3)
            .map(|n| Picture {
                source: PictureSource::Path(path(index, n)),
                alt: None,
                caption: (n != 2).then(|| caption(rng, index + n)),
            })
            .collect();
        nodes.push(Node::Pictures {
            lead: Some("Một số hình ảnh tại buổi làm việc:".into()),
            items,
            table: false,
        });
    }
    nodes
}

#[cfg(test)]
mod tests {
    use super::*;
    use unicode_normalization::is_nfc;

    #[test]
    fn articles_depend_on_seed_and_index_only() {
        let show = |seed, index| format!("{:?}", article(seed, index, 100));
        assert_eq!(show(7, 5), show(7, 5));
        assert_ne!(show(7, 5), show(8, 5));
        assert!(is_nfc(&show(7, 5)));
    }

    #[test]
    fn titles_are_unique_and_lists_know_them() {
        let titles: std::collections::BTreeSet<String> = (1..500).map(|i| head(1, i).0).collect();
        assert_eq!(titles.len(), 499);
        assert_eq!(head(1, 9).0, article(1, 9, 20).title);
    }

    #[test]
    fn every_feature_occurs_among_the_first_articles() {
        let all: String = (1..30).map(|i| format!("{:?}", article(1, i, 30))).collect();
        for feature in [
            "Word",
            "Clean",
            "Breaks",
            "Layout",
            "Utf8Nfd",
            "Windows1258",
            "Minute",
            "Day",
            "ListOnly",
            "Heading",
            "pseudo: true",
            "ordered: true",
            "Quote",
            "table: true",
            "Data",
            "Missing",
            "Html(",
            "Th,",
            "Bold,",
            "File(",
            "Source(",
            "Article(",
            "External(",
            "Mailto(",
            "Script(",
            "FileUri(",
            "Sup",
        ] {
            assert!(all.contains(feature), "no article has {feature}");
        }
    }
}
