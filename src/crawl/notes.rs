//! What is noted beside an archived exchange, so that a ledger can be made of the archive alone. Pure.

use crate::ledger::{Ready, UrlKind};

/// What it was asked for as.
pub(super) const KIND: &str = "kind";
/// Links from a start page.
pub(super) const DEPTH: &str = "depth";
/// Redirects on the way to its URL.
pub(super) const HOPS: &str = "hops";
/// There are more exchanges of the same answer behind it.
pub(super) const MORE: &str = "more";

/// Notes what one exchange of a task is; `more`: it is not the last one of the answer. What another crawl noted of the
/// same goes.
pub(super) fn note(notes: &mut Vec<(String, String)>, task: &Ready, more: bool) {
    notes.retain(|(name, _)| ![KIND, DEPTH, HOPS, MORE].contains(&name.as_str()));
    let number = |name, n: u32| Some((name, n.to_string())).filter(|_| n > 0);
    let ours = [
        Some((KIND, kind_name(task.kind).to_owned())),
        number(DEPTH, task.depth),
        number(HOPS, task.hops),
        more.then(|| (MORE, "yes".to_owned())),
    ];
    notes.extend(
        ours.into_iter()
            .flatten()
            .map(|(name, value)| (name.to_owned(), value)),
    );
}

const KINDS: [(UrlKind, &str); 6] = [
    (UrlKind::Page, "page"),
    (UrlKind::Media, "media"),
    (UrlKind::Robots, "robots"),
    (UrlKind::Sitemap, "sitemap"),
    (UrlKind::Postback, "request"),
    (UrlKind::Probe, "probe"),
];

fn kind_name(kind: UrlKind) -> &'static str {
    KINDS
        .iter()
        .find(|(k, _)| *k == kind)
        .map_or("page", |(_, name)| name)
}

/// What a note says the exchange was asked for as.
pub(super) fn kind(notes: &[(String, String)]) -> Option<UrlKind> {
    let said = get(notes, KIND)?;
    KINDS
        .iter()
        .find(|(_, name)| *name == said)
        .map(|(kind, _)| *kind)
}

/// The value of a note.
pub(super) fn get<'n>(notes: &'n [(String, String)], name: &str) -> Option<&'n str> {
    notes
        .iter()
        .find(|(n, _)| n == name)
        .map(|(_, value)| value.as_str())
}
