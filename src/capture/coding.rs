//! Content codings (RFC 9110 §8.4.1): gzip, deflate, br, zstd, alone or stacked, with bounded output.

use super::{Capture, CaptureError, Exchange, Truncated};
use crate::document::CaptureId;
use std::io::{ErrorKind, Read};

/// Most codings on one body that are removed.
const MAX_CODINGS: usize = 3;

/// Names that old servers write into `Content-Encoding` although nothing is encoded.
const NOT_A_CODING: [&str; 9] = [
    "",
    "identity",
    "none",
    "binary",
    "8bit",
    "7bit",
    "utf-8",
    "utf8",
    "iso-8859-1",
];

/// Removes the content codings that `headers` name from `body`. At most `max` bytes come out of each layer.
///
/// A gzip body without the gzip magic is returned as it is: its sender (or a foreign archiver) removed the coding and
/// left the header.
///
/// # Errors
/// [`CaptureError::TooLarge`] beyond `max`; [`Truncated`](CaptureError::Truncated) if the coded data ends too early;
/// [`Coding`](CaptureError::Coding) if it is damaged; [`UnknownCoding`](CaptureError::UnknownCoding) and
/// [`TooManyCodings`](CaptureError::TooManyCodings) for what no decoder is for.
pub fn decode_body(headers: &[(String, Vec<u8>)], body: &[u8], max: u64) -> Result<Vec<u8>, CaptureError> {
    let (decoded, cut) = decode_partial(headers, body, max)?;
    match cut {
        None => Ok(decoded),
        Some(coding) => Err(CaptureError::Truncated {
            coding,
            decoded: decoded.len(),
        }),
    }
}

impl Capture {
    /// The exchange's response without its content coding, at most `max_body` bytes of it. A coded body that ends too
    /// early gives what could be decoded, marked as [`Truncated::Disconnect`].
    ///
    /// # Errors
    /// As [`decode_body`], but for `Truncated`.
    pub fn from_exchange(exchange: &Exchange, max_body: u64) -> Result<Self, CaptureError> {
        let (body, cut) = decode_partial(&exchange.headers, &exchange.body, max_body)?;
        Ok(Self {
            id: CaptureId::of(&body),
            url: exchange.url.clone(),
            status: exchange.status,
            headers: exchange.headers.clone(),
            body,
            at: exchange.at,
            notes: exchange.notes.clone(),
            truncated: exchange.truncated.or(cut.map(|_| Truncated::Disconnect)),
        })
    }
}

/// The codings in the order in which they were applied, lower case, without those that code nothing.
fn codings(headers: &[(String, Vec<u8>)]) -> Vec<String> {
    headers
        .iter()
        .filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"))
        .flat_map(|(_, value)| value.split(|&b| b == b','))
        .map(|coding| String::from_utf8_lossy(coding).trim().to_ascii_lowercase())
        .filter(|coding| !NOT_A_CODING.contains(&coding.as_str()))
        .collect()
}

/// What could be decoded, and the coding that ended too early.
fn decode_partial(
    headers: &[(String, Vec<u8>)],
    body: &[u8],
    max: u64,
) -> Result<(Vec<u8>, Option<String>), CaptureError> {
    let codings = codings(headers);
    if codings.len() > MAX_CODINGS {
        return Err(CaptureError::TooManyCodings(codings.len()));
    }
    if body.len() as u64 > max {
        return Err(CaptureError::TooLarge { max });
    }
    let mut data = body.to_vec();
    let mut cut = None;
    for coding in codings.iter().rev() {
        // Answers to HEAD, 204 and 304 name a coding and have no body.
        if data.is_empty() {
            break;
        }
        let (out, whole) = decode_one(coding, &data, max)?;
        if !whole && cut.is_none() {
            cut = Some(coding.clone());
        }
        data = out;
    }
    Ok((data, cut))
}

fn decode_one(coding: &str, data: &[u8], max: u64) -> Result<(Vec<u8>, bool), CaptureError> {
    match coding {
        "gzip" | "x-gzip" if !data.starts_with(&[0x1f, 0x8b]) => Ok((data.to_vec(), true)),
        "gzip" | "x-gzip" => drain(coding, flate2::read::MultiGzDecoder::new(data), max, true),
        "deflate" | "x-deflate" => {
            // The standard means zlib, many servers send raw deflate.
            let zlib = data.len() >= 2
                && data[0] & 0x0f == 8
                && (u16::from(data[0]) << 8 | u16::from(data[1])).is_multiple_of(31);
            if zlib {
                drain(coding, flate2::read::ZlibDecoder::new(data), max, false)
            } else {
                drain(coding, flate2::read::DeflateDecoder::new(data), max, false)
            }
        }
        "br" => drain(
            coding,
            brotli_decompressor::Decompressor::new(Demanded(data), 16 * 1024),
            max,
            false,
        ),
        "zstd" | "x-zstd" => zstd(coding, data, max),
        _ => Err(CaptureError::UnknownCoding(coding.to_owned())),
    }
}

/// Fails at the end instead of giving nothing: the brotli decoder asks for more only if data is missing, and would
/// report its end as damage.
struct Demanded<'a>(&'a [u8]);

impl Read for Demanded<'_> {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        match self.0.read(buf)? {
            0 if !buf.is_empty() => Err(ErrorKind::UnexpectedEof.into()),
            n => Ok(n),
        }
    }
}

/// Reads frame after frame: RFC 8878 allows several.
fn zstd(coding: &str, data: &[u8], max: u64) -> Result<(Vec<u8>, bool), CaptureError> {
    let mut rest = data;
    let mut out = Vec::new();
    while !rest.is_empty() {
        let left = max.saturating_sub(out.len() as u64);
        let decoder = match ruzstd::decoding::StreamingDecoder::new(&mut rest) {
            Ok(decoder) => decoder,
            // A header of at most 18 bytes: less than that and broken means that the end is missing.
            Err(_) if data.len() < 18 && data.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) => {
                return Ok((out, false));
            }
            Err(error) => return Err(damaged(coding, &error)),
        };
        let (part, whole) = drain(coding, decoder, left, false).map_err(|error| match error {
            CaptureError::TooLarge { .. } => CaptureError::TooLarge { max },
            other => other,
        })?;
        out.extend_from_slice(&part);
        if !whole {
            return Ok((out, false));
        }
    }
    Ok((out, true))
}

/// Reads all of `decoder`: the bytes, and whether the coded data was whole. `tail` allows garbage behind whole data.
fn drain(
    coding: &str,
    mut decoder: impl Read,
    max: u64,
    tail: bool,
) -> Result<(Vec<u8>, bool), CaptureError> {
    let mut out = Vec::new();
    let mut chunk = vec![0; 32 * 1024];
    loop {
        match decoder.read(&mut chunk) {
            Ok(0) => return Ok((out, true)),
            Ok(n) => {
                if (out.len() + n) as u64 > max {
                    return Err(CaptureError::TooLarge { max });
                }
                out.extend_from_slice(&chunk[..n]);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if ended_early(&error) => return Ok((out, false)),
            // Browsers ignore what follows a whole gzip member and is none.
            Err(error) if tail && !out.is_empty() && error.to_string().contains("header") => {
                return Ok((out, true));
            }
            Err(error) => return Err(damaged(coding, &error)),
        }
    }
}

/// The decoders say in different ways that data is missing.
fn ended_early(error: &std::io::Error) -> bool {
    if error.kind() == ErrorKind::UnexpectedEof {
        return true;
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = error.get_ref().map(|e| e as _);
    while let Some(at) = cause {
        if at
            .downcast_ref::<std::io::Error>()
            .is_some_and(|e| e.kind() == ErrorKind::UnexpectedEof)
        {
            return true;
        }
        cause = at.source();
    }
    false
}

fn damaged(coding: &str, error: &dyn std::fmt::Display) -> CaptureError {
    CaptureError::Coding {
        coding: coding.to_owned(),
        reason: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use std::io::Write;

    fn named(coding: &str) -> Vec<(String, Vec<u8>)> {
        vec![("content-encoding".into(), coding.as_bytes().to_vec())]
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zlib(data: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(data, ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn page() -> Vec<u8> {
        (0..2000)
            .flat_map(|n| format!("<p>Cục Thống kê {n}</p>").into_bytes())
            .collect()
    }

    #[test]
    fn every_coding_gives_the_page() {
        let page = page();
        let raw = {
            let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), Compression::default());
            encoder.write_all(&page).unwrap();
            encoder.finish().unwrap()
        };
        let cases = [
            ("gzip", gzip(&page)),
            ("X-GZIP", gzip(&page)),
            ("gzip", [gzip(&page[..100]), gzip(&page[100..])].concat()),
            ("gzip", page.clone()),
            (
                "gzip",
                [gzip(&page), b"<!-- behind the end -->".to_vec()].concat(),
            ),
            ("deflate", zlib(&page)),
            ("deflate", raw),
            ("zstd", zstd(&page)),
            ("zstd", [zstd(&page[..5000]), zstd(&page[5000..])].concat()),
            ("deflate, gzip", gzip(&zlib(&page))),
            ("identity", page.clone()),
            ("utf-8", page.clone()),
        ];
        for (coding, body) in cases {
            assert!(
                decode_body(&named(coding), &body, 1 << 20).unwrap() == page,
                "{coding}"
            );
        }
        // `printf 'sang trang' | brotli`
        let brotli = [
            0x8f, 0x04, 0x80, b's', b'a', b'n', b'g', b' ', b't', b'r', b'a', b'n', b'g', 0x03,
        ];
        assert_eq!(decode_body(&named("br"), &brotli, 100).unwrap(), b"sang trang");
        assert_eq!(decode_body(&named("br"), b"", 100).unwrap(), b"");
    }

    #[test]
    fn bombs_stop_at_the_limit() {
        let zeros = vec![0; 8 << 20];
        for (coding, body) in [
            ("gzip", gzip(&zeros)),
            ("deflate", zlib(&zeros)),
            ("zstd", zstd(&zeros)),
        ] {
            let error = decode_body(&named(coding), &body, 1 << 20).unwrap_err();
            assert!(
                matches!(error, CaptureError::TooLarge { max: 0x10_0000 }),
                "{coding}: {error}"
            );
        }
        let deep = gzip(&gzip(&gzip(&zeros)));
        assert!(matches!(
            decode_body(&named("gzip, gzip, gzip"), &deep, 1 << 20),
            Err(CaptureError::TooLarge { .. })
        ));
        assert!(matches!(
            decode_body(&named("gzip, gzip, gzip, gzip"), &deep, 1 << 20),
            Err(CaptureError::TooManyCodings(4))
        ));
    }

    #[test]
    fn bodies_that_end_too_early_are_told_and_can_be_read_in_part() {
        let page = page();
        for (coding, body) in [
            ("gzip", gzip(&page)),
            ("deflate", zlib(&page)),
            ("zstd", zstd(&page)),
        ] {
            for cut in [body.len() - 1, body.len() / 2, 5] {
                let error = decode_body(&named(coding), &body[..cut], 1 << 20);
                assert!(
                    matches!(error, Err(CaptureError::Truncated { .. })),
                    "{coding} {cut}: {error:?}"
                );
            }
        }
        let brotli = [0x8f, 0x04, 0x80, b's', b'a'];
        assert!(matches!(
            decode_body(&named("br"), &brotli, 100),
            Err(CaptureError::Truncated { .. })
        ));
        assert!(matches!(
            decode_body(&named("gzip"), b"\x1f\x8b\x08\0\0\0\0\0\0\0\xff\xff\xff", 100),
            Err(CaptureError::Coding { .. })
        ));
        assert!(matches!(
            decode_body(&named("sdch"), b"x", 100),
            Err(CaptureError::UnknownCoding(_))
        ));

        let exchange = Exchange {
            notes: Vec::new(),
            url: "http://a.example/".into(),
            method: "GET".into(),
            request_headers: vec![],
            request_body: vec![],
            status: 200,
            reason: String::new(),
            headers: named("gzip"),
            body: {
                let all = gzip(&page);
                all[..all.len() - 9].to_vec()
            },
            at: jiff::Timestamp::UNIX_EPOCH,
            ip: None,
            truncated: None,
        };
        let capture = Capture::from_exchange(&exchange, 1 << 20).unwrap();
        assert_eq!(capture.truncated, Some(Truncated::Disconnect));
        assert!(!capture.body.is_empty() && page.starts_with(&capture.body));
    }
}
