//! The words of the ledger.

/// Row of a URL. Stable inside one ledger, meaningless outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UrlId(pub i64);

/// What a URL is fetched for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UrlKind {
    /// A page that may hold links and content.
    Page,
    /// A picture or an attachment.
    Media,
    /// A sitemap.
    Sitemap,
    /// robots.txt.
    Robots,
    /// A page of a list that is reached by sending a form.
    Postback,
    /// An address that cannot exist: what the server says of it is what "not found" looks like.
    Probe,
}

impl UrlKind {
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Page => 0,
            Self::Media => 1,
            Self::Sitemap => 2,
            Self::Robots => 3,
            Self::Postback => 4,
            Self::Probe => 5,
        }
    }
    pub(super) const fn from_code(code: i64) -> Self {
        match code {
            1 => Self::Media,
            2 => Self::Sitemap,
            3 => Self::Robots,
            4 => Self::Postback,
            5 => Self::Probe,
            _ => Self::Page,
        }
    }
    /// For people and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Media => "media",
            Self::Sitemap => "sitemap",
            Self::Robots => "robots",
            Self::Postback => "postback",
            Self::Probe => "probe",
        }
    }
}

/// How far a URL is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UrlState {
    /// To be fetched.
    Ready,
    /// Captured: its last capture is content.
    Done,
    /// Could not be fetched; the next run tries again.
    Failed,
    /// Not to be fetched, and why.
    Skipped,
    /// It leads to another URL of the ledger.
    Redirected,
    /// The server says that it is not there (404, 410, or a text that means it).
    Gone,
    /// An answer that is no content and no absence: login, ban, challenge, maintenance, 401, 403, too large.
    Rejected,
}

impl UrlState {
    pub(super) const ALL: [Self; 7] = [
        Self::Ready,
        Self::Done,
        Self::Failed,
        Self::Skipped,
        Self::Redirected,
        Self::Gone,
        Self::Rejected,
    ];
    pub(super) const fn code(self) -> i64 {
        match self {
            Self::Ready => 0,
            Self::Done => 1,
            Self::Failed => 2,
            Self::Skipped => 3,
            Self::Redirected => 4,
            Self::Gone => 5,
            Self::Rejected => 6,
        }
    }
    pub(super) fn from_code(code: i64) -> Self {
        Self::ALL
            .into_iter()
            .find(|s| s.code() == code)
            .unwrap_or(Self::Failed)
    }
    /// For people and JSON.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Redirected => "redirected",
            Self::Gone => "gone",
            Self::Rejected => "rejected",
        }
    }
}

/// Where a response stands in the archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// File name inside the archive folder.
    pub file: String,
    /// Offset of the record, in bytes.
    pub offset: u64,
    /// Length of the record, in bytes.
    pub length: u64,
}

/// A URL that waits for its fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready {
    /// Its row.
    pub id: UrlId,
    /// Canonical URL; of a postback: the URL of its form.
    pub url: String,
    /// What it is fetched for.
    pub kind: UrlKind,
    /// Links from a start page.
    pub depth: u32,
    /// Redirects that led here.
    pub hops: u32,
    /// Fetches that failed so far.
    pub attempts: u32,
    /// Not to be fetched before, in milliseconds since 1970.
    pub not_before: i64,
    /// Form body of a postback.
    pub request: Option<Vec<u8>>,
    /// First page of the list that it belongs to.
    pub list: Option<UrlId>,
    /// Number of the page in its list, from 1; 0: of no list.
    pub page: u32,
    /// Which walk through the list it belongs to.
    pub generation: u32,
    /// Validators of the last capture, if it is to be fetched conditionally.
    pub etag: Option<String>,
    /// See `etag`.
    pub last_modified: Option<String>,
}

/// Numbers of a ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// All URLs.
    pub known: u64,
    /// By kind and state, only those that are not 0.
    pub by_kind: Vec<(UrlKind, UrlState, u64)>,
    /// Fetches that were recorded, errors included.
    pub fetches: u64,
    /// Documents.
    pub documents: u64,
}

impl Counts {
    /// URLs of this state, of any kind.
    #[must_use]
    pub fn state(&self, state: UrlState) -> u64 {
        self.by_kind.iter().filter(|c| c.1 == state).map(|c| c.2).sum()
    }
    /// URLs of this kind and state.
    #[must_use]
    pub fn of(&self, kind: UrlKind, state: UrlState) -> u64 {
        self.by_kind
            .iter()
            .filter(|c| c.0 == kind && c.1 == state)
            .map(|c| c.2)
            .sum()
    }
}

/// A URL without content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The URL.
    pub url: String,
    /// What it was fetched for.
    pub kind: UrlKind,
    /// How it ended.
    pub state: UrlState,
    /// Class: `gone`, `http-500`, `timeout`, `reject:ID`, `robots`, …
    pub class: String,
    /// Last status; 0 if there was no answer.
    pub status: u16,
    /// Fetches that failed.
    pub attempts: u32,
    /// The page that named it.
    pub parent: Option<String>,
    /// Is there content of it from before?
    pub held: bool,
}
