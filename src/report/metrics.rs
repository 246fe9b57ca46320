//! Where sites stand, as OpenMetrics text: for the textfile collector of node_exporter and for `/metrics`. Every metric is a gauge
//! that is read from the ledger anew, so that a restart changes none of them. Labels come from closed sets (kinds, states,
//! reasons) and from the mapping (site, target, collection), never from what the portal says.

use super::{Health, Standing};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

type Labels = Vec<(&'static str, String)>;
type Values = Family<Labels, Gauge<f64, AtomicU64>>;

/// Most targets and collections of a site that have values of their own; what is beyond counts as `other`.
const MAX_NAMES: usize = 50;

/// One site.
#[derive(Clone, Debug)]
pub struct Observed {
    /// Where it stands.
    pub standing: Standing,
    /// How it is.
    pub health: Health,
    /// Files of its archive.
    pub archive_files: u64,
    /// Their bytes.
    pub archive_bytes: u64,
}

struct Metrics {
    registry: Registry,
}

impl Metrics {
    fn family(&mut self, name: &str, help: &str) -> Values {
        let values = Values::default();
        self.registry.register(name, help, values.clone());
        values
    }
}

/// The metrics of all sites, in the order of their names.
#[must_use]
pub fn metrics_text(sites: &[Observed]) -> String {
    let mut m = Metrics {
        registry: Registry::with_prefix("sangtrang"),
    };
    program(&mut m);
    syncs(&mut m, sites);
    portal(&mut m, sites);
    documents(&mut m, sites);
    target(&mut m, sites);
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = encode(&mut text, &m.registry);
    text
}

fn program(m: &mut Metrics) {
    let version = m.family("build_info", "The program, by version");
    let labels = vec![("version", env!("CARGO_PKG_VERSION").to_owned())];
    version.get_or_create(&labels).set(1.0);
}

fn syncs(m: &mut Metrics, sites: &[Observed]) {
    let started = m.family("sync_last_start_timestamp_seconds", "When the last sync began");
    let success = m.family(
        "sync_last_success_timestamp_seconds",
        "When the last sync began that walked through all its steps",
    );
    let seconds = m.family("sync_duration_seconds", "How long the last sync took that ended");
    let exit = m.family("sync_exit_code", "Exit code of the last sync that ended");
    let healthy = m.family("healthy", "1: nothing is wrong; 0: see the logs or /healthz");
    let breaker = m.family(
        "breaker_open",
        "1: the portal answered nothing good in the last crawl",
    );
    let doubt = m.family(
        "portal_in_doubt",
        "1: what the portal does not show proves nothing today, and nothing is taken off",
    );
    let frozen = m.family(
        "frozen",
        "1: nothing is pushed, because the move is being finished",
    );
    for o in sites {
        let s = &o.standing;
        set(&healthy, s, &[], flag(o.health.healthy));
        set(&frozen, s, &[], flag(s.frozen.is_some()));
        let stonewalled = s
            .last_crawl
            .as_ref()
            .is_some_and(|r| r.outcome.as_deref() == Some("stonewalled"));
        set(&breaker, s, &[], flag(stonewalled));
        if let Some(at) = s.last_sync.as_ref().and_then(|r| seconds_of(&r.started)) {
            set(&started, s, &[], at);
        }
        if let Some(at) = s.last_success.as_deref().and_then(seconds_of) {
            set(&success, s, &[], at);
        }
        if let Some(sync) = &s.sync {
            set(&seconds, s, &[], sync.seconds);
            set(&exit, s, &[], f64::from(sync.exit));
            set(&doubt, s, &[], flag(sync.doubt.is_some()));
        }
    }
}

fn portal(m: &mut Metrics, sites: &[Observed]) {
    let urls = m.family("urls", "URLs of the portal by kind and state");
    let requests = m.family(
        "sync_requests",
        "Requests of the last sync by what came of them; `asked` are all of them",
    );
    let bytes = m.family("sync_bytes", "Bytes that the last sync captured");
    let files = m.family("archive_files", "Files of the archive");
    let size = m.family("archive_bytes", "Bytes of the archive");
    for o in sites {
        let s = &o.standing;
        for (name, count) in &s.urls.by_state {
            let (kind, state) = name.split_once(' ').unwrap_or((name, ""));
            set(&urls, s, &[("kind", kind), ("state", state)], number(*count));
        }
        set(&files, s, &[], number(o.archive_files));
        set(&size, s, &[], number(o.archive_bytes));
        let Some(sync) = &s.sync else { continue };
        let p = &sync.portal;
        for (result, count) in [
            ("asked", p.asked),
            ("unchanged", p.unchanged),
            ("failed", p.failed),
            ("walled", p.walled),
        ] {
            set(&requests, s, &[("result", result)], number(count));
        }
        set(&bytes, s, &[], number(p.bytes));
    }
}

fn documents(m: &mut Metrics, sites: &[Observed]) {
    let documents = m.family("documents", "Documents by collection");
    let states = m.family("documents_by_state", "Documents by state");
    let missed = m.family("documents_missed", "Documents whose page is not found any more");
    let changes = m.family(
        "sync_documents",
        "Documents that the last sync found new, changed or failing",
    );
    for o in sites {
        let s = &o.standing;
        let mut other = 0;
        for (i, (collection, count)) in s.documents_by_collection.iter().enumerate() {
            if i < MAX_NAMES {
                set(&documents, s, &[("collection", collection)], number(*count));
            } else {
                other += count;
                set(&documents, s, &[("collection", "other")], number(other));
            }
        }
        for (state, count) in &s.documents_by_state {
            set(&states, s, &[("state", state)], number(*count));
        }
        set(&missed, s, &[], number(s.missed));
        let Some(sync) = &s.sync else { continue };
        let p = &sync.portal;
        for (change, count) in [("added", p.added), ("changed", p.changed), ("gated", p.gated)] {
            set(&changes, s, &[("change", change)], number(count));
        }
    }
}

fn target(m: &mut Metrics, sites: &[Observed]) {
    let entries = m.family("entries", "Objects in the CMS by kind and state");
    let open = m.family("open_writes", "Writes of which nobody knows what came of them");
    let stones = m.family("tombstones", "Entries that are taken off");
    let holds = m.family("sync_holds", "What the last sync left alone, by reason");
    let writes = m.family(
        "sync_writes",
        "Writes of the last sync by what they did; `all` are all of them",
    );
    let losses = m.family(
        "sync_losses",
        "Fields that the CMS shows otherwise than they were sent, after the last sync",
    );
    for o in sites {
        let s = &o.standing;
        for t in s.targets.iter().take(MAX_NAMES) {
            let name = ("target", t.name.as_str());
            for (kind, state, count) in t.counts() {
                let labels = [name, ("kind", kind.as_str()), ("state", state)];
                set(&entries, s, &labels, number(*count));
            }
            set(&open, s, &[name], number(t.open_writes));
            set(&stones, s, &[name], number(t.tombstones));
        }
        let Some(t) = s.sync.as_ref().and_then(|y| y.target.as_ref()) else {
            continue;
        };
        for (reason, count) in &t.holds {
            set(&holds, s, &[("reason", reason)], number(*count));
        }
        for (op, count) in [
            ("all", t.writes),
            ("created", t.created),
            ("updated", t.updated),
            ("retired", t.retired),
        ] {
            set(&writes, s, &[("op", op)], number(count));
        }
        set(&losses, s, &[], number(t.losses));
    }
}

fn set(values: &Values, standing: &Standing, more: &[(&'static str, &str)], value: f64) {
    let mut labels = vec![("site", standing.site.clone())];
    labels.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    values.get_or_create(&labels).set(value);
}

const fn flag(is: bool) -> f64 {
    if is { 1.0 } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
const fn number(count: u64) -> f64 {
    count as f64
}

fn seconds_of(time: &str) -> Option<f64> {
    let at: jiff::Timestamp = time.parse().ok()?;
    #[expect(clippy::cast_precision_loss, reason = "seconds since 1970 are far below 2^52")]
    Some(at.as_millisecond() as f64 / 1000.0)
}
