//! Lists that may be longer than memory: JSON lines, kept in memory while they are few and in a nameless file after that.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom, Write as _};
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// Bytes of a list that stay in memory.
const IN_MEMORY: usize = 1 << 20;

/// A list of things, written once from front to back and read as often as one likes.
pub struct Spool<T> {
    file: tempfile::SpooledTempFile,
    folder: PathBuf,
    bytes: u64,
    count: u64,
    of: PhantomData<fn(T) -> T>,
}

impl<T: Serialize + DeserializeOwned> Spool<T> {
    /// An empty list; what does not fit into memory goes to `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            file: tempfile::spooled_tempfile_in(IN_MEMORY, folder),
            folder: folder.to_owned(),
            bytes: 0,
            count: 0,
            of: PhantomData,
        }
    }

    fn named(&self, error: &io::Error) -> io::Error {
        let folder = self.folder.display();
        io::Error::new(error.kind(), format!("cannot write in `{folder}`: {error}"))
    }

    /// Where it goes if it does not fit into memory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Adds a thing; answers where it is.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn push(&mut self, thing: &T) -> io::Result<u64> {
        let mut line = serde_json::to_vec(thing)?;
        line.push(b'\n');
        let at = self.bytes;
        self.file
            .seek(SeekFrom::Start(at))
            .and_then(|_| self.file.write_all(&line))
            .map_err(|e| self.named(&e))?;
        self.bytes += line.len() as u64;
        self.count += 1;
        Ok(at)
    }

    /// Adds everything of another list.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn append(&mut self, mut other: Self) -> io::Result<()> {
        other.file.rewind()?;
        self.file
            .seek(SeekFrom::Start(self.bytes))
            .and_then(|_| io::copy(&mut other.file, &mut self.file))
            .map_err(|e| self.named(&e))?;
        self.bytes += other.bytes;
        self.count += other.count;
        Ok(())
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.count
    }

    /// Is there none?
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// All things, in the order in which they were added.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn each(&mut self) -> io::Result<Each<'_, T>> {
        self.file.rewind()?;
        Ok(Each {
            reader: BufReader::with_capacity(64 << 10, &mut self.file),
            line: Vec::new(),
            of: PhantomData,
        })
    }

    /// The thing at a place that [`Spool::push`] answered.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn get(&mut self, at: u64) -> io::Result<T> {
        self.file.seek(SeekFrom::Start(at))?;
        let mut line = Vec::new();
        BufReader::with_capacity(1 << 10, &mut self.file)
            .take(self.bytes.saturating_sub(at))
            .read_until(b'\n', &mut line)?;
        Ok(serde_json::from_slice(&line)?)
    }
}

/// Things of a [`Spool`].
pub struct Each<'s, T> {
    reader: BufReader<&'s mut tempfile::SpooledTempFile>,
    line: Vec<u8>,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Iterator for Each<'_, T> {
    type Item = io::Result<T>;

    fn next(&mut self) -> Option<Self::Item> {
        self.line.clear();
        match self.reader.read_until(b'\n', &mut self.line) {
            Ok(0) => None,
            Ok(_) => Some(serde_json::from_slice(&self.line).map_err(Into::into)),
            Err(error) => Some(Err(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_it_was_written_in_memory_and_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let mut list = Spool::<String>::new(folder.path());
        assert!(list.is_empty() && list.each().unwrap().next().is_none());
        let text = |n: usize| format!("{n} {}\n", "ă".repeat(500));
        let places: Vec<u64> = (0..3000).map(|n| list.push(&text(n)).unwrap()).collect();
        assert!(list.bytes > IN_MEMORY as u64, "it is on the disk");
        for _ in 0..2 {
            for (n, found) in list.each().unwrap().enumerate() {
                assert_eq!(found.unwrap(), text(n));
            }
        }
        assert_eq!(list.get(places[1234]).unwrap(), text(1234));
        let mut other = Spool::new(folder.path());
        other.push(&"last".to_owned()).unwrap();
        list.append(other).unwrap();
        assert_eq!(list.len(), 3001);
        assert_eq!(list.each().unwrap().last().unwrap().unwrap(), "last");
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "it has no name"
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_named() {
        let mut list = Spool::<String>::new(Path::new("/nowhere/at/all"));
        let error = (0..).find_map(|_| list.push(&"x".repeat(1 << 16)).err()).unwrap();
        assert!(error.to_string().contains("/nowhere/at/all"), "{error}");
    }
}
