//! Bombs, truncated and stacked content codings of Scrapy's tests: bounded, told, never a silent success.

use super::{Suite, data};
use sangtrang::capture::{Capture, CaptureError, Exchange, Truncated, decode_body};
use std::path::Path;

/// What one layer may give, in bytes: the bombs hold 11.5 MB.
const MAX: u64 = 1 << 20;

/// File, `Content-Encoding`, and what comes of it: `page`, `bomb`, `cut`.
const FILES: [(&str, &str, &str); 17] = [
    ("bomb-br.bin", "br", "bomb"),
    ("bomb-deflate.bin", "deflate", "bomb"),
    ("bomb-gzip.bin", "gzip", "bomb"),
    ("bomb-zstd.bin", "zstd", "bomb"),
    ("feed-sample1.xml.gz", "gzip", "page"),
    ("html-br.bin", "br", "page"),
    ("html-gzip.bin", "gzip", "page"),
    ("html-gzip-deflate.bin", "gzip, deflate", "page"),
    ("html-gzip-deflate-gzip.bin", "gzip, deflate, gzip", "page"),
    ("html-rawdeflate.bin", "deflate", "page"),
    ("html-zlibdeflate.bin", "deflate", "page"),
    ("html-zstd-static-content-size.bin", "zstd", "page"),
    ("html-zstd-static-no-content-size.bin", "zstd", "page"),
    ("html-zstd-streaming-no-content-size.bin", "zstd", "page"),
    ("truncated-crc-error.gz", "gzip", "cut"),
    ("truncated-crc-error-short.gz", "gzip", "cut"),
    ("unexpected-eof.gz", "gzip", "cut"),
];

fn exchange(coding: &str, body: &[u8]) -> Exchange {
    Exchange {
        url: "http://a.example/".into(),
        method: "GET".into(),
        request_headers: Vec::new(),
        request_body: Vec::new(),
        status: 200,
        reason: String::new(),
        headers: vec![("Content-Encoding".into(), coding.as_bytes().to_vec())],
        body: body.to_vec(),
        at: jiff::Timestamp::UNIX_EPOCH,
        ip: None,
        truncated: None,
        notes: Vec::new(),
    }
}

fn outcome(folder: &Path, name: &str, coding: &str) -> (String, Vec<u8>) {
    let body = std::fs::read(folder.join(name)).unwrap();
    let exchange = exchange(coding, &body);
    match (
        decode_body(&exchange.headers, &body, MAX),
        Capture::from_exchange(&exchange, MAX),
    ) {
        (Ok(page), Ok(capture)) if capture.truncated.is_none() && capture.body == page => {
            ("page".into(), page)
        }
        (Err(CaptureError::TooLarge { .. }), Err(CaptureError::TooLarge { .. })) => {
            ("bomb".into(), Vec::new())
        }
        (Err(CaptureError::Truncated { .. }), Ok(capture))
            if capture.truncated == Some(Truncated::Disconnect) =>
        {
            ("cut".into(), capture.body)
        }
        other => (format!("{other:?}").chars().take(200).collect(), Vec::new()),
    }
}

#[test]
fn scrapy_compressed() {
    let Some(folder) = data("scrapy-compressed") else {
        return;
    };
    let mut suite = Suite::new("scrapy-compressed");
    for (name, coding, expected) in FILES {
        let (found, body) = outcome(&folder, name, coding);
        suite.case(name, &found.as_str(), &expected);
        if name.starts_with("html-") {
            let whole = String::from_utf8_lossy(&body).contains("</html>");
            suite.case(format!("{name}, to its end"), &whole, &true);
        }
    }
    // What could be read before the end is what there was.
    // The file has each byte as the letter of Latin-1.
    let whole = std::fs::read_to_string(folder.join("unexpected-eof-output.txt")).unwrap();
    let whole: Vec<u8> = whole
        .chars()
        .map(|c| u8::try_from(u32::from(c)).unwrap())
        .collect();
    let read = outcome(&folder, "unexpected-eof.gz", "gzip").1;
    let as_far = read.len() > 1000 && whole.starts_with(&read);
    suite.case("unexpected-eof-output.txt", &as_far, &true);
    let feed = std::fs::read(folder.join("feed-sample1.xml")).unwrap();
    suite.case(
        "feed-sample1.xml",
        &(outcome(&folder, "feed-sample1.xml.gz", "gzip").1 == feed),
        &true,
    );
    suite.finish(28, &[]);
}
