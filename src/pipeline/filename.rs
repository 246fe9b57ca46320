//! The file name that a `Content-Disposition` header gives (RFC 6266, RFC 5987), in the forms that old handlers send.

use percent_encoding::percent_decode_str;

/// The name, without any folder that it pretends to be in.
#[must_use]
pub(super) fn file_name(disposition: &str) -> Option<String> {
    let name = extended(disposition).or_else(|| plain(disposition))?;
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let name: String = name.chars().filter(|c| !c.is_control()).take(255).collect();
    (!name.is_empty() && name != "." && name != "..").then_some(name)
}

/// `filename*=UTF-8''B%C3%A1o%20c%C3%A1o.doc`
fn extended(disposition: &str) -> Option<String> {
    let value = parameter(disposition, "filename*")?;
    let mut parts = value.splitn(3, '\'');
    let (charset, _, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let bytes: Vec<u8> = percent_decode_str(encoded).collect();
    if charset.eq_ignore_ascii_case("utf-8") {
        return String::from_utf8(bytes).ok();
    }
    Some(bytes.into_iter().map(char::from).collect())
}

/// `filename="Báo cáo.doc"`: raw UTF-8, which a header read as Latin-1 shows byte by byte, or percent-encoded.
fn plain(disposition: &str) -> Option<String> {
    let value = parameter(disposition, "filename")?;
    let bytes: Option<Vec<u8>> = value.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    let value = bytes.and_then(|b| String::from_utf8(b).ok()).unwrap_or(value);
    if value.contains('%')
        && let Ok(decoded) = percent_decode_str(&value).decode_utf8()
    {
        return Some(decoded.into_owned());
    }
    Some(value)
}

/// The value of one parameter, unquoted.
fn parameter(disposition: &str, name: &str) -> Option<String> {
    let mut rest = disposition.split_once(';')?.1;
    loop {
        let (key, after) = rest.split_once('=')?;
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => unquote(quoted),
            None => match after.split_once(';') {
                Some((value, next)) => (value.trim().to_owned(), next),
                None => (after.trim().to_owned(), ""),
            },
        };
        if key
            .trim()
            .trim_start_matches(';')
            .trim()
            .eq_ignore_ascii_case(name)
        {
            return Some(value);
        }
        rest = next;
    }
}

fn unquote(quoted: &str) -> (String, &str) {
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (value, &quoted[at + 1..]),
            _ => {
                value.push(c);
                escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn all_forms_give_the_name() {
        let name = Some("Báo cáo tháng 6.doc".to_owned());
        assert_eq!(
            file_name("attachment; filename*=UTF-8''B%C3%A1o%20c%C3%A1o%20th%C3%A1ng%206.doc"),
            name
        );
        assert_eq!(
            file_name(
                "attachment; filename=\"x.doc\"; filename*=utf-8'vi'B%C3%A1o%20c%C3%A1o%20th%C3%A1ng%206.doc"
            ),
            name
        );
        assert_eq!(file_name("attachment; filename=\"Báo cáo tháng 6.doc\""), name);
        let latin1: String = "Báo cáo tháng 6.doc".bytes().map(char::from).collect();
        assert_eq!(file_name(&format!("attachment; filename=\"{latin1}\"")), name);
        assert_eq!(
            file_name("attachment; size=3; filename=B%C3%A1o%20c%C3%A1o%20th%C3%A1ng%206.doc"),
            name
        );
        assert_eq!(
            file_name("attachment; filename=\"../../etc/passwd\""),
            Some("passwd".into())
        );
        assert_eq!(
            file_name("attachment; filename=\"a\\\"b.doc\""),
            Some("a\"b.doc".into())
        );
        assert_eq!(file_name("inline"), None);
        assert_eq!(file_name("attachment; filename=\"..\""), None);
    }
}
