//! `sangtrang review MAPPING`: the review in a browser; or what was decided, as a file.

use super::args::OutputArgs;
use super::error::CliError;
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::deliver::render::preview;
use crate::document::{CaptureId, Document, DocumentId};
use crate::lang::bare;
use crate::ledger::{Ledger, LedgerError};
use crate::mapping::Mapping;
use crate::page::Page;
use crate::pipeline::{self, AtomicFile, Layout};
use crate::report::{Material, ReviewOptions, export_csv, export_json, review};
use clap::{Args, ValueEnum};
use std::io::Write as _;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use tokio::net::TcpListener;

#[derive(Debug, Args)]
pub(super) struct ReviewArgs {
    /// The site's mapping file
    mapping: PathBuf,
    /// Where the review is served; port 0 is any free one. Beyond this machine it asks for a token, which it prints
    #[arg(long, default_value = "127.0.0.1:0", value_name = "ADDR")]
    listen: SocketAddr,
    /// A name under which the server may be asked for, beside its addresses; can be repeated
    #[arg(long, value_name = "NAME")]
    host: Vec<String>,
    /// Open it in a browser
    #[arg(long)]
    open: bool,
    /// Whose verdicts these are; asked for in the browser if absent
    #[arg(
        long = "as",
        default_value = "",
        value_name = "NAME",
        hide_default_value = true
    )]
    who: String,
    /// Serve nothing: write all verdicts to stdout, or to the file that `--out` names
    #[arg(long, value_name = "FORMAT", conflicts_with_all = ["open", "host"])]
    export: Option<Verdicts>,
    /// File of the verdicts
    #[arg(long, value_name = "FILE", requires = "export")]
    out: Option<PathBuf>,
    #[command(flatten)]
    output: OutputArgs,
}

/// How verdicts are written.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Verdicts {
    /// For spreadsheets
    Csv,
    /// One object a line
    Json,
}

pub(super) fn main(args: &ReviewArgs, ui: &Ui) -> Outcome {
    let mapping = load_mapping(&args.mapping)?;
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    if let Some(format) = args.export {
        return export(args, format, &layout, ui);
    }
    prepare(&layout, ui)?;
    let (runtime, cancel) = reactor()?;
    let listener = runtime.block_on(TcpListener::bind(args.listen)).map_err(|e| {
        CliError::new(
            Exit::Failure,
            "review::bind",
            format!("cannot listen at {}: {e}", args.listen),
        )
        .hint("choose another port, or 0 for any free one: `--listen 127.0.0.1:0`")
    })?;
    let address = listener.local_addr()?;
    let mut secret = [0; 32];
    random(&mut secret)?;
    let token = if address.ip().is_loopback() {
        None
    } else {
        let mut bytes = [0; 16];
        random(&mut bytes)?;
        Some(data_encoding::HEXLOWER.encode(&bytes))
    };
    let url = shown_url(address, args.host.first(), token.as_deref());
    let site = &mapping.rules().site;
    let options = ReviewOptions {
        site: site.id.clone(),
        language: site.language.clone(),
        who: args.who.trim().to_owned(),
        token: token.clone(),
        hosts: args.host.clone(),
    };
    if ui.json() {
        ui.data(serde_json::json!({
            "schema": "review/1", "type": "serving", "url": url, "address": address.to_string(), "token": token,
        }));
    } else {
        ui.data(&url);
    }
    ui.status(
        "Serving",
        format_args!("the review of {}; Ctrl-C ends it", site.id),
    );
    if token.is_some() {
        ui.warning(
            "others can reach this address: whoever has the token may decide, and what is sent is not encrypted; prefer an SSH tunnel to `--listen 127.0.0.1:PORT`",
        );
        if address.ip().is_unspecified() && args.host.is_empty() {
            ui.hint("from another machine, put an address of this one in place of 127.0.0.1; for a name, add `--host NAME`");
        }
    }
    if args.open {
        open(&url, ui);
    }
    let material = Site {
        lazy: mapping.rules().media.lazy_attrs.clone(),
        mapping,
        layout: layout.clone(),
    };
    runtime.block_on(review(listener, Box::new(material), options, secret, cancel))?;
    // The ledger is sealed again, if nobody else writes it.
    drop(Ledger::open(&layout.ledger()));
    ui.status("Stopped", "all verdicts are stored");
    Ok(Exit::Ok)
}

/// The address as a person opens it: "all addresses" is none that a browser knows.
fn shown_url(address: SocketAddr, name: Option<&String>, token: Option<&str>) -> String {
    let port = address.port();
    let host = match name {
        Some(name) => format!("{name}:{port}"),
        None if address.ip().is_unspecified() => format!("127.0.0.1:{port}"),
        None => address.to_string(),
    };
    let query = token.map(|t| format!("?token={t}")).unwrap_or_default();
    format!("http://{host}/{query}")
}

fn random(bytes: &mut [u8]) -> Result<(), CliError> {
    getrandom::fill(bytes)
        .map_err(|e| CliError::new(Exit::Failure, "review::random", format!("no random numbers: {e}")))
}

/// Brings an older ledger up to what the list needs.
fn prepare(layout: &Layout, ui: &Ui) -> Result<(), CliError> {
    // `read` first: a ledger that is not there is not made.
    let ledger = Ledger::read(&layout.ledger()).map_err(failure)?;
    let ready = ledger.is_current().map_err(failure)? && ledger.unshelved("", 1).map_err(failure)?.is_empty();
    drop(ledger);
    if ready {
        return Ok(());
    }
    match Ledger::open(&layout.ledger()) {
        Ok(mut ledger) => {
            let bar = ui.progress("Indexing", 0);
            let tell = |done: u64| bar.update(done, format!("{done} documents"));
            pipeline::reshelve(layout, &mut ledger, &tell).map_err(failure)?;
            Ok(())
        }
        // A run of this program is under way: what it extracts it puts on the shelf itself.
        Err(LedgerError::Locked { .. }) => {
            let ledger = Ledger::read(&layout.ledger()).map_err(failure)?;
            if ledger.is_current().map_err(failure)? {
                ui.warning("a run is writing: documents of an older version of this program are listed once it has ended and the review is started again");
                return Ok(());
            }
            Err(CliError::new(
                Exit::Locked,
                "ledger::locked",
                "the ledger is of an older version, and another run holds it",
            )
            .hint("wait until that run ends, then start the review"))
        }
        Err(error) => Err(failure(error)),
    }
}

fn export(args: &ReviewArgs, format: Verdicts, layout: &Layout, ui: &Ui) -> Outcome {
    let mut ledger = Ledger::read(&layout.ledger()).map_err(failure)?;
    if !ledger.is_current().map_err(failure)? {
        drop(ledger);
        ledger = Ledger::open(&layout.ledger()).map_err(failure)?;
    }
    let write = match format {
        Verdicts::Csv => export_csv,
        Verdicts::Json => export_json,
    };
    let count = match &args.out {
        Some(path) => {
            let mut file = AtomicFile::create(path)?;
            let count = write(&ledger, &mut file)?;
            file.flush()?;
            file.commit()?;
            count
        }
        None => write(&ledger, &mut ui.bulk())?,
    };
    ui.status("Exported", format_args!("{count} verdicts"));
    Ok(Exit::Ok)
}

/// Opens an address in the usual browser. That it cannot is no reason to stop: the address stands on the terminal.
fn open(url: &str, ui: &Ui) {
    let program = if cfg!(target_os = "macos") {
        "open"
    } else {
        "xdg-open"
    };
    let started = std::process::Command::new(program)
        .arg(url)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if let Err(error) = started {
        ui.warning(format_args!(
            "`{program}` cannot open a browser ({error}): open the address yourself"
        ));
    }
}

/// What the review is shown of a site's output.
struct Site {
    mapping: Arc<Mapping>,
    layout: Layout,
    lazy: Vec<String>,
}

impl Material for Site {
    fn ledger(&self) -> Result<Ledger, LedgerError> {
        Ledger::read(&self.layout.ledger())
    }

    fn amend(&self) -> Result<Ledger, LedgerError> {
        Ledger::amend(&self.layout.ledger())
    }

    fn document(&self, collection: &str, id: &DocumentId) -> std::io::Result<Option<Document>> {
        self.layout.read_document(collection, id)
    }

    fn page(&self, url: &str, capture: Option<CaptureId>) -> Result<Option<(Page, bool)>, String> {
        let ledger = self.ledger().map_err(|e| e.to_string())?;
        pipeline::archived_page(&self.mapping, &self.layout, &ledger, url, capture)
            .map(|found| found.map(|f| (f.page, f.same)))
            .map_err(|e| e.to_string())
    }

    fn picture(&self, ledger: &Ledger, page: &Page, address: &str) -> Option<[u8; 16]> {
        let url = page.base.join(address.trim()).ok()?;
        let key = self.mapping.canonical(&url).ok()?.key();
        ledger.medium(&key).ok()??.place.map(|_| key)
    }

    fn lazy(&self) -> &[String] {
        &self.lazy
    }

    fn archived(&self, key: &[u8; 16]) -> Result<Option<Vec<u8>>, String> {
        let ledger = self.ledger().map_err(|e| e.to_string())?;
        pipeline::archived_medium(&self.mapping, &self.layout, &ledger, key).map_err(|e| e.to_string())
    }

    fn medium(&self, id: CaptureId) -> std::io::Result<Option<Vec<u8>>> {
        pipeline::stored_medium(&self.layout, id)
    }

    fn body(&self, document: &Document, address: &dyn Fn(&str) -> Option<String>) -> String {
        preview(document, address)
    }

    fn fold(&self, text: &str) -> String {
        bare(text)
    }
}
