//! Finds archived responses by their place.

use super::http::{Headers, MAX_HEAD, parse_head, parse_status};
use super::record::{HeadError, RecordHead, read_head};
use super::writer::archive_path;
use super::{Capture, CaptureError, Exchange, Location, Truncated};
use flate2::bufread::GzDecoder;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

/// Reads single responses of an archive folder. Cheap to make; holds no file open.
#[derive(Clone, Debug)]
pub struct ArchiveReader {
    dir: PathBuf,
}

impl ArchiveReader {
    /// A reader of the archive in `dir`.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self { dir: dir.to_owned() }
    }

    /// The response at `location`, its content coding removed; at most `max_body` bytes before and after that.
    ///
    /// # Errors
    /// [`CaptureError`]: no such file, not a response there, damaged, too large.
    pub fn read(&self, location: &Location, max_body: u64) -> Result<Capture, CaptureError> {
        Capture::from_exchange(&self.read_exchange(location, max_body)?, max_body)
    }

    /// The response at `location` as it was sent; a revisit record gives the body that it refers to. The request is not
    /// read: method and request headers are empty.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_exchange(&self, location: &Location, max_body: u64) -> Result<Exchange, CaptureError> {
        let (head, block) = self.record(location, max_body)?;
        let mut exchange = self.http(location, &head, block)?;
        if is_revisit(&head) {
            let original = head
                .refers_to()
                .ok_or_else(|| self.corrupt(location, "a revisit record that names no file"))?;
            exchange.body = self.response(&original, max_body)?.1.body;
        }
        if exchange.body.len() as u64 > max_body {
            return Err(CaptureError::TooLarge { max: max_body });
        }
        Ok(exchange)
    }

    /// The response that holds the body of the record at `location`: itself, or the one to which it refers.
    pub(super) fn read_original(
        &self,
        location: &Location,
        max_body: u64,
    ) -> Result<(Location, RecordHead, Vec<u8>), CaptureError> {
        let (head, block) = self.record(location, max_body)?;
        let place = head.refers_to().filter(|_| is_revisit(&head));
        let (place, head, exchange) = match place {
            Some(place) => {
                let (head, exchange) = self.response(&place, max_body)?;
                (place, head, exchange)
            }
            None => {
                let exchange = self.http(location, &head, block)?;
                (location.clone(), head, exchange)
            }
        };
        Ok((place, head, exchange.body))
    }

    /// A response record, and nothing else.
    fn response(&self, location: &Location, max_body: u64) -> Result<(RecordHead, Exchange), CaptureError> {
        let (head, block) = self.record(location, max_body)?;
        if is_revisit(&head) {
            return Err(self.corrupt(location, "a revisit record that refers to another one"));
        }
        let exchange = self.http(location, &head, block)?;
        Ok((head, exchange))
    }

    fn http(&self, location: &Location, head: &RecordHead, block: Vec<u8>) -> Result<Exchange, CaptureError> {
        response(head, block).ok_or_else(|| self.corrupt(location, "no HTTP response inside"))
    }

    pub(super) fn corrupt(&self, location: &Location, reason: &str) -> CaptureError {
        CaptureError::Corrupt {
            path: self.dir.join(&location.file),
            offset: location.offset,
            reason: reason.to_owned(),
        }
    }

    /// Header and block of the record at `location`.
    fn record(&self, location: &Location, max_body: u64) -> Result<(RecordHead, Vec<u8>), CaptureError> {
        let path = archive_path(&self.dir, &location.file)?;
        let corrupt = |reason: String| CaptureError::Corrupt {
            path: path.clone(),
            offset: location.offset,
            reason,
        };
        let torn = || CaptureError::Torn {
            path: path.clone(),
            offset: location.offset,
        };
        let mut file = std::fs::File::open(&path).map_err(CaptureError::io("open", &path))?;
        file.seek(SeekFrom::Start(location.offset))
            .map_err(CaptureError::io("seek in", &path))?;
        let member = GzDecoder::new(BufReader::new(file.take(location.length)));
        let mut input = BufReader::new(member);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => torn(),
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => corrupt(error.to_string()),
            _ => CaptureError::io("read", &path)(error),
        };
        let head = match read_head(&mut input) {
            Ok(Some(head)) => head,
            Ok(None) => return Err(torn()),
            Err(HeadError::Bad(reason)) => return Err(corrupt(reason)),
            Err(HeadError::Io(error)) => return Err(failed(error)),
        };
        if !matches!(head.get("WARC-Type"), Some("response" | "revisit")) {
            return Err(corrupt("the record is not a response".to_owned()));
        }
        if head.length > max_body.saturating_add(MAX_HEAD as u64) {
            return Err(CaptureError::TooLarge { max: max_body });
        }
        let mut block = Vec::new();
        input
            .by_ref()
            .take(head.length)
            .read_to_end(&mut block)
            .map_err(failed)?;
        if (block.len() as u64) < head.length {
            return Err(torn());
        }
        // To the end of the member: only there its checksum is compared.
        io::copy(&mut input, &mut io::sink()).map_err(failed)?;
        Ok((head, block))
    }
}

pub(super) fn is_revisit(head: &RecordHead) -> bool {
    head.get("WARC-Type") == Some("revisit")
}

/// The exchange of a response record's header and block; the request's half is empty. `None` if it is not HTTP.
pub(super) fn response(record: &RecordHead, mut block: Vec<u8>) -> Option<Exchange> {
    let head = parse_head(&block)?;
    let (status, reason) = parse_status(&head.start)?;
    block.drain(..head.body);
    Some(exchange(record, status, reason, head.headers, block))
}

/// An exchange with the facts that a record's header tells.
pub(super) fn exchange(
    record: &RecordHead,
    status: u16,
    reason: String,
    headers: Headers,
    body: Vec<u8>,
) -> Exchange {
    Exchange {
        notes: record.notes(),
        url: record.url().unwrap_or_default(),
        method: String::new(),
        request_headers: Vec::new(),
        request_body: Vec::new(),
        status,
        reason,
        headers,
        body,
        at: record
            .get("WARC-Date")
            .and_then(|date| date.parse().ok())
            .unwrap_or(jiff::Timestamp::UNIX_EPOCH),
        ip: record.get("WARC-IP-Address").and_then(|ip| ip.parse().ok()),
        truncated: match record.get("WARC-Truncated") {
            None => None,
            Some("time") => Some(Truncated::Time),
            Some("length") => Some(Truncated::Length),
            Some(_) => Some(Truncated::Disconnect),
        },
    }
}
