//! A page as HTML again: what a reader sees of it and nothing that runs, loads or leads away. The characters of its visible
//! text are marked, so that a person sees what became of each.
//!
//! What is written is built anew from short lists of elements, attributes and values; nothing is copied because it looks
//! harmless. Neither drawings nor mathematics nor elements whose text is no HTML are among them, so that no browser reads
//! the result otherwise than it was written.

use super::nodes::attr;
use super::{Page, VisibleText};
use crate::document::Span;
use ego_tree::iter::Edge;
use scraper::node::Element;
use scraper::{ElementRef, Node};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// A range of the visible text, and what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Highlight {
    /// Characters of the page's visible text.
    pub chars: Span,
    /// What became of them: the element and its class, as in `mark` and `kept`.
    pub look: (&'static str, &'static str),
    /// What is said of them when somebody points at them.
    pub title: String,
}

/// What an `img` shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picture {
    /// This address, which the caller vouches for.
    At(String),
    /// Nothing; this is said instead.
    Said(String),
}

/// Longest value of an attribute, in bytes.
const VALUE: usize = 400;
/// Longest address that is told, in characters.
const ADDRESS: usize = 300;

/// The body of the page. `looks` do not overlap and are in order; what none covers gets `rest`. Pieces that begin at an
/// `anchor` get the id `cNUMBER`. `picture` says what is shown for an `img`, and `hole` what is said where a frame or a
/// player stood, by its address.
#[must_use]
pub fn marked(
    page: &Page,
    looks: &[Highlight],
    rest: (&'static str, &'static str),
    anchors: &BTreeSet<usize>,
    picture: &dyn Fn(ElementRef<'_>) -> Picture,
    hole: &dyn Fn(&str) -> String,
) -> String {
    let mut out = Writer {
        text: &page.text,
        looks,
        rest,
        anchors,
        out: String::with_capacity(page.text.as_str().len() * 2),
    };
    let mut skip = None;
    for edge in page.html.tree.root().traverse() {
        match edge {
            Edge::Open(node) if skip.is_none() => match node.value() {
                Node::Element(element) => {
                    if page.text.hides(node.id()) {
                        skip = Some(node.id());
                        if matches!(element.name(), "iframe" | "object" | "embed" | "video" | "audio") {
                            let address = ["src", "data"].iter().find_map(|name| attr(element, name));
                            let address: String = address.unwrap_or_default().chars().take(ADDRESS).collect();
                            out.said(&hole(&address));
                        }
                        continue;
                    }
                    if element.name() == "img" {
                        if let Some(image) = ElementRef::wrap(node) {
                            out.picture(element, picture(image));
                        }
                        continue;
                    }
                    let tag = shown_as(element.name());
                    if !tag.is_empty() {
                        out.open(tag, element);
                    }
                }
                Node::Text(_) => {
                    if let Some(span) = page.text.span(node.id()) {
                        out.text(span);
                    }
                }
                _ => {}
            },
            Edge::Close(node) if skip == Some(node.id()) => skip = None,
            Edge::Close(node) if skip.is_none() => {
                if let Node::Element(element) = node.value() {
                    let tag = shown_as(element.name());
                    if !tag.is_empty() && !is_void(tag) {
                        let _ = write!(out.out, "</{tag}>");
                    }
                }
            }
            _ => {}
        }
    }
    out.out
}

/// The element that stands for one of the page; empty: only what is in it is shown.
fn shown_as(name: &str) -> &'static str {
    const SAME: &[&str] = &[
        "abbr",
        "address",
        "article",
        "aside",
        "b",
        "big",
        "blockquote",
        "br",
        "caption",
        "center",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "dfn",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "font",
        "footer",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "i",
        "ins",
        "kbd",
        "li",
        "main",
        "nav",
        "ol",
        "p",
        "pre",
        "q",
        "s",
        "samp",
        "section",
        "small",
        "span",
        "strike",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "u",
    ];
    if let Some(same) = SAME.iter().find(|s| **s == name) {
        return same;
    }
    match name {
        "ul" | "menu" | "dir" => "ul",
        // A link leads nowhere here: where it led is told when somebody points at it.
        "a" | "button" | "label" | "tt" | "var" | "time" | "nobr" => "span",
        "marquee" | "fieldset" | "legend" | "option" | "optgroup" | "dialog" | "hgroup" | "search"
        | "form" => "div",
        "listing" => "pre",
        _ => "",
    }
}

fn is_void(tag: &str) -> bool {
    matches!(tag, "br" | "hr" | "col")
}

/// Whether a value of an attribute is what it should be. Letters, digits and a few signs: no quote, no bracket, no address.
fn fits(name: &str, value: &str) -> bool {
    let all = |allowed: &str| {
        value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || allowed.contains(c))
    };
    match name {
        "colspan" | "rowspan" | "span" | "border" | "cellpadding" | "cellspacing" | "start" | "value" => {
            value.len() <= 5 && value.bytes().all(|b| b.is_ascii_digit())
        }
        "width" | "height" | "size" => value.len() <= 8 && all("%.+-"),
        "align" | "valign" | "dir" | "type" => value.len() <= 10 && all(""),
        "bgcolor" => value.len() <= 30 && all("#"),
        "lang" => value.len() <= 20 && all("-"),
        "face" => value.len() <= 100 && all(" ,.-"),
        "open" | "nowrap" | "noshade" | "reversed" => value.is_empty() || all(""),
        _ => false,
    }
}

/// What is left of a style: some properties, with values that are words, numbers and colours.
fn style(text: &str) -> String {
    let mut out = String::new();
    for part in text.split(';') {
        let Some((name, value)) = part.split_once(':') else {
            continue;
        };
        let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
        let known = matches!(
            name.as_str(),
            "background-color"
                | "text-align"
                | "font-weight"
                | "font-style"
                | "font-family"
                | "vertical-align"
                | "width"
                | "max-width"
                | "border"
                | "border-collapse"
                | "border-color"
                | "border-style"
                | "border-width"
                | "padding"
                | "text-indent"
                | "list-style-type"
                | "white-space"
                | "float"
                | "clear"
                | "text-transform"
        );
        let plain = value.len() <= 80
            && value
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || " #.,%-+".contains(c));
        if known && plain && !value.is_empty() {
            let _ = write!(out, "{name}:{value};");
        }
    }
    out
}

/// Text for HTML.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
}

struct Writer<'a> {
    text: &'a VisibleText,
    looks: &'a [Highlight],
    rest: (&'static str, &'static str),
    anchors: &'a BTreeSet<usize>,
    out: String,
}

impl Writer<'_> {
    fn open(&mut self, tag: &str, element: &Element) {
        let _ = write!(self.out, "<{tag}");
        for (name, value) in &element.attrs {
            let name: &str = &name.local;
            let value: &str = value;
            if value.len() > VALUE {
                continue;
            }
            if name == "style" {
                let style = style(value);
                if !style.is_empty() {
                    let _ = write!(self.out, " style=\"{style}\"");
                }
            } else if fits(name, value) {
                let _ = write!(self.out, " {name}=\"{value}\"");
            }
        }
        if element.name() == "a"
            && let Some(href) = attr(element, "href")
        {
            let href: String = href.chars().take(ADDRESS).collect();
            self.out.push_str(" class=\"st-link\" title=\"");
            escape(&href, &mut self.out);
            self.out.push('"');
        }
        self.out.push('>');
    }

    fn picture(&mut self, element: &Element, picture: Picture) {
        match picture {
            Picture::At(address) => {
                self.out.push_str("<img src=\"");
                escape(&address, &mut self.out);
                self.out.push_str("\" alt=\"");
                let alt: String = attr(element, "alt")
                    .unwrap_or_default()
                    .chars()
                    .take(ADDRESS)
                    .collect();
                escape(&alt, &mut self.out);
                self.out.push('"');
                for name in ["width", "height", "align", "border"] {
                    if let Some(value) = attr(element, name).filter(|v| fits(name, v)) {
                        let _ = write!(self.out, " {name}=\"{value}\"");
                    }
                }
                self.out.push('>');
            }
            Picture::Said(text) => self.said(&text),
        }
    }

    fn said(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.out.push_str("<span class=\"st-hole\">");
        escape(text, &mut self.out);
        self.out.push_str("</span>");
    }

    /// The characters of one text node, a piece for each range that covers a part of them.
    fn text(&mut self, span: Span) {
        let mut at = span.0;
        while at < span.1 {
            let next = self.looks.partition_point(|h| h.chars.1 <= at);
            let (look, title, mut end) = match self.looks.get(next) {
                Some(found) if found.chars.0 <= at => (found.look, found.title.as_str(), found.chars.1),
                Some(later) => (self.rest, "", later.chars.0),
                None => (self.rest, "", span.1),
            };
            end = end.min(span.1);
            if let Some(anchor) = self.anchors.range(at + 1..end).next() {
                end = *anchor;
            }
            let piece = self.text.slice(Span(at, end));
            // White space alone may stand between rows of a table, where no element may.
            if piece.chars().all(char::is_whitespace) {
                self.out.push_str(piece);
                at = end;
                continue;
            }
            let _ = write!(self.out, "<{}", look.0);
            if self.anchors.contains(&at) {
                let _ = write!(self.out, " id=\"c{at}\"");
            }
            let _ = write!(self.out, " class=\"{}\"", look.1);
            if !title.is_empty() {
                self.out.push_str(" title=\"");
                escape(title, &mut self.out);
                self.out.push('"');
            }
            self.out.push('>');
            escape(piece, &mut self.out);
            let _ = write!(self.out, "</{}>", look.0);
            at = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::Capture;
    use crate::mapping::Mapping;

    fn page(html: &str) -> Page {
        let text = "schema = 1\n[site]\nid = \"s\"\nbase = \"http://s.example/\"\n";
        let mapping = Mapping::parse("s.toml", text).unwrap();
        let body = format!("<meta charset=utf-8>{html}").into_bytes();
        let capture = Capture::saved("http://s.example/a", None, body);
        let url = mapping
            .canonical(&url::Url::parse("http://s.example/a").unwrap())
            .unwrap();
        crate::page::read(&capture, &url, &mapping).unwrap()
    }

    fn all(html: &str, looks: &[Highlight], anchors: &[usize]) -> String {
        let anchors = anchors.iter().copied().collect();
        marked(
            &page(html),
            looks,
            ("span", "o"),
            &anchors,
            &|_| Picture::Said("[ảnh]".into()),
            &|address| format!("[khung: {address}]"),
        )
    }

    #[test]
    fn every_character_is_marked_once() {
        let look = |from, to, class| Highlight {
            chars: Span(from, to),
            look: ("mark", class),
            title: format!("\"{class}\""),
        };
        let looks = [look(0, 3, "k"), look(3, 6, "d")];
        assert_eq!(
            all("<p>một <b>hai</b> ba</p>", &looks, &[4]),
            "<p><mark class=\"k\" title=\"&quot;k&quot;\">một</mark></p>".replace("</p>", "")
                + "<b> <mark id=\"c4\" class=\"d\" title=\"&quot;d&quot;\">ha</mark><span class=\"o\">i</span></b>"
                + "<span class=\"o\"> ba</span></p>"
        );
    }

    #[test]
    fn nothing_that_runs_loads_or_leads_away_is_left() {
        let hostile = r#"<base href="http://x.example/"><meta http-equiv=refresh content="0;url=http://x.example/">
            <style>@import url(http://x.example/a.css); p { background: url(http://x.example/b) }</style>
            <script>alert(1)</script><p onclick="alert(2)" style="background:url(http://x.example/c);width:10px;
            behavior:url(x);width:expression(alert(3));font-weight:bold">x</p>
            <a href="javascript:alert(4)" id=z target=_top>l</a><svg onload=alert(5)><script>alert(6)</script>
            <foreignObject><iframe src=http://x.example/d></iframe><b>in</b></foreignObject></svg>
            <img src=http://x.example/e onerror=alert(7)><iframe srcdoc="<script>alert(8)</script>"></iframe>
            <object data=http://x.example/f></object><form action=http://x.example/g><input name=a><button>b</button></form>
            <math><mtext><table><mglyph><style><img src=x onerror=alert(9)></style></mglyph></table></mtext></math>
            <table background=http://x.example/h bgcolor="red"><tr><td width="5&quot; onload=alert(10)">t</table>"#;
        let html = all(hostile, &[], &[]);
        for wrong in [
            "<script",
            "<style",
            "<svg",
            "<math",
            "<iframe",
            "<object",
            "<form",
            "<input",
            "<base",
            "<meta",
            "<img",
            " href",
            " on",
            "url(",
            "expression",
            "behavior",
            " target",
            " id=",
            "background=",
            "action",
        ] {
            let at = html.to_lowercase().find(wrong);
            assert!(at.is_none(), "{wrong}: {html}");
        }
        assert!(html.contains("style=\"width:10px;font-weight:bold;\""), "{html}");
        assert!(
            html.contains("title=\"javascript:alert(4)\"") && html.contains("bgcolor=\"red\""),
            "{html}"
        );
        assert!(
            html.contains("[ảnh]") && html.contains("[khung: http://x.example/f]"),
            "{html}"
        );
    }
}
