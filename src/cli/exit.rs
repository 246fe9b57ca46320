//! Exit codes are an interface: schedulers and CI read them. Codes that this list does not name mean failure.

/// What the process tells its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Done.
    Ok = 0,
    /// Unexpected failure.
    Failure = 1,
    /// The command line is wrong.
    Usage = 2,
    /// Settings or mapping are invalid.
    Config = 3,
    /// Finished, but pages or gates failed.
    Findings = 4,
    /// Asked for with `--exit-code`: there are differences.
    Different = 5,
    /// Held by a guard.
    Held = 6,
    /// Site or target unreachable; try later.
    Unreachable = 7,
    /// Another run holds the ledger.
    Locked = 8,
    /// A limit was reached; the same command continues.
    Limit = 9,
    /// Interrupted; state saved.
    Interrupted = 130,
}

impl Exit {
    /// `diff`: there are differences. It answers as diff(1) does, and so does everything that runs it.
    pub const DIFFERS: Self = Self::Failure;
    /// `diff`: it could not compare.
    pub const TROUBLE: Self = Self::Usage;
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
