//! Legal documents that a text names.

use super::pattern;
use crate::document::{Citation, Span};
use regex::Regex;
use std::sync::LazyLock;

static CITED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)\b(Chỉ\ thị|Quyết\ định|Kế\ hoạch|Quy\ chế|Kết\ luận|Nghị\ quyết|Nghị\ định|Thông\ tư\ liên\ tịch|Thông\ tư|Công\ văn
        |Thông\ báo|Báo\ cáo|Hướng\ dẫn|Quy\ định|Chương\ trình|Tờ\ trình|Đề\ án|Công\ điện|Luật|Pháp\ lệnh|Văn\ bản)
        (?:\s+số:?)?\s+(\d+(?:/\d{4})?(?:[/.\-][\p{Lu}][\p{L}\d]*)+(?:[/\-][\p{Lu}][\p{L}\d]*)*)
        (?:\s*,?\s*ngày\s+(\d{1,2})\s*(?:/|-|\s+tháng\s+)\s*(\d{1,2})\s*(?:/|-|\s+năm\s+)\s*(\d{4}))?",
    )
});

/// Finds citations; `offset` is where `text` stands in the page's visible text.
pub fn find(text: &str, offset: usize) -> Vec<Citation> {
    let mut byte = 0;
    let mut chars = offset;
    CITED
        .captures_iter(text)
        .filter_map(|c| {
            let whole = c.get(0)?;
            chars += text[byte..whole.start()].chars().count();
            byte = whole.start();
            let number = c[2].to_owned();
            let issuer = number
                .rsplit(['-', '/'])
                .next()
                .filter(|p| !p.starts_with(|c: char| c.is_ascii_digit()));
            let part = |i| {
                c.get(i)
                    .and_then(|m: regex::Match<'_>| m.as_str().parse::<u16>().ok())
            };
            let date = match (part(5), part(4), part(3)) {
                (Some(y), Some(m), Some(d)) if (1..=12).contains(&m) && (1..=31).contains(&d) => {
                    Some(format!("{y:04}-{m:02}-{d:02}"))
                }
                _ => None,
            };
            let end = chars + whole.as_str().chars().count();
            Some(Citation {
                kind: c[1].to_owned(),
                issuer: issuer.map(str::to_owned),
                number,
                date,
                chars: Span(chars, end),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_dates_and_issuers() {
        let found = find(
            "Kết luận số 01-KL/TW, ngày 15/5/2021 và Chỉ thị số 05-CT/TW; Quyết định số 60/QĐ-UBND ngày 09/01/2023",
            10,
        );
        let short: Vec<_> = found
            .iter()
            .map(|c| (c.number.as_str(), c.issuer.as_deref(), c.date.as_deref()))
            .collect();
        assert_eq!(
            short,
            [
                ("01-KL/TW", Some("TW"), Some("2021-05-15")),
                ("05-CT/TW", Some("TW"), None),
                ("60/QĐ-UBND", Some("UBND"), Some("2023-01-09"))
            ]
        );
        assert_eq!(found[0].chars.0, 10);
    }
}
