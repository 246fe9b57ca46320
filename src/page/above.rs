//! What stands above an element, roughly: a rule of a sheet whose classes and names are not there need not be matched. As
//! browsers do it, ids and classes are counted by a hash; that two share one costs a match, never a wrong answer.

use super::nodes::attr;
use scraper::node::Element;

/// Counts; a power of two.
const SLOTS: usize = 1024;

/// The ids and classes of the open elements.
#[derive(Debug)]
pub(super) struct Above(Vec<u16>);

impl Default for Above {
    fn default() -> Self {
        Self(vec![0; SLOTS])
    }
}

impl Above {
    /// Opens an element.
    pub(super) fn open(&mut self, element: &Element) {
        for slot in slots(element) {
            self.0[slot] = self.0[slot].saturating_add(1);
        }
    }

    /// Closes it.
    pub(super) fn close(&mut self, element: &Element) {
        for slot in slots(element) {
            // One that was full never knows again.
            if self.0[slot] < u16::MAX {
                self.0[slot] = self.0[slot].saturating_sub(1);
            }
        }
    }

    /// Whether all of these may be above.
    pub(super) fn may_hold(&self, wanted: &[usize]) -> bool {
        wanted.iter().all(|slot| self.0[*slot] > 0)
    }
}

fn slots(element: &Element) -> impl Iterator<Item = usize> {
    let id = attr(element, "id").map(|id| slot('#', id));
    let classes = attr(element, "class").unwrap_or_default();
    id.into_iter()
        .chain(classes.split_ascii_whitespace().map(|c| slot('.', c)))
}

/// The slot of an id (`#`) or a class (`.`).
fn slot(sign: char, name: &str) -> usize {
    // FNV-1a, 32 bits.
    let hash = |hash: u32, byte: u8| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193);
    let start = hash(0x811c_9dc5, sign as u8);
    let all = name.bytes().fold(start, hash);
    (all ^ (all >> 16)) as usize % SLOTS
}

/// What a selector wants above the elements that it matches. What stands before `+` and `~` is beside, not above; what
/// stands in brackets may be anything.
pub(super) fn wanted(selector: &str) -> Vec<usize> {
    if selector.contains(['(', '[', '\\', '"', '\'']) {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut rest = selector.trim();
    while let Some(end) = rest.find(|c: char| c.is_whitespace() || matches!(c, '>' | '+' | '~')) {
        let compound = &rest[..end];
        let behind = rest[end..].trim_start();
        let beside = behind.starts_with(['+', '~']);
        rest = behind.trim_start_matches(['>', '+', '~']).trim_start();
        if beside {
            continue;
        }
        let mut names = compound;
        while let Some(at) = names.find(['.', '#']) {
            let sign = if names[at..].starts_with('.') { '.' } else { '#' };
            let name = &names[at + 1..];
            let name = &name[..name.find(['.', '#', ':']).unwrap_or(name.len())];
            out.push(slot(sign, name));
            names = &names[at + 1..];
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_selector_wants_above() {
        let (a, b) = (slot('.', "a"), slot('#', "b"));
        for (selector, slots) in [
            (".c", vec![]),
            (".a .c", vec![a]),
            (".a>#b  > .c", vec![a, b]),
            ("p.a#b:hover .c", vec![a, b]),
            (".x+.c", vec![]),
            (".a .x ~ .c", vec![a]),
            (".a:not(.x) .c", vec![]),
            ("ul li", vec![]),
        ] {
            assert_eq!(wanted(selector), slots, "{selector}");
        }
    }

    #[test]
    fn what_is_open_is_above() {
        let html = scraper::Html::parse_document("<p class='a c' id=b>");
        let element = html
            .tree
            .nodes()
            .filter_map(|n| n.value().as_element())
            .find(|e| e.name() == "p")
            .unwrap();
        let mut above = Above::default();
        assert!(!above.may_hold(&wanted(".a #b x")) && above.may_hold(&[]));
        above.open(element);
        assert!(above.may_hold(&wanted(".a #b x")));
        above.close(element);
        assert!(!above.may_hold(&wanted(".a x")));
    }
}
