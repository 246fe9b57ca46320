//! What one sync did, for people and programs: `sync/1`.

use super::Exit;
use crate::deliver::plan::{Counts, Hold};
use crate::ledger::{Finding, Listed, Tally};
use crate::pipeline::Radius;
use serde::Serialize;
use std::collections::BTreeMap;

/// What one sync did, for people and programs.
#[derive(Debug, Default, Serialize)]
pub(super) struct Told {
    pub(super) schema: &'static str,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) site: String,
    pub(super) started: String,
    pub(super) seconds: f64,
    /// What the mapping changed, if it is another one.
    pub(super) mapping: Option<Radius>,
    pub(super) portal: Portal,
    pub(super) target: Option<TargetTold>,
    /// Why nothing is taken off today.
    pub(super) doubt: Option<String>,
    /// Gates of whole collections that fail: until somebody looks, nothing is pushed.
    pub(super) drift: Vec<String>,
    /// Why it could not go on.
    pub(super) error: Option<String>,
    /// What each step that did not end well answered.
    pub(super) codes: Vec<u8>,
    /// Exit code.
    pub(super) exit: u8,
    #[serde(skip)]
    pub(super) ends: Vec<Exit>,
}

/// What the portal changed.
#[derive(Debug, Default, Serialize)]
pub(super) struct Portal {
    /// Requests for pages, files, lists and sitemaps.
    pub(super) asked: u64,
    /// Of these, as they were.
    pub(super) unchanged: u64,
    pub(super) bytes: u64,
    pub(super) failed: u64,
    /// Pages of ours that we were locked out of.
    pub(super) walled: u64,
    /// Documents.
    pub(super) documents: u64,
    pub(super) added: u64,
    pub(super) changed: u64,
    /// Documents that fail a gate.
    pub(super) gated: u64,
}

/// What became of it in the CMS, and what the CMS had changed.
#[derive(Debug, Default, Serialize)]
pub(super) struct TargetTold {
    pub(super) plan: Counts,
    /// What is left alone, by reason.
    pub(super) holds: BTreeMap<Hold, u64>,
    /// What exactly, and why.
    pub(super) held: Listed<Finding>,
    /// Id of the run that wrote.
    pub(super) run: Option<String>,
    pub(super) writes: u64,
    /// Fields that the CMS shows otherwise than they were sent.
    pub(super) losses: u64,
    /// Which.
    pub(super) lost: Listed<Finding>,
    pub(super) created: u64,
    pub(super) updated: u64,
    pub(super) retired: u64,
}

impl Told {
    /// The worst of what its steps answered.
    pub(super) fn exit(&self) -> Exit {
        const WORST: [Exit; 9] = [
            Exit::Interrupted,
            Exit::Config,
            Exit::Failure,
            Exit::Locked,
            Exit::Held,
            Exit::Unreachable,
            Exit::Findings,
            Exit::Limit,
            Exit::Ok,
        ];
        WORST
            .into_iter()
            .find(|exit| self.ends.contains(exit))
            .unwrap_or(Exit::Ok)
    }

    /// Remembers what the gates of whole collections say that fail.
    pub(super) fn take_drift(&mut self, tally: &Tally) {
        let checks = tally.checks.iter();
        let all = checks.flat_map(|(of, all)| all.iter().map(move |c| (of, c)));
        let failed = all.filter(|(of, c)| c.failed > 0 && c.first.iter().any(|f| f.url == **of));
        self.drift = failed
            .flat_map(|(of, c)| {
                c.first
                    .iter()
                    .map(move |f| format!("{of}: {} ({})", f.note, c.gate))
            })
            .collect();
    }

    pub(super) fn end(&mut self, exit: Exit) {
        if exit != Exit::Ok {
            self.ends.push(exit);
            self.codes.push(exit as u8);
        }
    }
}
