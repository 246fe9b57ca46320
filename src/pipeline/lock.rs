//! One sync of a site at a time. The lock goes with the process that holds it: a dead one leaves nothing to clear.

use super::error::PipelineError;
use super::output::Layout;
use crate::ledger::clock;
use serde::{Deserialize, Serialize};
use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};

/// Who holds a site.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Owner {
    /// Process id.
    pub pid: u32,
    /// Name of its machine.
    pub host: String,
    /// What it does.
    pub command: String,
    /// Since when.
    pub since: jiff::Timestamp,
}

/// The lock of a site; it is let go of when this is dropped, or when the process ends in whatever way.
#[derive(Debug)]
pub struct SiteLock {
    _file: File,
}

/// Longest text of an owner that is read.
const MAX_OWNER: u64 = 4096;

impl SiteLock {
    /// Takes the lock of a site for `command`.
    ///
    /// # Errors
    /// [`PipelineError::Busy`] if another process holds it.
    pub fn take(layout: &Layout, command: &str) -> Result<Self, PipelineError> {
        fs_err::create_dir_all(layout.root())?;
        let path = layout.sync_lock();
        let mut file = File::options()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut text = String::new();
                // The text is only for people: a file that cannot be read is no reason to say less.
                let _ = file.take(MAX_OWNER).read_to_string(&mut text);
                return Err(PipelineError::Busy {
                    site: layout.root().display().to_string(),
                    owner: serde_json::from_str(&text).ok(),
                });
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
        }
        let owner = Owner {
            pid: std::process::id(),
            host: host(),
            command: command.to_owned(),
            since: clock::now(),
        };
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(
            serde_json::to_string(&owner)
                .map_err(std::io::Error::other)?
                .as_bytes(),
        )?;
        Ok(Self { _file: file })
    }
}

/// The machine's name, as the kernel tells it.
fn host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" => "this machine".to_owned(),
        name => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_one_is_told_who_holds_it_and_a_lock_goes_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path(), "site");
        let first = SiteLock::take(&layout, "sync a.toml").unwrap();
        match SiteLock::take(&layout, "sync b.toml") {
            Err(PipelineError::Busy {
                owner: Some(owner), ..
            }) => {
                assert_eq!(
                    (owner.pid, owner.command.as_str()),
                    (std::process::id(), "sync a.toml")
                );
            }
            other => panic!("{other:?}"),
        }
        drop(first);
        // What the last owner wrote is still there, and means nothing.
        assert!(layout.sync_lock().exists());
        SiteLock::take(&layout, "sync b.toml").unwrap();
    }
}
