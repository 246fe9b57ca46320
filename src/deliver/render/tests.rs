use super::*;
use crate::document::{Align, Cell, Counting, Image, ListItem, Mark, MarkKind, Source, Span, Table};
use proptest::prelude::*;

fn src() -> Source {
    Source {
        rule: "body".into(),
        chars: Span::default(),
    }
}

fn para(text: &str, marks: Vec<Mark>) -> Block {
    Block::Paragraph {
        text: text.into(),
        marks,
        align: None,
        src: src(),
    }
}

fn mark(kind: MarkKind, from: usize, to: usize, target: Option<&str>) -> Mark {
    Mark {
        kind,
        chars: Span(from, to),
        target: target.map(Into::into),
    }
}

#[test]
fn overlapping_marks_nest_and_tokens_keep_their_place() {
    let block = para(
        "một hai ba",
        vec![
            mark(MarkKind::Bold, 0, 7, None),
            mark(MarkKind::Italic, 4, 10, None),
            mark(MarkKind::Link, 4, 7, Some("doc:x")),
        ],
    );
    let out = html(&[block]);
    assert_eq!(
        out.trim(),
        "<p><strong>một <a href=\"\u{E000}doc:x\u{E001}\"><em>hai</em></a></strong><em> ba</em></p>".replace(
            "<a href=\"\u{E000}doc:x\u{E001}\"><em>hai</em></a>",
            "<em><a href=\"\u{E000}doc:x\u{E001}\">hai</a></em>"
        )
    );
    let known = |token: &str| {
        (token == "doc:x").then(|| Known {
            id: "7".into(),
            url: "http://new/a?b&c".into(),
        })
    };
    let (filled, waiting) = fill(&out, &known, &|_| String::new(), escape);
    assert!(filled.contains("href=\"http://new/a?b&amp;c\"") && waiting.is_empty());
    let (filled, waiting) = fill(&out, &|_| None, &|_| "http://old/x".into(), escape);
    assert!(filled.contains("http://old/x") && waiting.contains("doc:x"));
}

#[test]
fn nothing_that_runs_and_no_forged_token_gets_through() {
    let hostile = "\u{E000}doc:evil\u{E001}<script>alert(1)</script>";
    let blocks = [
        para(
            hostile,
            vec![mark(MarkKind::Link, 0, 5, Some("javascript:alert(1)"))],
        ),
        Block::RawHtml {
            html: format!("<img src=x onerror=alert(1)><script>alert(2)</script><b>{hostile}</b>"),
            text: String::new(),
            src: src(),
        },
        Block::Embed {
            url: "data:text/html,<script>".into(),
            text: "x".into(),
            src: src(),
        },
    ];
    let portable = portable_text(&blocks).to_string();
    for out in [
        html(&blocks),
        gutenberg(&blocks),
        markdown(&blocks),
        portable.clone(),
    ] {
        // Markdown's escapes are no elements.
        let out = out.replace("\\<", "");
        assert!(!out.contains("<script") || out == portable, "{out}");
        assert!(
            !out.contains("javascript:") && !out.contains("onerror") && !out.contains("data:text"),
            "{out}"
        );
    }
    for out in [html(&blocks), gutenberg(&blocks), markdown(&blocks), portable] {
        assert!(tokens(&out).is_empty(), "{out}");
    }
}

#[test]
fn wordpress_gets_no_shortcode_smiley_or_smart_quote() {
    let out = gutenberg(&[para(
        "[gallery] vui :) \"a\" -- b... 3x4 (c) 'x' Wordpress :smile: 10:30",
        Vec::new(),
    )]);
    for touched in [
        "[gallery]",
        " :)",
        "\"a\"",
        "--  ",
        "...",
        "3x4",
        "(c)",
        "'x'",
        "Wordpress",
        " :smile:",
    ] {
        let inner = out.lines().find(|l| l.starts_with("<p>")).unwrap();
        assert!(!inner.contains(touched), "{touched}: {inner}");
    }
    assert_eq!(
        shown(&out).words.join(" "),
        "[gallery] vui :) \"a\" -- b... 3x4 (c) 'x' Wordpress :smile: 10:30"
    );
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            "[a-zA-Zđếạ0-9]{1,6}",
            "[\\[\\]*_`#<>&\"'!|~:;.()+=$\\\\{}%-]{1,4}",
            "[“”–…°€→]{1,2}",
            Just(":)".to_owned()),
            Just("[gallery]".to_owned()),
            Just("{{< figure >}}".to_owned()),
            Just("{% raw() %}".to_owned()),
            Just("http://a.example/_x_".to_owned()),
            Just("www.a.example".to_owned()),
            Just("a@b.example".to_owned()),
            Just("1.".to_owned()),
            Just("&amp;".to_owned()),
            Just("9x9".to_owned()),
            Just("--".to_owned()),
            Just("|".to_owned()),
        ],
        1..6,
    )
    .prop_map(|words| words.join(" "))
}

const TARGETS: [&str; 5] = [
    "https://x.example/a?b=1&c=(2)",
    "https://x.example/_a_*b*",
    "doc:aa",
    "media:bb",
    "mailto:a@b.example",
];

/// Text with links that do not overlap, and other marks that do what they like: inside words, across links, over spaces.
fn inline_strategy() -> impl Strategy<Value = Inline> {
    let part = (
        text(),
        proptest::option::of(0..TARGETS.len()),
        prop_oneof![Just(""), Just(" "), Just("\n")],
    );
    let loose = proptest::collection::vec((0..7_usize, 0..40_usize, 1..20_usize), 0..4);
    (proptest::collection::vec(part, 1..4), loose).prop_map(|(parts, loose)| {
        let (mut text, mut marks) = (String::new(), Vec::new());
        for (words, target, space) in parts {
            let from = text.chars().count();
            text.push_str(&words);
            let to = text.chars().count();
            if let Some(target) = target {
                marks.push(mark(MarkKind::Link, from, to, Some(TARGETS[target])));
            }
            text.push_str(space);
        }
        let length = text.chars().count();
        let kinds = [
            MarkKind::Bold,
            MarkKind::Italic,
            MarkKind::Underline,
            MarkKind::Strike,
            MarkKind::Code,
            MarkKind::Sup,
            MarkKind::Sub,
        ];
        marks.extend(
            loose
                .into_iter()
                .filter(|(_, from, _)| *from < length)
                .map(|(kind, from, more)| mark(kinds[kind], from, (from + more).min(length), None)),
        );
        marks.sort_by_key(|m| (m.chars.0, std::cmp::Reverse(m.chars.1), m.kind));
        Inline { text, marks }
    })
}

fn image() -> impl Strategy<Value = Image> {
    (
        inline_strategy(),
        text(),
        prop_oneof![Just("media:aa"), Just("url:http://old.example/a.jpg?x=1&y=(2)")],
    )
        .prop_map(|(caption, alt, media)| Image {
            media: media.into(),
            alt: Some(alt),
            caption: Some(caption),
            ..Image::default()
        })
}

fn table() -> impl Strategy<Value = Table> {
    let rows = (1..4_usize, 1..4_usize).prop_flat_map(|(w, h)| {
        proptest::collection::vec(proptest::collection::vec(inline_strategy(), w), h)
    });
    (
        rows,
        0..3_usize,
        any::<bool>(),
        proptest::option::of(inline_strategy()),
        proptest::collection::vec(inline_strategy(), 0..2),
    )
        .prop_map(|(rows, header_rows, spanned, caption, footnotes)| {
            let header_rows = header_rows.min(rows.len());
            let mut rows: Vec<Vec<Cell>> = rows
                .into_iter()
                .enumerate()
                .map(|(r, row)| {
                    let cell = |content| Cell {
                        content,
                        header: r < header_rows,
                        rowspan: 1,
                        colspan: 1,
                        ..Cell::default()
                    };
                    row.into_iter().map(cell).collect()
                })
                .collect();
            if spanned && rows[0].len() > 1 {
                rows[0][0].colspan = 2;
                rows[0][1].content = rows[0][0].content.clone();
                rows[0][1].origin = Some((0, 0));
            }
            Table {
                caption,
                units: Some("Nghìn tấn".into()),
                header_rows,
                rows,
                footnotes,
                ..Table::default()
            }
        })
}

fn leaf() -> impl Strategy<Value = Block> {
    prop_oneof![
        4 => (inline_strategy(), prop_oneof![Just(None), Just(Some(Align::Right))]).prop_map(|(i, align)| {
            Block::Paragraph { text: i.text, marks: i.marks, align, src: src() }
        }),
        1 => (inline_strategy(), 1..7_u8).prop_map(|(i, level)| Block::Heading {
            level,
            text: i.text,
            marks: i.marks,
            src: src()
        }),
        2 => table().prop_map(|table| Block::Table { table, src: src() }),
        1 => image().prop_map(|image| Block::Image { image, src: src() }),
        1 => (proptest::collection::vec(image(), 2..4), text()).prop_map(|(items, lead)| Block::Gallery {
            lead: Some(lead),
            items,
            src: src()
        }),
        1 => inline_strategy().prop_map(|i| Block::Quote {
            text: i.text,
            marks: i.marks,
            src: src()
        }),
        1 => text().prop_map(|text| Block::File {
            media: "media:bb".into(),
            text,
            src: src()
        }),
        1 => text().prop_map(|text| Block::Embed {
            url: "https://video.example/v?a=1&b=2".into(),
            text,
            src: src()
        }),
        1 => text().prop_map(|text| Block::Code { text, src: src() }),
        1 => "[a-z]{1,5}".prop_map(|word| Block::RawHtml {
            html: format!("<p>{word}</p>\n\n    *{word}* <i>{{{{{word}}}}}</i>"),
            text: format!("{word}\n*{word}* {{{{{word}}}}}"),
            src: src()
        }),
    ]
}

fn block() -> impl Strategy<Value = Block> {
    leaf().prop_recursive(3, 24, 4, |inner| {
        let item = (inline_strategy(), proptest::collection::vec(inner, 0..3))
            .prop_map(|(content, children)| ListItem { content, children });
        let counting = prop_oneof![
            4 => Just((None, None, false)),
            1 => Just((Some(4), None, false)),
            1 => Just((None, Some(Counting::LowerAlpha), false)),
            1 => Just((Some(9), None, true)),
        ];
        (any::<bool>(), counting, proptest::collection::vec(item, 1..4)).prop_map(
            |(ordered, (start, counting, reversed), items)| Block::List {
                ordered,
                start: start.filter(|_| ordered),
                counting: counting.filter(|_| ordered),
                reversed: reversed && ordered,
                items,
                src: src(),
            },
        )
    })
}

fn blocks() -> impl Strategy<Value = Vec<Block>> {
    proptest::collection::vec(block(), 1..6)
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words
}

/// What is to be seen: words, links, pictures; addresses as a target gives them.
#[derive(Debug, PartialEq)]
struct Seen {
    words: Vec<String>,
    links: BTreeSet<String>,
    images: Vec<String>,
}

fn new_address(target: &str) -> String {
    if is_token(target) {
        format!("https://new.example/{target}?a=1&b=2")
    } else {
        target.strip_prefix("url:").unwrap_or(target).to_owned()
    }
}

fn meant(blocks: &[Block]) -> Seen {
    let (mut links, mut images) = (BTreeSet::new(), Vec::new());
    fn of(block: &Block, links: &mut BTreeSet<String>, images: &mut Vec<String>) {
        let mut marked = |marks: &[Mark]| {
            let targets = marks.iter().filter_map(|m| m.target.as_deref());
            links.extend(targets.map(new_address));
        };
        match block {
            Block::Paragraph { marks, .. } | Block::Heading { marks, .. } | Block::Quote { marks, .. } => {
                marked(marks);
            }
            Block::Table { table, .. } => {
                let cells = table.rows.iter().flatten().filter(|c| c.origin.is_none());
                cells.for_each(|c| marked(&c.content.marks));
                table
                    .caption
                    .iter()
                    .chain(&table.footnotes)
                    .for_each(|c| marked(&c.marks));
            }
            Block::Image { image, .. } => {
                marked(&image.caption.as_ref().unwrap().marks);
                images.push(new_address(&image.media));
            }
            Block::Gallery { items, .. } => {
                for image in items {
                    marked(&image.caption.as_ref().unwrap().marks);
                    images.push(new_address(&image.media));
                }
            }
            Block::File { media, .. } => {
                links.insert(new_address(media));
            }
            Block::Embed { url, .. } => {
                links.insert(url.clone());
            }
            Block::Code { .. } | Block::RawHtml { .. } => {}
            Block::List { items, .. } => {
                for item in items {
                    let targets = item.content.marks.iter().filter_map(|m| m.target.as_deref());
                    links.extend(targets.map(new_address));
                    item.children.iter().for_each(|c| of(c, links, images));
                }
            }
        }
    }
    blocks.iter().for_each(|b| of(b, &mut links, &mut images));
    Seen {
        words: sorted(text::words_of(blocks)),
        links,
        images,
    }
}

fn seen(page: &str) -> Seen {
    let shown = shown(page);
    Seen {
        words: sorted(shown.words),
        links: shown.links.into_iter().collect(),
        images: shown.images,
    }
}

fn filled(body: &str, escape_as: fn(&str) -> String) -> String {
    let known = |token: &str| {
        Some(Known {
            id: "7".into(),
            url: new_address(token),
        })
    };
    fill(body, &known, &|_| String::new(), escape_as).0
}

/// A page of CommonMark with GitHub's tables; `html`: does the generator pass HTML through?
fn page_of(markdown: &str, html: bool) -> String {
    use pulldown_cmark::{Event, Options, Parser};
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let events = Parser::new_ext(markdown, options)
        .filter(|e| html || !matches!(e, Event::Html(_) | Event::InlineHtml(_)));
    let mut page = String::new();
    pulldown_cmark::html::push_html(&mut page, events);
    page
}

proptest! {
    #[test]
    fn html_and_gutenberg_show_every_word_link_and_picture(blocks in blocks()) {
        let all = meant(&blocks);
        for out in [html(&blocks), gutenberg(&blocks)] {
            let mut named = BTreeSet::new();
            targets(&blocks, &mut named);
            named.retain(|t| is_token(t));
            prop_assert_eq!(tokens(&out), named);
            let out = filled(&out, escape);
            prop_assert_eq!(&seen(&out), &all, "{}", out);
        }
    }

    #[test]
    fn markdown_shows_every_word_link_and_picture_once_it_is_rendered(blocks in blocks()) {
        let out = markdown(&blocks);
        prop_assert!(!out.contains("{{") && !out.contains("{%"), "a shortcode: {}", out);
        let out = filled(&out, destination);
        let page = page_of(&out, true);
        prop_assert_eq!(seen(&page), meant(&blocks), "{}\n---\n{}", out, page);
    }

    #[test]
    fn without_html_only_blocks_that_stand_as_html_are_missing(blocks in blocks()) {
        let mut blocks = blocks;
        blocks.retain(|b| html_blocks(std::slice::from_ref(b)) == 0);
        let out = filled(&markdown(&blocks), destination);
        let page = page_of(&out, false);
        prop_assert_eq!(seen(&page), meant(&blocks), "{}\n---\n{}", out, page);
    }

    #[test]
    fn portable_text_holds_every_word_link_and_picture(blocks in blocks()) {
        fn collect(value: &serde_json::Value, seen: &mut Seen) {
            let kind = value["_type"].as_str().unwrap_or_default();
            let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
            match kind {
                "block" => {
                    let spans = value["children"].as_array().unwrap();
                    let text: String = spans.iter().map(|s| s["text"].as_str().unwrap()).collect();
                    seen.words.extend(words(&text));
                    for link in value["markDefs"].as_array().unwrap() {
                        let used = spans.iter().any(|s| s["marks"].as_array().unwrap().contains(&link["_key"]));
                        assert!(used, "a link without text: {value}");
                        seen.links.insert(link["href"].as_str().unwrap().to_owned());
                    }
                }
                "file" | "embed" => {
                    seen.words.extend(words(&text("text")));
                    seen.links.insert(text("url"));
                }
                "html" => seen.words.extend(words(&text("text"))),
                "code" => seen.words.extend(words(&text("code"))),
                "image" => seen.images.push(text("url")),
                "gallery" => seen.words.extend(words(&text("lead"))),
                "table" => seen.words.extend(words(&text("units"))),
                _ => {}
            }
            if kind != "block" {
                let values: Vec<&serde_json::Value> = match value {
                    serde_json::Value::Object(map) => map.values().collect(),
                    serde_json::Value::Array(items) => items.iter().collect(),
                    _ => Vec::new(),
                };
                values.into_iter().for_each(|v| collect(v, seen));
            }
        }
        let out = filled(&portable_text(&blocks).to_string(), str::to_owned);
        let mut found = Seen { words: Vec::new(), links: BTreeSet::new(), images: Vec::new() };
        collect(&serde_json::from_str(&out).unwrap(), &mut found);
        found.words = sorted(found.words);
        prop_assert_eq!(found, meant(&blocks));
    }
}

#[test]
fn markdown_is_what_a_person_would_write_where_it_can() {
    let bold = |text: &str, from, to| para(text, vec![mark(MarkKind::Bold, from, to, None)]);
    let list = |ordered, item: &str| Block::List {
        ordered,
        start: None,
        counting: None,
        reversed: false,
        items: vec![ListItem {
            content: Inline {
                text: item.into(),
                marks: Vec::new(),
            },
            children: Vec::new(),
        }],
        src: src(),
    };
    let blocks = [
        bold("Giá cả tăng", 0, 6),
        // A space inside the mark goes outside; inside a word, beside a sign, an element says it.
        bold("Giá cả tăng", 0, 7),
        bold("a(b)c", 1, 4),
        para("nghiêng", vec![mark(MarkKind::Italic, 0, 7, None)]),
        para("nghiêng", vec![mark(MarkKind::Italic, 0, 3, None)]),
        para(
            "cả hai",
            vec![
                mark(MarkKind::Bold, 0, 6, None),
                mark(MarkKind::Italic, 0, 6, None),
            ],
        ),
        list(false, "một"),
        list(false, "hai"),
        list(true, "ba"),
        para("# 1. --- {{< x >}}", Vec::new()),
    ];
    assert_eq!(
        markdown(&blocks),
        "**Giá cả** tăng\n\n**Giá cả** tăng\n\na<strong>(b)</strong>c\n\n_nghiêng_\n\n<em>ngh</em>iêng\n\n**_cả hai_**\n\n\
         - một\n\n* hai\n\n1. ba\n\n\\# 1. --- \\{\\{\\< x \\>\\}\\}\n"
    );
}

#[test]
fn a_list_that_counts_down_does_so_in_every_form() {
    let item = |text: &str| ListItem {
        content: Inline {
            text: text.into(),
            marks: Vec::new(),
        },
        children: Vec::new(),
    };
    let list = [Block::List {
        ordered: true,
        start: Some(9),
        counting: None,
        reversed: true,
        items: vec![item("chín"), item("tám")],
        src: src(),
    }];
    let open = "<ol reversed start=\"9\">";
    assert!(html(&list).starts_with(open), "{}", html(&list));
    // Markdown counts up only: it stands as HTML, and is counted so.
    assert!(markdown(&list).starts_with(open), "{}", markdown(&list));
    assert_eq!(html_blocks(&list), 1);
    let editor = gutenberg(&list);
    assert!(
        editor.contains(open) && editor.contains("\"reversed\":true"),
        "{editor}"
    );
    assert_eq!(portable_text(&list)[0]["reversed"], true);
}
