//! Pages in legacy sets, read as a whole.

use super::super::{Page, read, read_text};
use crate::capture::Capture;
use crate::lang::vietnamese::Charset;
use crate::mapping::Mapping;

const LINE: &str =
    "Chiều ngày 14/7/2023, Cục Thống kê tỉnh Bình Thuận tổ chức Hội nghị sơ kết công tác 6 tháng đầu năm.";
const OTHER: &str =
    "Thực hiện Chỉ thị số 01/CT-UBND, các phòng đã hoàn thành tốt nhiệm vụ được giao trong quý II.";

pub(super) fn page_of(body: &[u8], content_type: &str) -> Page {
    let mapping = Mapping::parse("t", "schema = 1\n[site]\nid = \"t\"\nbase = \"http://h/\"\n").unwrap();
    let capture = Capture::saved("http://h/x", Some(content_type), body.to_vec());
    read(
        &capture,
        &mapping.canonical(&"http://h/x".parse().unwrap()).unwrap(),
        &mapping,
    )
    .unwrap()
}

/// Markup with `{…}` around text that is written in a set.
fn bytes(charset: Charset, markup: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for (at, part) in markup.split(['{', '}']).enumerate() {
        if at % 2 == 0 {
            out.extend_from_slice(part.as_bytes());
        } else {
            out.extend(
                charset
                    .encode(part)
                    .unwrap_or_else(|| panic!("{charset:?}: {part}")),
            );
        }
    }
    out
}

#[test]
fn a_font_proposes_and_syllables_confirm() {
    let page = page_of(
        &bytes(
            Charset::Tcvn3,
            &format!(
                "<title>{{Hội nghị sơ kết}}</title><p><font face=.VnTime>{{{LINE}}}</font><p>Nguyễn<img alt='{{Quang cảnh hội nghị}}'>"
            ),
        ),
        "text/html",
    );
    assert!(page.text.as_str().contains(LINE), "{}", page.text.as_str());
    assert_eq!(page.decode.used, "TCVN3");
    let font = page.decode.blocks.iter().find(|b| b.method == "font").unwrap();
    assert_eq!(font.font.as_deref(), Some(".VnTime"));
    assert!(font.share.unwrap() > 0.9);
    let css = crate::mapping::Css::builtin("title");
    let title = page.select(&css).next().unwrap();
    assert_eq!(title.text().collect::<String>(), "Hội nghị sơ kết");
    let css = crate::mapping::Css::builtin("img");
    let image = page.select(&css).next().unwrap();
    assert_eq!(image.attr("alt"), Some("Quang cảnh hội nghị"));
}

#[test]
fn every_common_set_without_a_font() {
    for charset in [
        Charset::Tcvn3,
        Charset::Vni,
        Charset::Viscii,
        Charset::Vps,
        Charset::Windows1258,
    ] {
        let page = page_of(
            &bytes(
                charset,
                &format!("<h1>{{Tin hoạt động}}</h1><p>{{{LINE}}}</p><p>{{{OTHER}}}</p>"),
            ),
            "text/html",
        );
        assert_eq!(
            page.text.as_str(),
            format!("Tin hoạt động\n{LINE}\n{OTHER}"),
            "{charset:?}"
        );
        assert_eq!(page.decode.used, charset.name());
        assert_eq!(page.decode.undecided, 0, "{:?}", page.decode);
    }
}

#[test]
fn a_font_that_lies_is_not_believed() {
    let page = page_of(
        format!("<p><font face='.VnTime'>{LINE}</font><p style='font-family:VNI-Times'>Đơn vị: thông tin")
            .as_bytes(),
        "text/html; charset=utf-8",
    );
    assert_eq!(page.text.as_str(), format!("{LINE}\nĐơn vị: thông tin"));
    assert_eq!(page.decode.used, "UTF-8");
}

#[test]
fn one_page_with_three_sets() {
    let mut body = format!(
        "<p>{}</p><p style='font-family:\".VnTime\"'>",
        LINE.chars()
            .map(|c| if c.is_ascii() {
                c.to_string()
            } else {
                format!("&#{};", c as u32)
            })
            .collect::<String>()
    )
    .into_bytes();
    body.extend(Charset::Tcvn3.encode(OTHER).unwrap());
    body.extend(b"</p><p><font face='VNI-Times'>");
    body.extend(Charset::Vni.encode(OTHER).unwrap());
    body.extend(b"</font></p>");
    let page = page_of(&body, "text/html; charset=windows-1252");
    assert_eq!(page.text.as_str(), format!("{LINE}\n{OTHER}\n{OTHER}"));
    let used: Vec<_> = page.decode.blocks.iter().map(|b| b.used.as_str()).collect();
    assert_eq!(used, ["TCVN3", "VNI"]);
}

#[test]
fn letters_cut_by_tags_and_capitals_of_the_font() {
    let mut body = b"<p><font face='VNI-Times'>Tin HOA<b>\xcfT</b> \xd1O\xc4NG, ".to_vec();
    body.extend(Charset::Vni.encode(LINE).unwrap());
    body.extend(b"</font></p>");
    let page = page_of(&body, "text/html");
    assert_eq!(page.text.as_str(), format!("Tin HOẠT ĐỘNG, {LINE}"));
    let page = page_of(
        &bytes(
            Charset::Tcvn3,
            &format!(
                "<p style='font-family:.VnTimeH'>{{hội nghị tỉnh}} binh thuan</p><p style='font-family:.VnTimeH'>so ket</p><p style='font-family:.VnTime'>{{{LINE}}}</p>"
            ),
        ),
        "text/html",
    );
    assert_eq!(
        page.text.as_str(),
        format!("HỘI NGHỊ TỈNH BINH THUAN\nSO KET\n{LINE}")
    );
}

#[test]
fn entities_may_carry_bytes() {
    let page = page_of(
        "<p style='font-family:.VnTime'>Ng&shy;&ecirc;i c&oacute; c&ocirc;ng, &reg;&shy;&icirc;ng d&copy;n x&&#84; t&Oslash;nh</p>"
            .as_bytes(),
        "text/html; charset=utf-8",
    );
    assert!(
        page.text.as_str().starts_with("Người cú c«ng") || page.text.as_str().starts_with("Ngườ"),
        "{}",
        page.text.as_str()
    );
}

#[test]
fn nothing_decides_one_odd_word() {
    let page = page_of(b"<p>Ng\xb5y</p>", "text/html");
    assert_eq!(page.decode.undecided, 1, "{:?}", page.decode);
    assert_eq!(page.decode.blocks[0].method, "undecided");
    assert_eq!(page.text.as_str(), "Ngµy");
}

#[test]
fn western_pages_are_left() {
    for text in [
        "Les élèves français étaient déjà là, près de l’église où l’été s’achève; à bientôt, chère Zoé.",
        "Über die Straße gehen größere Mädchen; für Österreich fährt der König zurück.",
        "El niño pequeño comió muchísimo jamón ayer por la mañana, ¿qué más querías tú, señor?",
        "Não há razão para a inflação; as eleições são já amanhã, porém ninguém sabe a hora.",
    ] {
        let (surface, _, _) = encoding_rs::WINDOWS_1252.encode(text);
        for (body, kind) in [
            (surface.as_ref(), "text/html; charset=iso-8859-1"),
            (surface.as_ref(), "text/html"),
            (text.as_bytes(), "text/html; charset=utf-8"),
        ] {
            let page = page_of(&[b"<p>", body].concat(), kind);
            assert_eq!(page.text.as_str(), text, "{kind}");
            assert_eq!(page.decode.undecided, 0, "{kind} {:?}", page.decode);
        }
    }
}

#[test]
fn decomposed_text_is_composed_once() {
    use unicode_normalization::UnicodeNormalization;
    let nfd: String = LINE.nfd().collect();
    let page = page_of(
        format!("<p>{nfd}</p><p>a<b>\u{301}b</b> <a href='/t\u{300}'>x</a>").as_bytes(),
        "text/html; charset=utf-8",
    );
    assert_eq!(page.text.as_str(), format!("{LINE}\náb x"));
    assert_eq!(page.decode.repairs, ["nfc"]);
    let css = crate::mapping::Css::builtin("a");
    let link = page.select(&css).next().unwrap();
    assert_eq!(
        link.attr("href"),
        Some("/t\u{300}"),
        "an address names a file: it stays as it is"
    );
}

#[test]
fn addresses_are_read_as_browsers_do() {
    let css = crate::mapping::Css::builtin("a");
    for (kind, expected) in [
        ("text/html; charset=windows-1258", "/t\u{ea}\u{301}/đ"),
        ("text/html; charset=windows-1252", "/tê\u{ec}/ð"),
    ] {
        let page = page_of(b"<p><a href='/t\xea\xec/\xf0'>x</a>", kind);
        assert_eq!(
            page.select(&css).next().unwrap().attr("href"),
            Some(expected),
            "{kind}"
        );
    }
}

#[test]
fn damage_of_an_earlier_migration() {
    let twice = encoding_rs::WINDOWS_1252.decode(LINE.as_bytes()).0.into_owned();
    let page = page_of(
        format!("<p>{twice}</p><p>CNTTamp;TT, khóa ldquo;Đào tạordquo;</p>").as_bytes(),
        "text/html; charset=utf-8",
    );
    assert_eq!(page.text.as_str(), format!("{LINE}\nCNTT&TT, khóa “Đào tạo”"));
    assert_eq!(page.decode.repairs, ["utf8-as-windows-1252", "lost-ampersand"]);
}

#[test]
fn text_files_are_read_by_lines() {
    let body = [
        Charset::Tcvn3.encode(LINE).unwrap(),
        b"\r\n".to_vec(),
        Charset::Vni.encode(OTHER).unwrap(),
    ]
    .concat();
    let (text, decode) = read_text(&body, None);
    assert_eq!(text, format!("{LINE}\r\n{OTHER}"));
    assert_eq!(decode.undecided, 0);
}

#[test]
fn signs_of_a_symbol_font_are_no_letters() {
    let page = page_of(
        &bytes(
            Charset::Tcvn3,
            &format!(
                "<p style='font-family:.VnTime'><span style='font-family:Symbol'>&#183;</span> {{{LINE}}}</p><p><font face=Wingdings>\u{d8}</font> {{{OTHER}}}"
            )
            .replace('\u{d8}', "&Oslash;"),
        ),
        "text/html",
    );
    assert_eq!(page.text.as_str(), format!("· {LINE}\nØ {OTHER}"));
}

#[test]
fn a_mark_may_follow_plain_letters_of_its_font() {
    let mut body = b"<p>\xb7 <font face='VNI-Times'>Cu</font><font face='VNI-Times'>".to_vec();
    let rest = Charset::Vni.encode(&format!("ục. {LINE}")).unwrap();
    body.extend(rest.strip_prefix(b"u").unwrap());
    body.extend(b"</font></p>");
    let page = page_of(&body, "text/html");
    assert_eq!(page.text.as_str(), format!("· Cục. {LINE}"));
}

#[test]
fn a_page_is_what_most_of_its_text_is() {
    let numeric: String = LINE.chars().map(|c| format!("&#{};", c as u32)).collect();
    let mut body = format!("<p>{numeric}</p>").repeat(5).into_bytes();
    body.extend(b"<p><font face='VNI-Times'>");
    body.extend(Charset::Vni.encode(OTHER).unwrap());
    body.extend(b"</font></p>");
    let page = page_of(&body, "text/html; charset=windows-1252");
    assert_eq!(page.decode.used, "windows-1252", "{:?}", page.decode);
}
