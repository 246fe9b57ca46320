//! How well and how fast legacy bytes are read, beside chardetng and encoding_rs on the same samples, in one run.
//!
//! `just bench decode`. Samples are windows of `decode/vi.txt`, written for this bench; `SANGTRANG_CORPUS=FILE` adds the
//! lines of any UTF-8 file of Vietnamese text. Ends with an error if a requirement is not met.

#![allow(clippy::print_stdout, reason = "the table is what a bench is for")]

use encoding_rs::{Encoding, UTF_8, WINDOWS_1252};
use sangtrang::lang::vietnamese::Charset;
use std::time::Instant;
use unicode_normalization::UnicodeNormalization;

const SAMPLES: usize = 1000;
const LENGTHS: [usize; 5] = [12, 20, 40, 80, 200];
/// From this length on the requirements hold.
const LONG: usize = 80;
/// Bytes of a text whose reading is timed.
const TIMED: usize = 8 << 20;

/// A pseudo-random sequence (xorshift64), the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % n as u64).unwrap_or(0)
    }

    /// Words in a row, about `length` characters.
    fn window(&mut self, words: &[&str], length: usize) -> String {
        let mut at = self.below(words.len());
        let mut out = String::new();
        loop {
            let word = words[at % words.len()];
            let long = out.chars().count() + 1 + word.chars().count() > length;
            if long && !out.is_empty() {
                return out;
            }
            if !out.is_empty() {
                out.push(' ');
            }
            out.push_str(word);
            at += 1;
        }
    }
}

#[derive(Default)]
struct Cell {
    right: usize,
    open: usize,
    wrong: usize,
    peer: usize,
    all: usize,
    /// A wrong one, to be looked at.
    example: Option<String>,
}

/// Bytes of a text in one way of writing it.
type Writer<'a> = (&'static str, &'a dyn Fn(&str) -> Option<Vec<u8>>);

fn measure(words: &[&str], length: usize, write: &dyn Fn(&str) -> Option<Vec<u8>>) -> Cell {
    let mut random = Random(0x5eed);
    let mut cell = Cell::default();
    for _ in 0..SAMPLES * 20 {
        if cell.all == SAMPLES {
            break;
        }
        let text = random.window(words, length);
        let Some(bytes) = write(&text).filter(|b| !b.is_ascii()) else {
            continue;
        };
        cell.all += 1;
        let expected: String = text.nfc().collect();
        let (read, decode) = sangtrang::page::read_text(&bytes, None);
        if read == expected {
            cell.right += 1;
        } else if decode.undecided > 0 || decode.used == "windows-1252" {
            // Left as it stood, and nothing claimed of it.
            cell.open += 1;
        } else {
            cell.wrong += 1;
            cell.example = Some(format!(
                "{text}\n    {read}\n    {} by {}",
                decode.used, decode.method
            ));
        }
        let mut detector = chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
        detector.feed(&bytes, true);
        let guess = detector.guess(Some(b"vn"), chardetng::Utf8Detection::Allow);
        let (peer, _, _) = guess.decode(&bytes);
        cell.peer += usize::from(peer.nfc().eq(expected.chars()));
    }
    cell
}

fn percent(part: usize, all: usize) -> f64 {
    part as f64 * 100.0 / all.max(1) as f64
}

fn main() {
    let own = include_str!("decode/vi.txt").to_owned();
    let more = std::env::var_os("SANGTRANG_CORPUS").map(|p| match std::fs::read_to_string(&p) {
        Ok(text) => text,
        Err(error) => {
            println!("{}: {error}", p.to_string_lossy());
            std::process::exit(2);
        }
    });
    let text = own + more.as_deref().unwrap_or_default();
    let words: Vec<&str> = text.split_whitespace().collect();
    let western: Vec<&str> = include_str!("decode/western.txt").split_whitespace().collect();
    let failed = accuracy(&words, &western);
    speed(&text);
    if failed {
        std::process::exit(1);
    }
}

/// The table of accuracy; whether a requirement is missed.
fn accuracy(words: &[&str], western: &[&str]) -> bool {
    let sets = Charset::ALL.map(|c| (c, move |t: &str| c.encode(t)));
    let mut rows: Vec<(Writer<'_>, &[&str], f64)> = Vec::new();
    for (charset, write) in &sets {
        let least = match charset {
            Charset::Tcvn3 | Charset::Vni | Charset::Windows1258 => 99.0,
            Charset::Viscii | Charset::Vps => 98.0,
            _ => 0.0,
        };
        rows.push(((charset.name(), write), words, least));
    }
    let nfd = |t: &str| Some(t.nfd().collect::<String>().into_bytes());
    let utf8 = |t: &str| Some(t.as_bytes().to_vec());
    let latin = |t: &str| Some(WINDOWS_1252.encode(t).0.into_owned());
    rows.push((("UTF-8", &utf8), words, 100.0));
    rows.push((("UTF-8 (NFD)", &nfd), words, 100.0));
    rows.push((("fr de es pt, UTF-8", &utf8), western, 100.0));
    rows.push((("fr de es pt, 1252", &latin), western, 99.0));
    println!(
        "right / undecided / wrong, and right by chardetng + encoding_rs, in percent of {SAMPLES} samples\n"
    );
    print!("{:<20}", "characters");
    for length in LENGTHS {
        print!("{length:>26}");
    }
    println!();
    let mut failed = false;
    for ((name, write), words, least) in rows {
        print!("{name:<20}");
        let mut missed = Vec::new();
        let mut example = None;
        for length in LENGTHS {
            let cell = measure(words, length, write);
            let right = percent(cell.right, cell.all);
            print!(
                "{right:>8.1} {:>5.1} {:>5.1} {:>5.1}",
                percent(cell.open, cell.all),
                percent(cell.wrong, cell.all),
                percent(cell.peer, cell.all),
            );
            if length >= LONG {
                example = cell.example.or(example);
            }
            if length >= LONG && (right < least || (least > 0.0 && cell.wrong > 0)) {
                missed.push(length);
            }
        }
        failed |= !missed.is_empty();
        match (least > 0.0, missed.is_empty()) {
            (false, _) => println!(),
            (true, true) => println!("  PASS"),
            (true, false) => println!("  FAIL at {missed:?}"),
        }
        if let Some(example) = example {
            println!("    {example}");
        }
    }
    failed
}

/// Megabytes a second, beside encoding_rs on the same bytes.
fn speed(text: &str) {
    let mut long = String::with_capacity(TIMED + text.len());
    while long.len() < TIMED {
        long.push_str(text);
    }
    println!(
        "\n{:<20}{:>10}{:>14}{:>10}",
        "8 MiB of lines", "MB/s", "encoding_rs", "ratio"
    );
    let rows: [(&str, Vec<u8>, &'static Encoding, f64); 4] = [
        ("UTF-8", long.clone().into_bytes(), UTF_8, 100.0),
        ("TCVN3", lines(&long, Charset::Tcvn3), WINDOWS_1252, 20.0),
        ("VNI", lines(&long, Charset::Vni), WINDOWS_1252, 20.0),
        ("VISCII", lines(&long, Charset::Viscii), WINDOWS_1252, 20.0),
    ];
    for (name, bytes, floor, aim) in rows {
        let ours = best(|| sangtrang::page::read_text(&bytes, None).0.len());
        let bare = best(|| floor.decode(&bytes).0.len());
        let rate = bytes.len() as f64 / 1e6 / ours;
        println!(
            "{name:<20}{rate:>10.0}{:>14.0}{:>10.1}   aim {aim:.0}: {}",
            bytes.len() as f64 / 1e6 / bare,
            ours / bare,
            if rate >= aim { "PASS" } else { "below" },
        );
    }
}

fn lines(text: &str, charset: Charset) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    for line in text.lines() {
        if let Some(bytes) = charset.encode(line) {
            out.extend(bytes);
            out.push(b'\n');
        }
    }
    out
}

/// The fastest of three.
fn best(mut work: impl FnMut() -> usize) -> f64 {
    (0..3)
        .map(|_| {
            let start = Instant::now();
            std::hint::black_box(work());
            start.elapsed().as_secs_f64()
        })
        .fold(f64::INFINITY, f64::min)
}
