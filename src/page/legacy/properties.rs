//! What holds for any text: legacy bytes come back, right text stays.

use super::tests::page_of;
use crate::lang::vietnamese::Charset;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization;

const VIETNAMESE: &str = include_str!("../../../benches/decode/vi.txt");
const WESTERN: &str = include_str!("../../../benches/decode/western.txt");

/// So many words of a text, in any order.
fn words(of: &'static str, count: std::ops::Range<usize>) -> impl Strategy<Value = String> {
    let all: Vec<&str> = of.split_whitespace().collect();
    prop::collection::vec(prop::sample::select(all), count).prop_map(|w| w.join(" "))
}

fn body(bytes: &[u8], font: Option<&str>) -> Vec<u8> {
    let open = font.map_or_else(
        || "<p>".to_owned(),
        |f| format!("<p style=\"font-family:'{f}'\">"),
    );
    [open.as_bytes(), bytes, b"</p>"].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn text_of_each_set_comes_back(text in words(VIETNAMESE, 16..60)) {
        for (charset, font) in [
            (Charset::Tcvn3, Some(".VnTime")),
            (Charset::Vni, Some("VNI-Times")),
            (Charset::Vps, Some("VPS Times")),
            (Charset::Tcvn3, None),
            (Charset::Vni, None),
            (Charset::Viscii, None),
            (Charset::Vps, None),
            (Charset::Windows1258, None),
        ] {
            let Some(bytes) = charset.encode(&text) else { continue };
            let page = page_of(&body(&bytes, font), "text/html");
            prop_assert!(page.text.as_str() == text || page.decode.undecided > 0, "{:?} {:?}\n{}", charset, page.decode, page.text.as_str());
        }
    }

    #[test]
    fn unicode_is_a_fixed_point_whatever_its_font(text in words(VIETNAMESE, 1..40), form in 0..3) {
        let given: String = match form {
            0 => text.clone(),
            1 => text.nfd().collect(),
            _ => text.chars().map(|c| if c.is_ascii() { c.to_string() } else { format!("&#{};", u32::from(c)) }).collect(),
        };
        for font in [None, Some(".VnTime"), Some("VNI-Times"), Some("Arial")] {
            let page = page_of(&body(given.as_bytes(), font), "text/html; charset=utf-8");
            // A word whose every letter some other set has, alone on a page and in its font, may be asked about.
            prop_assert!(page.text.as_str() == text, "{:?} {:?}\n{}", font, page.decode, page.text.as_str());
        }
    }

    #[test]
    fn other_languages_are_left(text in words(WESTERN, 1..60)) {
        let (surface, _, lost) = encoding_rs::WINDOWS_1252.encode(&text);
        prop_assert!(!lost);
        for (bytes, kind) in [
            (surface.as_ref(), "text/html; charset=iso-8859-1"),
            (surface.as_ref(), "text/html"),
            (text.as_bytes(), "text/html; charset=utf-8"),
        ] {
            let page = page_of(&body(bytes, None), kind);
            prop_assert!(page.text.as_str() == text, "{} {:?}\n{}", kind, page.decode, page.text.as_str());
        }
    }
}
