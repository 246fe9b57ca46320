//! The syllables once more, as strings, by a second and plainer writing of the rules: what the model takes, and nothing
//! beside it.

use super::syllable::{LOANS, is_syllable};
use std::collections::BTreeSet;
use unicode_normalization::UnicodeNormalization;

const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{309}', '\u{303}', '\u{323}'];
const VOWELS: &str = "aăâeêioôơuưy";

/// Every syllable in small letters, composed, without the loans.
fn written() -> BTreeSet<String> {
    let mut out = BTreeSet::new();
    // Rhymes by how they begin: after c, g, ng as a matter of course, or after k, gh, ngh.
    let back = "a ac ach ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây \
        o oc oi om on ong op ot ooc oong ô ôc ôi ôm ôn ông ôp ôt ơ ơi ơm ơn ơp ơt \
        u ua uc ui um un ung up ut uôc uôi uôm uôn uông uôt uơ \
        ư ưa ưc ưi ưm ưn ưng ưt ưu ươc ươi ươm ươn ương ươp ươt ươu";
    let front = "e ec em en eng eo ep et ê êch êm ên êng ênh êp êt êu \
        i ia ich im in inh ip it iu iêc iêm iên iêng iêp iêt iêu";
    let rounded = "oa oan oang oe uê uy uyt";
    let rounder = "oac oach oai oam oanh oao oap oat oay oăc oăm oăn oăng oăt oem oen oeo oet uân uâng uât uây \
        uêch uên uênh uêt uya uych uyên uyêt uyn uynh uyp uyu";
    for (onsets, rhymes) in [
        (
            "- b c ch d đ g h kh l m n ng nh p ph r s t th tr v x",
            &[back, rounded][..],
        ),
        ("- b ch d đ h k kh gh l m n ngh nh p ph r s t th tr v x", &[front]),
        ("- c ch d đ g h kh l n ng nh p r s t th tr x", &[rounder]),
        ("- b ch d g h k l m n ph s t th tr v x", &["y"]),
        ("-", &["yêm yên yêng yêt yêu"]),
        ("g", &["i in im iên iêng iêm iêt iêp iêc iêu"]),
        (
            "qu",
            &[
                "a ac ach ai an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc ân âng ât âu ây e en eng eo et \
                ê êch ên ênh êt êu i ich in it iu ơ ơi y ych yên yêt ynh yt yp ôc",
            ],
        ),
        (
            "gi",
            &[
                "a ac ai am an ang anh ao ap at au ay ăc ăm ăn ăng ăp ăt âc âm ân âng âp ât âu ây e em en eo ep et \
                êng ê êt êu o oc oi om on ong op ot oa ô ôc ôi ôn ông ôp ôt ơ ơi ơn ơp ơt \
                u ua uc ui um un up ut uôc uôi uông ư ưa ương ươi",
            ],
        ),
    ] {
        for onset in onsets.split(' ') {
            for rhyme in rhymes.iter().flat_map(|r| r.split_whitespace()) {
                toned(onset.trim_start_matches('-'), rhyme, &mut out);
            }
        }
    }
    out
}

/// A syllable in all its tones, each in all its places.
fn toned(onset: &str, rhyme: &str, out: &mut BTreeSet<String>) {
    let stopped = rhyme.ends_with(['c', 'p', 't']) || rhyme.ends_with("ch");
    if !stopped {
        out.insert(format!("{onset}{rhyme}"));
    }
    let vowels: String = rhyme.chars().filter(|c| VOWELS.contains(*c)).collect();
    let closed = !rhyme.ends_with(|c| VOWELS.contains(c));
    let carriers = match &*vowels {
        v if v.contains("ươ") => "ơ",
        v if v.chars().any(|c| "ăâêôơư".contains(c)) => "ăâêôơư",
        "oo" => "o",
        "oa" | "oe" if !closed => "oae",
        "uy" if !closed => "uy",
        "oa" | "oai" | "oao" | "oay" => "a",
        "oe" | "oeo" => "e",
        "uy" | "uya" | "uyu" => "y",
        v => &v[..1],
    };
    for mark in TONES {
        if stopped && !matches!(mark, '\u{301}' | '\u{323}') {
            continue;
        }
        let places: Vec<usize> = rhyme
            .char_indices()
            .filter(|(_, c)| carriers.contains(*c))
            .map(|(at, _)| at)
            .collect();
        // Of two equal letters (xoong) the second carries.
        let skip = usize::from(vowels == "oo");
        for at in places.into_iter().skip(skip) {
            let end = at + rhyme[at..].chars().next().map_or(0, char::len_utf8);
            out.insert(
                format!("{onset}{}{mark}{}", &rhyme[..end], &rhyme[end..])
                    .nfc()
                    .collect(),
            );
        }
    }
}

#[test]
fn every_syllable_is_one_in_any_case_and_form() {
    let all = written();
    assert_eq!(all.len(), 17_208);
    for word in all.iter().map(String::as_str).chain(LOANS.split_whitespace()) {
        let capitals = word.to_uppercase();
        // The tone alone apart, as keyboards of Windows write it.
        let tone: String = word.nfd().filter(|c| TONES.contains(c)).collect();
        let keyed: String = word
            .chars()
            .map(|c| {
                let parts: Vec<char> = [c].into_iter().nfd().collect();
                let letter: String = parts
                    .iter()
                    .copied()
                    .filter(|p| !TONES.contains(p))
                    .nfc()
                    .collect();
                if parts.iter().any(|p| TONES.contains(p)) {
                    letter + &tone
                } else {
                    letter
                }
            })
            .collect();
        for form in [
            word,
            &capitals,
            &word.nfd().collect::<String>(),
            &capitals.nfd().collect::<String>(),
            &keyed,
        ] {
            assert!(is_syllable(form), "{word} as {form:?}");
        }
    }
}

#[test]
fn a_letter_more_or_less_or_another_is_a_syllable_only_by_rule() {
    let all = written();
    let loans: BTreeSet<&str> = LOANS.split_whitespace().collect();
    let letters: Vec<char> =
        "aàáảãạăằắẳẵặâầấẩẫậbcdđeèéẻẽẹêềếểễệfghiìíỉĩịjklmnoòóỏõọôồốổỗộơờớởỡợpqrstuùúủũụưừứửữựvwxyỳýỷỹỵz"
            .chars()
            .collect();
    let mut refused = 0;
    for (n, word) in all.iter().enumerate() {
        let chars: Vec<char> = word.chars().collect();
        for at in 0..chars.len() {
            let (before, after) = (&chars[..at], &chars[at + 1..]);
            // Three of the letters in their turn; all of them take a minute.
            let others = [0, 31, 62].map(|step| Some(letters[(n + at + step) % letters.len()]));
            for other in others.into_iter().chain([None]) {
                let less: String = before.iter().chain(&other).chain(after).collect();
                let more: String = before.iter().chain(&other).chain(&chars[at..]).collect();
                for near in [less, more] {
                    let by_rule = all.contains(&near) || loans.contains(&*near);
                    assert_eq!(is_syllable(&near), by_rule, "{near}");
                    refused += usize::from(!by_rule);
                }
            }
        }
    }
    assert!(refused > 100_000, "{refused}");
}
