//! Writing a file of the archive anew without the answers that nothing needs any more. The old file stays until whoever keeps the
//! places has taken the new ones; what is kept is copied byte for byte, but for revisit records whose original moved.

use super::compose::record_id;
use super::members::Counted;
use super::reader::is_revisit;
use super::record::{
    HeadError, REFERS_TO_FILE, REFERS_TO_LENGTH, REFERS_TO_OFFSET, RecordHead, read_head, write_record,
};
use super::writer::{archive_path, sync_dir};
use super::{CaptureError, Location};
use flate2::Compression;
use flate2::bufread::GzDecoder;
use flate2::write::GzEncoder;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

/// A note of an exchange that is not the last one of its answer.
const MORE: &str = "more";

/// What a file became.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compacted {
    /// Name of the new file; `None` if nothing of the old one is kept.
    pub file: Option<String>,
    /// Where responses stood, and where they stand now.
    pub moved: Vec<(Location, Location)>,
    /// Bytes of the old file.
    pub before: u64,
    /// Bytes of the new one.
    pub after: u64,
}

/// One gzip member with the head of its record.
struct Member {
    offset: u64,
    length: u64,
    head: RecordHead,
}

/// Writes `file` anew as its next generation, with the answers for which `keep` says so: it is given the offsets of an
/// answer's responses. `moved` tells where a response of another file went that was written anew before.
///
/// # Errors
/// [`CaptureError`]; then there is no new file.
pub fn compact(
    dir: &Path,
    file: &str,
    keep: &mut dyn FnMut(&[u64]) -> bool,
    moved: &dyn Fn(&Location) -> Option<Location>,
) -> Result<Compacted, CaptureError> {
    let path = archive_path(dir, file)?;
    let name = next_generation(file).ok_or_else(|| CaptureError::Name {
        name: file.to_owned(),
    })?;
    let new_path = archive_path(dir, &name)?;
    let io = |action| CaptureError::io(action, &path);
    let mut source = Counted::new(BufReader::with_capacity(
        1 << 16,
        File::open(&path).map_err(io("open"))?,
    ));
    let mut bytes = File::open(&path).map_err(io("open"))?;
    let before = bytes.metadata().map_err(io("read"))?.len();
    let temporary = tempfile::Builder::new()
        .prefix(".part-")
        .tempfile_in(dir)
        .map_err(io("write beside"))?;
    let mut out = Out {
        file: BufWriter::new(temporary),
        at: 0,
    };
    let (mut answer, mut responses) = (Vec::new(), Vec::new());
    let mut places: Vec<(Location, Location)> = Vec::new();
    while let Some(member) = next(&mut source, &path)? {
        let kind = member.head.get("WARC-Type").unwrap_or_default().to_owned();
        if kind == "warcinfo" {
            out.put(&info(&member, &mut bytes, &name).map_err(io("read"))?)
                .map_err(io("write anew"))?;
            continue;
        }
        let ends = matches!(kind.as_str(), "response" | "revisit") && !goes_on(&member.head);
        if matches!(kind.as_str(), "response" | "revisit") {
            responses.push(member.offset);
        }
        answer.push(member);
        if !ends {
            continue;
        }
        let kept = keep(&responses);
        responses.clear();
        for member in answer.drain(..).filter(|_| kept) {
            let old = Location {
                file: file.to_owned(),
                offset: member.offset,
                length: member.length,
            };
            let offset = out.at;
            let refers = member.head.refers_to().filter(|_| is_revisit(&member.head));
            let went = refers.and_then(|to| {
                let here = places.binary_search_by_key(&to.offset, |(old, _)| old.offset);
                match here {
                    Ok(at) if to.file == file => Some(places[at].1.clone()),
                    _ => moved(&to),
                }
            });
            match went {
                Some(to) => out.put(&referring(&member.head, &to, &mut bytes, &member).map_err(io("read"))?),
                None => out.copy(&mut bytes, &member),
            }
            .map_err(io("write anew"))?;
            if matches!(member.head.get("WARC-Type"), Some("response" | "revisit")) {
                let new = Location {
                    file: name.clone(),
                    offset,
                    length: out.at - offset,
                };
                places.push((old, new));
            }
        }
    }
    if places.is_empty() {
        return Ok(Compacted {
            file: None,
            moved: places,
            before,
            after: 0,
        });
    }
    let after = out.at;
    let file = out
        .file
        .into_inner()
        .map_err(|e| io("write anew")(e.into_error()))?;
    file.as_file().sync_all().map_err(io("sync"))?;
    // Readable like its neighbours: temporary files are private.
    let permissions = std::fs::metadata(&path).map_err(io("read"))?.permissions();
    file.as_file()
        .set_permissions(permissions)
        .map_err(io("write anew"))?;
    file.persist(&new_path)
        .map_err(|e| CaptureError::io("rename", &new_path)(e.error))?;
    sync_dir(dir)?;
    Ok(Compacted {
        file: Some(name),
        moved: places,
        before,
        after,
    })
}

/// The response to which the record at `location` refers, if it is a revisit.
///
/// # Errors
/// [`CaptureError`] if there is no record.
pub fn original_of(dir: &Path, location: &Location) -> Result<Option<Location>, CaptureError> {
    let path = archive_path(dir, &location.file)?;
    let mut file = File::open(&path).map_err(CaptureError::io("open", &path))?;
    file.seek(SeekFrom::Start(location.offset))
        .map_err(CaptureError::io("seek in", &path))?;
    let mut input = BufReader::new(GzDecoder::new(BufReader::new(file.take(location.length))));
    match read_head(&mut input) {
        Ok(Some(head)) => Ok(head.refers_to().filter(|_| is_revisit(&head))),
        Ok(None) => Err(CaptureError::Torn {
            path,
            offset: location.offset,
        }),
        Err(error) => Err(bad(error, &path, location.offset)),
    }
}

/// `site-00003.warc.gz` becomes `site-00003.1.warc.gz`, that one `site-00003.2.warc.gz`.
fn next_generation(file: &str) -> Option<String> {
    let stem = file.strip_suffix(".warc.gz")?;
    let (base, generation) = match stem.rsplit_once('.') {
        Some((base, digits)) => match digits.parse::<u32>() {
            Ok(generation) if base.rsplit_once('-').is_some() => (base, generation),
            _ => (stem, 0),
        },
        None => (stem, 0),
    };
    Some(format!("{base}.{}.warc.gz", generation.checked_add(1)?))
}

fn goes_on(head: &RecordHead) -> bool {
    head.notes().iter().any(|(name, _)| name == MORE)
}

fn bad(error: HeadError, path: &Path, offset: u64) -> CaptureError {
    match error {
        HeadError::Io(error) if error.kind() == io::ErrorKind::UnexpectedEof => CaptureError::Torn {
            path: path.to_owned(),
            offset,
        },
        HeadError::Io(error) => CaptureError::io("read", path)(error),
        HeadError::Bad(reason) => CaptureError::Corrupt {
            path: path.to_owned(),
            offset,
            reason,
        },
    }
}

/// The next member, read to its end so that its checksum is compared: what is damaged is never copied as if it were whole.
fn next(source: &mut Counted<BufReader<File>>, path: &Path) -> Result<Option<Member>, CaptureError> {
    let offset = source.at;
    if source
        .fill_buf()
        .map_err(CaptureError::io("read", path))?
        .is_empty()
    {
        return Ok(None);
    }
    let mut member = BufReader::new(GzDecoder::new(&mut *source));
    let read = read_head(&mut member).and_then(|head| {
        io::copy(&mut member, &mut io::sink())?;
        Ok(head)
    });
    let head = match read {
        Ok(Some(head)) => head,
        Ok(None) => {
            return Err(CaptureError::Torn {
                path: path.to_owned(),
                offset,
            });
        }
        Err(error) => return Err(bad(error, path, offset)),
    };
    drop(member);
    Ok(Some(Member {
        offset,
        length: source.at - offset,
        head,
    }))
}

struct Out {
    file: BufWriter<tempfile::NamedTempFile>,
    at: u64,
}

impl Out {
    fn put(&mut self, record: &[u8]) -> io::Result<()> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(record)?;
        let member = encoder.finish()?;
        self.at += member.len() as u64;
        self.file.write_all(&member)
    }

    fn copy(&mut self, from: &mut File, member: &Member) -> io::Result<()> {
        from.seek(SeekFrom::Start(member.offset))?;
        let copied = io::copy(&mut from.take(member.length), &mut self.file)?;
        if copied != member.length {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.at += copied;
        Ok(())
    }
}

fn block(bytes: &mut File, member: &Member) -> io::Result<Vec<u8>> {
    bytes.seek(SeekFrom::Start(member.offset))?;
    let mut input = BufReader::new(GzDecoder::new(BufReader::new(bytes.take(member.length))));
    let head = read_head(&mut input).map_err(|_| io::Error::from(io::ErrorKind::InvalidData))?;
    let length = head.map_or(0, |h| h.length);
    let mut block = Vec::new();
    input.take(length).read_to_end(&mut block)?;
    Ok(block)
}

/// The headers as they were, with some of them said anew.
fn with(head: &RecordHead, new: &[(&'static str, String)], block: &[u8]) -> Vec<u8> {
    let said: Vec<(String, String)> = head
        .headers
        .iter()
        .filter(|(name, _)| !name.eq_ignore_ascii_case("Content-Length"))
        .map(|(name, value)| {
            let anew = new.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            let value = match anew {
                Some((_, value)) => value.clone(),
                None => String::from_utf8_lossy(value).into_owned(),
            };
            (name.clone(), value)
        })
        .collect();
    let headers: Vec<(&str, String)> = said.iter().map(|(n, v)| (n.as_str(), v.clone())).collect();
    write_record(&headers, &[block])
}

fn referring(head: &RecordHead, to: &Location, bytes: &mut File, member: &Member) -> io::Result<Vec<u8>> {
    let new = [
        (REFERS_TO_FILE, to.file.clone()),
        (REFERS_TO_OFFSET, to.offset.to_string()),
        (REFERS_TO_LENGTH, to.length.to_string()),
    ];
    Ok(with(head, &new, &block(bytes, member)?))
}

fn info(member: &Member, bytes: &mut File, name: &str) -> io::Result<Vec<u8>> {
    let date = member.head.get("WARC-Date").unwrap_or_default();
    let new = [
        ("WARC-Filename", name.to_owned()),
        ("WARC-Record-ID", record_id(&["warcinfo", name, date])),
    ];
    Ok(with(&member.head, &new, &block(bytes, member)?))
}

#[cfg(test)]
mod tests {
    use super::next_generation;

    #[test]
    fn generations_count_up_and_keep_the_place_of_their_file() {
        let next = |name: &str| next_generation(name).unwrap();
        assert_eq!(next("song-00003.warc.gz"), "song-00003.1.warc.gz");
        assert_eq!(next("song-00003.1.warc.gz"), "song-00003.2.warc.gz");
        assert_eq!(next("a.b-00003.warc.gz"), "a.b-00003.1.warc.gz");
        assert!(next_generation("song-00003.warc").is_none());
    }
}
