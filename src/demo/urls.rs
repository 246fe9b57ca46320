//! Addresses of the portal: how its pages spell them, and the one spelling that identity makes of them.

/// The portal's base URL, wherever it really listens.
pub const BASE: &str = "http://ctk-binhthuan.example/";

/// Id of the portal's site in its mapping.
pub const SITE: &str = "ctk-binhthuan";

/// How a page spells the address of an article.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Spelling {
    /// `View.aspx?ItemID=5&CatID=1`, as lists do.
    Usual,
    /// `view.aspx?itemid=5`, as related lists do.
    Lower,
    /// `View.aspx?CatID=1&ItemID=5`.
    Swapped,
    /// `/View.aspx?ItemID=5&CatID=1&sid=…`: a session in the query.
    Session,
    /// `/tin-tuc/5.html`: the address before the last redesign; redirects.
    Old,
    /// `Print.aspx?ItemID=5`: the print view.
    Print,
    /// Absolute, with the portal's host.
    Absolute,
}

/// Identity of an article in the portal's addresses.
pub(super) fn item_id(index: usize) -> usize {
    index + 1
}

/// Section of an article, 1 to 4.
pub(super) fn category(index: usize) -> usize {
    index % 4 + 1
}

/// The address of an article as a page writes it.
pub(super) fn href(index: usize, spelling: Spelling) -> String {
    let (id, cat) = (item_id(index), category(index));
    match spelling {
        Spelling::Usual => format!("View.aspx?ItemID={id}&CatID={cat}"),
        Spelling::Lower => format!("view.aspx?itemid={id}"),
        Spelling::Swapped => format!("View.aspx?CatID={cat}&ItemID={id}"),
        Spelling::Session => format!("/View.aspx?ItemID={id}&CatID={cat}&sid={:08x}", session(index)),
        Spelling::Old => format!("/tin-tuc/{id}.html"),
        Spelling::Print => format!("Print.aspx?ItemID={id}"),
        Spelling::Absolute => format!("{BASE}View.aspx?ItemID={id}&CatID={cat}"),
    }
}

/// A link of a page (all pages lie in the root folder) as an absolute URL, spelled as it is.
pub(super) fn absolute(href: &str) -> String {
    if href.contains("://") {
        href.to_owned()
    } else {
        format!("{BASE}{}", href.trim_start_matches('/'))
    }
}

/// The canonical address of an article.
pub(super) fn canonical(index: usize) -> String {
    format!("{BASE}view.aspx?ItemID={}", item_id(index))
}

/// The canonical address of a download.
pub(super) fn canonical_download(id: usize) -> String {
    format!("{BASE}download.ashx?id={id}")
}

/// The canonical address of a picture.
pub(super) fn canonical_picture(path: &str) -> String {
    absolute(path)
}

fn session(index: usize) -> u32 {
    let hash = blake3::hash(&(index as u64).to_le_bytes());
    let bytes = hash.as_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])
}

/// How the home page spells the article's address in its box of much-read articles.
pub(super) fn box_spelling(index: usize) -> Spelling {
    match index % 5 {
        0 => Spelling::Session,
        1 => Spelling::Swapped,
        2 => Spelling::Old,
        3 => Spelling::Lower,
        _ => Spelling::Absolute,
    }
}
