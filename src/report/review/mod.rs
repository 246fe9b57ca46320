//! A local web application in which a person compares documents with the archived pages that they were made of, and signs
//! them off. Server-rendered; works without a script and without the internet.
//!
//! What it needs of other rooms is handed in as [`Material`]. Everything that a page of the old portal has in it is hostile:
//! it is shown in a sandboxed frame, rebuilt by [`crate::page::marked`], under a policy that allows neither scripts nor
//! requests; titles and notes are escaped by the templates. Decides nothing but what the person decides.

mod answer;
mod archived;
mod changes;
mod document;
mod guard;
mod list;
mod media;
mod pages;
mod verdicts;
mod words;

pub use verdicts::{export_csv, export_json};

use crate::document::{CaptureId, Document, DocumentId};
use crate::ledger::{Ledger, LedgerError};
use crate::page::Page;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Largest body of a request, in bytes: a note and its form.
const MAX_BODY: usize = 64 << 10;

/// What is judged, and what it is judged by.
pub trait Material: Send + Sync + 'static {
    /// The ledger, for reading.
    ///
    /// # Errors
    /// Why it cannot be read.
    fn ledger(&self) -> Result<Ledger, LedgerError>;

    /// The ledger, for one verdict.
    ///
    /// # Errors
    /// [`LedgerError::Locked`] while a run writes it.
    fn amend(&self) -> Result<Ledger, LedgerError>;

    /// A document as it was extracted.
    ///
    /// # Errors
    /// When its file cannot be read.
    fn document(&self, collection: &str, id: &DocumentId) -> std::io::Result<Option<Document>>;

    /// The archived page at an address, and whether these are the bytes with this hash.
    ///
    /// # Errors
    /// Why it cannot be shown, for people.
    fn page(&self, url: &str, capture: Option<CaptureId>) -> Result<Option<(Page, bool)>, String>;

    /// Key of an archived picture that a page shows under this address; `None` if the archive has none.
    fn picture(&self, ledger: &Ledger, page: &Page, address: &str) -> Option<[u8; 16]>;

    /// Attributes of an `img` in which the mapping says that the real address stands.
    fn lazy(&self) -> &[String];

    /// Bytes of an archived picture.
    ///
    /// # Errors
    /// Why they cannot be read, for people.
    fn archived(&self, key: &[u8; 16]) -> Result<Option<Vec<u8>>, String>;

    /// Bytes of a stored medium.
    ///
    /// # Errors
    /// When the file cannot be read.
    fn medium(&self, id: CaptureId) -> std::io::Result<Option<Vec<u8>>>;

    /// The body as HTML without anything that runs or asks another server; addresses of tokens (`media:HASH`, `doc:ID`) are
    /// asked for.
    fn body(&self, document: &Document, address: &dyn Fn(&str) -> Option<String>) -> String;

    /// Text without marks and capitals, for searches.
    fn fold(&self, text: &str) -> String;
}

/// How the application is served.
#[derive(Clone, Debug, Default)]
pub struct ReviewOptions {
    /// Id of the site.
    pub site: String,
    /// Languages of the portal, as BCP 47; the interface is in Vietnamese for `vi` where the browser says nothing.
    pub language: String,
    /// Name of the person, if it is known already.
    pub who: String,
    /// What everybody must know who wants in; needed where others can reach the address.
    pub token: Option<String>,
    /// Names under which the server may be asked for, beside addresses.
    pub hosts: Vec<String>,
}

/// What all requests share.
struct State {
    material: Box<dyn Material>,
    options: ReviewOptions,
    address: SocketAddr,
    /// Signs what browsers bring back.
    secret: [u8; 32],
    pages: pages::Pages,
}

type Shared = Arc<State>;

/// Serves until `cancel` says stop. `secret` is of this process and of nobody else.
///
/// # Errors
/// When the listener fails.
pub async fn review(
    listener: TcpListener,
    material: Box<dyn Material>,
    options: ReviewOptions,
    secret: [u8; 32],
    cancel: CancellationToken,
) -> std::io::Result<()> {
    let state = Arc::new(State {
        material,
        options,
        address: listener.local_addr()?,
        secret,
        pages: pages::Pages::new().map_err(std::io::Error::other)?,
    });
    let router = Router::new()
        .route("/", get(list::list))
        .route("/help", get(list::help))
        .route("/d/{id}", get(document::document))
        .route("/d/{id}/page", get(archived::archived))
        .route("/d/{id}/changes", get(changes::changes))
        .route("/d/{id}/verdict", post(verdicts::decide))
        .route("/verdicts.csv", get(verdicts::csv))
        .route("/verdicts.json", get(verdicts::json))
        .route("/media/{hash}/{ticket}", get(media::stored))
        .route("/archive/{key}/{ticket}", get(media::archived))
        .route("/style.css", get(answer::style))
        .route("/review.js", get(answer::script))
        .fallback(answer::nowhere)
        .layer(from_fn_with_state(state.clone(), guard::guard))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .with_state(state);
    axum::serve(listener, router)
        .with_graceful_shutdown(cancel.cancelled_owned())
        .await
}
