//! What of a document is compared with all others of the site: small enough to be kept for each of them, so that nobody reads
//! the documents again.
//!
//! Likeness is that of the sets of three words in a row (Broder, "On the resemblance and containment of documents", 1997),
//! estimated by minima of hashes of which 16 bits each are kept (Li and König, "b-Bit Minwise Hashing", 2010). With
//! [`HASHES`] of them the estimate is off by 3 per cent points at a likeness of 85 per cent (one standard deviation). Pairs
//! worth a comparison are those that have one of [`BANDS`] bands of the minima in common: a pair that is 75 per cent alike is
//! overlooked in one case of fifty, at 85 per cent in one of twenty thousand.
//!
//! Crates that do this keep an index of all documents in memory; ours is what the ledger sorts out of small rows.

use crate::document::{Dates, Document};
use crate::lang::fold;

/// Words in a row that make one element of a text's set.
const SHINGLE: usize = 3;
/// Minima that are kept.
const HASHES: usize = BANDS * ROWS;
/// Bands of minima.
const BANDS: usize = 21;
/// Minima of a band.
const ROWS: usize = 6;
/// Words of a body below which one word more or less is too much of it to speak of likeness.
const WORDS: usize = 40;
/// Words of a body that are looked at; the rest is a book.
const MOST_WORDS: usize = 100_000;

/// A document in short.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fingerprint {
    /// Hash of the folded title.
    pub title: Option<u64>,
    /// Hash of the words of the body, folded.
    pub body: Option<u64>,
    /// Letters and digits of the body.
    pub letters: u64,
    /// [`HASHES`] minima, two bytes each; empty for a short body.
    pub sketch: Vec<u8>,
    /// Canonical URLs of this site that its links lead to, sorted, each once.
    pub links: Vec<String>,
}

/// Takes the fingerprint of a document.
#[must_use]
pub fn fingerprint(document: &Document) -> Fingerprint {
    let text: Vec<String> = document.body.iter().map(|b| fold(&b.text())).collect();
    let words: Vec<u64> = text
        .iter()
        .flat_map(|t| t.split(' '))
        .map(|w| w.trim_matches(|c: char| !c.is_alphanumeric()))
        .filter(|w| !w.is_empty())
        .take(MOST_WORDS)
        .map(hash)
        .collect();
    let mut whole = blake3::Hasher::new();
    words.iter().for_each(|w| {
        whole.update(&w.to_le_bytes());
    });
    let letters = text
        .iter()
        .flat_map(|t| t.chars())
        .filter(|c| c.is_alphanumeric())
        .count();
    let title = document.title.as_deref().map(fold).filter(|t| !t.is_empty());
    let internal = document
        .links
        .iter()
        .filter(|l| l.kind == crate::document::LinkKind::Internal);
    let mut links: Vec<String> = internal.filter_map(|l| l.resolved.clone()).collect();
    links.sort();
    links.dedup();
    Fingerprint {
        title: title.map(|t| hash(&t)),
        body: (!words.is_empty()).then(|| first(&whole.finalize())),
        letters: letters as u64,
        sketch: sketch(&words),
        links,
    }
}

fn first(hash: &blake3::Hash) -> u64 {
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

fn hash(text: &str) -> u64 {
    first(&blake3::hash(text.as_bytes()))
}

/// A bijection that mixes all bits (the finaliser of SplitMix64).
const fn mix(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// Multiplier and summand of each hash; the multipliers are odd, so that each is a permutation.
const PERMUTATIONS: [(u64, u64); HASHES] = {
    let mut all = [(0, 0); HASHES];
    let mut i = 0;
    while i < HASHES {
        all[i] = (mix(2 * i as u64 + 1) | 1, mix(2 * i as u64 + 2));
        i += 1;
    }
    all
};

fn sketch(words: &[u64]) -> Vec<u8> {
    if words.len() < WORDS {
        return Vec::new();
    }
    let mut least = [u64::MAX; HASHES];
    for shingle in words.windows(SHINGLE) {
        let element = shingle.iter().fold(0, |h, word| mix(h ^ *word));
        for (least, (a, b)) in least.iter_mut().zip(&PERMUTATIONS) {
            *least = (*least).min(element.wrapping_mul(*a).wrapping_add(*b));
        }
    }
    least
        .iter()
        .flat_map(|m| m.to_le_bytes().into_iter().take(2))
        .collect()
}

/// How alike two bodies are by their sketches, in per cent; `None` if one is too short to say.
#[must_use]
pub fn alike(a: &[u8], b: &[u8]) -> Option<u64> {
    if a.len() != 2 * HASHES || b.len() != 2 * HASHES {
        return None;
    }
    let same = a
        .chunks_exact(2)
        .zip(b.chunks_exact(2))
        .filter(|(a, b)| a == b)
        .count();
    Some((same * 100 / HASHES) as u64)
}

/// Keys of which two bodies that are alike have one in common, nearly always.
pub fn bands(sketch: &[u8]) -> impl Iterator<Item = u64> + '_ {
    let whole = sketch.len() == 2 * HASHES;
    let bands = sketch
        .chunks_exact(2 * ROWS)
        .zip(0_u64..)
        .take(if whole { BANDS } else { 0 });
    bands.map(|(band, number)| {
        let start = mix(number + 1);
        band.chunks_exact(2)
            .fold(start, |h, m| mix(h ^ u64::from(u16::from_le_bytes([m[0], m[1]]))))
    })
}

/// Names of the fields that have something in them: `title`, `dates.published`, `legal.number`, `body`, names of one's own.
#[must_use]
pub fn filled(document: &Document) -> Vec<String> {
    let byline = document.byline.as_ref();
    let mut names: Vec<String> = [
        ("title", document.title.is_some()),
        ("section", document.section.is_some()),
        ("byline", byline.is_some()),
        ("byline.person", byline.is_some_and(|b| b.person.is_some())),
        ("source", document.source.is_some()),
        ("summary", document.summary.is_some()),
        ("body", !document.body.is_empty()),
        ("media", !document.media.is_empty()),
        ("attachments", !document.attachments.is_empty()),
    ]
    .into_iter()
    .filter(|(_, there)| *there)
    .map(|(name, _)| name.to_owned())
    .collect();
    let roles = Dates::ROLES
        .into_iter()
        .filter(|r| document.dates.role(r).is_some());
    names.extend(roles.map(|role| format!("dates.{role}")));
    if let Some(legal) = &document.legal {
        let parts = [
            ("number", &legal.number),
            ("kind", &legal.kind),
            ("issuer", &legal.issuer),
            ("signer", &legal.signer),
            ("position", &legal.position),
            ("area", &legal.area),
            ("status", &legal.status),
        ];
        let there = parts.into_iter().filter(|(_, value)| value.is_some());
        names.extend(there.map(|(name, _)| format!("legal.{name}")));
    }
    names.extend(
        document
            .extra
            .iter()
            .filter(|(_, v)| !v.is_empty())
            .map(|(name, _)| name.clone()),
    );
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(range: std::ops::Range<u64>) -> Vec<u64> {
        range.map(|n| hash(&n.to_string())).collect()
    }

    /// What the sketches estimate, computed.
    fn exact(a: &[u64], b: &[u64]) -> f64 {
        let set = |w: &[u64]| {
            w.windows(SHINGLE)
                .map(<[u64]>::to_vec)
                .collect::<std::collections::BTreeSet<_>>()
        };
        let (a, b) = (set(a), set(b));
        a.intersection(&b).count() as f64 / a.union(&b).count() as f64
    }

    #[test]
    fn likeness_is_estimated_and_likely_pairs_share_a_band() {
        let one = words(0..1000);
        let (mut overlooked, mut pairs, mut met) = (0, 0, 0);
        for seed in 0..60_u64 {
            for (share, least) in [(0.95, 94), (0.9, 88), (0.85, 82), (0.5, 45), (0.1, 7)] {
                // Words replaced here and there: each breaks three shingles.
                let broken = ((1.0 - share) / (1.0 + share) * 1000.0 / 3.0) as u64;
                let mut other = one.clone();
                for k in 0..broken {
                    let at = (k * 1000 / broken.max(1)) as usize;
                    other[at] = hash(&format!("{seed} {k}"));
                }
                let (a, b) = (sketch(&one), sketch(&other));
                let said = alike(&a, &b).unwrap() as f64;
                let right = exact(&one, &other) * 100.0;
                assert!((said - right).abs() < 17.0, "{said} for {right}");
                assert!(right >= f64::from(least) - 3.0);
                let shared = bands(&a).zip(bands(&b)).any(|(a, b)| a == b);
                if share >= 0.85 {
                    pairs += 1;
                    overlooked += u32::from(!shared);
                } else if share < 0.2 {
                    met += u32::from(shared);
                }
            }
        }
        assert!(overlooked <= 1, "{overlooked} of {pairs} pairs share no band");
        assert!(met <= 2, "{met} of 60 pairs that are not alike are compared");
    }

    #[test]
    fn equal_texts_are_equal_and_short_ones_say_nothing() {
        assert_eq!(alike(&sketch(&words(0..50)), &sketch(&words(0..50))), Some(100));
        assert!(alike(&sketch(&words(0..50)), &sketch(&words(100..150))).unwrap() < 10);
        assert_eq!(alike(&sketch(&words(0..39)), &sketch(&words(0..39))), None);
        assert_eq!(bands(&[]).count(), 0);
        assert_eq!(bands(&sketch(&words(0..50))).count(), BANDS);
    }
}
