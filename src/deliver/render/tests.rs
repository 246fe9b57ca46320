use super::*;
use crate::document::{Align, Cell, Image, ListItem, Mark, MarkKind, Source, Span, Table};
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
    for out in [html(&blocks), gutenberg(&blocks), markdown(&blocks)] {
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
            "[\\[\\]*_`#<>&\"'!|~:;.()+=$\\\\-]{1,4}",
            Just(":)".to_owned()),
            Just("[gallery]".to_owned()),
            Just("1.".to_owned()),
            Just("9x9".to_owned()),
            Just("--".to_owned()),
        ],
        1..8,
    )
    .prop_map(|words| words.join(" "))
}

fn inline_strategy() -> impl Strategy<Value = Inline> {
    (
        text(),
        proptest::collection::vec((0..7_usize, 0..30_usize, 1..20_usize), 0..3),
    )
        .prop_map(|(text, marks)| {
            let length = text.chars().count();
            let marks = marks
                .into_iter()
                .filter(|(_, from, _)| *from < length)
                .map(|(kind, from, more)| {
                    let kinds = [
                        MarkKind::Link,
                        MarkKind::Bold,
                        MarkKind::Italic,
                        MarkKind::Underline,
                        MarkKind::Strike,
                        MarkKind::Code,
                        MarkKind::Link,
                    ];
                    let target = (kinds[kind] == MarkKind::Link).then_some("https://x.example/a?b=1&c=(2)");
                    mark(kinds[kind], from, (from + more).min(length), target)
                })
                .collect();
            Inline { text, marks }
        })
}

fn image() -> impl Strategy<Value = Image> {
    (inline_strategy(), text()).prop_map(|(caption, alt)| Image {
        media: "media:aa".into(),
        alt: Some(alt),
        caption: Some(caption),
        ..Image::default()
    })
}

fn block() -> impl Strategy<Value = Block> {
    prop_oneof![
        inline_strategy().prop_map(|i| para(&i.text, i.marks)),
        (inline_strategy(), 1..7_u8).prop_map(|(i, level)| Block::Heading {
            level,
            text: i.text,
            marks: i.marks,
            src: src()
        }),
        (inline_strategy(), inline_strategy(), any::<bool>(), any::<bool>()).prop_map(
            |(a, b, ordered, nested)| {
                let child = Block::List {
                    ordered: false,
                    start: None,
                    counting: None,
                    items: vec![ListItem {
                        content: b.clone(),
                        children: Vec::new(),
                    }],
                    src: src(),
                };
                Block::List {
                    ordered,
                    start: None,
                    counting: None,
                    items: vec![
                        ListItem {
                            content: a,
                            children: if nested { vec![child] } else { Vec::new() },
                        },
                        ListItem {
                            content: b,
                            children: Vec::new(),
                        },
                    ],
                    src: src(),
                }
            }
        ),
        (inline_strategy(), inline_strategy()).prop_map(|(a, b)| {
            let cell = |content, header| Cell {
                content,
                header,
                rowspan: 1,
                colspan: 1,
                ..Cell::default()
            };
            Block::Table {
                table: Table {
                    caption: Some(a.clone()),
                    units: Some("Nghìn tấn".into()),
                    header_rows: 1,
                    rows: vec![vec![cell(a, true)], vec![cell(b, false)]],
                    ..Table::default()
                },
                src: src(),
            }
        }),
        image().prop_map(|image| Block::Image { image, src: src() }),
        (proptest::collection::vec(image(), 2..4), text()).prop_map(|(items, lead)| Block::Gallery {
            lead: Some(lead),
            items,
            src: src()
        }),
        inline_strategy().prop_map(|i| Block::Quote {
            text: i.text,
            marks: i.marks,
            src: src()
        }),
        text().prop_map(|text| Block::File {
            media: "media:bb".into(),
            text,
            src: src()
        }),
        text().prop_map(|text| Block::Paragraph {
            text,
            marks: Vec::new(),
            align: Some(Align::Right),
            src: src()
        }),
    ]
}

fn sorted(mut words: Vec<String>) -> Vec<String> {
    words.sort();
    words
}

/// Letters without white space: Markdown may join or part words at marks, never change a sign.
fn letters(words: &[String]) -> Vec<char> {
    let mut all: Vec<char> = words.iter().flat_map(|w| w.chars()).collect();
    all.sort_unstable();
    all
}

proptest! {
    #[test]
    fn html_and_gutenberg_show_every_word_and_hold_every_token(blocks in proptest::collection::vec(block(), 1..6)) {
        let meant = sorted(text::words_of(&blocks));
        for out in [html(&blocks), gutenberg(&blocks)] {
            prop_assert_eq!(sorted(shown(&out).words), meant.clone(), "{}", out);
            let mut named = BTreeSet::new();
            targets(&blocks, &mut named);
            named.retain(|t| is_token(t));
            prop_assert_eq!(tokens(&out), named);
        }
    }

    #[test]
    fn markdown_shows_every_sign_once_it_is_rendered(blocks in proptest::collection::vec(block(), 1..6)) {
        let out = markdown(&blocks);
        let mut page = String::new();
        pulldown_cmark::html::push_html(&mut page, pulldown_cmark::Parser::new_ext(&out, pulldown_cmark::Options::ENABLE_TABLES | pulldown_cmark::Options::ENABLE_STRIKETHROUGH));
        prop_assert_eq!(letters(&shown(&page).words), letters(&text::words_of(&blocks)), "{}\n---\n{}", out, page);
    }

    #[test]
    fn portable_text_holds_every_sign(blocks in proptest::collection::vec(block(), 1..6)) {
        fn collect(value: &serde_json::Value, out: &mut Vec<String>) {
            match value {
                serde_json::Value::Object(map) => for (key, value) in map {
                    match (key.as_str(), value) {
                        ("text" | "lead" | "units", serde_json::Value::String(s)) => out.push(s.clone()),
                        ("caption", serde_json::Value::String(s)) => out.push(s.clone()),
                        _ => collect(value, out),
                    }
                },
                serde_json::Value::Array(items) => items.iter().for_each(|i| collect(i, out)),
                _ => {}
            }
        }
        let mut texts = Vec::new();
        collect(&portable_text(&blocks), &mut texts);
        let found: Vec<String> = texts.iter().flat_map(|t| words(t)).collect();
        prop_assert_eq!(letters(&found), letters(&text::words_of(&blocks)));
    }
}
