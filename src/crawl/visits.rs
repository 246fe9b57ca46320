//! What an answer says of the next visit: how long it is until then, and which pages a sitemap dates anew. Inside the recorder's
//! transaction.

use super::discover::Link;
use super::error::CrawlError;
use super::recorder::now_ms;
use super::revisit::{self, Found};
use super::writer::Writer;
use crate::document::CaptureId;
use crate::ledger::{Ready, UrlId, UrlKind};

/// So many pages may change at once, whatever share of a sitemap they are.
const MOST_DATED: usize = 10;

/// What a visit met.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Met {
    First,
    Young,
    Same,
    Other,
    Gone,
}

pub(super) fn visit_of(before: Option<CaptureId>, now: Option<CaptureId>, seen: bool) -> Met {
    match before {
        None if seen => Met::Young,
        None => Met::First,
        Some(_) if before == now => Met::Same,
        Some(_) => Met::Other,
    }
}

impl Writer<'_, '_> {
    /// When it is asked for again. That bytes changed says nothing yet: the extraction knows whether the content did.
    pub(super) fn visited(&mut self, task: &Ready, met: Met) -> Result<(), CrawlError> {
        let is_medium = task.kind == UrlKind::Media;
        if !is_medium && task.kind != UrlKind::Page {
            return Ok(());
        }
        let bounds = revisit::bounds(self.mapping, &task.url, is_medium);
        let was = self.batch.visit(task.id)?;
        let (now, spread) = (now_ms(), revisit::spread(&task.url));
        let found = match met {
            Met::First => Found::First,
            Met::Young => Found::Young,
            Met::Same | Met::Other => Found::Same,
            Met::Gone => Found::Gone,
        };
        let mut visit = revisit::next(was, found, bounds, now, spread);
        if met == Met::Other {
            // As long as before, until the content is judged.
            let every = was
                .map_or(bounds.least, |v| v.every)
                .clamp(bounds.least.min(bounds.most), bounds.most);
            visit.every = every;
            visit.due = revisit::due(now, every, spread);
            visit.open = true;
        }
        Ok(self.batch.set_visit(task.id, &visit)?)
    }

    /// Pages of which a sitemap says that they changed since it was read last. One that says so of most of its pages at once
    /// writes today's date everywhere: it is not believed.
    pub(super) fn dated(&mut self, listed: &[(Link, Option<String>)]) -> Result<Vec<UrlId>, CrawlError> {
        let (mut changed, mut known) = (Vec::new(), 0);
        for (link, said) in listed {
            let Some(said) = said else { continue };
            let Some(id) = self.batch.find(&link.url.key())? else {
                continue;
            };
            let before = self.batch.lastmod(id, said)?;
            known += usize::from(before.is_some());
            if before.is_some_and(|b| b != *said) {
                changed.push(id);
            }
        }
        if !self.follows || (changed.len() > MOST_DATED && changed.len() * 2 > known) {
            changed.clear();
        }
        Ok(changed)
    }
}
