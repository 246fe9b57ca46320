//! How deep a page is nested, by its tags: the tree builder knows better, but it needs time quadratic in what it is told.

use html5ever::LocalName;
use std::collections::HashMap;

/// What a tag is to the nesting of a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// It never nests, or an equal element closes it.
    Flat,
    /// Its text is no markup.
    Raw,
    /// An inline element, by its number: it closes by itself.
    Formatting(usize),
    /// An element like `div`, by its number.
    Block(usize),
    /// One that nobody knows.
    Other,
}

const FORMATTING: usize = 14;
const BLOCKS: usize = 40;

impl Kind {
    /// `name` in small letters.
    pub(super) fn of(name: &[u8]) -> Self {
        use Kind::{Block, Flat, Formatting, Raw};
        match name {
            b"area" | b"base" | b"br" | b"col" | b"embed" | b"hr" | b"img" | b"input" | b"link" | b"meta"
            | b"param" | b"source" | b"track" | b"wbr" => Flat,
            b"p" | b"li" | b"td" | b"th" | b"tr" | b"dd" | b"dt" | b"option" | b"tbody" => Flat,
            b"script" | b"style" | b"textarea" | b"title" | b"iframe" | b"xmp" | b"plaintext" => Raw,
            b"a" => Formatting(0),
            b"b" => Formatting(1),
            b"big" => Formatting(2),
            b"code" => Formatting(3),
            b"em" => Formatting(4),
            b"font" => Formatting(5),
            b"i" => Formatting(6),
            b"nobr" => Formatting(7),
            b"s" => Formatting(8),
            b"small" => Formatting(9),
            b"strike" => Formatting(10),
            b"strong" => Formatting(11),
            b"tt" => Formatting(12),
            b"u" => Formatting(13),
            b"div" => Block(0),
            b"span" => Block(1),
            b"ul" => Block(2),
            b"ol" => Block(3),
            b"table" => Block(4),
            b"svg" => Block(5),
            b"path" => Block(6),
            b"g" => Block(7),
            b"button" => Block(8),
            b"section" => Block(9),
            b"article" => Block(10),
            b"header" => Block(11),
            b"footer" => Block(12),
            b"nav" => Block(13),
            b"main" => Block(14),
            b"aside" => Block(15),
            b"figure" => Block(16),
            b"figcaption" => Block(17),
            b"picture" => Block(18),
            b"h1" => Block(19),
            b"h2" => Block(20),
            b"h3" => Block(21),
            b"h4" => Block(22),
            b"h5" => Block(23),
            b"h6" => Block(24),
            b"form" => Block(25),
            b"label" => Block(26),
            b"html" => Block(27),
            b"head" => Block(28),
            b"body" => Block(29),
            b"noscript" => Block(30),
            b"time" => Block(31),
            b"use" => Block(32),
            b"center" => Block(33),
            b"thead" => Block(34),
            b"select" => Block(35),
            b"dl" => Block(36),
            b"blockquote" => Block(37),
            b"sup" => Block(38),
            b"video" => Block(39),
            _ => Kind::Other,
        }
    }
}

/// Attributes of one tag that are read; html5ever compares each with all before it.
pub(super) const MAX_ATTRIBUTES: usize = 256;
/// Open elements.
pub(super) struct Open {
    depth: usize,
    /// Open block elements with whether their tag was left out.
    stack: Vec<(Name, bool)>,
    counts: [usize; BLOCKS],
    others: HashMap<LocalName, usize>,
    /// Open inline elements as (open, left out).
    inline: [(usize, usize); FORMATTING],
}

#[derive(PartialEq, Eq)]
enum Name {
    Known(usize),
    Other(LocalName),
}

impl Open {
    pub(super) fn new() -> Self {
        Self {
            depth: 0,
            stack: Vec::new(),
            counts: [0; BLOCKS],
            others: HashMap::new(),
            inline: [(0, 0); FORMATTING],
        }
    }

    /// Takes a tag; whether it is to be left out, as it goes below `limit` levels.
    pub(super) fn take(&mut self, name: &LocalName, kind: Kind, closing: bool, limit: usize) -> bool {
        match kind {
            Kind::Flat | Kind::Raw if !closing => false,
            Kind::Formatting(number) => self.formatting(number, closing, limit),
            Kind::Block(number) => self.block(Name::Known(number), closing, limit),
            Kind::Flat | Kind::Raw | Kind::Other => self.block(Name::Other(name.clone()), closing, limit),
        }
    }

    fn count(&mut self, name: &Name) -> Option<&mut usize> {
        match name {
            Name::Known(n) => self.counts.get_mut(*n),
            Name::Other(name) => self.others.get_mut(name),
        }
    }

    /// Takes the tag of an inline element; whether it is to be left out.
    fn formatting(&mut self, number: usize, closing: bool, limit: usize) -> bool {
        let (open, left) = &mut self.inline[number];
        if closing {
            if *left > 0 {
                *left -= 1;
                return true;
            }
            if *open > 0 {
                *open -= 1;
                self.depth -= 1;
            }
            return false;
        }
        let out = self.depth >= limit;
        if out {
            *left += 1;
        } else {
            *open += 1;
            self.depth += 1;
        }
        out
    }

    /// Takes the tag of another element; whether it is to be left out.
    fn block(&mut self, name: Name, closing: bool, limit: usize) -> bool {
        if !closing {
            let out = self.depth >= limit;
            self.depth += usize::from(!out);
            match &name {
                Name::Known(n) => self.counts[*n] += 1,
                Name::Other(name) => match self.others.get_mut(name) {
                    Some(count) => *count += 1,
                    None => drop(self.others.insert(name.clone(), 1)),
                },
            }
            self.stack.push((name, out));
            return out;
        }
        if self.count(&name).is_none_or(|n| *n == 0) {
            return false;
        }
        while let Some((top, left)) = self.stack.pop() {
            if let Some(n) = self.count(&top) {
                *n -= 1;
            }
            self.depth -= usize::from(!left);
            if top == name {
                return left;
            }
        }
        false
    }
}
