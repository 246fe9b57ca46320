//! Writer, readers and foreign files together.

use super::warc;
use super::*;
use std::fs;
use std::path::Path;
use std::process::Command;

const MAX: u64 = 1 << 20;

fn exchange(n: usize, body: &[u8]) -> Exchange {
    Exchange {
        notes: Vec::new(),
        url: format!("http://ctk.example/View.aspx?ItemID={n}&q=a b"),
        method: "POST".into(),
        request_headers: vec![("Accept".into(), b"*/*".to_vec())],
        request_body: b"x=1".to_vec(),
        status: 200,
        reason: "OK".into(),
        headers: vec![
            ("Content-Type".into(), b"text/html".to_vec()),
            ("Transfer-Encoding".into(), b"chunked".to_vec()),
            ("Set-Cookie".into(), b"a=\xe1".to_vec()),
        ],
        body: body.to_vec(),
        at: "2023-07-14T01:02:03.456789Z".parse().unwrap(),
        ip: Some("127.0.0.1".parse().unwrap()),
        truncated: (n == 3).then_some(Truncated::Disconnect),
    }
}

fn body(n: usize) -> Vec<u8> {
    format!("<p>trang {n}</p>").repeat(n * 20).into_bytes()
}

fn write(dir: &Path, count: usize) -> Vec<Location> {
    let mut writer = ArchiveWriter::open(dir, ArchiveLimits::new("ctk")).unwrap();
    let places = (0..count)
        .map(|n| writer.append(&exchange(n, &body(n))).unwrap())
        .collect();
    writer.sync().unwrap();
    places
}

fn urls(path: &Path) -> Vec<String> {
    warc::read(path).unwrap().map(|e| e.unwrap().url).collect()
}

/// Runs `warcio check` where it is installed.
fn warcio_accepts(path: &Path) {
    match Command::new("warcio").arg("check").arg(path).output() {
        Err(_) => eprintln!("SKIPPED: `warcio` is not on PATH (pip install warcio)"),
        Ok(out) => assert!(
            out.status.success(),
            "warcio check: {}",
            String::from_utf8_lossy(&out.stdout)
        ),
    }
}

#[test]
fn what_is_written_is_read_again() {
    let dir = tempfile::tempdir().unwrap();
    let places = write(dir.path(), 5);
    let reader = ArchiveReader::new(dir.path());
    for (n, place) in places.iter().enumerate() {
        let capture = reader.read(place, MAX).unwrap();
        assert_eq!(capture.body, body(n));
        assert_eq!(
            capture.url,
            format!("http://ctk.example/View.aspx?ItemID={n}&q=a%20b")
        );
        assert_eq!(capture.status, 200);
        assert_eq!(capture.at, exchange(n, b"").at);
        assert_eq!(capture.truncated, exchange(n, b"").truncated);
        assert_eq!(
            capture.header("x-archive-transfer-encoding").as_deref(),
            Some("chunked")
        );
        assert_eq!(capture.header("content-length"), Some(body(n).len().to_string()));
        assert_eq!(capture.header("set-cookie").as_deref(), Some("a=á"));
    }
    assert!(matches!(
        reader.read(&places[4], 10),
        Err(CaptureError::TooLarge { max: 10 })
    ));
    let request_as_response = Location {
        offset: 0,
        ..places[0].clone()
    };
    assert!(reader.read(&request_as_response, MAX).is_err());
    let outside = Location {
        file: "../x.warc.gz".into(),
        ..places[0].clone()
    };
    assert!(matches!(
        reader.read(&outside, MAX),
        Err(CaptureError::Name { .. })
    ));

    let path = dir.path().join("ctk-00000.warc.gz");
    let mut again = warc::read(&path).unwrap();
    let all: Vec<Exchange> = again.by_ref().map(Result::unwrap).collect();
    assert_eq!(all.len(), 5);
    assert_eq!(again.skipped(), 1, "only warcinfo");
    assert_eq!(
        (all[2].method.as_str(), all[2].request_body.as_slice()),
        ("POST", &b"x=1"[..])
    );
    assert_eq!(all[2].ip, exchange(0, b"").ip);
    assert_eq!(all[2].body, body(2));
    warcio_accepts(&path);
}

#[test]
fn the_same_input_gives_the_same_archive() {
    let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(a.path(), 4);
    write(b.path(), 4);
    let read = |dir: &Path| fs::read(dir.join("ctk-00000.warc.gz")).unwrap();
    assert_eq!(read(a.path()), read(b.path()));
}

#[test]
fn a_torn_tail_is_cut_wherever_it_is_torn() {
    let dir = tempfile::tempdir().unwrap();
    let places = write(dir.path(), 3);
    let path = dir.path().join("ctk-00000.warc.gz");
    let whole = fs::read(&path).unwrap();
    let last = &places[2];
    assert_eq!(last.offset + last.length, whole.len() as u64);
    for cut in last.offset as usize..whole.len() {
        fs::write(&path, &whole[..cut]).unwrap();
        let before: Vec<_> = warc::read(&path).unwrap().collect();
        assert_eq!(before.iter().filter(|e| e.is_ok()).count(), 2, "cut at {cut}");
        if cut > last.offset as usize {
            assert!(
                matches!(before.last(), Some(Err(CaptureError::Torn { offset, .. })) if *offset == last.offset),
                "cut at {cut}: {:?}",
                before.last()
            );
        }
        let mut writer = ArchiveWriter::open(dir.path(), ArchiveLimits::new("ctk")).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), last.offset, "cut at {cut}");
        writer.truncate_after(Some(&places[1])).unwrap();
        assert_eq!(writer.append(&exchange(2, &body(2))).unwrap(), *last);
        writer.sync().unwrap();
        assert!(
            fs::read(&path).unwrap() == whole,
            "not equal after the cut at {cut}"
        );
    }
    // The ledger's place is enough, whatever garbage follows it.
    fs::write(&path, [&whole[..last.offset as usize], b"garbage"].concat()).unwrap();
    let mut writer = ArchiveWriter::resume(dir.path(), ArchiveLimits::new("ctk"), &places[1]).unwrap();
    assert_eq!(writer.append(&exchange(2, &body(2))).unwrap(), *last);
    writer.sync().unwrap();
    assert!(fs::read(&path).unwrap() == whole);
    // Pages that never reached the disk.
    fs::write(&path, [&whole[..], &[0; 600]].concat()).unwrap();
    ArchiveWriter::open(dir.path(), ArchiveLimits::new("ctk")).unwrap();
    assert!(fs::read(&path).unwrap() == whole);
}

#[test]
fn damage_in_the_middle_is_refused_and_nothing_is_cut() {
    let dir = tempfile::tempdir().unwrap();
    let places = write(dir.path(), 3);
    let path = dir.path().join("ctk-00000.warc.gz");
    let mut bytes = fs::read(&path).unwrap();
    let end = (places[1].offset + places[1].length) as usize;
    bytes[end - 6] ^= 0x10; // in the checksum of the member
    fs::write(&path, &bytes).unwrap();
    let error = ArchiveWriter::open(dir.path(), ArchiveLimits::new("ctk")).unwrap_err();
    assert!(
        matches!(error, CaptureError::Corrupt { offset, .. } if offset == places[1].offset),
        "{error}"
    );
    assert_eq!(fs::read(&path).unwrap(), bytes);
    let reader = ArchiveReader::new(dir.path());
    assert!(matches!(
        reader.read(&places[1], MAX),
        Err(CaptureError::Corrupt { .. })
    ));
    assert!(reader.read(&places[2], MAX).is_ok());
    let all: Vec<_> = warc::read(&path).unwrap().collect();
    assert_eq!(all.iter().filter(|e| e.is_ok()).count(), 1);
    assert!(
        matches!(all.last(), Some(Err(CaptureError::Corrupt { .. }))),
        "{:?}",
        all.last()
    );
}

#[test]
fn files_rotate_and_are_cut_back_to_the_ledger() {
    let dir = tempfile::tempdir().unwrap();
    let limits = || ArchiveLimits {
        max_file_bytes: 1500,
        ..ArchiveLimits::new("ctk")
    };
    let mut writer = ArchiveWriter::open(dir.path(), limits()).unwrap();
    let places: Vec<_> = (0..8)
        .map(|n| writer.append(&exchange(n, &body(n))).unwrap())
        .collect();
    writer.sync().unwrap();
    let files = || {
        let mut names: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    assert!(files().len() >= 3, "{:?}", files());
    let keep = places
        .iter()
        .rposition(|p| p.file == "ctk-00001.warc.gz")
        .unwrap();
    writer.truncate_after(Some(&places[keep])).unwrap();
    assert_eq!(files(), ["ctk-00000.warc.gz", "ctk-00001.warc.gz"]);
    drop(writer);

    let mut writer = ArchiveWriter::open(dir.path(), limits()).unwrap();
    assert_eq!(
        writer.append(&exchange(keep + 1, &body(keep + 1))).unwrap(),
        places[keep + 1]
    );
    writer.sync().unwrap();
    let all: Vec<_> = files().iter().flat_map(|f| urls(&dir.path().join(f))).collect();
    assert_eq!(all.len(), keep + 2);

    // The ledger knows more than the archive has.
    let beyond = Location {
        file: "ctk-00099.warc.gz".into(),
        offset: 0,
        length: 1,
    };
    assert!(matches!(
        writer.truncate_after(Some(&beyond)),
        Err(CaptureError::Missing { .. })
    ));
    assert_eq!(
        urls(&dir.path().join("ctk-00000.warc.gz")).len() + 1,
        places.iter().position(|p| p.file != places[0].file).unwrap() + 1
    );
    writer.truncate_after(None).unwrap();
    assert!(files().is_empty());
    assert_eq!(writer.append(&exchange(0, &body(0))).unwrap(), places[0]);
}

#[test]
fn rollback_forgets_what_was_not_synced() {
    let dir = tempfile::tempdir().unwrap();
    let mut writer = ArchiveWriter::open(dir.path(), ArchiveLimits::new("ctk")).unwrap();
    writer.append(&exchange(0, b"never")).unwrap();
    writer.rollback().unwrap();
    let first = writer.append(&exchange(1, b"one")).unwrap();
    writer.sync().unwrap();
    let second = writer.append(&exchange(2, &vec![7; 3 << 20])).unwrap();
    writer.rollback().unwrap();
    assert_eq!(writer.append(&exchange(2, b"two")).unwrap().offset, second.offset);
    writer.sync().unwrap();
    assert_eq!(urls(&dir.path().join(&first.file)).len(), 2);
}

#[test]
fn a_failed_write_stops_the_writer_until_it_is_rolled_back() {
    let dir = tempfile::tempdir().unwrap();
    let inner = dir.path().join("archive");
    let mut writer = ArchiveWriter::open(&inner, ArchiveLimits::new("ctk")).unwrap();
    fs::remove_dir(&inner).unwrap();
    let error = writer.append(&exchange(0, b"x")).unwrap_err();
    assert!(
        matches!(error, CaptureError::Io { action: "create", .. }),
        "{error}"
    );
    assert!(matches!(
        writer.append(&exchange(0, b"x")),
        Err(CaptureError::Broken { .. })
    ));
    assert!(matches!(writer.sync(), Err(CaptureError::Broken { .. })));
    fs::create_dir(&inner).unwrap();
    writer.rollback().unwrap();
    writer.append(&exchange(0, b"x")).unwrap();
    writer.sync().unwrap();
    assert_eq!(urls(&inner.join("ctk-00000.warc.gz")).len(), 1);
}

#[test]
fn names_that_leave_the_folder_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    for site in ["", "../x", ".hidden"] {
        let opened = ArchiveWriter::open(dir.path(), ArchiveLimits::new(site));
        assert!(matches!(opened, Err(CaptureError::Name { .. })));
    }
}

#[test]
fn a_compacted_file_keeps_what_is_kept_and_revisits_of_other_files_find_their_originals() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let limits = ArchiveLimits {
        max_file_bytes: 4000,
        ..ArchiveLimits::new("ctk")
    };
    let mut writer = ArchiveWriter::open(dir, limits).unwrap();
    let noise = |n: usize| -> Vec<u8> {
        let mut chance = fastrand::Rng::with_seed(n as u64);
        std::iter::repeat_with(|| chance.u8(..)).take(1500).collect()
    };
    let mut places: Vec<Location> = Vec::new();
    for n in 0..6 {
        places.push(writer.append(&exchange(n, &noise(n))).unwrap());
    }
    // The first three again: nothing but headers, in a later file.
    for n in 0..3 {
        places.push(
            writer
                .append_or_revisit(&exchange(n, &noise(n)), &places[n])
                .unwrap(),
        );
    }
    writer.sync().unwrap();
    drop(writer);
    let first = places[0].file.clone();
    let last = places[6].file.clone();
    assert_ne!(first, last);
    assert_eq!(original_of(dir, &places[7]).unwrap(), Some(places[1].clone()));
    assert_eq!(original_of(dir, &places[1]).unwrap(), None);
    // Without the first answer.
    let gone = places[0].offset;
    let one = compact(dir, &first, &mut |o| !o.contains(&gone), &|_| None).unwrap();
    assert_eq!(one.file.as_deref(), Some("ctk-00000.1.warc.gz"));
    assert!(one.after < one.before && dir.join(&first).exists());
    let went = |to: &Location| one.moved.iter().find(|(old, _)| old == to).map(|m| m.1.clone());
    // The revisit of what is gone goes, too.
    let gone = places[6].offset;
    let two = compact(dir, &last, &mut |o| !o.contains(&gone), &went).unwrap();
    fs::remove_file(dir.join(&first)).unwrap();
    fs::remove_file(dir.join(&last)).unwrap();
    let reader = ArchiveReader::new(dir);
    for (moved, n) in one.moved.iter().chain(&two.moved).filter_map(|(old, new)| {
        let n = places.iter().position(|p| p == old)?;
        Some((new, if n >= 6 { n - 6 } else { n }))
    }) {
        assert_eq!(
            reader.read_exchange(moved, MAX).unwrap().body,
            noise(n),
            "{moved:?}"
        );
    }
    let walked: Vec<_> = walk(dir, "ctk", MAX).unwrap().map(Result::unwrap).collect();
    assert_eq!(walked.len(), places.len() - 2);
    for file in fs::read_dir(dir).unwrap() {
        warcio_accepts(&file.unwrap().path());
    }
    // Nothing kept: no file.
    let none = compact(dir, "ctk-00000.1.warc.gz", &mut |_| false, &|_| None).unwrap();
    assert_eq!((none.file, none.after), (None, 0));
}
