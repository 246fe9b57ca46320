//! Appends exchanges to gzip WARC 1.1 files, one member a record, so that after any crash the archive can be cut back
//! to what the ledger knows.

use super::http::{header, push_header, push_line_safe};
use super::members::whole_length;
use super::record::{safe_uri, sha1, write_record};
use super::{CaptureError, Exchange, Location, Truncated};
use flate2::Compression;
use flate2::write::GzEncoder;
use fs_err as fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use uuid::Uuid;

/// How files are named and when the next one begins.
#[derive(Clone, Debug)]
pub struct ArchiveLimits {
    /// First part of the file names: `<site>-00000.warc.gz`.
    pub site: String,
    /// A file that has grown to this many bytes is closed.
    pub max_file_bytes: u64,
    /// How robots.txt was treated, for the `warcinfo` record: `obey` or `ignore`.
    pub robots: String,
}

impl ArchiveLimits {
    /// Files of 1 GiB (what WARC's annex recommends), robots.txt obeyed.
    #[must_use]
    pub fn new(site: &str) -> Self {
        Self {
            site: site.to_owned(),
            max_file_bytes: 1 << 30,
            robots: "obey".to_owned(),
        }
    }
}

/// Buffered bytes that are handed to the system before a sync asks for it.
const FLUSH_AT: usize = 1 << 20;
/// Pages are text: beyond this level gzip costs more time than it saves space.
const LEVEL: Compression = Compression::new(4);

/// The only writer of an archive folder.
#[derive(Debug)]
pub struct ArchiveWriter {
    dir: PathBuf,
    limits: ArchiveLimits,
    current: Option<Current>,
    next_number: u32,
    failed: bool,
}

#[derive(Debug)]
struct Current {
    name: String,
    path: PathBuf,
    file: fs::File,
    /// Bytes that the system has.
    written: u64,
    /// Bytes that are on the disk for certain.
    synced: u64,
    buffer: Vec<u8>,
    /// The file's entry in its folder is not on the disk yet.
    fresh: bool,
}

impl ArchiveWriter {
    /// Opens the archive in `dir`, which is created if need be. A torn record at the end of the newest file, left by a
    /// crash, is cut off. Reads the newest file once.
    ///
    /// # Errors
    /// [`CaptureError::Io`], or [`Name`](CaptureError::Name) if the site's name cannot be a file name.
    pub fn open(dir: &Path, limits: ArchiveLimits) -> Result<Self, CaptureError> {
        if limits.site.is_empty() || limits.site.contains(['/', '\\', '\0']) || limits.site.starts_with('.') {
            return Err(CaptureError::Name { name: limits.site });
        }
        fs::create_dir_all(dir).map_err(CaptureError::io("create", dir))?;
        let mut writer = Self {
            dir: dir.to_owned(),
            limits,
            current: None,
            next_number: 0,
            failed: false,
        };
        while let Some((number, name)) = writer.files()?.pop() {
            let path = writer.dir.join(&name);
            let length = whole_length(&path)?;
            if length == 0 {
                // Not even its first record is whole: the file holds nothing.
                fs::remove_file(&path).map_err(CaptureError::io("remove", &path))?;
                writer.sync_dir()?;
                continue;
            }
            writer.reopen(number, name, length)?;
            break;
        }
        Ok(writer)
    }

    /// Adds the request and the response. The bytes are buffered: only [`sync`](Self::sync) makes them durable.
    ///
    /// # Errors
    /// [`CaptureError::Io`] (disk full, …); after that the writer refuses everything but [`rollback`](Self::rollback).
    pub fn append(&mut self, exchange: &Exchange) -> Result<Location, CaptureError> {
        let result = self.try_append(exchange);
        self.failed |= matches!(result, Err(CaptureError::Io { .. }));
        result
    }

    /// Makes everything appended so far durable: data, and the folder's entry of a new file.
    ///
    /// # Errors
    /// [`CaptureError::Io`]; nothing that was appended since the last successful sync counts then.
    pub fn sync(&mut self) -> Result<(), CaptureError> {
        self.check()?;
        let result = self.try_sync();
        self.failed |= result.is_err();
        result
    }

    /// Throws away what was appended since the last successful [`sync`](Self::sync) and makes a failed writer usable
    /// again.
    ///
    /// # Errors
    /// [`CaptureError::Io`].
    pub fn rollback(&mut self) -> Result<(), CaptureError> {
        if let Some(mut current) = self.current.take() {
            current.buffer.clear();
            let (path, synced) = (current.path.clone(), current.synced);
            drop(current);
            let number = self.next_number.saturating_sub(1);
            if synced == 0 {
                fs::remove_file(&path).map_err(CaptureError::io("remove", &path))?;
                self.next_number = number;
            } else {
                let name = file_name(&path);
                self.reopen(number, name, synced)?;
            }
        }
        self.failed = false;
        Ok(())
    }

    /// Cuts everything behind `last`, the last location that the ledger committed, so that archive and ledger are
    /// equal. `None`: the ledger knows nothing, and **the whole archive is removed**; never call it so with a ledger
    /// that was lost rather than new.
    ///
    /// # Errors
    /// [`CaptureError::Missing`] if the archive is shorter than the ledger says; [`CaptureError::Io`].
    pub fn truncate_after(&mut self, last: Option<&Location>) -> Result<(), CaptureError> {
        if let Some(last) = last {
            let path = archive_path(&self.dir, &last.file)?;
            let end = last.offset.saturating_add(last.length);
            let missing = || CaptureError::Missing {
                path: path.clone(),
                offset: last.offset,
                end,
            };
            if let Some(current) = &mut self.current {
                current.flush()?;
            }
            let length = std::fs::metadata(&path).map_err(|_| missing())?.len();
            if length < end {
                return Err(missing());
            }
        }
        self.current = None;
        self.failed = false;
        let files = self.files()?;
        let keep = match last {
            None => None,
            Some(last) => Some(
                files
                    .iter()
                    .find(|(_, name)| *name == last.file)
                    .cloned()
                    .ok_or_else(|| CaptureError::Name {
                        name: last.file.clone(),
                    })?,
            ),
        };
        self.next_number = 0;
        // Newest first: a crash in between leaves a prefix of the archive.
        for (number, name) in files.into_iter().rev() {
            if keep.as_ref().is_some_and(|(kept, _)| number <= *kept) {
                break;
            }
            let path = self.dir.join(name);
            fs::remove_file(&path).map_err(CaptureError::io("remove", &path))?;
        }
        self.sync_dir()?;
        if let (Some((number, name)), Some(last)) = (keep, last) {
            self.reopen(number, name, last.offset + last.length)?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), CaptureError> {
        if self.failed {
            let path = self.current.as_ref().map_or(&self.dir, |c| &c.path).clone();
            return Err(CaptureError::Broken { path });
        }
        Ok(())
    }

    fn try_append(&mut self, exchange: &Exchange) -> Result<Location, CaptureError> {
        self.check()?;
        if self
            .current
            .as_ref()
            .is_some_and(|c| c.end() >= self.limits.max_file_bytes)
        {
            self.try_sync()?;
            self.current = None;
        }
        if self.current.is_none() {
            self.begin_file(exchange.at)?;
        }
        let Some(current) = &mut self.current else {
            return Err(CaptureError::Broken {
                path: self.dir.clone(),
            });
        };
        let [request, response] = records(exchange, &current.name, current.end());
        current.push(&request)?;
        let offset = current.end();
        current.push(&response)?;
        let location = Location {
            file: current.name.clone(),
            offset,
            length: current.end() - offset,
        };
        if current.buffer.len() >= FLUSH_AT {
            current.flush()?;
        }
        Ok(location)
    }

    fn try_sync(&mut self) -> Result<(), CaptureError> {
        let Some(current) = &mut self.current else {
            return Ok(());
        };
        current.flush()?;
        if current.synced == current.written {
            return Ok(());
        }
        current
            .file
            .sync_data()
            .map_err(CaptureError::io("sync", &current.path))?;
        if current.fresh {
            sync_dir(&self.dir)?;
            current.fresh = false;
        }
        current.synced = current.written;
        Ok(())
    }

    fn begin_file(&mut self, at: jiff::Timestamp) -> Result<(), CaptureError> {
        let name = format!("{}-{:05}.warc.gz", self.limits.site, self.next_number);
        let path = self.dir.join(&name);
        let file = fs::OpenOptions::new()
            .append(true)
            .create_new(true)
            .open(&path)
            .map_err(CaptureError::io("create", &path))?;
        self.next_number += 1;
        let mut current = Current {
            name,
            path,
            file,
            written: 0,
            synced: 0,
            buffer: Vec::new(),
            fresh: true,
        };
        let block = format!(
            "software: sangtrang/{}\r\nformat: WARC File Format 1.1\r\nconformsTo: \
             http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/\r\nrobots: {}\r\n",
            env!("CARGO_PKG_VERSION"),
            self.limits.robots.replace(['\r', '\n'], " "),
        );
        let record = write_record(
            &[
                ("WARC-Type", "warcinfo".to_owned()),
                (
                    "WARC-Record-ID",
                    record_id(&["warcinfo", &current.name, &at.to_string()]),
                ),
                ("WARC-Date", format!("{at:.6}")),
                ("WARC-Filename", current.name.clone()),
                ("WARC-Block-Digest", sha1(&[block.as_bytes()])),
                ("Content-Type", "application/warc-fields".to_owned()),
            ],
            &[block.as_bytes()],
        );
        current.push(&record)?;
        self.current = Some(current);
        Ok(())
    }

    /// Continues file `name` behind its first `length` bytes; the rest is cut.
    fn reopen(&mut self, number: u32, name: String, length: u64) -> Result<(), CaptureError> {
        let path = self.dir.join(&name);
        let file = fs::OpenOptions::new()
            .append(true)
            .open(&path)
            .map_err(CaptureError::io("open", &path))?;
        let there = file.metadata().map_err(CaptureError::io("read", &path))?.len();
        if there != length {
            file.set_len(length)
                .map_err(CaptureError::io("truncate", &path))?;
            file.sync_all().map_err(CaptureError::io("sync", &path))?;
        }
        self.next_number = number + 1;
        self.current = Some(Current {
            name,
            path,
            file,
            written: length,
            synced: length,
            buffer: Vec::new(),
            fresh: false,
        });
        Ok(())
    }

    fn files(&self) -> Result<Vec<(u32, String)>, CaptureError> {
        archive_files(&self.dir, &self.limits.site)
    }

    fn sync_dir(&self) -> Result<(), CaptureError> {
        sync_dir(&self.dir)
    }
}

impl Current {
    /// Where the next record will begin.
    fn end(&self) -> u64 {
        self.written + self.buffer.len() as u64
    }

    fn push(&mut self, record: &[u8]) -> Result<(), CaptureError> {
        let mut encoder = GzEncoder::new(&mut self.buffer, LEVEL);
        encoder
            .write_all(record)
            .and_then(|()| encoder.finish().map(|_| ()))
            .map_err(CaptureError::io("compress a record for", &self.path))
    }

    fn flush(&mut self) -> Result<(), CaptureError> {
        if !self.buffer.is_empty() {
            self.file
                .write_all(&self.buffer)
                .map_err(CaptureError::io("write", &self.path))?;
            self.written += self.buffer.len() as u64;
            self.buffer.clear();
        }
        Ok(())
    }
}

/// The archive files of `site`, oldest first.
pub(super) fn archive_files(dir: &Path, site: &str) -> Result<Vec<(u32, String)>, CaptureError> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(CaptureError::io("list", dir))? {
        let name = entry.map_err(CaptureError::io("list", dir))?.file_name();
        let Some(name) = name.to_str() else { continue };
        let number = name
            .strip_prefix(site)
            .and_then(|rest| rest.strip_prefix('-'))
            .and_then(|rest| rest.strip_suffix(".warc.gz"))
            .filter(|digits| digits.len() >= 5 && digits.bytes().all(|b| b.is_ascii_digit()));
        if let Some(Ok(number)) = number.map(str::parse) {
            files.push((number, name.to_owned()));
        }
    }
    files.sort();
    Ok(files)
}

/// The path of an archive file; a name with a separator would leave the folder.
pub(super) fn archive_path(dir: &Path, name: &str) -> Result<PathBuf, CaptureError> {
    if name.is_empty() || name.starts_with('.') || name.contains(['/', '\\', '\0']) {
        return Err(CaptureError::Name {
            name: name.to_owned(),
        });
    }
    Ok(dir.join(name))
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|n| n.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn sync_dir(dir: &Path) -> Result<(), CaptureError> {
    std::fs::File::open(dir)
        .and_then(|d| d.sync_all())
        .map_err(CaptureError::io("sync", dir))
}

/// A record's name follows from what it names: a repeated run does not invent new ones.
fn record_id(parts: &[&str]) -> String {
    let id = Uuid::new_v5(
        &Uuid::NAMESPACE_URL,
        format!("sangtrang:warc:{}", parts.join("\n")).as_bytes(),
    );
    format!("<urn:uuid:{id}>")
}

/// The request and the response record, uncompressed. The request comes first, so that the end of the response is the
/// end of the exchange.
fn records(exchange: &Exchange, file: &str, offset: u64) -> [Vec<u8>; 2] {
    let place = offset.to_string();
    let at = exchange.at.to_string();
    let id = |kind| record_id(&[kind, file, &place, &at, &exchange.url]);
    let (request_id, response_id) = (id("request"), id("response"));
    let date = format!("{:.6}", exchange.at);
    let url = safe_uri(&exchange.url);
    let ip = exchange.ip.map(|ip| ip.to_string());

    let head = request_head(exchange);
    let mut headers = vec![
        ("WARC-Type", "request".to_owned()),
        ("WARC-Record-ID", request_id.clone()),
        ("WARC-Concurrent-To", response_id.clone()),
        ("WARC-Target-URI", url.clone()),
        ("WARC-Date", date.clone()),
    ];
    headers.extend(ip.clone().map(|ip| ("WARC-IP-Address", ip)));
    headers.extend([
        ("WARC-Block-Digest", sha1(&[&head, &exchange.request_body])),
        ("WARC-Payload-Digest", sha1(&[&exchange.request_body])),
        ("Content-Type", "application/http; msgtype=request".to_owned()),
    ]);
    let request = write_record(&headers, &[&head, &exchange.request_body]);

    let head = response_head(exchange);
    let mut headers = vec![
        ("WARC-Type", "response".to_owned()),
        ("WARC-Record-ID", response_id),
        ("WARC-Concurrent-To", request_id),
        ("WARC-Target-URI", url),
        ("WARC-Date", date),
    ];
    headers.extend(ip.map(|ip| ("WARC-IP-Address", ip)));
    headers.extend([
        ("WARC-Block-Digest", sha1(&[&head, &exchange.body])),
        ("WARC-Payload-Digest", sha1(&[&exchange.body])),
        ("Content-Type", "application/http; msgtype=response".to_owned()),
    ]);
    headers.extend(exchange.truncated.map(|why| {
        let why = match why {
            Truncated::Length => "length",
            Truncated::Time => "time",
            Truncated::Disconnect => "disconnect",
        };
        ("WARC-Truncated", why.to_owned())
    }));
    [request, write_record(&headers, &[&head, &exchange.body])]
}

fn request_head(exchange: &Exchange) -> Vec<u8> {
    let parsed = url::Url::parse(&exchange.url).ok();
    let target = parsed.as_ref().map_or(exchange.url.clone(), |url| {
        let query = url.query().map(|q| format!("?{q}")).unwrap_or_default();
        format!("{}{query}", url.path())
    });
    let mut out = Vec::new();
    push_line_safe(&mut out, exchange.method.as_bytes());
    out.push(b' ');
    out.extend_from_slice(safe_uri(&target).as_bytes());
    out.extend_from_slice(b" HTTP/1.1\r\n");
    if header(&exchange.request_headers, "host").is_none()
        && let Some(url) = &parsed
        && let Some(host) = url.host_str()
    {
        let port = url.port().map(|p| format!(":{p}")).unwrap_or_default();
        push_header(&mut out, "Host", format!("{host}{port}").as_bytes());
    }
    for (name, value) in &exchange.request_headers {
        push_header(&mut out, name, value);
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// Status line and headers as received, but for the transfer coding, which the HTTP client has removed: its header is
/// kept under another name and the length is told instead.
fn response_head(exchange: &Exchange) -> Vec<u8> {
    let mut out = format!("HTTP/1.1 {:03} ", exchange.status).into_bytes();
    push_line_safe(&mut out, exchange.reason.as_bytes());
    out.extend_from_slice(b"\r\n");
    let mut renamed = false;
    for (name, value) in &exchange.headers {
        if name.eq_ignore_ascii_case("transfer-encoding") {
            renamed = true;
            push_header(&mut out, "X-Archive-Transfer-Encoding", value);
        } else {
            push_header(&mut out, name, value);
        }
    }
    if renamed && header(&exchange.headers, "content-length").is_none() {
        push_header(
            &mut out,
            "Content-Length",
            exchange.body.len().to_string().as_bytes(),
        );
    }
    out.extend_from_slice(b"\r\n");
    out
}
