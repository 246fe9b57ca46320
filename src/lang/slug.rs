//! Addresses made of titles.

use unicode_normalization::UnicodeNormalization;

/// ASCII, lower case, `-` between words, at most `max` characters, cut at a word. Marks are stripped from whatever normal
/// form they come in; `đ`, which has none, is a `d`; other scripts are transliterated.
#[must_use]
pub fn slug(text: &str, max: usize) -> String {
    let composed: String = text.nfc().collect();
    let ascii = deunicode::deunicode(&composed).to_ascii_lowercase();
    let mut out = String::new();
    for word in ascii
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|w| !w.is_empty())
    {
        let room = max.saturating_sub(out.len() + usize::from(!out.is_empty()));
        if word.len() > room {
            // A first word that is too long is cut; a later one waits for no one.
            if out.is_empty() {
                out.push_str(&word[..room]);
            }
            break;
        }
        if !out.is_empty() {
            out.push('-');
        }
        out.push_str(word);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_letters_in_all_forms() {
        let rows = [
            ("a", "aàáảãạăằắẳẵặâầấẩẫậ"),
            ("d", "dđ"),
            ("e", "eèéẻẽẹêềếểễệ"),
            ("i", "iìíỉĩị"),
            ("o", "oòóỏõọôồốổỗộơờớởỡợ"),
            ("u", "uùúủũụưừứửữự"),
            ("y", "yỳýỷỹỵ"),
        ];
        for (ascii, letters) in rows {
            for letter in letters
                .chars()
                .flat_map(|c| [c, c.to_uppercase().next().unwrap()])
            {
                let nfd: String = [letter].into_iter().nfd().collect();
                // "tổ hợp": the shape composed, the tone behind it.
                let mut parts = nfd.chars();
                let base = parts.next().unwrap();
                let (shape, tone): (Vec<char>, Vec<char>) =
                    parts.partition(|c| "\u{302}\u{306}\u{31b}".contains(*c));
                let combined: String = std::iter::once(base).chain(shape).nfc().chain(tone).collect();
                for form in [letter.to_string(), nfd, combined] {
                    assert_eq!(slug(&form, 100), ascii, "{form:?}");
                }
            }
        }
    }

    #[test]
    fn words_and_length() {
        assert_eq!(
            slug("  Hội nghị: sơ kết – 6 tháng!", 100),
            "hoi-nghi-so-ket-6-thang"
        );
        assert_eq!(slug("Đường Đinh Tiên Hoàng", 12), "duong-dinh");
        assert_eq!(slug("nghiêngngả", 5), "nghie");
        assert_eq!(slug("…", 10), "");
        assert_eq!(slug("Ухань 2020", 20), "ukhan-2020");
    }
}
