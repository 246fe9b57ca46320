//! An archive of ours from its first exchange to its last, each with its place: what a lost ledger is made of again.

use super::http::parse_head;
use super::members::Counted;
use super::reader::{ArchiveReader, is_revisit, response};
use super::record::{HeadError, RecordHead, read_head};
use super::writer::{archive_files, archive_path};
use super::{CaptureError, Exchange, Location};
use flate2::bufread::GzDecoder;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};

/// Exchanges of an archive folder, oldest first. A record that cannot be read gives an error and ends its file; what was
/// torn off by a crash at the very end gives none.
#[derive(Debug)]
pub struct Walk {
    reader: ArchiveReader,
    files: VecDeque<PathBuf>,
    current: Option<(PathBuf, Counted<BufReader<File>>)>,
    request: Option<(RecordHead, Vec<u8>)>,
    max_body: u64,
}

/// Walks through the archive of `site` in `dir`; bodies of more than `max_body` bytes are errors.
///
/// # Errors
/// [`CaptureError::Io`] if the folder cannot be listed.
pub fn walk(dir: &Path, site: &str, max_body: u64) -> Result<Walk, CaptureError> {
    let files = archive_files(dir, site)?.into_iter();
    let paths = files
        .map(|(_, name)| archive_path(dir, &name))
        .collect::<Result<_, _>>()?;
    Ok(Walk {
        reader: ArchiveReader::new(dir),
        files: paths,
        current: None,
        request: None,
        max_body,
    })
}

impl Walk {
    /// The next record of the current file with its place; `None` at the file's end.
    fn record(&mut self) -> Result<Option<(Location, RecordHead, Vec<u8>)>, CaptureError> {
        let Some((path, mut source)) = self.current.take() else {
            return Ok(None);
        };
        let offset = source.at;
        let is_last = self.files.is_empty();
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => CaptureError::Torn {
                path: path.clone(),
                offset,
            },
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => CaptureError::Corrupt {
                path: path.clone(),
                offset,
                reason: error.to_string(),
            },
            _ => CaptureError::io("read", &path)(error),
        };
        if source.fill_buf().map_err(failed)?.is_empty() {
            return Ok(None);
        }
        let mut member = BufReader::new(GzDecoder::new(source));
        let read = (|| {
            let head = read_head(&mut member)?.ok_or(HeadError::Io(io::ErrorKind::UnexpectedEof.into()))?;
            let mut block = Vec::new();
            let limit = self.max_body.saturating_add(super::http::MAX_HEAD as u64);
            member
                .by_ref()
                .take(head.length.min(limit))
                .read_to_end(&mut block)?;
            if (block.len() as u64) < head.length.min(limit) {
                return Err(HeadError::Io(io::ErrorKind::UnexpectedEof.into()));
            }
            // To the end of the member: only there its checksum is compared.
            io::copy(&mut member, &mut io::sink())?;
            Ok((head, block))
        })();
        let (head, block) = match read {
            Ok(read) => read,
            // The crash that left it was before anything was committed.
            Err(HeadError::Io(error)) if is_last && error.kind() == io::ErrorKind::UnexpectedEof => {
                return Ok(None);
            }
            Err(HeadError::Io(error)) => return Err(failed(error)),
            Err(HeadError::Bad(reason)) => return Err(CaptureError::Corrupt { path, offset, reason }),
        };
        // The decoder takes no byte beyond its member from a buffered source.
        let source = member.into_inner().into_inner();
        let location = Location {
            file: path
                .file_name()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            offset,
            length: source.at - offset,
        };
        self.current = Some((path, source));
        Ok(Some((location, head, block)))
    }

    fn exchange(
        &mut self,
        location: &Location,
        head: &RecordHead,
        block: Vec<u8>,
    ) -> Result<Exchange, CaptureError> {
        let mut exchange = if is_revisit(head) {
            self.reader.read_exchange(location, self.max_body)?
        } else {
            response(head, block).ok_or_else(|| self.reader.corrupt(location, "no HTTP response inside"))?
        };
        if exchange.body.len() as u64 > self.max_body {
            return Err(CaptureError::TooLarge { max: self.max_body });
        }
        exchange.method = "GET".to_owned();
        if let Some((of, block)) = self.request.take()
            && of.get("WARC-Concurrent-To") == head.get("WARC-Record-ID")
            && let Some(http) = parse_head(&block)
        {
            let method = http.start.split(' ').next().unwrap_or_default();
            exchange.method = method.to_ascii_uppercase();
            exchange.request_body = block[http.body..].to_vec();
            exchange.request_headers = http.headers;
        }
        Ok(exchange)
    }
}

impl Iterator for Walk {
    type Item = Result<(Location, Exchange), CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.record() {
                Err(error) => return Some(Err(error)),
                Ok(Some((location, head, block))) => match head.get("WARC-Type") {
                    Some("request") => self.request = Some((head, block)),
                    Some("response" | "revisit") => {
                        let exchange = self.exchange(&location, &head, block);
                        return Some(exchange.map(|e| (location, e)));
                    }
                    _ => {}
                },
                Ok(None) => {
                    let path = self.files.pop_front()?;
                    match File::open(&path) {
                        Ok(file) => {
                            let file = BufReader::with_capacity(1 << 16, file);
                            self.current = Some((path, Counted::new(file)));
                        }
                        Err(error) => return Some(Err(CaptureError::io("open", &path)(error))),
                    }
                }
            }
        }
    }
}
