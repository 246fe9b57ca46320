//! What a line of a portal is, by the phrases of its language: headings of other news, tools, counters, furniture, pagers.

use super::{Language, fold};

/// A group of phrases.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Group {
    /// Heading of a list of other news; what follows belongs to it.
    Related,
    /// What the portal offers to do with the page.
    Tools,
    /// A number that changes at each visit.
    Counters,
    /// Furniture of the portal.
    Chrome,
    /// Part of a pager.
    Pager,
}

/// Longest line that is looked at, in characters: a sentence is no heading.
const LONGEST: usize = 60;

/// The group and the phrase of a line. The line is the phrase, apart from punctuation and numbers around it; a phrase
/// inside of a sentence is none.
#[must_use]
pub fn find<'a>(language: &'a Language, line: &str) -> Option<(Group, &'a str)> {
    if line.chars().take(LONGEST + 1).count() > LONGEST {
        return None;
    }
    let folded = fold(line);
    let p = &language.phrases;
    let bare = folded.trim_matches(|c: char| !c.is_alphanumeric() && !"«»".contains(c));
    let wordless = folded.trim_matches(|c: char| !c.is_alphabetic());
    let known = |phrases: &'a [String], text: &str| phrases.iter().find(|p| *p == text).map(String::as_str);
    if let Some(phrase) = known(&p.related, wordless) {
        return Some((Group::Related, phrase));
    }
    if let Some(phrase) = known(&p.tools, wordless) {
        return Some((Group::Tools, phrase));
    }
    if let Some(phrase) = known(&p.counters, wordless) {
        return Some((Group::Counters, phrase));
    }
    if let Some(phrase) = pager(&p.pager, &folded) {
        return Some((Group::Pager, phrase));
    }
    known(&p.chrome, wordless)
        .or_else(|| known(&p.chrome, bare))
        .or_else(|| {
            p.chrome
                .iter()
                .find(|p| p.contains(' ') && wordless.starts_with(&format!("{p} ")))
                .map(String::as_str)
        })
        .map(|phrase| (Group::Chrome, phrase))
}

/// A line of nothing but pager words, numbers and signs: `trang: 1 2 3 … cuối`, `« trước | sau »`.
fn pager<'a>(phrases: &'a [String], folded: &str) -> Option<&'a str> {
    let mut found = None;
    let mut rest = folded;
    while !rest.is_empty() {
        let Some(at) = rest.find(char::is_alphabetic) else {
            break;
        };
        rest = &rest[at..];
        let word = phrases
            .iter()
            .filter(|p| {
                rest.strip_prefix(p.as_str())
                    .is_some_and(|r| !r.starts_with(char::is_alphabetic))
            })
            .max_by_key(|p| p.len());
        // `of` stands in pagers that were translated by half.
        let Some(word) = word else {
            rest = rest.strip_prefix("of ")?;
            continue;
        };
        found = found.or(Some(word.as_str()));
        rest = &rest[word.len()..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_portals() {
        let vi = Language::get("vi").unwrap();
        for (line, group) in [
            ("TIN TỨC CÙNG LOẠI KHÁC:", Some(Group::Related)),
            ("Các tin khác", Some(Group::Related)),
            ("» Xem thêm...", Some(Group::Related)),
            ("In ấn", Some(Group::Tools)),
            ("Lượt xem: 1.234", Some(Group::Counters)),
            ("Trang: /", Some(Group::Pager)),
            ("Trang: 1 2 3 ... Trang cuối »", Some(Group::Pager)),
            ("Hiển thị 1 - 10 of 243 kết quả.", Some(Group::Pager)),
            ("← Đầu tiên", Some(Group::Pager)),
            ("LIÊN KẾT WEBSITE", Some(Group::Chrome)),
            ("Bản quyền thuộc về Cục Thống kê", Some(Group::Chrome)),
            ("Các tin khác cho thấy giá lúa tăng", None),
            ("Trang trại nuôi tôm", None),
            ("1 2 3", None),
            ("Chia sẻ kinh nghiệm chuyển đổi số", None),
            ("", None),
        ] {
            assert_eq!(find(vi, line).map(|f| f.0), group, "{line}");
        }
        let en = Language::get("en").unwrap();
        assert_eq!(find(en, "RELATED NEWS").map(|f| f.0), Some(Group::Related));
        assert_eq!(
            find(en, "« Previous | Page 2 | Next »").map(|f| f.0),
            Some(Group::Pager)
        );
    }
}
