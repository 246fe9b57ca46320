//! A gzip file as what it is: members one after the other, each with its place.

use super::CaptureError;
use flate2::bufread::GzDecoder;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

/// Counts what is consumed.
#[derive(Debug)]
pub(super) struct Counted<R> {
    inner: R,
    pub at: u64,
}

impl<R> Counted<R> {
    /// From here on.
    pub fn new(inner: R) -> Self {
        Self { inner, at: 0 }
    }
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.inner.read(buf)?;
        self.at += n as u64;
        Ok(n)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }
    fn consume(&mut self, n: usize) {
        self.at += n as u64;
        self.inner.consume(n);
    }
}

/// The decompressed bytes of all members.
#[derive(Debug)]
pub(super) struct Members<R: BufRead> {
    decoder: Option<GzDecoder<Counted<R>>>,
    source: Option<Counted<R>>,
    /// Where the current member begins.
    pub start: u64,
}

impl<R: BufRead> Members<R> {
    pub fn new(inner: R) -> Self {
        Self {
            decoder: None,
            source: Some(Counted { inner, at: 0 }),
            start: 0,
        }
    }

    /// One behind the last byte of the last whole member; only meaningful after a read that gave 0.
    fn end(&self) -> u64 {
        self.source.as_ref().map_or(self.start, |s| s.at)
    }
}

impl<R: BufRead> Read for Members<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(decoder) = &mut self.decoder {
                let n = decoder.read(buf)?;
                if n > 0 || buf.is_empty() {
                    return Ok(n);
                }
                self.source = self.decoder.take().map(GzDecoder::into_inner);
            }
            let Some(mut source) = self.source.take() else {
                return Err(io::Error::other("the file could not be read before"));
            };
            self.start = source.at;
            match source.fill_buf() {
                Ok([]) => {
                    self.source = Some(source);
                    return Ok(0);
                }
                Ok(bytes) if bytes[0] != 0x1f => {
                    self.source = Some(source);
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        "no gzip member begins here",
                    ));
                }
                Ok(_) => self.decoder = Some(GzDecoder::new(source)),
                Err(error) => {
                    self.source = Some(source);
                    return Err(error);
                }
            }
        }
    }
}

/// How many bytes of the file are whole gzip members; what follows is torn. Damage in the middle is an error.
pub(super) fn whole_length(path: &Path) -> Result<u64, CaptureError> {
    let file = File::open(path).map_err(CaptureError::io("open", path))?;
    let mut members = Members::new(BufReader::with_capacity(1 << 16, file));
    let mut sink = vec![0; 1 << 16];
    loop {
        match members.read(&mut sink) {
            Ok(0) => return Ok(members.end()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(members.start),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput
                ) =>
            {
                // A power cut leaves zeros where pages never reached the disk. Anything else is no torn write: to cut
                // it would destroy what may still be saved.
                if ends_in_zeros(path).map_err(CaptureError::io("read", path))? {
                    return Ok(members.start);
                }
                return Err(CaptureError::Corrupt {
                    path: path.to_owned(),
                    offset: members.start,
                    reason: error.to_string(),
                });
            }
            Err(error) => return Err(CaptureError::io("read", path)(error)),
        }
    }
}

fn ends_in_zeros(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(16)))?;
    let mut tail = Vec::new();
    file.take(16).read_to_end(&mut tail)?;
    Ok(tail.iter().all(|&b| b == 0))
}
