//! Encodings: the sniffing cases of html5lib, and what w3lib reads of headers and declarations.

use super::{Reasons, Suite, data, w3lib};
use encoding_rs::Encoding;
use sangtrang::page::{declared_encoding, http_charset, read_text};
use serde_json::Value;

/// The cases of a `.dat` file: bytes and the encoding that a browser with the default windows-1252 takes.
fn cases(file: &[u8]) -> Vec<(Vec<u8>, String)> {
    let mut cases = Vec::new();
    let mut lines = file.split(|&b| b == b'\n').peekable();
    while let Some(line) = lines.next() {
        if line != b"#data" {
            continue;
        }
        let mut body: Vec<&[u8]> = Vec::new();
        while let Some(line) = lines.next_if(|l| *l != b"#encoding") {
            body.push(line);
        }
        let _ = lines.next();
        let label = lines.next().unwrap_or_default();
        cases.push((body.join(&b'\n'), String::from_utf8(label.to_vec()).unwrap()));
    }
    cases
}

#[test]
fn html5lib_encoding() {
    let Some(folder) = data("html5lib-encoding") else {
        return;
    };
    let mut suite = Suite::new("html5lib encoding");
    for file in [
        "tests1.dat",
        "tests2.dat",
        "test-yahoo-jp.dat",
        "scripted/tests1.dat",
    ] {
        let bytes = std::fs::read(folder.join(file)).unwrap();
        for (number, (body, label)) in cases(&bytes).into_iter().enumerate() {
            let theirs = Encoding::for_label(label.as_bytes()).unwrap().name();
            let ours = declared_encoding(&body).unwrap_or("windows-1252");
            suite.case(format!("{file} {}", number + 1), &ours, &theirs);
        }
    }
    suite.finish(83, &[]);
}

/// Python's name of an encoding as the Encoding Standard calls it; GBK is read as GB18030 by both.
fn standard(name: &str) -> String {
    let label = match name {
        "big5hkscs" => "big5",
        "gb18030" => "gbk",
        "utf8" => "utf-8",
        other => other,
    };
    Encoding::for_label(label.as_bytes()).map_or_else(|| name.to_owned(), |e| e.name().to_owned())
}

fn bytes(argument: &Value) -> Vec<u8> {
    match (argument.as_str(), argument["bytes_latin1"].as_str()) {
        (Some(text), _) => text.as_bytes().to_vec(),
        (_, Some(latin1)) => latin1.chars().map(|c| u8::try_from(c).unwrap()).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn w3lib_http_content_type_encoding() {
    let Some(cases) = w3lib("http_content_type_encoding") else {
        return;
    };
    let mut suite = Suite::new("w3lib http_content_type_encoding");
    for case in cases {
        let header = case["args"][0].as_str().unwrap_or_default();
        let ours = http_charset(header)
            .and_then(|label| Encoding::for_label(label.as_bytes()))
            .map(|e| e.name().to_owned());
        suite.case(header, &ours, &case["out"].as_str().map(standard));
    }
    suite.finish(39, HTTP);
}

#[test]
fn w3lib_html_body_declared_encoding() {
    let Some(cases) = w3lib("html_body_declared_encoding") else {
        return;
    };
    let mut suite = Suite::new("w3lib html_body_declared_encoding");
    for case in cases {
        let body = bytes(&case["args"][0]);
        let ours = declared_encoding(&body).map(str::to_owned);
        let id = String::from_utf8_lossy(&body).trim().to_owned();
        suite.case(id, &ours, &case["out"].as_str().map(standard));
    }
    suite.finish(33, META);
}

#[test]
fn w3lib_html_to_unicode() {
    let Some(cases) = w3lib("html_to_unicode") else {
        return;
    };
    let mut suite = Suite::new("w3lib html_to_unicode");
    for case in cases {
        let header = case["args"][0].as_str();
        let body = bytes(&case["args"][1]);
        let (ours, _) = read_text(&body, header);
        let id = format!("{} {}", header.unwrap_or("-"), body.escape_ascii());
        suite.case(id, &ours.as_str(), &case["out"][1].as_str().unwrap());
    }
    suite.finish(33, TEXT);
}

const HTTP: Reasons = &[
    (
        "white space, single quotes and broken quotes are forgiven: the bytes decide whether a label is believed",
        &[
            "text/html; charset = utf-8",
            "text/html; charset= \"utf-8\"",
            "text/html; charset=\"utf-8",
            "text/html; charset=\"utf-8\"extra",
            "text/html; charset=\"utf-8\"x",
            "text/html; charset='utf-8'",
            "text/html; charset=utf-8\"",
        ],
    ),
    (
        "UTF-32 is no encoding of the web (Encoding Standard)",
        &["Content-Type: text/html; charset=utf-32"],
    ),
];

const META: Reasons = &[
    (
        "a meta in the body counts, as in browsers",
        &["<head></head><body>\n            this isn't searched\n            <meta charset=\"utf-8\">"],
    ),
    (
        "`content` declares nothing without http-equiv=Content-Type (HTML Standard)",
        &[
            "<meta http-equiv=\"Fake-Content-Type-Header\" content=\"text/html; charset=utf-8\">",
            "<meta httpequiv=\"ContentType\" content=\"text/html; charset=gbk\" />",
        ],
    ),
    (
        "`< meta` is text, no tag",
        &[
            "bad html still supported < meta http-equiv='Content-Type'\n content=\"text/html; charset=utf-8\">",
            "blah blah < meta   http-equiv=\"Content-Type\"\n            content=\"text/html; charset=iso-8859-1\"> other stuff",
        ],
    ),
];

const TEXT: Reasons = &[
    (
        "UTF-32 is no encoding of the web (Encoding Standard)",
        &[
            "- \\x00\\x00\\xfe\\xff\\x00\\x00\\x00h\\x00\\x00\\x00i",
            "- \\xff\\xfe\\x00\\x00h\\x00\\x00\\x00i\\x00\\x00\\x00",
            "Content-Type: text/html; charset=utf-32 \\x00\\x00\\x00h\\x00\\x00\\x00i",
            "Content-Type: text/html; charset=utf-32 \\x00\\x00\\xfe\\xff\\x00\\x00\\x00h\\x00\\x00\\x00i",
            "Content-Type: text/html; charset=utf-32 \\xff\\xfe\\x00\\x00h\\x00\\x00\\x00i\\x00\\x00\\x00",
        ],
    ),
    (
        "utf-16 without a byte order mark is little-endian (Encoding Standard)",
        &["Content-Type: text/html; charset=utf-16 \\x00h\\x00i"],
    ),
    (
        "a declared UTF-8 is not believed if a good part of its letters is none: legacy sets are read instead",
        &[
            "Content-Type: text/html; charset=utf-8 PREFIX\\xe3\\xabSUFFIX",
            "Content-Type: text/html; charset=utf-8 \\xf0<span>value</span>",
        ],
    ),
];
