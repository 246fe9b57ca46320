//! Servers that say 200 and mean 404. For each handler (a page kind at a shape of URL) one address that cannot exist is
//! asked for; what comes back is what "not found" looks like there. A page that shows nothing beyond it is not there.
//! Chrome falls out by itself: it stands on both. Pure.

use crate::crawl::trap;
use crate::lang::fold;
use crate::mapping::{Mapping, PageUrl};
use crate::page::Page;
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, RwLock};

/// Most lines of a fingerprint.
const MAX_LINES: usize = 4096;
/// A page that shows fewer characters than this beyond the fingerprint is the same answer (an echo, a clock).
const OWN_CHARS: usize = 24;
/// Numbers that stand in for one that exists: from 900,000,000.
const NONCES: u64 = 100_000_000;

/// Which handler of the server answers this URL: collection, and the path with its numbers taken out, and the names of
/// its parameters. `None` if no collection wants the page: nothing would be lost by a wrong verdict.
#[must_use]
pub fn handler(mapping: &Mapping, url: &PageUrl) -> Option<String> {
    let collection = mapping.collection_for_url(url)?;
    let pattern = trap::pattern(url);
    let (path, query) = pattern.split_once('?').unwrap_or((&pattern, ""));
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    // The name of a page without a query is what it is asked by; `View.aspx?ItemID` is a program.
    let kept = match file.rsplit_once('.') {
        _ if !query.is_empty() => file.to_owned(),
        Some((_, kind)) => format!("*.{kind}"),
        None => "*".to_owned(),
    };
    Some(format!("{} {folder}/{kept}?{query}", collection.id))
}

/// A URL of the same handler that cannot exist: its last number becomes one with nine digits, else the last segment of
/// its path a word that nobody wrote.
#[must_use]
pub fn nonce(mapping: &Mapping, url: &PageUrl) -> Option<PageUrl> {
    let own = handler(mapping, url)?;
    // The same in every run: a run that was killed and continued asks for what an undisturbed one does.
    let number = format!("9{:08}", hash(own.as_bytes()) % NONCES);
    let text = url.path_and_query();
    let with = |changed: String| {
        let asked = url.as_url().join(&changed).ok()?;
        let asked = mapping.canonical(&asked).ok()?;
        (asked != *url && handler(mapping, &asked).as_ref() == Some(&own)).then_some(asked)
    };
    let end = text.rfind(|c: char| c.is_ascii_digit());
    if let Some(end) = end {
        let start = text[..=end]
            .rfind(|c: char| !c.is_ascii_digit())
            .map_or(0, |i| i + 1);
        if let Some(found) = with(format!("{}{number}{}", &text[..start], &text[end + 1..])) {
            return Some(found);
        }
    }
    let path = url.as_url().path();
    let start = path.rfind('/').map_or(0, |i| i + 1);
    let stop = path[start..].find('.').map_or(path.len(), |i| start + i);
    let rest = &text[stop..];
    with(format!("{}khong-co-{number}{rest}", &text[..start]))
}

/// What a page shows, line by line, without its digits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    lines: HashSet<u64>,
}

impl Fingerprint {
    /// Of a page.
    #[must_use]
    pub fn of(page: &Page) -> Self {
        let lines = lines(page).map(|(hash, _)| hash).take(MAX_LINES).collect();
        Self { lines }
    }

    /// Does the page show nothing of its own?
    #[must_use]
    pub fn covers(&self, page: &Page) -> bool {
        let mut own = 0;
        let mut any = false;
        for (hash, length) in lines(page) {
            any = true;
            if !self.lines.contains(&hash) {
                own += length;
                if own >= OWN_CHARS {
                    return false;
                }
            }
        }
        any
    }

    /// For the ledger: the hashes, sorted, little-endian.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut sorted: Vec<u64> = self.lines.iter().copied().collect();
        sorted.sort_unstable();
        sorted.into_iter().flat_map(u64::to_le_bytes).collect()
    }

    /// From the ledger.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Self {
        let (hashes, _) = bytes.as_chunks::<8>();
        Self {
            lines: hashes
                .iter()
                .map(|h| u64::from_le_bytes(*h))
                .take(MAX_LINES)
                .collect(),
        }
    }
}

/// Hash and length of each line of a page, folded, its digits alike.
fn lines(page: &Page) -> impl Iterator<Item = (u64, usize)> {
    page.text.as_str().lines().filter_map(|line| {
        let folded: String = fold(line)
            .chars()
            .map(|c| if c.is_ascii_digit() { '#' } else { c })
            .collect();
        let length = folded.chars().filter(|c| c.is_alphanumeric()).count();
        (length > 0).then(|| (hash(folded.as_bytes()), length))
    })
}

/// All that a page shows as one number: pages with equal ones say the same. Digits count where the mapping asks for the
/// page (`wanted`): notices that differ in their number only are not one. Not folded: it is asked for every page.
#[must_use]
pub fn signature(page: &Page, wanted: bool) -> u64 {
    if wanted {
        return hash(page.text.as_str().as_bytes());
    }
    let text: Vec<u8> = page
        .text
        .as_str()
        .bytes()
        .filter(|b| !b.is_ascii_digit())
        .collect();
    hash(&text)
}

fn hash(bytes: &[u8]) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&blake3::hash(bytes).as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// What a page is, by what its handler says of pages that are not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Judgement {
    /// The handler was not probed yet, or says 404 as it should.
    Unknown,
    /// It shows something of its own.
    Content,
    /// It shows nothing of its own; other pages of the handler do.
    Missing,
    /// It shows nothing of its own, and no page of the handler did so far: pages this short cannot be told from "not
    /// found", so they count as content until one shows that the two differ.
    Doubtful,
}

#[derive(Debug)]
struct Known {
    fingerprint: Fingerprint,
    /// A page of this handler showed something of its own.
    proved: bool,
}

/// What was learned of the handlers of a site. Shared by the workers; written by the recorder alone.
#[derive(Clone, Debug, Default)]
pub struct Learned(Arc<RwLock<HashMap<String, Known>>>);

impl Learned {
    /// Adds what a handler says of pages that are not there.
    pub fn learn(&self, handler: String, fingerprint: Fingerprint, proved: bool) {
        // A panic of another thread cannot leave the map half written: inserting is the only change.
        let mut known = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        known.insert(handler, Known { fingerprint, proved });
    }

    /// Forgets everything: a site may have changed since.
    pub fn forget(&self) {
        self.0
            .write()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clear();
    }

    /// A page of the handler showed something of its own. `true` if that is news.
    #[must_use]
    pub fn prove(&self, handler: &str) -> bool {
        let mut known = self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        known
            .get_mut(handler)
            .is_some_and(|k| !std::mem::replace(&mut k.proved, true))
    }

    /// What a page of this handler is.
    #[must_use]
    pub fn judge(&self, handler: &str, page: &Page) -> Judgement {
        let known = self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        match known.get(handler) {
            None => Judgement::Unknown,
            Some(k) if !k.fingerprint.covers(page) => Judgement::Content,
            Some(k) if k.proved => Judgement::Missing,
            Some(_) => Judgement::Doubtful,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crawl::tests::{mapping, page};

    const NEWS: &str = "[[collection]]\nid = \"news\"\nmatch = { url = '^/View|^/tin/' }\nkey = \"{url}\"";

    #[test]
    fn an_address_that_cannot_exist_stays_with_its_handler() {
        let m = mapping(NEWS);
        let url = |text: &str| m.canonical(&text.parse().unwrap()).unwrap();
        let asked =
            |text: &str| nonce(&m, &url(text)).map(|u| u.as_str().replace(|c: char| c.is_ascii_digit(), "0"));
        let view = asked("http://h/View.aspx?ItemID=4012&CatID=7").unwrap();
        assert_eq!(view, "http://h/View.aspx?CatID=0&ItemID=000000000");
        let slug = asked("http://h/tin/gia-tieu-dung.html").unwrap();
        assert_eq!(slug, "http://h/tin/khong-co-000000000.html");
        assert_eq!(asked("http://h/other"), None);
    }

    #[test]
    fn what_shows_nothing_of_its_own_is_not_there() {
        let frame = |body: &str| {
            format!("<div>Cục Thống kê tỉnh</div><div>Hôm nay 23/11/2026 10:00</div>{body}<div>Liên hệ</div>")
        };
        let read = |body: &str| page("http://h/View?ItemID=1", &frame(body), NEWS);
        let missing = Fingerprint::of(&read("<p>Không tìm thấy bài viết số 912345678</p>"));
        let stored = Fingerprint::from_bytes(&missing.to_bytes());
        assert_eq!(stored, missing);
        assert!(stored.covers(&read("<p>Không tìm thấy bài viết số 17</p>")));
        assert!(!stored.covers(&read("<p>Chỉ số giá tiêu dùng tháng 11 tăng nhẹ</p>")));
        let learned = Learned::default();
        let short = read("<p>Không tìm thấy bài viết số 5</p>");
        let handler = "news /View?ItemID";
        assert_eq!(learned.judge(handler, &short), Judgement::Unknown);
        learned.learn(handler.into(), missing, false);
        // Nothing of this handler ever showed more: better a page too many than one too few.
        assert_eq!(learned.judge(handler, &short), Judgement::Doubtful);
        let article = read("<p>Chỉ số giá tiêu dùng tháng 11 tăng nhẹ</p>");
        assert_eq!(learned.judge(handler, &article), Judgement::Content);
        assert!(learned.prove(handler) && !learned.prove(handler));
        assert_eq!(learned.judge(handler, &short), Judgement::Missing);
        assert_eq!(learned.judge("other", &short), Judgement::Unknown);
    }
}
