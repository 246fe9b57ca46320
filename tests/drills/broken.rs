//! D6: answers that never end. D7: answers that are not whole.

use crate::harness::{Running, random, run, warcio_agrees};
use crate::site::{Reply, Rules, Site, article, articles_are, class, healthy, job, links, mapping};
use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

/// Waits until the other side hangs up.
fn hold(stream: &mut TcpStream) -> std::io::Result<()> {
    let mut rest = [0; 64];
    while stream.read(&mut rest)? > 0 {}
    Ok(())
}

/// A byte at a time; gives up after `most`.
fn drip(stream: &mut TcpStream, bytes: &[u8], pause: Duration) -> std::io::Result<()> {
    for byte in bytes {
        stream.write_all(&[*byte])?;
        std::thread::park_timeout(pause);
    }
    Ok(())
}

const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\nConnection: close\r\n";

#[test]
fn d06_answers_that_never_end_are_left_and_the_others_go_on() {
    const ARTICLES: u32 = 30;
    let slow = ["/cham/than", "/cham/dau", "/cham/treo"];
    let site = Site::start(move |asked| match asked.path.as_str() {
        "/" => {
            let first: String = slow.iter().map(|p| format!("<a href='{p}'>x</a>")).collect();
            Reply::page(first + &links(1..=ARTICLES))
        }
        "/cham/than" => Reply::raw(|stream| {
            stream.write_all(format!("{HEAD}Content-Length: 100000\r\n\r\n").as_bytes())?;
            drip(stream, &[b' '; 100_000], Duration::from_millis(200))
        }),
        "/cham/dau" => Reply::raw(|stream| {
            stream.write_all(b"HTTP/1.1 200 OK\r\n")?;
            drip(stream, &b"X-A: b\r\n".repeat(10_000), Duration::from_millis(200))
        }),
        "/cham/treo" => Reply::raw(|stream| {
            stream.write_all(format!("{HEAD}Content-Length: 100000\r\n\r\n<p>").as_bytes())?;
            hold(stream)
        }),
        _ => healthy(asked, ARTICLES),
    });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let mapping = mapping(
        folder.path(),
        &Rules {
            politeness: "timeout = \"4s\"\nretries = 0\nbreaker = 0",
            ..Rules::default()
        },
    );
    run(&mut job(&mapping, site.address, &output)).with(4);
    articles_are(&output, 1..=ARTICLES);
    for path in slow {
        let class = class(&output, path);
        assert!(
            ["timeout", "truncated", "network", "too-slow"].contains(&class.as_str()),
            "{path}: `{class}`"
        );
    }
    // Every article was answered while all three still held their slots.
    let log = site.log();
    let left = log
        .iter()
        .filter(|s| s.asked.path.starts_with("/cham"))
        .filter_map(|s| s.over)
        .min()
        .unwrap();
    let meanwhile = log
        .iter()
        .filter(|s| s.status == 200 && s.asked.id().is_some() && s.asked.at < left);
    assert_eq!(meanwhile.count(), ARTICLES as usize);
    eprintln!(
        "D6: three endless answers were left at the deadline; {ARTICLES} of {ARTICLES} articles came meanwhile"
    );
}

#[test]
fn d06_a_drip_is_left_by_its_rate_long_before_the_deadline() {
    let site = Site::start(|asked| match asked.path.as_str() {
        "/" => Reply::page("<a href='/cham'>x</a>"),
        "/cham" => Reply::raw(|stream| {
            stream.write_all(format!("{HEAD}Content-Length: 100000\r\n\r\n").as_bytes())?;
            drip(stream, &[b' '; 100], Duration::from_secs(1))
        }),
        _ => Reply::status(404),
    });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let mapping = mapping(
        folder.path(),
        &Rules {
            politeness: "timeout = \"600s\"\nretries = 0",
            ..Rules::default()
        },
    );
    let mut running = Running::start(&mut job(&mapping, site.address, &output));
    let dripping = || {
        site.log()
            .iter()
            .any(|s| s.asked.path == "/cham" && s.over.is_some())
    };
    running.until(dripping);
    running.end();
    // The server notices with its next byte.
    let patience = std::time::Instant::now();
    while !dripping() {
        assert!(
            patience.elapsed() < Duration::from_secs(10),
            "the server still sends"
        );
        std::thread::park_timeout(Duration::from_millis(10));
    }
    let drop = site.log().into_iter().find(|s| s.asked.path == "/cham").unwrap();
    let held = drop.over.unwrap() - drop.answering;
    assert!(
        held < Duration::from_secs(60),
        "1 byte a second was read for {} s",
        held.as_secs()
    );
    eprintln!("D6: 1 byte a second was left after {:.0} s", held.as_secs_f64());
}

/// Ways in which an answer is not whole. `html` is what it should have been.
fn break_it(way: u32, html: &str, stream: &mut TcpStream) -> std::io::Result<()> {
    let half = &html[..html.char_indices().nth(html.chars().count() / 2).unwrap().0];
    let length = html.len();
    match way {
        // Fewer bytes than announced.
        0 => write!(stream, "{HEAD}Content-Length: {length}\r\n\r\n{half}"),
        // Chunks without an end.
        1 => write!(
            stream,
            "{HEAD}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{half}\r\n",
            half.len()
        ),
        // A chunk whose length is no number.
        2 => write!(
            stream,
            "{HEAD}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{half}\r\nzz\r\n",
            half.len()
        ),
        // A chunk that breaks off.
        3 => write!(
            stream,
            "{HEAD}Transfer-Encoding: chunked\r\n\r\n{length:x}\r\n{half}"
        ),
        // A reset in the middle of the body: unread input makes close() send RST.
        4 => {
            write!(stream, "{HEAD}Content-Length: {length}\r\n\r\n{half}")?;
            reset(stream)
        }
        // A reset instead of an answer.
        5 => reset(stream),
        // No answer at all.
        6 => stream.shutdown(Shutdown::Both),
        // A status line that is none.
        7 => write!(stream, "HTTZ 200\r\n\r\n{html}"),
        // gzip that breaks off inside an answer of the right length.
        _ => {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            packed.write_all(html.as_bytes())?;
            let packed = packed.finish()?;
            let part = &packed[..packed.len() / 2];
            write!(
                stream,
                "{HEAD}Content-Encoding: gzip\r\nContent-Length: {}\r\n\r\n",
                part.len()
            )?;
            stream.write_all(part)
        }
    }
}

const WAYS: u32 = 9;

/// RST instead of FIN: a linger of zero.
fn reset(stream: &TcpStream) -> std::io::Result<()> {
    let socket = socket2::SockRef::from(stream);
    socket.set_linger(Some(Duration::ZERO))
}

#[test]
fn d07_answers_that_are_not_whole_are_asked_for_again_and_never_content() {
    let mut random = random("D7");
    let offset = random.u32(..1000);
    // Articles 1 to 9 recover after one or two bad answers, 11 to 19 never do, 21 to 40 are whole.
    let site = Site::start(move |asked| {
        let Some(id) = asked
            .id()
            .filter(|id| asked.path.starts_with("/view?") && *id < 50)
        else {
            return match asked.path.as_str() {
                "/" => Reply::page(links((1..=9).chain(11..=19).chain(21..=40))),
                _ => Reply::status(404),
            };
        };
        let way = match id {
            1..=9 if asked.nth <= 1 + (id + offset) as usize % 2 => id - 1,
            11..=19 => id - 11,
            _ => return Reply::page(article(id)),
        };
        Reply::raw(move |stream| break_it(way, &article(id), stream))
    });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let mapping = mapping(
        folder.path(),
        &Rules {
            politeness: "retries = 3\nbreaker_rest = \"20ms\"\nbackoff_max = \"50ms\"",
            ..Rules::default()
        },
    );
    run(&mut job(&mapping, site.address, &output)).with(4);
    articles_are(&output, (1..=9).chain(21..=40));
    let mut named = Vec::new();
    for id in 11..=19 {
        let class = class(&output, &format!("/view?id={id}"));
        assert!(!class.is_empty(), "article {id} is missing without a word");
        let asked = site.count(&format!("/view?id={id}"));
        assert!(
            (2..=4).contains(&asked),
            "article {id} ({class}) was asked for {asked} times"
        );
        named.push(class);
    }
    warcio_agrees(&output.join("site"));
    eprintln!(
        "D7: {WAYS} ways of breaking off: 9 of 9 recovered, 9 of 9 without end named ({named:?}), 0 documents of halves"
    );
}

#[test]
fn d07_an_answer_longer_than_it_says_is_not_taken_for_the_whole() {
    // Nothing in HTTP tells this fault; what it costs must be seen by somebody.
    let site = Site::start(|asked| match asked.id() {
        Some(1) if asked.path.starts_with("/view?") => Reply::raw(|stream| {
            let html = article(1);
            write!(stream, "{HEAD}Content-Length: 100\r\n\r\n{html}")
        }),
        _ => healthy(asked, 5),
    });
    let folder = tempfile::tempdir().unwrap();
    let output = folder.path().join("out");
    let mapping = mapping(folder.path(), &Rules::default());
    run(&mut job(&mapping, site.address, &output)).with(4);
    let report = std::fs::read_to_string(output.join("site/report.txt")).unwrap();
    assert!(report.contains("/view?id=1"), "{report}");
}
