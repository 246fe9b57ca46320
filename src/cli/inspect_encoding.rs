//! `sangtrang inspect encoding FILE…`: how the bytes of any file are read, and the text.

use super::args::InspectEncodingArgs;
use super::encodings::decision_lines;
use super::error::CliError;
use super::inspect::clean;
use super::{Exit, Outcome, Ui};
use crate::capture::Capture;
use crate::document::Decode;
use crate::lang::vietnamese::repair::vowelless;
use crate::mapping::Mapping;
use crate::page::Shown;
use std::io::Read;
use std::path::Path;

/// Largest file that is read, in bytes.
const MAX_FILE: u64 = 64 << 20;
/// Bytes that are looked at for markup.
const HEAD: usize = 4096;
/// Tags of which one shows that a file is HTML.
const TAGS: [&[u8]; 9] = [
    b"<html",
    b"<!doctype html",
    b"<head",
    b"<body",
    b"<p>",
    b"<p ",
    b"<table",
    b"<div",
    b"<font",
];

pub(super) fn main(args: &InspectEncodingArgs, ui: &Ui) -> Outcome {
    let mapping = Mapping::parse(
        "inspect",
        "schema = 1\n[site]\nid = \"inspect\"\nbase = \"http://localhost/\"\n[limits]\npage_bytes = 67108864\n",
    )
    .map_err(|e| CliError::new(Exit::Failure, "inspect", e))?;
    let mut worst = Exit::Ok;
    for file in &args.files {
        match read(file).and_then(|bytes| decide(&bytes, &mapping)) {
            Ok(seen) => tell(file, &seen, ui),
            // One bad file does not hide what the others are.
            Err(error) => {
                worst = Exit::Failure;
                ui.warning(error.message);
            }
        }
    }
    Ok(worst)
}

struct Seen {
    html: bool,
    bytes: usize,
    decode: Decode,
    shown: Vec<Shown>,
    text: String,
}

fn read(file: &Path) -> Result<Vec<u8>, CliError> {
    let mut bytes = Vec::new();
    let limited = MAX_FILE + 1;
    if file == Path::new("-") {
        std::io::stdin().lock().take(limited).read_to_end(&mut bytes)?;
    } else {
        fs_err::File::open(file)?.take(limited).read_to_end(&mut bytes)?;
    }
    if u64::try_from(bytes.len()).is_ok_and(|n| n <= MAX_FILE) {
        Ok(bytes)
    } else {
        let message = format!("larger than {MAX_FILE} bytes, which is all that is read");
        Err(CliError::new(Exit::Failure, "page::too_large", message))
    }
}

fn decide(bytes: &[u8], mapping: &Mapping) -> Result<Seen, CliError> {
    let head = bytes[..bytes.len().min(HEAD)].to_ascii_lowercase();
    if !TAGS.iter().any(|tag| head.windows(tag.len()).any(|w| w == *tag)) {
        let (text, decode) = crate::page::read_text(bytes, None);
        return Ok(Seen {
            html: false,
            bytes: bytes.len(),
            decode,
            shown: Vec::new(),
            text,
        });
    }
    let capture = Capture::saved("http://localhost/", None, bytes.to_vec());
    let url = mapping
        .canonical(&mapping.rules().site.base)
        .map_err(|e| CliError::new(Exit::Failure, "inspect", e))?;
    let page =
        crate::page::read(&capture, &url, mapping).map_err(|e| CliError::new(Exit::Failure, "page", e))?;
    Ok(Seen {
        html: true,
        bytes: bytes.len(),
        text: page.text.as_str().to_owned(),
        decode: page.decode,
        shown: page.shown,
    })
}

fn tell(file: &Path, seen: &Seen, ui: &Ui) {
    /// Blocks shown on a terminal.
    const BLOCKS: usize = 20;
    let decode = &seen.decode;
    if ui.json() {
        ui.data(serde_json::json!({
            "schema": "encoding/1", "type": "file", "file": file.display().to_string(), "bytes": seen.bytes,
            "html": seen.html, "decode": decode,
            "lost_letters": vowelless(&seen.text), "text": seen.text,
        }));
        return;
    }
    let or_none = |name: &Option<String>| name.clone().unwrap_or_else(|| "none".to_owned());
    ui.data(format_args!(
        "{}: {} by {} (declared {}; the text says {}), {} undecodable, {} blocks undecided",
        file.display(),
        decode.used,
        decode.method,
        or_none(&decode.declared),
        or_none(&decode.detected),
        decode.replacements,
        decode.undecided,
    ));
    for line in decision_lines(decode, &seen.shown, BLOCKS) {
        ui.data(clean(&line));
    }
    for line in seen.text.lines() {
        ui.data(clean(line));
    }
}
