//! Declarations of style sheets and `style` attributes, one after the other.

use cssparser::{Parser, Token};

/// The next declaration: its property in small letters, and its value as it is written.
pub(super) fn declaration<'i>(parser: &mut Parser<'i>) -> Option<(String, &'i str)> {
    while let Ok(token) = parser.next() {
        let Token::Ident(name) = token else { continue };
        let name = name.to_ascii_lowercase();
        if parser.expect_colon().is_err() {
            continue;
        }
        let start = parser.position();
        let mut end = start;
        while let Ok(token) = parser.next() {
            if matches!(token, Token::Semicolon) {
                break;
            }
            end = parser.position();
        }
        return Some((name, parser.slice(start..end)));
    }
    None
}
