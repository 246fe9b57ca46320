//! A body as a person previews it: nothing runs, nothing is asked of any other server, and links open beside it.

use super::{Known, escape, fill, html, trailing};
use crate::document::Document;
use std::borrow::Cow;
use std::collections::HashMap;

/// The body as HTML, with files and signature behind it. Addresses of tokens are asked for and must begin with `/`; a picture
/// without one keeps its text only. What the renderer wrote is cleaned once more, so that one mistake is not enough.
#[must_use]
pub fn preview(document: &Document, address: &dyn Fn(&str) -> Option<String>) -> String {
    let mut blocks = document.body.clone();
    blocks.extend(trailing(document, true));
    let known = |token: &str| {
        address(token).map(|url| Known {
            id: String::new(),
            url,
        })
    };
    let filled = fill(&html(&blocks), &known, &|_| String::from("#"), escape).0;
    ammonia::Builder::default()
        .url_schemes(["http", "https", "mailto", "tel"].into())
        .link_rel(Some("noopener noreferrer"))
        .set_tag_attribute_value("a", "target", "_blank")
        .add_tag_attributes("ol", ["type"])
        .allowed_classes(HashMap::from([
            ("p", ["center", "right", "file", "embed"].into()),
            ("div", ["gallery"].into()),
            ("figure", ["table"].into()),
        ]))
        .attribute_filter(|element, name, value| {
            let loads = element == "img" && name == "src";
            let ours = value.starts_with('/') && !value.starts_with("//") && !value.contains('\\');
            (!loads || ours).then_some(Cow::Borrowed(value))
        })
        .clean(&filled)
        .to_string()
}
