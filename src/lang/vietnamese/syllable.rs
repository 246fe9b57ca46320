//! The written Vietnamese syllable, by rule: onset, rhyme, tone, the spelling rules that bind them, both placements of the
//! tone mark (hòa and hoà), and a few loans. No word list: what is counted is what the orthography allows.

use std::sync::LazyLock;

/// Letters without their tone mark; the code of a letter is its place here, from 1.
const LETTERS: &str = "aăâbcdđeêghiklmnoôơpqrstuưvxy";
/// Vowels with their six tones, in the order of [`TONES`].
const TONED: [&str; 12] = [
    "aàáảãạ",
    "ăằắẳẵặ",
    "âầấẩẫậ",
    "eèéẻẽẹ",
    "êềếểễệ",
    "iìíỉĩị",
    "oòóỏõọ",
    "ôồốổỗộ",
    "ơờớởỡợ",
    "uùúủũụ",
    "ưừứửữự",
    "yỳýỷỹỵ",
];
/// Combining marks of the tones: none, huyền, sắc, hỏi, ngã, nặng.
const TONES: [char; 6] = ['\0', '\u{300}', '\u{301}', '\u{309}', '\u{303}', '\u{323}'];
/// No syllable has more letters: `nghiêng` has seven.
const MAX: usize = 8;

const ONSETS: [&str; 26] = [
    "", "b", "c", "ch", "d", "đ", "g", "gh", "h", "k", "kh", "l", "m", "n", "ng", "ngh", "nh", "p", "ph",
    "r", "s", "t", "th", "tr", "v", "x",
];
const RHYMES: &str = "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây \
    e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu \
    o oc oi om on ong op ot ooc oong oa oac oach oai oam oan oang oanh oao oap oat oay oăc oăm oăn oăng oăt oe oem oen oeo oet \
    ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt u ua uc ui um un ung up ut uôc uôi uôm uôn uông uôt \
    uân uâng uât uây uê uêch uên uênh uêt uơ uy uya uych uyên uyêt uyn uynh uyp uyt uyu \
    ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu";
/// `y` alone as a rhyme: lý, kỹ, mỹ; not after every onset.
const BEFORE_Y: [&str; 17] = [
    "", "h", "k", "l", "m", "s", "t", "v", "th", "d", "n", "ch", "b", "g", "x", "tr", "ph",
];
/// Written with y only where nothing stands before: yêu, yên.
const ALONE: &str = "yêm yên yêng yêt yêu";
const AFTER_QU: &str = "a ac ach ai an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc ân âng ât âu ây e en eng eo et \
    ê êch ên ênh êt êu i ich in it iu ơ ơi y ych yên yêt ynh yt yp ôc";
const AFTER_GI: &str = "a ac ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây e em en eo ep et \
    êng ê êt êu o oc oi om on ong op ot oa ô ôc ôi ôn ông ôp ôt ơ ơi ơn ơp ơt u ua uc ui um un up ut uôc uôi uông \
    ư ưa ương ươi";
/// `gi` whose i is the vowel: gì, gìn, giếng.
const GI_ALONE: &str = "i in im iên iêng iêm iêt iêp iêc iêu";
/// Loans, rare words and names of places and peoples that the rules do not give, as they stand in official text.
pub(super) const LOANS: &str = "giựt gích gíp quoàng quoắt moay ka gen gram đắk lắk đăk lăk búk đrăng đray krông plông \
    rlấp êđê hrê stiêng pê tê bê";

/// What a text holds of tokens with letters beyond ASCII, and how many of them are syllables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Score {
    /// Words with at least one character beyond ASCII.
    pub tokens: usize,
    /// Those that are written Vietnamese syllables.
    pub valid: usize,
}

impl Score {
    /// Valid by all, 0 to 1; 0 where there is no token.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts of one text")]
    pub fn share(self) -> f64 {
        if self.tokens == 0 {
            0.0
        } else {
            self.valid as f64 / self.tokens as f64
        }
    }
}

impl std::ops::AddAssign for Score {
    fn add_assign(&mut self, other: Self) {
        self.tokens += other.tokens;
        self.valid += other.valid;
    }
}

/// What a character is to the model.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Ends a word.
    Space,
    /// A letter: its code, its tone, and whether it is a capital.
    Letter(u8, u8, bool),
    /// A tone mark behind its letter.
    Tone(u8),
    /// A circumflex, breve or horn behind its letter.
    Shape(char),
    /// Part of a word, but of no Vietnamese one.
    Foreign,
}

/// Codes of characters: U+0000 to U+01B0, U+1EA0 to U+1EF9.
struct Table {
    low: [Kind; 0x1b1],
    high: [Kind; 0x5a],
    set: Vec<u64>,
}

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

impl Table {
    fn new() -> Self {
        let mut table = Self {
            low: std::array::from_fn(|c| plain(char::from_u32(u32::try_from(c).unwrap_or(0)).unwrap_or(' '))),
            high: [Kind::Foreign; 0x5a],
            set: vec![0; SLOTS],
        };
        for (code, c) in (1u8..).zip(LETTERS.chars()) {
            table.put(c, Kind::Letter(code, 0, false));
        }
        for row in TONED {
            let base = row.chars().next().map_or(0, code);
            for (tone, c) in (0u8..).zip(row.chars()) {
                table.put(c, Kind::Letter(base, tone, false));
            }
        }
        generate(&mut |letters, at, tone| insert(&mut table.set, key(letters, at, tone)));
        table
    }

    fn put(&mut self, c: char, kind: Kind) {
        let Kind::Letter(code, tone, _) = kind else { return };
        let upper = c.to_uppercase().next().unwrap_or(c);
        for (c, kind) in [(c, kind), (upper, Kind::Letter(code, tone, true))] {
            let at = u32::from(c) as usize;
            match at {
                0..0x1b1 => self.low[at] = kind,
                0x1ea0..0x1efa => self.high[at - 0x1ea0] = kind,
                _ => {}
            }
        }
    }

    fn kind(&self, c: char) -> Kind {
        let at = u32::from(c) as usize;
        match at {
            0..0x1b1 => self.low[at],
            0x1ea0..0x1efa => self.high[at - 0x1ea0],
            0x300..0x370 => match TONES.iter().position(|t| *t == c) {
                Some(tone) => Kind::Tone(u8::try_from(tone).unwrap_or(0)),
                None if matches!(c, '\u{302}' | '\u{306}' | '\u{31b}') => Kind::Shape(c),
                None => Kind::Foreign,
            },
            _ => plain(c),
        }
    }
}

/// A character that is no Vietnamese letter. Symbols count as parts of words: a legacy surface has them there.
fn plain(c: char) -> Kind {
    match c {
        // Quotes, spaces, and what stands behind numbers and units; no set has a letter there.
        '«' | '»' | '\u{a0}' | '\u{85}' | '°' | '±' | '²' | '³' => Kind::Space,
        '\u{2010}'..='\u{205e}' | '\u{3000}'..='\u{303f}' => Kind::Space,
        c if c.is_ascii_alphabetic() => Kind::Foreign,
        c if c.is_ascii_control() && !c.is_ascii_whitespace() => Kind::Foreign,
        c if c.is_ascii() || c.is_whitespace() => Kind::Space,
        _ => Kind::Foreign,
    }
}

fn code(c: char) -> u8 {
    (1u8..)
        .zip(LETTERS.chars())
        .find(|(_, l)| *l == c)
        .map_or(0, |(code, _)| code)
}

/// One word as it is read.
#[derive(Clone, Copy, Default)]
struct Word {
    letters: [u8; MAX],
    len: usize,
    tone: u8,
    at: u8,
    /// Holds something that no syllable has.
    broken: bool,
    beyond: bool,
    symbols: bool,
    lower: bool,
    open: bool,
}

impl Word {
    fn take(&mut self, kind: Kind, c: char) {
        self.open = true;
        self.beyond |= !c.is_ascii() || c.is_ascii_control();
        match kind {
            Kind::Letter(code, tone, upper) => {
                // `bỂnh` is a wrong reading; `HOạT` is what some programs wrote.
                self.broken |= upper && self.lower && !c.is_ascii();
                self.lower |= !upper;
                if self.len == MAX {
                    self.broken = true;
                    return;
                }
                self.letters[self.len] = code;
                self.len += 1;
                self.tone(tone);
            }
            Kind::Tone(tone) => self.tone(tone),
            Kind::Shape(mark) => {
                let last = self.len.checked_sub(1).map(|at| &mut self.letters[at]);
                match last {
                    Some(letter) => match shaped(*letter, mark) {
                        Some(code) => *letter = code,
                        None => self.broken = true,
                    },
                    None => self.broken = true,
                }
            }
            Kind::Foreign | Kind::Space => {
                self.broken = true;
                self.symbols |= !c.is_alphabetic();
            }
        }
    }

    fn tone(&mut self, tone: u8) {
        if tone == 0 {
            return;
        }
        self.broken |= self.tone != 0 || self.len == 0;
        self.tone = tone;
        self.at = u8::try_from(self.len.saturating_sub(1)).unwrap_or(0);
    }

    fn is_valid(&self, table: &Table) -> bool {
        !self.broken
            && self.len > 0
            && contains(&table.set, key(&self.letters[..self.len], self.at, self.tone))
    }
}

fn shaped(letter: u8, mark: char) -> Option<u8> {
    let base = LETTERS.chars().nth(usize::from(letter).checked_sub(1)?)?;
    Some(code(match (base, mark) {
        ('a', '\u{302}') => 'â',
        ('e', '\u{302}') => 'ê',
        ('o', '\u{302}') => 'ô',
        ('a', '\u{306}') => 'ă',
        ('o', '\u{31b}') => 'ơ',
        ('u', '\u{31b}') => 'ư',
        _ => return None,
    }))
}

/// Whether a word is a written Vietnamese syllable; in any case and any normal form.
#[must_use]
pub fn is_syllable(word: &str) -> bool {
    let mut read = Word::default();
    for c in word.chars() {
        read.take(TABLE.kind(c), c);
    }
    read.is_valid(&TABLE)
}

/// Counts the words of a text that hold a character beyond ASCII, and the syllables among them. A word is a run of
/// letters, marks, and symbols that are no punctuation: `c¸n` is one word, and none that is right.
#[must_use]
pub fn score(text: &str) -> Score {
    let table = &*TABLE;
    let mut score = Score::default();
    let mut word = Word::default();
    for c in text.chars().chain([' ']) {
        match table.kind(c) {
            Kind::Space => {
                // A symbol alone (©, ²) is no word.
                if word.beyond && (word.len > 0 || !word.symbols) {
                    score.tokens += 1;
                    score.valid += usize::from(word.is_valid(table));
                }
                if word.open {
                    word = Word::default();
                }
            }
            kind => word.take(kind, c),
        }
    }
    score
}

/// Places of the hash set; the syllables fill a quarter.
const SLOTS: usize = 1 << 16;

/// A syllable as a number: five bits a letter, then the tone and its place.
fn key(letters: &[u8], at: u8, tone: u8) -> u64 {
    let word = letters.iter().fold(0u64, |k, &l| k << 5 | u64::from(l));
    let tone_at = if tone == 0 {
        0
    } else {
        u64::from(at) << 3 | u64::from(tone)
    };
    word | tone_at << 40
}

fn slot(key: u64) -> usize {
    // Fibonacci hashing (Knuth, TAOCP 3, 6.4).
    (key.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48) as usize
}

fn insert(set: &mut [u64], key: u64) {
    let mut at = slot(key);
    while set[at] != 0 && set[at] != key {
        at = (at + 1) % SLOTS;
    }
    set[at] = key;
}

fn contains(set: &[u64], key: u64) -> bool {
    let mut at = slot(key);
    while set[at] != 0 {
        if set[at] == key {
            return true;
        }
        at = (at + 1) % SLOTS;
    }
    false
}

fn is_vowel(c: char) -> bool {
    "aăâeêioôơuưy".contains(c)
}

/// All syllables: letters, place of the tone, tone.
fn generate(put: &mut dyn FnMut(&[u8], u8, u8)) {
    let mut each = |onset: &str, rhyme: &str, places: &[usize]| {
        let letters: Vec<u8> = onset.chars().chain(rhyme.chars()).map(code).collect();
        let before = onset.chars().count();
        // A stop leaves two tones: sắc and nặng.
        let stopped = ["c", "ch", "p", "t"].iter().any(|s| rhyme.ends_with(s));
        for tone in 0u8..6 {
            if stopped && !matches!(tone, 2 | 5) {
                continue;
            }
            for place in places {
                put(&letters, u8::try_from(before + place).unwrap_or(0), tone);
            }
        }
    };
    for onset in ONSETS {
        for rhyme in RHYMES.split_whitespace().filter(|r| fits(onset, r)) {
            each(onset, rhyme, &places(rhyme));
        }
        if BEFORE_Y.contains(&onset) {
            each(onset, "y", &[0]);
        }
    }
    ALONE.split_whitespace().for_each(|r| each("", r, &places(r)));
    AFTER_QU
        .split_whitespace()
        .for_each(|r| each("qu", r, &places(r)));
    AFTER_GI
        .split_whitespace()
        .for_each(|r| each("gi", r, &places(r)));
    GI_ALONE.split_whitespace().for_each(|r| each("g", r, &places(r)));
    for loan in LOANS.split_whitespace() {
        let (mut letters, mut at, mut tone) = (Vec::new(), 0u8, 0u8);
        for c in loan.chars() {
            let row = TONED
                .iter()
                .find_map(|row| Some((row.chars().next()?, row.chars().position(|t| t == c)?)));
            if let Some((_, t @ 1..)) = row {
                tone = u8::try_from(t).unwrap_or(0);
                at = u8::try_from(letters.len()).unwrap_or(0);
            }
            letters.push(code(row.map_or(c, |(base, _)| base)));
        }
        if letters.len() <= MAX {
            put(&letters, at, tone);
        }
    }
}

/// Spelling: k, gh, ngh before e ê i (y); c, g, ng before the others; and lips do not round before rounded rhymes.
fn fits(onset: &str, rhyme: &str) -> bool {
    let front = rhyme.starts_with(['e', 'ê', 'i', 'y']);
    match onset {
        "k" | "gh" | "ngh" => return front,
        "c" | "g" | "ng" => return !front,
        _ => {}
    }
    let rounded = ["uy", "uê", "uâ", "oa", "oe", "oă"]
        .iter()
        .any(|r| rhyme.starts_with(r));
    !(rounded && matches!(onset, "ph" | "b" | "m" | "v"))
        || matches!(rhyme, "oa" | "oan" | "oang" | "uy" | "uyt" | "uê" | "oe")
}

/// Where a rhyme may carry its tone mark, in letters; two places where the old and the new way differ.
fn places(rhyme: &str) -> Vec<usize> {
    let letters: Vec<char> = rhyme.chars().collect();
    let vowels: Vec<usize> = (0..letters.len()).filter(|&i| is_vowel(letters[i])).collect();
    if let [only] = vowels[..] {
        return vec![only];
    }
    if let Some(marked) = vowels.iter().rev().find(|&&i| "ăâêôơư".contains(letters[i])) {
        return vec![*marked];
    }
    let closed = letters.last().is_some_and(|&c| !is_vowel(c));
    if vowels.len() == 3 || closed {
        return vec![vowels[1]];
    }
    if matches!(rhyme, "oa" | "oe" | "uy") {
        return vec![vowels[0], vowels[1]];
    }
    vec![vowels[0]]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_syllables_as_the_orthography_allows() {
        // Counted by a generator of its own that writes the same rules as strings.
        const BY_RULE: usize = 17_208;
        let mut forms = std::collections::BTreeSet::new();
        generate(&mut |letters, at, tone| {
            forms.insert(key(letters, at, tone));
        });
        let loans = LOANS.split_whitespace().filter(|l| !by_rule(l)).count();
        assert_eq!(forms.len() - loans, BY_RULE);
        assert!(forms.iter().all(|k| contains(&TABLE.set, *k)));
    }

    /// Whether the rules alone give a loan.
    fn by_rule(loan: &str) -> bool {
        ["pê", "tê", "bê"].contains(&loan)
    }
}
