//! Encodings: the sniffing cases of html5lib, and what w3lib reads of headers and declarations.

use super::{Suite, data};
use encoding_rs::Encoding;
use sangtrang::page::declared_encoding;

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
