//! Legacy Vietnamese character sets: bytes, shown as windows-1252, to letters and back.
//!
//! Pages in these sets come through HTML parsers as their windows-1252 surface. That is a bijection of 256 bytes (WHATWG
//! Encoding: 81 8D 8F 90 9D are C1 controls), so nothing is lost on the way, and `&shy;` is the same as the byte AD.

use super::tables::{self, Table};
use encoding_rs::{WINDOWS_1252, WINDOWS_1258};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use unicode_normalization::UnicodeNormalization;

/// A legacy Vietnamese character set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Charset {
    /// The code page of Vietnamese Windows: letters and combining tones.
    Windows1258,
    /// TCVN 5712:1993 as the `.Vn*` fonts (ABC) have it.
    Tcvn3,
    /// VNI for Windows: a letter and a mark behind it.
    Vni,
    /// RFC 1456.
    Viscii,
    /// VPS.
    Vps,
    /// TCVN 5712-1 (VN1) with its letters at control bytes.
    Tcvn5712,
    /// Bách Khoa TP.HCM 1.
    Bkhcm1,
    /// Bách Khoa TP.HCM 2.
    Bkhcm2,
    /// Vietware X.
    VietwareX,
    /// Vietware F.
    VietwareF,
    /// ISC.
    Isc,
    /// VNI for the Macintosh.
    VniMac,
}

/// What a decoder met.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Met {
    /// Letters beyond ASCII, and the combining tones of windows-1258.
    pub letters: usize,
    /// Characters that the set gives no meaning and that are no punctuation.
    pub strays: usize,
}

/// The character of each byte in windows-1252.
static SURFACE: LazyLock<[char; 256]> = LazyLock::new(|| {
    std::array::from_fn(|b| {
        let byte = [u8::try_from(b).unwrap_or(0)];
        WINDOWS_1252
            .decode_without_bom_handling(&byte)
            .0
            .chars()
            .next()
            .unwrap_or('\0')
    })
});

/// Bytes as windows-1252, byte by byte.
#[must_use]
pub fn surface(bytes: &[u8]) -> Cow<'_, str> {
    WINDOWS_1252.decode_without_bom_handling(bytes).0
}

/// The byte of a surface character; `None` for one that windows-1252 has not.
#[must_use]
pub fn surface_byte(c: char) -> Option<u8> {
    match u32::from(c) {
        low @ (0..=0x7f | 0xa0..=0xff) => u8::try_from(low).ok(),
        0x81 | 0x8d | 0x8f | 0x90 | 0x9d => u8::try_from(u32::from(c)).ok(),
        _ => high(c),
    }
}

/// The byte of a character that windows-1252 has between 80 and 9F.
fn high(c: char) -> Option<u8> {
    Some(match c {
        '€' => 0x80,
        '‚' => 0x82,
        'ƒ' => 0x83,
        '„' => 0x84,
        '…' => 0x85,
        '†' => 0x86,
        '‡' => 0x87,
        'ˆ' => 0x88,
        '‰' => 0x89,
        'Š' => 0x8a,
        '‹' => 0x8b,
        'Œ' => 0x8c,
        'Ž' => 0x8e,
        '‘' => 0x91,
        '’' => 0x92,
        '“' => 0x93,
        '”' => 0x94,
        '•' => 0x95,
        '–' => 0x96,
        '—' => 0x97,
        '˜' => 0x98,
        '™' => 0x99,
        'š' => 0x9a,
        '›' => 0x9b,
        'œ' => 0x9c,
        'ž' => 0x9e,
        'Ÿ' => 0x9f,
        _ => return None,
    })
}

/// A set made ready.
struct Codec {
    /// The letter of each byte; NUL where there is none.
    single: [char; 256],
    /// For each byte, where its pairs stand.
    first: [(u16, u16); 256],
    /// Second bytes and letters, grouped by first byte.
    pairs: Vec<(u8, char)>,
    back: HashMap<char, Vec<u8>>,
    charset: Charset,
}

/// Marks of VNI-Windows behind capitals, and what they put on the letter; 0x20 more behind small letters.
const VNI_MARKS: [(u8, &str); 16] = [
    (0xd9, "\u{301}"),
    (0xd8, "\u{300}"),
    (0xdb, "\u{309}"),
    (0xd5, "\u{303}"),
    (0xcf, "\u{323}"),
    (0xc2, "\u{302}"),
    (0xc1, "\u{302}\u{301}"),
    (0xc0, "\u{302}\u{300}"),
    (0xc5, "\u{302}\u{309}"),
    (0xc3, "\u{302}\u{303}"),
    (0xc4, "\u{302}\u{323}"),
    (0xca, "\u{306}"),
    (0xc9, "\u{306}\u{301}"),
    (0xc8, "\u{306}\u{300}"),
    (0xda, "\u{306}\u{309}"),
    (0xdc, "\u{306}\u{303}"),
];
/// Breve and dot, which completes [`VNI_MARKS`].
const VNI_LAST: (u8, &str) = (0xcb, "\u{306}\u{323}");

/// What a VNI mark puts on a letter.
fn vni_mark(byte: u8) -> Option<&'static str> {
    let upper = if byte >= 0xe0 { byte - 0x20 } else { byte };
    VNI_MARKS
        .iter()
        .chain([&VNI_LAST])
        .find(|(b, _)| *b == upper)
        .map(|(_, marks)| *marks)
}

/// A letter with marks on it, if Unicode has it as one. The dot below stands before the hat in canonical order.
fn marked(letter: char, marks: &str) -> Option<char> {
    let mut composed = std::iter::once(letter).chain(marks.chars()).nfc();
    let first = composed.next()?;
    composed.next().is_none().then_some(first)
}

impl Codec {
    fn new(charset: Charset) -> Self {
        let mut single = ['\0'; 256];
        let mut pairs: Vec<(u8, u8, char)> = Vec::new();
        let mut back: HashMap<char, Vec<u8>> = HashMap::new();
        let tables: &[&Table] = match charset {
            Charset::Windows1258 => &[],
            Charset::Tcvn3 => &[&tables::TCVN3_ABC, &tables::TCVN3_UPPERCASE_DIGRAPHS],
            Charset::Vni => &[&tables::VNI_WINDOWS],
            Charset::Viscii => &[&tables::VISCII],
            Charset::Vps => &[&tables::VPS],
            Charset::Tcvn5712 => &[&tables::TCVN5712_VN1],
            Charset::Bkhcm1 => &[&tables::BKHCM1],
            Charset::Bkhcm2 => &[&tables::BKHCM2],
            Charset::VietwareX => &[&tables::VIETWARE_X],
            Charset::VietwareF => &[&tables::VIETWARE_F],
            Charset::Isc => &[&tables::ISC],
            Charset::VniMac => &[&tables::VNI_MAC],
        };
        for table in tables {
            for (byte, letter) in table.single {
                let now = single[usize::from(*byte)];
                if now == '\0' || prefer(*letter, now) {
                    single[usize::from(*byte)] = *letter;
                }
            }
            for ([a, b], letter) in table.pairs {
                pairs.push((*a, *b, *letter));
                back.entry(*letter).or_insert_with(|| vec![*a, *b]);
            }
        }
        for (byte, letter) in (0..=255u8).zip(&single).filter(|(_, l)| **l != '\0') {
            back.insert(*letter, vec![byte]);
        }
        match charset {
            Charset::Windows1258 => {
                for byte in 0x80..=0xffu8 {
                    let text = [byte];
                    let letter = WINDOWS_1258.decode_without_bom_handling(&text).0.chars().next();
                    if let Some(letter) = letter
                        && letter != SURFACE[usize::from(byte)]
                    {
                        single[usize::from(byte)] = letter;
                        back.insert(letter, vec![byte]);
                    }
                }
            }
            // The table of one converter says CF E5 where the row of all others would be CF C5: both are read.
            Charset::Bkhcm2 => pairs.push((0xcf, 0xc5, 'Ệ')),
            Charset::Vni => lenient(&single, &mut pairs),
            _ => {}
        }
        pairs.sort_by_key(|p| (p.0, p.1));
        let mut first = [(0u16, 0u16); 256];
        for (at, (a, ..)) in (0u16..).zip(&pairs) {
            let range = &mut first[usize::from(*a)];
            if range.1 == 0 {
                range.0 = at;
            }
            range.1 = at + 1;
        }
        Self {
            single,
            first,
            pairs: pairs.into_iter().map(|(_, b, c)| (b, c)).collect(),
            back,
            charset,
        }
    }

    fn pair(&self, a: u8, b: u8) -> Option<char> {
        let (from, to) = self.first[usize::from(a)];
        let pairs = self.pairs.get(usize::from(from)..usize::from(to))?;
        pairs.iter().find(|(second, _)| *second == b).map(|(_, c)| *c)
    }

    fn decode_into(&self, text: &str, out: &mut String) -> Met {
        let mut met = Met::default();
        let mut chars = text.chars().peekable();
        let mut last = None;
        while let Some(c) = chars.next() {
            let before = last.replace(c);
            let Some(byte) = surface_byte(c) else {
                out.push(c);
                continue;
            };
            let (from, to) = self.first[usize::from(byte)];
            if from < to
                && let Some(next) = chars.peek().copied().filter(|n| !n.is_ascii_alphanumeric())
                && let Some(letter) = surface_byte(next).and_then(|b| self.pair(byte, b))
            {
                chars.next();
                let stacked = |c: &char| -> Option<char> {
                    let marks = surface_byte(*c)
                        .filter(|_| self.charset == Charset::Vni)
                        .and_then(vni_mark)?;
                    marked(letter, marks).filter(|c| self.back.contains_key(c))
                };
                let more = chars.peek().and_then(stacked);
                if more.is_some() {
                    chars.next();
                }
                out.push(more.unwrap_or(letter));
                met.letters += 1;
                continue;
            }
            match self.single[usize::from(byte)] {
                '\0' => {
                    let control = byte < 0x20 && !c.is_ascii_whitespace();
                    // Undefined bytes, and the letters among the punctuation of windows-1252 (ƒ Š Œ Ž š œ ž Ÿ).
                    let undefined = matches!(byte, 0x81 | 0x83 | 0x8a | 0x8c..=0x90 | 0x9a | 0x9c..=0x9f);
                    // windows-1258 means by most of its upper half what windows-1252 does.
                    let letter = byte >= 0xc0 && self.charset != Charset::Windows1258;
                    met.strays += usize::from(letter || control || undefined);
                    met.letters += usize::from(!letter && byte >= 0xc0 && c.is_alphabetic());
                    out.push(c);
                }
                // BKHCM1 and ISC have Ỹ and Ụ here, which are no words: between spaces a bar is a bar.
                _ if c == '|' && alone(before, chars.peek().copied()) => out.push(c),
                letter => {
                    // Of what windows-1258 has otherwise than windows-1252, four are controls (8A 8E 9A 9E), one is ₫.
                    met.strays += usize::from(letter.is_control());
                    met.letters += usize::from(!letter.is_control() && letter != '₫');
                    out.push(letter);
                }
            }
        }
        met
    }
}

/// Which of two letters that a table gives one byte is meant. Vietware F draws small letters and capitals with one byte:
/// small ones are, like in TCVN3, what the capitals are repaired from. BKHCM1 has one byte for Ị and Ỵ and one for Ặ and
/// Ụ: Ị (THỊ XÃ) and Ụ (CỤC) are the more frequent ones.
fn prefer(new: char, old: char) -> bool {
    new.is_lowercase() && old.is_uppercase() || (old, new) == ('Ặ', 'Ụ')
}

/// What programs read besides the rows: a mark of the other case, `yï` for ỵ.
fn lenient(single: &[char; 256], pairs: &mut Vec<(u8, u8, char)>) {
    let known: HashMap<(u8, u8), char> = pairs.iter().map(|(a, b, c)| ((*a, *b), *c)).collect();
    // Unicode has more letters with these marks (û, ĭ): reading them would hide that a text is not in VNI.
    let letters: HashSet<char> = known.values().chain(single).copied().collect();
    for base in b"aeiouyAEIOUY".iter().copied().chain([0xf4, 0xd4, 0xf6, 0xd6]) {
        let letter = match single[usize::from(base)] {
            '\0' => char::from(base),
            letter => letter,
        };
        for mark in 0xc0..=0xffu8 {
            if let Some(found) = vni_mark(mark).and_then(|m| marked(letter, m))
                && !known.contains_key(&(base, mark))
                && letters.contains(&found)
            {
                pairs.push((base, mark, found));
            }
        }
    }
}

/// Whether spaces stand around a character.
fn alone(before: Option<char>, after: Option<char>) -> bool {
    let space = |c: Option<char>| c.is_some_and(char::is_whitespace);
    space(before) && space(after)
}

static CODECS: [LazyLock<Codec>; 12] = [
    LazyLock::new(|| Codec::new(Charset::Windows1258)),
    LazyLock::new(|| Codec::new(Charset::Tcvn3)),
    LazyLock::new(|| Codec::new(Charset::Vni)),
    LazyLock::new(|| Codec::new(Charset::Viscii)),
    LazyLock::new(|| Codec::new(Charset::Vps)),
    LazyLock::new(|| Codec::new(Charset::Tcvn5712)),
    LazyLock::new(|| Codec::new(Charset::Bkhcm1)),
    LazyLock::new(|| Codec::new(Charset::Bkhcm2)),
    LazyLock::new(|| Codec::new(Charset::VietwareX)),
    LazyLock::new(|| Codec::new(Charset::VietwareF)),
    LazyLock::new(|| Codec::new(Charset::Isc)),
    LazyLock::new(|| Codec::new(Charset::VniMac)),
];

impl Charset {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Windows1258,
        Self::Tcvn3,
        Self::Vni,
        Self::Viscii,
        Self::Vps,
        Self::Tcvn5712,
        Self::Bkhcm1,
        Self::Bkhcm2,
        Self::VietwareX,
        Self::VietwareF,
        Self::Isc,
        Self::VniMac,
    ];

    /// As records name it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Windows1258 => "windows-1258",
            Self::Tcvn3 => "TCVN3",
            Self::Vni => "VNI",
            Self::Viscii => "VISCII",
            Self::Vps => "VPS",
            Self::Tcvn5712 => "TCVN5712-1",
            Self::Bkhcm1 => "BKHCM1",
            Self::Bkhcm2 => "BKHCM2",
            Self::VietwareX => "VIETWARE-X",
            Self::VietwareF => "VIETWARE-F",
            Self::Isc => "ISC",
            Self::VniMac => "VNI-MAC",
        }
    }

    /// The set that a label means, as headers, pages and mail programs write it. None of them but windows-1258 is in
    /// the WHATWG registry; the others are those of RFC 1456, Mozilla and libiconv.
    #[must_use]
    pub fn from_label(label: &str) -> Option<Self> {
        Some(match label.trim().to_ascii_lowercase().as_str() {
            "windows-1258" | "cp1258" | "x-cp1258" => Self::Windows1258,
            // Programs that offered the label wrote what the ABC fonts draw; the C0 letters of VN1 are not met on pages.
            "tcvn3" | "abc" | "x-viet-tcvn5712" | "x-viet-tcvn" => Self::Tcvn3,
            "tcvn" | "tcvn-5712" | "tcvn5712-1" | "tcvn5712-1:1993" | "vscii" | "vn1" => Self::Tcvn5712,
            "vni" | "x-viet-vni" | "x-vni" | "vni-windows" | "vni-win" => Self::Vni,
            "viscii" | "csviscii" | "viscii1.1-1" | "x-viet-viscii" => Self::Viscii,
            "vps" | "x-viet-vps" | "x-vps" => Self::Vps,
            "bkhcm1" => Self::Bkhcm1,
            "bkhcm2" => Self::Bkhcm2,
            "vietware-x" | "vietwarex" => Self::VietwareX,
            "vietware-f" | "vietwaref" => Self::VietwareF,
            "isc" | "x-viet-isc" => Self::Isc,
            "vni-mac" | "x-mac-vni" => Self::VniMac,
            _ => return None,
        })
    }

    fn codec(self) -> &'static Codec {
        &CODECS[Self::ALL.iter().position(|c| *c == self).unwrap_or(0)]
    }

    /// Reads a surface text and appends it. Characters that windows-1252 has not pass as they are. Tones of windows-1258
    /// come out as combining marks: compose them afterwards (NFC).
    pub fn decode_into(self, surface: &str, out: &mut String) -> Met {
        self.codec().decode_into(surface, out)
    }

    /// Reads a surface text; NFC.
    #[must_use]
    pub fn decode(self, surface: &str) -> String {
        let mut out = String::with_capacity(surface.len() * 3 / 2);
        self.decode_into(surface, &mut out);
        crate::lang::nfc(&out).into_owned()
    }

    /// Writes a text, in any normal form, as the bytes of this set. `None`: [`Self::decode`] would not read it back, for
    /// want of a character (`日`) or because of its neighbour (`Aà` is `À` in TCVN3). Capitals with tones are written in
    /// TCVN3 as two bytes (`Aµ`), the only form that keeps their case.
    #[must_use]
    pub fn encode(self, text: &str) -> Option<Vec<u8>> {
        let codec = self.codec();
        let text = crate::lang::nfc(text);
        let mut out = Vec::with_capacity(text.len());
        for c in text.chars() {
            if let Some(bytes) = codec.back.get(&c) {
                out.extend(bytes);
            } else if let Some(byte) = surface_byte(c)
                && codec.single[usize::from(byte)] == '\0'
                && (byte < 0xc0 || self == Self::Windows1258)
                && !matches!(byte, 0x81 | 0x8d | 0x8f | 0x90 | 0x9d)
            {
                out.push(byte);
            } else if self == Self::Windows1258 {
                let (base, tone) = apart(c)?;
                for part in [base, tone] {
                    match codec.back.get(&part) {
                        Some(bytes) => out.extend(bytes),
                        None => out.push(surface_byte(part)?),
                    }
                }
            } else {
                return None;
            }
        }
        (self.decode(&surface(&out)) == text).then_some(out)
    }
}

/// A letter without its tone, and the tone.
fn apart(c: char) -> Option<(char, char)> {
    let parts: Vec<char> = [c].into_iter().nfd().collect();
    let tone = *parts
        .iter()
        .find(|p| "\u{300}\u{301}\u{303}\u{309}\u{323}".contains(**p))?;
    let base: String = parts.iter().copied().filter(|p| *p != tone).nfc().collect();
    let mut base = base.chars();
    let letter = base.next()?;
    base.next().is_none().then_some((letter, tone))
}
