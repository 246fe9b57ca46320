//! Any WARC or ARC file as a source: ours and foreign ones, gzip (a member a record, or all in one) and plain.

use super::arc;
use super::http::{Dechunked, MAX_HEAD, dechunk, header, parse_head, push_line_safe};
use super::members::Members;
use super::reader::{exchange, response};
use super::record::{HeadError, RecordHead, digest_matches, read_head};
use super::{CaptureError, Exchange, Truncated};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

/// Bodies beyond this many bytes are cut by [`read`] and marked as [`Truncated::Length`].
pub const MAX_BODY: u64 = 64 << 20;

/// Whether a file is a WARC or ARC file by its name.
#[must_use]
pub fn is_archive(name: &str) -> bool {
    [".warc", ".warc.gz", ".arc", ".arc.gz"]
        .iter()
        .any(|end| name.ends_with(end))
}

/// Opens the WARC file at `path`; bodies are read up to [`MAX_BODY`].
///
/// # Errors
/// [`CaptureError::Io`]; [`CaptureError::Format`] if it is empty.
pub fn read(path: &Path) -> Result<Exchanges, CaptureError> {
    read_with(path, MAX_BODY)
}

/// As [`read`], with a limit of its own for the bodies.
///
/// # Errors
/// As [`read`].
pub fn read_with(path: &Path, max_body: u64) -> Result<Exchanges, CaptureError> {
    let file = File::open(path).map_err(CaptureError::io("open", path))?;
    let mut file = BufReader::with_capacity(1 << 16, file);
    let magic = file.fill_buf().map_err(CaptureError::io("read", path))?;
    let format = |reason: &str| CaptureError::Format {
        path: path.to_owned(),
        reason: reason.to_owned(),
    };
    let mut input = if magic.starts_with(&[0x1f, 0x8b]) {
        Input::Gzip(Box::new(BufReader::with_capacity(1 << 16, Members::new(file))))
    } else {
        Input::Plain { file, at: 0 }
    };
    let arc = match input.fill_buf() {
        Ok([]) => return Err(format("it is empty")),
        Ok(bytes) => bytes.starts_with(b"filedesc:").then(arc::Version::default),
        Err(_) => None,
    };
    Ok(Exchanges {
        path: path.to_owned(),
        input,
        arc,
        max_body,
        waiting: None,
        ready: None,
        skipped: 0,
        last_member: None,
        crowded: false,
        behind: None,
        done: false,
    })
}

#[derive(Debug)]
enum Input {
    Plain { file: BufReader<File>, at: u64 },
    Gzip(Box<BufReader<Members<BufReader<File>>>>),
}

impl Input {
    /// Where the next record begins; in a gzip file the member that holds the bytes read last.
    fn offset(&self) -> u64 {
        match self {
            Self::Plain { at, .. } => *at,
            Self::Gzip(members) => members.get_ref().start,
        }
    }
}

impl Input {
    /// Passes over the empty lines between records.
    fn skip_line_ends(&mut self) -> io::Result<()> {
        loop {
            let bytes = self.fill_buf()?;
            let (all, ends) = (
                bytes.len(),
                bytes.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count(),
            );
            self.consume(ends);
            if all == 0 || ends < all {
                return Ok(());
            }
        }
    }
}

impl Read for Input {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain { file, at } => file.read(buf).inspect(|&n| *at += n as u64),
            Self::Gzip(members) => members.read(buf),
        }
    }
}

impl BufRead for Input {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        match self {
            Self::Plain { file, .. } => file.fill_buf(),
            Self::Gzip(members) => members.fill_buf(),
        }
    }
    fn consume(&mut self, n: usize) {
        match self {
            Self::Plain { file, at } => {
                *at += n as u64;
                file.consume(n);
            }
            Self::Gzip(members) => members.consume(n),
        }
    }
}

/// A record's half of an exchange; or why there is none: a bad record, or (`None`) one of another kind.
type Record = Result<Half, Option<CaptureError>>;

/// One half of an exchange that waits for the other.
#[derive(Debug)]
enum Half {
    Request(Ids, Request),
    Response(Ids, Box<Exchange>),
}

#[derive(Debug)]
struct Ids {
    id: String,
    concurrent: Option<String>,
    url: String,
}

#[derive(Debug)]
struct Request {
    method: String,
    headers: super::http::Headers,
    body: Vec<u8>,
}

/// The exchanges of a WARC file in its order; see [`read`].
///
/// A record whose digest is wrong gives [`CaptureError::Digest`] and reading goes on; a torn or corrupt file gives
/// everything before the damage, then one error, then ends.
#[derive(Debug)]
pub struct Exchanges {
    path: PathBuf,
    input: Input,
    /// Is it an ARC file, and of which version?
    arc: Option<arc::Version>,
    max_body: u64,
    waiting: Option<Half>,
    ready: Option<Result<Exchange, CaptureError>>,
    skipped: usize,
    /// Gzip member of the last record, and whether any member held several.
    last_member: Option<u64>,
    crowded: bool,
    /// What went wrong behind the last whole record.
    behind: Option<io::Error>,
    done: bool,
}

impl Exchanges {
    /// How many records were passed over so far because they are no exchanges: revisit, metadata, DNS, conversions,
    /// requests without an answer.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// Reads one record: `Ok(None)` at the end, `Ok(Some(Err))` for a record that is bad by itself.
    fn record(&mut self) -> Result<Option<Record>, CaptureError> {
        let mut offset = self.input.offset();
        let result = self.try_record(&mut offset);
        result.map_err(|error| match error {
            HeadError::Bad(reason) => CaptureError::Corrupt {
                path: self.path.clone(),
                offset,
                reason,
            },
            HeadError::Io(error) => match error.kind() {
                io::ErrorKind::UnexpectedEof => CaptureError::Torn {
                    path: self.path.clone(),
                    offset,
                },
                io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => CaptureError::Corrupt {
                    path: self.path.clone(),
                    offset: self.input.offset(),
                    reason: error.to_string(),
                },
                _ => CaptureError::io("read", &self.path)(error),
            },
        })
    }

    fn try_record(&mut self, offset: &mut u64) -> Result<Option<Record>, HeadError> {
        if let Some(error) = self.behind.take() {
            return Err(error.into());
        }
        self.input.skip_line_ends()?;
        *offset = self.input.offset();
        let head = match self.arc {
            None => read_head(&mut self.input)?,
            Some(version) => arc::read_head(&mut self.input, version)?,
        };
        let Some(mut head) = head else {
            return Ok(None);
        };
        if matches!(self.input, Input::Gzip(_)) {
            self.crowded |= self.last_member == Some(*offset);
            self.last_member = Some(*offset);
        }
        let limit = self.max_body.saturating_add(MAX_HEAD as u64);
        let mut block = Vec::new();
        self.input
            .by_ref()
            .take(head.length.min(limit))
            .read_to_end(&mut block)?;
        let mut read = block.len() as u64;
        let cut = head.length > limit && read == limit;
        if cut {
            read += io::copy(
                &mut self.input.by_ref().take(head.length - limit),
                &mut io::sink(),
            )?;
        }
        if read < head.length {
            if self.arc.is_none() {
                return Err(HeadError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            arc::mark_short(&mut head, &mut block);
        }
        // Up to the next record: only there the checksum of a member is compared.
        if let Err(error) = self.input.skip_line_ends() {
            if self.input.offset() == *offset {
                return Err(error.into());
            }
            self.behind = Some(error);
        }
        if self.arc.is_some() {
            if head
                .get("WARC-Target-URI")
                .is_some_and(|u| u.starts_with("filedesc:"))
            {
                if block.is_empty() {
                    block = arc::description(&mut self.input)?;
                }
                self.arc = Some(arc::Version::of(&block));
            }
            arc::name_kind(&mut head, &block);
        }
        Ok(Some(self.interpret(&head, block, cut, *offset)))
    }

    fn interpret(&self, head: &RecordHead, block: Vec<u8>, cut: bool, offset: u64) -> Record {
        let kind = head.get("WARC-Type").unwrap_or_default().to_ascii_lowercase();
        let url = head.url().ok_or(None)?;
        let is_http = head.get("Content-Type").is_none_or(|t| {
            t.to_ascii_lowercase()
                .trim_start()
                .starts_with("application/http")
        });
        let web = url.starts_with("http://") || url.starts_with("https://");
        if !web || !(kind == "resource" || is_http && matches!(kind.as_str(), "request" | "response")) {
            return Err(None);
        }
        let wrong = |which| {
            Some(CaptureError::Digest {
                path: self.path.clone(),
                offset,
                which,
                url: url.clone(),
            })
        };
        if !cut
            && head
                .get("WARC-Block-Digest")
                .and_then(|d| digest_matches(d, &block))
                == Some(false)
        {
            return Err(wrong("WARC-Block-Digest"));
        }
        let ids = Ids {
            id: head.get("WARC-Record-ID").unwrap_or_default().to_owned(),
            concurrent: head.get("WARC-Concurrent-To").map(str::to_owned),
            url: url.clone(),
        };
        if kind == "request" {
            let http = parse_head(&block).ok_or(None)?;
            let method = http
                .start
                .split(' ')
                .next()
                .unwrap_or_default()
                .to_ascii_uppercase();
            let body = block[http.body..].to_vec();
            let digest = head.get("WARC-Payload-Digest").filter(|_| !cut);
            if digest.and_then(|d| digest_matches(d, &body)) == Some(false) {
                return Err(wrong("WARC-Payload-Digest"));
            }
            return Ok(Half::Request(
                ids,
                Request {
                    method,
                    headers: http.headers,
                    body,
                },
            ));
        }
        let mut found = if kind == "resource" {
            let mut content_type = Vec::new();
            push_line_safe(
                &mut content_type,
                head.get("Content-Type").unwrap_or_default().as_bytes(),
            );
            let headers = match content_type.is_empty() {
                true => Vec::new(),
                false => vec![("Content-Type".to_owned(), content_type)],
            };
            exchange(head, 200, "OK".to_owned(), headers, block)
        } else {
            response(head, block).ok_or_else(|| {
                Some(CaptureError::Corrupt {
                    path: self.path.clone(),
                    offset,
                    reason: "the response record holds no HTTP response".to_owned(),
                })
            })?
        };
        found.method = "GET".to_owned();
        let digest = head.get("WARC-Payload-Digest").filter(|_| !cut);
        let as_stored = digest.and_then(|d| digest_matches(d, &found.body));
        let chunked = header(&found.headers, "transfer-encoding")
            .is_some_and(|coding| coding.to_ascii_lowercase().contains("chunked"));
        if chunked {
            match dechunk(&found.body) {
                Dechunked::Whole(body) => found.body = body,
                Dechunked::Partial(body) => {
                    found.body = body;
                    found.truncated.get_or_insert(Truncated::Disconnect);
                }
                Dechunked::NotChunked => {}
            }
            // Writers disagree whether the digest is of the body with or without its chunks.
            let joined = digest.and_then(|d| digest_matches(d, &found.body));
            if as_stored == Some(false) && joined == Some(false) {
                return Err(wrong("WARC-Payload-Digest"));
            }
        } else if as_stored == Some(false) {
            return Err(wrong("WARC-Payload-Digest"));
        }
        if cut || found.body.len() as u64 > self.max_body {
            found
                .body
                .truncate(usize::try_from(self.max_body).unwrap_or(usize::MAX));
            found.truncated = Some(Truncated::Length);
        }
        Ok(Half::Response(ids, Box::new(found)))
    }

    /// Gives up waiting for the other half.
    fn release(&mut self) -> Option<Result<Exchange, CaptureError>> {
        match self.waiting.take()? {
            Half::Response(_, exchange) => Some(Ok(*exchange)),
            Half::Request(..) => {
                self.skipped += 1;
                None
            }
        }
    }
}

impl Iterator for Exchanges {
    type Item = Result<Exchange, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(ready) = self.ready.take() {
                return Some(ready);
            }
            if self.done {
                return None;
            }
            match self.record() {
                Ok(None) => {
                    self.done = true;
                    if self.crowded {
                        self.ready = Some(Err(CaptureError::Format {
                            path: self.path.clone(),
                            reason:
                                "several of its records share a gzip member, against annex D.2 of WARC 1.1; \
                                     all of them were read"
                                    .to_owned(),
                        }));
                    }
                    return self.release().or_else(|| self.ready.take());
                }
                Err(error) => {
                    self.done = true;
                    return match self.release() {
                        Some(exchange) => {
                            self.ready = Some(Err(error));
                            Some(exchange)
                        }
                        None => Some(Err(error)),
                    };
                }
                Ok(Some(Err(None))) => self.skipped += 1,
                Ok(Some(Err(Some(error)))) => {
                    self.ready = Some(Err(error));
                    if let Some(exchange) = self.release() {
                        return Some(exchange);
                    }
                }
                Ok(Some(Ok(half))) => match (self.waiting.take(), half) {
                    (Some(Half::Request(a, request)), Half::Response(b, exchange))
                    | (Some(Half::Response(b, exchange)), Half::Request(a, request))
                        if joined(&a, &b) =>
                    {
                        return Some(Ok(Exchange {
                            method: request.method,
                            request_headers: request.headers,
                            request_body: request.body,
                            ..*exchange
                        }));
                    }
                    (before, half) => {
                        self.waiting = before;
                        let released = self.release();
                        self.waiting = Some(half);
                        if released.is_some() {
                            return released;
                        }
                    }
                },
            }
        }
    }
}

/// Whether two adjacent records are of one exchange: by their ids, or by the URL where a writer gave no ids.
fn joined(a: &Ids, b: &Ids) -> bool {
    match (&a.concurrent, &b.concurrent) {
        (None, None) => a.url == b.url,
        (to_b, to_a) => to_b.as_ref() == Some(&b.id) || to_a.as_ref() == Some(&a.id),
    }
}
