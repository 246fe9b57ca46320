//! Pictures and frames of a body: which file they show, what is only furniture, what a thumbnail stands for.

use super::block::{Builder, Item};
use super::{link, media};
use crate::document::{Block, Dropped, Image, MediaRole, Original, Span};
use crate::lang::spaces;
use crate::mapping::Css;
use crate::page::{attr, picture};
use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node};
use std::sync::LazyLock;

/// Width or height below which a picture shows nothing: lines and counters of visits, in pixels.
const SPACER: u32 = 3;

/// Rule that drops drawings of the design.
const ICON: &str = "icon";
/// Side of a drawing that is a sign, not a picture, in pixels.
const SIGN: f32 = 64.0;

/// Names of pictures that hold space or wait for a script, as the editors and scripts that make them call them.
static SPACERS: LazyLock<regex::Regex> = LazyLock::new(|| {
    crate::lang::pattern(
        r"(?i)(^|/)(spacer|blank|pixel|clear|cleardot|clear_dot|transparent|trans|shim|1x1|dot_clear|loading|ajax-loader|lazyload|placeholder)\.(gif|png|svg)([?#]|$)",
    )
});

/// Addresses in calls that open a page.
static OPENED: LazyLock<regex::Regex> = LazyLock::new(|| {
    crate::lang::pattern(
        r#"(?i)(?:window\.open\s*\(|location(?:\.href)?\s*=|location\.(?:assign|replace)\s*\()\s*['"]([^'"]+)['"]"#,
    )
});

/// What the table round a picture is to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Figure {
    /// Nothing.
    None,
    /// The row below holds its caption.
    Rows,
    /// All text of the table is its caption.
    Whole,
}

/// Rows of a table that are looked at to tell pictures with captions from a page's layout.
const FIGURE_ROWS: usize = 64;

impl Builder<'_> {
    /// What the table round `row` is to a picture in it. It shows pictures with their captions if it has no more rows of
    /// text than rows with pictures: a layout table has many rows of text, and the one under a picture is the next
    /// paragraph.
    pub(super) fn figure(&self, row: Option<NodeId>) -> Figure {
        let Some(row) = row.and_then(|r| self.page.html.tree.get(r)) else {
            return Figure::None;
        };
        let Some(table) = row
            .ancestors()
            .find_map(|a| ElementRef::wrap(a).filter(|e| e.value().name() == "table"))
        else {
            return Figure::None;
        };
        let (mut images, mut pictures, mut texts) = (0, 0, 0);
        for row in table
            .descendants()
            .filter_map(ElementRef::wrap)
            .filter(|e| e.value().name() == "tr")
            .take(FIGURE_ROWS)
        {
            let inside = row
                .descendants()
                .filter(|n| n.value().as_element().is_some_and(|e| e.name() == "img"))
                .count();
            let text = self.page.text.span(row.id()).is_some_and(|s| !s.is_empty());
            images += inside;
            pictures += usize::from(inside > 0);
            texts += usize::from(text && inside == 0);
        }
        let text = self.page.text.span(table.id()).unwrap_or_default();
        let bare = self.page.text.span(row.id()).is_some_and(Span::is_empty);
        if bare && texts <= pictures {
            Figure::Rows
        } else if images == 1
            && !bare
            && text.len() <= super::arrange::CAPTION
            && self.page.text.lines(text).len() == 1
        {
            Figure::Whole
        } else {
            Figure::None
        }
    }
}

/// The address that a script of a link opens.
pub(super) fn opened(script: &str) -> Option<&str> {
    OPENED.captures(script)?.get(1).map(|m| m.as_str())
}

impl Builder<'_> {
    /// The picture of an `img`, by the index + 1 of the link round it; nothing if it is no content.
    pub(super) fn image(&mut self, element: ElementRef<'_>, link: u32, at: usize) -> Option<Image> {
        let rules = &self.context.mapping.rules().media;
        let raw = picture::source(element, &rules.lazy_attrs)?;
        self.image_of(element, raw, link, at)
    }

    fn image_of(&mut self, element: ElementRef<'_>, raw: &str, link: u32, at: usize) -> Option<Image> {
        let rules = &self.context.mapping.rules().media;
        let value = element.value();
        let alt = value.attr("alt").map(spaces).filter(|a| !a.is_empty());
        let side = |name: &str| {
            value
                .attr(name)
                .and_then(|v| v.trim().trim_end_matches("px").parse().ok())
        };
        let mut sides: [Option<u32>; 2] = ["width", "height"].map(side);
        let source = if let Some(found) = media::data_uri(raw) {
            let facts = media::inspect(&found.bytes, None);
            sides = [facts.width.or(sides[0]), facts.height.or(sides[1])];
            let url = found.source_url.clone();
            if !self.inline_media.iter().any(|m| m.source_url == url) {
                self.inline_media.push(found);
            }
            url
        } else {
            let judged = link::judge(self.page, self.context, raw);
            judged
                .resolved
                .unwrap_or_else(|| raw.chars().take(2048).collect())
        };
        if source.is_empty() {
            return None;
        }
        let furniture = if rules.ignore.iter().any(|p| p.regex().is_match(&source)) {
            Some(("media.ignore", "a picture of the design"))
        } else if sides.into_iter().flatten().any(|side| side < SPACER) || SPACERS.is_match(&source) {
            // A script may put the real one in its place; browsers without scripts find that behind it.
            self.placeholder = Some(alt.clone());
            Some(("spacer", "a picture that only holds space"))
        } else {
            None
        };
        if let Some((rule, reason)) = furniture {
            self.inline_media.retain(|m| m.source_url != source);
            self.furniture.push(Dropped {
                rule: rule.into(),
                reason: reason.into(),
                chars: Span(at, at),
                text: String::new(),
                media: Some(source),
            });
            return None;
        }
        let media = self.medium(&source, MediaRole::Body, alt.clone());
        let linked = usize::try_from(link)
            .ok()
            .and_then(|l| self.links.get(l.checked_sub(1)?));
        let original = linked
            .and_then(|l| l.resolved.clone())
            .filter(|url| *url != source && picture::is_named_so(url));
        let original = original.map(|url| Original {
            other: self.medium(&url, MediaRole::Original, None),
            verified: false,
        });
        Some(Image {
            media,
            alt,
            original,
            ..Image::default()
        })
    }

    /// Notes a medium; its token.
    fn medium(&mut self, source: &str, role: MediaRole, alt: Option<String>) -> String {
        let entry = media::entry(source, role, alt);
        let token = entry.reference.clone();
        match self.media.iter_mut().find(|m| m.source_url == source) {
            Some(known) if role == MediaRole::Body => known.role = role,
            Some(_) => {}
            None => self.media.push(entry),
        }
        token
    }

    /// What a page holds for browsers without scripts, if it is a picture that the page does not show otherwise.
    pub(super) fn fallback(&mut self, noscript: ElementRef<'_>, at: usize) -> Vec<Image> {
        static IMAGES: LazyLock<Css> = LazyLock::new(|| Css::builtin("img"));
        let placeholder = self.placeholder.take();
        let Some(html) = picture::fallback(noscript) else {
            return Vec::new();
        };
        // Directly behind a picture that a script loads it is the same one, perhaps in another size.
        let before = noscript.prev_siblings().find(|n| n.value().is_element());
        let before = before
            .and_then(ElementRef::wrap)
            .filter(|e| e.value().name() == "img");
        let by_script = &self.context.mapping.rules().media.lazy_attrs;
        let lazy = before.is_some_and(|img| by_script.iter().any(|name| attr(img.value(), name).is_some()));
        if lazy && placeholder.is_none() && html.select(IMAGES.selector()).count() == 1 {
            return Vec::new();
        }
        let mut out = Vec::new();
        for element in html.select(IMAGES.selector()) {
            let known = self.media.len();
            let Some(mut image) = self.image(element, 0, at) else {
                continue;
            };
            // A picture that is there already is the one that the script has loaded.
            if self.media.len() > known {
                image.alt = image.alt.or_else(|| placeholder.clone().flatten());
                for entry in self.media.iter_mut().skip(known) {
                    entry.alt.clone_from(&image.alt);
                }
                out.push(image);
            }
        }
        out
    }

    /// A picture of Word's drawings, unless an `img` stands for the same drawing.
    pub(super) fn drawing(&mut self, element: ElementRef<'_>, at: usize) -> Option<Image> {
        static SHAPES: LazyLock<Css> = LazyLock::new(|| Css::builtin(r"img[v\:shapes]"));
        let raw = element.value().attr("src")?;
        let shape = element
            .ancestors()
            .filter_map(ElementRef::wrap)
            .find(|e| e.value().name().starts_with("v:"))
            .and_then(|e| e.value().attr("id"));
        let stands_for = |img: ElementRef<'_>| {
            let shapes = img.value().attr("v:shapes").unwrap_or_default();
            shape.is_some_and(|s| shapes.split_whitespace().any(|id| id == s))
        };
        static IMAGES: LazyLock<Css> = LazyLock::new(|| Css::builtin("img[src]"));
        let same = |img: ElementRef<'_>| {
            img.value()
                .attr("src")
                .is_some_and(|src| src.trim() == raw.trim())
        };
        if self.page.select(&SHAPES).any(stands_for) || self.page.select(&IMAGES).any(same) {
            return None;
        }
        self.image_of(element, raw, 0, at)
    }

    /// Whether a drawing is of the design; that such ones were left out is told once.
    pub(super) fn icon(&mut self, node: NodeRef<'_, Node>, at: usize) -> bool {
        let is = self.is_icon(node);
        if is && !self.furniture.iter().any(|f| f.rule == ICON) {
            self.furniture.push(Dropped {
                rule: ICON.into(),
                reason: "small drawings without words, of the design".into(),
                chars: Span(at, at),
                text: String::new(),
                media: None,
            });
        }
        is
    }

    /// Whether a drawing is a sign of the design: it says nothing, and it is small, hidden from who cannot see it, taken from
    /// a sheet of signs, or stands in a button.
    fn is_icon(&self, node: NodeRef<'_, Node>) -> bool {
        let Some(element) = node.value().as_element() else {
            return false;
        };
        if self.page.text.span(node.id()).is_some_and(|s| !s.is_empty()) {
            return false;
        }
        let side = |text: &str| text.trim().trim_end_matches("px").parse::<f32>().ok();
        let small = |text: &str| side(text).is_some_and(|s| s <= SIGN);
        let sides = [attr(element, "width"), attr(element, "height")];
        let named =
            |n: NodeRef<'_, Node>, name: &str| n.value().as_element().is_some_and(|e| e.name() == name);
        sides.into_iter().flatten().any(small)
            || attr(element, "viewBox")
                .and_then(|v| v.split([' ', ',']).filter(|p| !p.is_empty()).nth(3))
                .is_some_and(|height| sides == [None, None] && small(height))
            || attr(element, "aria-hidden") == Some("true")
            || node.children().any(|c| named(c, "use"))
            || node.ancestors().take(3).any(|a| named(a, "button"))
    }

    /// A frame, a player or an object: what it shows, by its address.
    pub(super) fn embed(&self, element: ElementRef<'_>) -> Option<Item> {
        let value = element.value();
        let below = || element.descendants().skip(1).filter_map(ElementRef::wrap);
        let attr = |e: ElementRef<'_>, name: &str| {
            let found = e.value().attr(name).map(|v| v.trim().to_owned());
            found.filter(|v| !v.is_empty() && !v.starts_with("about:"))
        };
        let param = || {
            below().filter(|e| e.value().name() == "param").find_map(|e| {
                let name = e.value().attr("name")?.to_ascii_lowercase();
                ["movie", "src", "url", "filename"]
                    .contains(&name.as_str())
                    .then(|| attr(e, "value"))
                    .flatten()
            })
        };
        let nested = || {
            let inside = below().filter(|e| matches!(e.value().name(), "embed" | "iframe" | "source"));
            inside.filter_map(|e| attr(e, "src")).next()
        };
        let address = match value.name() {
            "object" => attr(element, "data").or_else(param).or_else(nested),
            "video" | "audio" => attr(element, "src").or_else(nested),
            _ => attr(element, "src").or_else(|| attr(element, "data-src")),
        }?;
        let tiny = |name: &str| {
            let side = value.attr(name).and_then(|v| v.trim().parse::<u32>().ok());
            side.is_some_and(|side| side < SPACER)
        };
        if value.name() == "iframe" && tiny("width") && tiny("height") {
            return None;
        }
        let url = self.page.base.join(&address).ok()?;
        let text = spaces(value.attr("title").unwrap_or_default());
        Some(Item::Block(Block::Embed {
            url: url.into(),
            text,
            src: self.source(Span(0, 0)),
        }))
    }

    /// Tells of pictures and players that are passed over with what stands round them.
    pub(super) fn leave(&mut self, nodes: &[NodeId]) {
        let lazy = &self.context.mapping.rules().media.lazy_attrs;
        for id in nodes {
            let Some(element) = self.page.html.tree.get(*id).and_then(ElementRef::wrap) else {
                continue;
            };
            let source = if element.value().name() == "img" {
                picture::source(element, lazy).and_then(|raw| match media::data_uri(raw) {
                    Some(inline) => Some(inline.source_url),
                    None => link::judge(self.page, self.context, raw).resolved,
                })
            } else {
                self.embed(element).and_then(|item| match item {
                    Item::Block(Block::Embed { url, .. }) => Some(url),
                    _ => None,
                })
            };
            let Some(source) = source else { continue };
            let told = self.furniture.iter().any(|f| f.media.as_ref() == Some(&source));
            if told || self.media.iter().any(|m| m.source_url == source) {
                continue;
            }
            let at = self.page.text.span(*id).map_or(0, |s| s.0);
            self.furniture.push(Dropped {
                rule: "auto:picture".into(),
                reason: "stands with what is not of the text".into(),
                chars: Span(at, at),
                text: String::new(),
                media: Some(source),
            });
        }
    }

    /// A table that sets pictures side by side with their captions below them or in their cells: the cells as pairs, in
    /// reading order. A cell without a caption has none.
    pub(super) fn picture_grid(&self, table: ElementRef<'_>) -> Option<Vec<(NodeId, Option<NodeId>)>> {
        let mut rows: Vec<Vec<(NodeId, usize, usize)>> = Vec::new();
        for element in table.descendants().skip(1).filter_map(ElementRef::wrap) {
            match element.value().name() {
                "table" => return None,
                "tr" => rows.push(Vec::new()),
                "td" | "th" => {
                    let images = element
                        .descendants()
                        .filter(|n| matches!(n.value(), Node::Element(e) if e.name() == "img"))
                        .count();
                    let text = self.page.text.span(element.id()).map_or(0, Span::len);
                    rows.last_mut()?.push((element.id(), images, text));
                }
                _ => {}
            }
        }
        rows.retain(|r| r.iter().any(|(_, images, text)| *images + *text > 0));
        let pictures = |row: &[(_, usize, usize)]| row.iter().map(|(_, images, _)| images).sum::<usize>();
        if !rows.iter().any(|r| pictures(r) >= 2)
            || rows
                .iter()
                .flatten()
                .any(|c| c.1 > 1 || c.2 > super::arrange::CAPTION)
        {
            return None;
        }
        let mut out = Vec::new();
        let mut rest = rows.as_slice();
        while let [row, more @ ..] = rest {
            if pictures(row) == 0 {
                return None;
            }
            let bare = row.iter().all(|(_, images, text)| *images == 0 || *text == 0);
            let captions = more
                .first()
                .filter(|next| bare && pictures(next) == 0 && next.len() == row.len());
            for (n, (id, images, text)) in row.iter().enumerate() {
                let below = captions.and_then(|c| c.get(n)).map(|c| c.0);
                // A cell of text between pictures is not a picture's.
                if *images == 0 && *text > 0 {
                    return None;
                }
                if *images > 0 || below.is_some() {
                    out.push((*id, below));
                }
            }
            rest = if captions.is_some() { &more[1..] } else { more };
        }
        Some(out)
    }
}
