//! `sangtrang try --watch`: one page again and again, whenever its mapping or its file is saved.

use super::args::TryArgs;
use super::changes::{block_lines, lines};
use super::error::CliError;
use super::target::{failure, load_mapping, reactor};
use super::try_page::{Shown, given, tell};
use super::{Exit, Outcome, Ui};
use crate::capture::Capture;
use crate::diff::{Difference, compare};
use crate::document::Document;
use crate::mapping::{Mapping, PageUrl};
use crate::page::{self, Page};
use crate::pipeline::{self, Layout};
use notify::{RecursiveMode, Watcher as _};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

/// A save is several events: so long there must be none before the file is read.
const QUIET: Duration = Duration::from_millis(8);

/// But no longer than this.
const PATIENCE: Duration = Duration::from_millis(60);

/// A file that is empty or broken may be one that is being written: it is read once more before anybody is told.
const AGAIN: Duration = Duration::from_millis(40);

/// Saves that lie further back are not what woke us: a file that came with its old time.
const RECENT: Duration = Duration::from_secs(10);

pub(super) fn main(args: &TryArgs, ui: &Ui) -> Outcome {
    let (runtime, cancel) = reactor()?;
    let file = Path::new(&args.target);
    let mut watched = vec![args.mapping.clone()];
    watched.extend(file.is_file().then(|| file.to_owned()));
    let (_watcher, mut saves) = watcher(&watched)?;
    let mut bench = Bench {
        args,
        mapping_text: None,
        page_text: None,
        read: None,
        last: None,
    };
    if let Err(error) = bench.turn(true, ui) {
        // What the command line lacks, no save will bring.
        if error.exit == Exit::Usage {
            return Err(error);
        }
        ui.error(&error);
    }
    ui.hint(format_args!(
        "watching {}: save it to see what changes, Ctrl-C ends",
        watched
            .iter()
            .map(|w| w.display().to_string())
            .collect::<Vec<_>>()
            .join(" and ")
    ));
    loop {
        let woken = runtime.block_on(async {
            tokio::select! {
                () = cancel.cancelled() => false,
                save = saves.recv() => {
                    if save.is_some() {
                        settle(&mut saves).await;
                    }
                    save.is_some()
                }
            }
        });
        if !woken {
            return Ok(Exit::Ok);
        }
        // What is wrong with the mapping or the page is told, and the watch goes on.
        if let Err(error) = bench.turn(false, ui) {
            ui.error(&error);
        }
    }
}

/// Waits until a save is over.
async fn settle(saves: &mut UnboundedReceiver<()>) {
    let began = Instant::now();
    while began.elapsed() < PATIENCE
        && matches!(tokio::time::timeout(QUIET, saves.recv()).await, Ok(Some(())))
    {}
}

/// Watches the folders of files: editors save by renaming another file into the place, after which a watch on the file
/// itself would look at nothing.
fn watcher(files: &[PathBuf]) -> Result<(notify::RecommendedWatcher, UnboundedReceiver<()>), CliError> {
    let failed = |error: notify::Error| {
        CliError::new(
            Exit::Failure,
            "try::watch",
            format!("cannot watch the files: {error}"),
        )
        .hint("without `--watch` the page is tried once")
    };
    let mut names: BTreeSet<OsString> = BTreeSet::new();
    let mut folders: BTreeSet<PathBuf> = BTreeSet::new();
    for file in files {
        // The file itself and, if it is a link, what it leads to.
        for path in [std::path::absolute(file)?, fs_err::canonicalize(file)?] {
            names.extend(path.file_name().map(ToOwned::to_owned));
            folders.extend(path.parent().map(ToOwned::to_owned));
        }
    }
    let (tell, told) = unbounded_channel();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let Ok(event) = event else { return };
        let reading = matches!(
            event.kind,
            notify::EventKind::Access(kind)
                if !matches!(kind, notify::event::AccessKind::Close(notify::event::AccessMode::Write))
        );
        let ours = event
            .paths
            .iter()
            .any(|p| p.file_name().is_some_and(|n| names.contains(n)));
        if ours && !reading {
            // Nobody listens any more when the command ends.
            let _ = tell.send(());
        }
    })
    .map_err(failed)?;
    for folder in &folders {
        watcher
            .watch(folder, RecursiveMode::NonRecursive)
            .map_err(failed)?;
    }
    Ok((watcher, told))
}

/// A capture as it was read last, and by which rules.
struct Read {
    capture: Capture,
    page: Page,
    rules: String,
}

struct Bench<'a> {
    args: &'a TryArgs,
    mapping_text: Option<Vec<u8>>,
    page_text: Option<Vec<u8>>,
    read: Option<Read>,
    last: Option<Vec<Document>>,
}

impl Bench<'_> {
    /// One try, if there is anything new to try.
    fn turn(&mut self, first: bool, ui: &Ui) -> Result<(), CliError> {
        let began = Instant::now();
        if !self.changed() && !first {
            return Ok(());
        }
        let mapping = match load_mapping(&self.args.mapping) {
            Err(_) if !first => {
                std::thread::sleep(AGAIN);
                self.changed();
                load_mapping(&self.args.mapping)?
            }
            other => other?,
        };
        self.extract(&mapping, began, ui)
    }

    /// Whether what is watched holds something else than before.
    fn changed(&mut self) -> bool {
        let read = |path: &Path, before: &mut Option<Vec<u8>>| {
            let now = std::fs::read(path).ok();
            let other = now.is_some() && now != *before;
            if other {
                *before = now;
            }
            other
        };
        let mapping = read(&self.args.mapping, &mut self.mapping_text);
        let file = Path::new(&self.args.target);
        let page = file.is_file() && read(file, &mut self.page_text);
        if page {
            self.read = None;
        }
        mapping || page
    }

    fn extract(&mut self, mapping: &Arc<Mapping>, began: Instant, ui: &Ui) -> Result<(), CliError> {
        let layout = Layout::new(&self.args.output.output, &mapping.rules().site.id);
        self.refresh(mapping, &layout)?;
        let Some(read) = &self.read else { return Ok(()) };
        let tried = pipeline::try_page(mapping, &read.page, &read.capture, &BTreeMap::new(), &layout)
            .map_err(failure)?;
        let shown = Shown {
            page: &read.page,
            collection: &tried.0,
            extraction: &tried.1,
        };
        let explain = self.args.explain.as_deref();
        match &self.last {
            Some(last) if !ui.json() && explain.is_none() => changes(last, &shown, ui),
            _ => tell(&shown, explain, ui)?,
        }
        let took = began.elapsed();
        self.last = Some(tried.1.documents);
        let ms = |d: Duration| d.as_secs_f64() * 1000.0;
        let saved = since_save(self.args);
        if ui.json() {
            ui.event(&serde_json::json!({
                "schema": "try/1", "type": "timing", "ms": ms(took), "since_save_ms": saved.map(ms),
            }));
        }
        let behind = saved
            .map(|s| format!(", {:.0} ms after the save", ms(s)))
            .unwrap_or_default();
        ui.status("Tried", format_args!("in {:.0} ms{behind}", ms(took)));
        Ok(())
    }

    /// Reads the page anew if a rule says that it reads otherwise, or if there is none yet. The capture stays.
    fn refresh(&mut self, mapping: &Arc<Mapping>, layout: &Layout) -> Result<(), CliError> {
        let (capture, url) = if self.read.is_some() {
            let url = url(mapping, self.args)?;
            let rules = by_rules(mapping, &url);
            match self.read.take_if(|read| read.rules != rules) {
                Some(read) => (read.capture, url),
                None => return Ok(()),
            }
        } else {
            given(mapping, self.args, layout)?
        };
        let page = page::read(&capture, &url, mapping).map_err(failure)?;
        self.read = Some(Read {
            rules: by_rules(mapping, &url),
            capture,
            page,
        });
        Ok(())
    }
}

fn url(mapping: &Mapping, args: &TryArgs) -> Result<PageUrl, CliError> {
    let text = args.url.as_deref().unwrap_or(&args.target);
    pipeline::site_url(mapping, text).map_err(failure)
}

/// Everything that decides how bytes become a page.
fn by_rules(mapping: &Mapping, url: &PageUrl) -> String {
    let rules = mapping.rules();
    format!(
        "{url} {} {:?} {:?} {:?}",
        rules.site.language, rules.decode, rules.page, rules.limits
    )
}

/// How long ago the latest save was.
fn since_save(args: &TryArgs) -> Option<Duration> {
    let time = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).ok();
    let saves = [time(&args.mapping), time(Path::new(&args.target))];
    let last = saves.into_iter().flatten().max()?;
    let ago = SystemTime::now().duration_since(last).ok()?;
    (ago < RECENT).then_some(ago)
}

/// What is other than at the last try.
fn changes(last: &[Document], shown: &Shown<'_>, ui: &Ui) {
    let documents = &shown.extraction.documents;
    let mut said = false;
    for document in documents {
        match last.iter().find(|d| d.id == document.id) {
            Some(before) => said |= difference(&compare(before, document), ui),
            None => {
                said = true;
                ui.data(super::inspect::clean(&format!(
                    "+ {} {}",
                    document.source_key,
                    title(document)
                )));
            }
        }
    }
    for before in last.iter().filter(|b| !documents.iter().any(|d| d.id == b.id)) {
        said = true;
        ui.data(super::inspect::clean(&format!(
            "- {} {}",
            before.source_key,
            title(before)
        )));
    }
    if !said {
        ui.data("nothing changed");
    }
    for document in documents {
        let sum = &document.accounting;
        ui.data(format_args!(
            "{}: {} visible = {} kept + {} dropped + {} unaccounted",
            super::inspect::clean(&document.source_key),
            sum.visible,
            sum.kept,
            sum.dropped,
            sum.unaccounted
        ));
        for open in &sum.unaccounted_text {
            ui.data(super::inspect::clean(&format!("  unaccounted: {}", open.text)));
        }
        for gate in &document.quality.gates {
            ui.data(super::inspect::clean(&format!(
                "  gate {:?} {}: {}",
                gate.level, gate.id, gate.note
            )));
        }
    }
}

fn title(document: &Document) -> &str {
    document.title.as_deref().unwrap_or("(no title)")
}

fn difference(difference: &Difference, ui: &Ui) -> bool {
    if difference.is_empty() {
        return false;
    }
    let parts = difference
        .fields
        .iter()
        .chain(&difference.media)
        .chain(&difference.links);
    for line in parts
        .flat_map(lines)
        .chain(difference.body.iter().flat_map(block_lines))
    {
        ui.data(line);
    }
    let side = |s: &Option<String>| s.clone().unwrap_or_else(|| "nowhere".into());
    for origin in &difference.origins {
        let text = format!(
            "{} comes from {}, was {}",
            origin.field,
            side(&origin.new),
            side(&origin.old)
        );
        ui.data(super::inspect::clean(&text));
    }
    for drop in &difference.drops {
        let text = format!(
            "rule {} drops {} characters, was {}",
            drop.rule, drop.new, drop.old
        );
        ui.data(super::inspect::clean(&text));
    }
    true
}
