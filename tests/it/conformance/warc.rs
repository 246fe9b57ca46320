//! WARC and ARC files of warcio and jwarc: good ones are read whole, of bad ones what is whole, and exactly the bad ones are
//! said to be bad.

use super::{Suite, data};
use proptest::prelude::*;
use sangtrang::capture::{CaptureError, Exchange, warc};
use std::path::Path;

/// File, exchanges that are read, is it bad?
const FILES: &[(&str, usize, bool)] = &[
    // Its records have no length that could be read: there is nothing in it, but nothing wrong with what there is.
    ("bad.arc", 1, false),
    ("cc.warc.gz", 1, false),
    ("example-bad-non-chunked.warc.gz", 1, true),
    ("example-bad.warc.gz.bad", 2, true),
    ("example-digest.warc", 0, true),
    ("example-iana.org-chunked.warc", 1, false),
    ("example-resource.warc.gz", 1, false),
    ("example-space-in-target-uri.warc.gz", 0, false),
    ("example-space-in-url.arc", 1, false),
    ("example-trunc.warc", 0, true),
    ("example-wget-bad-target-uri.warc.gz", 1, false),
    ("example-wrong-chunks.warc.gz", 0, true),
    ("example.arc", 1, false),
    ("example.arc.gz", 1, false),
    ("example.warc", 1, false),
    ("example.warc.gz", 1, false),
    ("gzip_extra_sl.warc.gz", 0, false),
    ("post-test.warc.gz", 3, false),
];

fn read(path: &Path) -> (Vec<Exchange>, Vec<CaptureError>) {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    match warc::read(path) {
        Ok(all) => {
            for exchange in all {
                match exchange {
                    Ok(exchange) => good.push(exchange),
                    Err(error) => bad.push(error),
                }
            }
        }
        Err(error) => bad.push(error),
    }
    (good, bad)
}

#[test]
fn exactly_the_bad_files_are_bad() {
    let Some(folder) = data("warc") else { return };
    let mut suite = Suite::new("warc");
    for (name, exchanges, is_bad) in FILES {
        let (good, bad) = read(&folder.join(name));
        // What the archiver cut off is marked, whether or not its records are whole.
        let cut = good.iter().filter(|e| e.truncated.is_some()).count();
        suite.case(
            *name,
            &(good.len(), !bad.is_empty() || cut > 0),
            &(*exchanges, *is_bad),
        );
    }
    suite.finish(18, &[]);
}

/// No prefix and no flipped byte of any file makes the reader panic, hang or give more than the file holds.
#[test]
fn damage_of_any_kind_is_survived() {
    let Some(folder) = data("warc") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("damaged.warc.gz");
    let mut tried = 0;
    for (name, exchanges, _) in FILES {
        let whole = std::fs::read(folder.join(name)).unwrap();
        let steps = (whole.len() / 512).clamp(10, 40);
        for n in 0..steps {
            let cut = whole.len() * n / steps;
            std::fs::write(&path, &whole[..cut]).unwrap();
            assert!(read(&path).0.len() <= *exchanges, "{name} cut at {cut}");
            let mut flipped = whole.clone();
            flipped[cut] ^= 0x41;
            std::fs::write(&path, &flipped).unwrap();
            // A flipped byte may make two records of one, never many.
            assert!(read(&path).0.len() <= exchanges + 2, "{name} flipped at {cut}");
            tried += 2;
        }
    }
    assert!(tried > 300, "{tried}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Arbitrary bytes behind the first line of each format.
    #[test]
    fn noise_is_survived(start in 0usize..3, noise in proptest::collection::vec(any::<u8>(), 0..2000)) {
        let starts: [&[u8]; 3] = [b"WARC/1.0\r\n", b"filedesc://x 0.0.0.0 20140216050221 text/plain 10\n", b"\x1f\x8b"];
        let scratch = tempfile::tempdir().unwrap();
        let path = scratch.path().join("noise.warc");
        std::fs::write(&path, [starts[start], noise.as_slice()].concat()).unwrap();
        let (good, _) = read(&path);
        prop_assert!(good.len() < 100);
    }
}
