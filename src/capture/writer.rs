//! Appends exchanges to gzip WARC 1.1 files, one member a record, so that after any crash the archive can be cut back
//! to what the ledger knows.

use super::compose::{Original, Records, record_id, records};
use super::members::whole_length;
use super::record::{sha1, write_record};
use super::{ArchiveReader, CaptureError, Exchange, Location};
use flate2::Compression;
use flate2::write::GzEncoder;
use fs_err as fs;
use std::io::Write;
use std::path::{Path, PathBuf};

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
/// Pages are text: beyond this level gzip costs more time than it saves space (level 4: four times the time for a tenth
/// less of a page with its view state).
const LEVEL: Compression = Compression::fast();

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

/// Most bytes of a response that a 304 refers to; one that is larger is not looked up, and the 304 stands for itself.
const MAX_ORIGINAL: u64 = 1 << 30;

impl ArchiveWriter {
    /// Opens the archive in `dir`, which is created if need be. A torn record at the end of the newest file, left by a
    /// crash, is cut off. Reads the newest file once.
    ///
    /// # Errors
    /// [`CaptureError::Io`], or [`Name`](CaptureError::Name) if the site's name cannot be a file name.
    pub fn open(dir: &Path, limits: ArchiveLimits) -> Result<Self, CaptureError> {
        let mut writer = Self::prepare(dir, limits)?;
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

    /// Opens the archive right behind `last`, the last location that the ledger committed, without reading it:
    /// [`open`](Self::open) and [`truncate_after`](Self::truncate_after) in one, at once for files of any size.
    ///
    /// # Errors
    /// [`CaptureError::Missing`] if the archive is shorter than the ledger says; [`CaptureError::Io`];
    /// [`Name`](CaptureError::Name).
    pub fn resume(dir: &Path, limits: ArchiveLimits, last: &Location) -> Result<Self, CaptureError> {
        let mut writer = Self::prepare(dir, limits)?;
        writer.truncate_after(Some(last))?;
        Ok(writer)
    }

    /// Adds the request and the response. The bytes are buffered: only [`sync`](Self::sync) makes them durable.
    ///
    /// # Errors
    /// [`CaptureError::Io`] (disk full, …); after that the writer refuses everything but [`rollback`](Self::rollback).
    pub fn append(&mut self, exchange: &Exchange) -> Result<Location, CaptureError> {
        let result = self.try_append(exchange, None);
        self.failed |= matches!(result, Err(CaptureError::Io { .. }));
        result
    }

    /// As [`append`](Self::append), but if the response that is archived at `before` has the same body, the body is not
    /// written again: a revisit record refers to it (WARC 1.1, 6.7). What cannot be read there is no reason not to write.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_or_revisit(
        &mut self,
        exchange: &Exchange,
        before: &Location,
    ) -> Result<Location, CaptureError> {
        let not_modified = exchange.status == 304;
        let limit = match not_modified {
            true => MAX_ORIGINAL,
            false => exchange.body.len() as u64,
        };
        let reader = ArchiveReader::new(&self.dir);
        let stored = reader.read_original(before, limit).ok();
        let same = stored.filter(|(_, _, body)| not_modified || *body == exchange.body);
        let original = same.as_ref().map(|(place, head, _)| Original {
            place,
            id: head.get("WARC-Record-ID").unwrap_or_default(),
            url: head.get("WARC-Target-URI").unwrap_or_default(),
            date: head.get("WARC-Date").unwrap_or_default(),
            digest: head.get("WARC-Payload-Digest"),
        });
        let result = self.try_append(exchange, original.as_ref());
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

    fn prepare(dir: &Path, limits: ArchiveLimits) -> Result<Self, CaptureError> {
        if limits.site.is_empty() || limits.site.contains(['/', '\\', '\0']) || limits.site.starts_with('.') {
            return Err(CaptureError::Name { name: limits.site });
        }
        fs::create_dir_all(dir).map_err(CaptureError::io("create", dir))?;
        Ok(Self {
            dir: dir.to_owned(),
            limits,
            current: None,
            next_number: 0,
            failed: false,
        })
    }

    fn check(&self) -> Result<(), CaptureError> {
        if self.failed {
            let path = self.current.as_ref().map_or(&self.dir, |c| &c.path).clone();
            return Err(CaptureError::Broken { path });
        }
        Ok(())
    }

    fn try_append(
        &mut self,
        exchange: &Exchange,
        same: Option<&Original<'_>>,
    ) -> Result<Location, CaptureError> {
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
        let Records { before, response } = records(exchange, same, &current.name, current.end());
        for record in before {
            current.push(&record, LEVEL)?;
        }
        let offset = current.end();
        let level = if same.is_none() && is_packed(exchange) {
            Compression::none()
        } else {
            LEVEL
        };
        current.push(&response, level)?;
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
        current.push(&record, LEVEL)?;
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

    fn push(&mut self, record: &[u8], level: Compression) -> Result<(), CaptureError> {
        let mut encoder = GzEncoder::new(&mut self.buffer, level);
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

/// Is the body compressed already? Pictures and archives only get larger.
fn is_packed(exchange: &Exchange) -> bool {
    const PACKED: [&[u8]; 6] = [
        b"\x89PNG",
        b"\xFF\xD8\xFF",
        b"GIF8",
        b"PK\x03\x04",
        b"\x1F\x8B",
        b"Rar!",
    ];
    let coded = exchange
        .headers
        .iter()
        .any(|(n, v)| n.eq_ignore_ascii_case("content-encoding") && !v.eq_ignore_ascii_case(b"identity"));
    coded || PACKED.iter().any(|magic| exchange.body.starts_with(magic))
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
