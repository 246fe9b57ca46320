//! Sweeps over numbers: the next ones, judged by what came of those before.

use super::Recorder;
use crate::crawl::Event;
use crate::crawl::command::Reply;
use crate::crawl::error::CrawlError;
use crate::crawl::series::{Sweep, Wanted};
use crate::ledger::{Pager, UrlState};
use crate::mapping::PageUrl;
use crate::mapping::model::Discover;
use url::Url;

impl Recorder {
    /// The next numbers of the sweep by the discover rule at `index`, judged by what came of those before.
    pub(super) fn sweep(&mut self, index: usize) -> Result<Reply, CrawlError> {
        let mapping = self.mapping.clone();
        let nothing = Reply::Swept(0, Vec::new());
        let Some(Discover::Ids(rule)) = mapping.rules().discover.get(index) else {
            return Ok(nothing);
        };
        let mut sweep = match self.sweeps.remove(&index) {
            Some(sweep) => sweep,
            None => {
                let Some(mut sweep) = Sweep::new(&mapping, rule) else {
                    return Ok(nothing);
                };
                let prefix = sweep.prefix().to_owned();
                self.ledger
                    .pages_with_prefix(&prefix, |url, leads| sweep.learn(url, leads))?;
                sweep
            }
        };
        for number in std::mem::take(&mut sweep.pending) {
            let url = sweep.url(number);
            let page = Url::parse(&url).ok().and_then(|u| mapping.canonical(&u).ok());
            let state = match page {
                Some(page) => self.ledger.settled(&page.key())?,
                None => None,
            };
            let leads = state.is_some_and(|(state, _)| state == UrlState::Done);
            sweep.hits += u64::from(leads);
            sweep.learn(&url, leads);
        }
        let reply = match sweep.next() {
            Wanted::Ask(numbers) => {
                let urls: Vec<PageUrl> = numbers
                    .iter()
                    .filter_map(|n| mapping.canonical(&Url::parse(&sweep.url(*n)).ok()?).ok())
                    .collect();
                self.offer_all(&urls, &sweep.rule)?;
                (sweep.pending, sweep.told) = (numbers, false);
                Reply::Swept(urls.len(), Vec::new())
            }
            Wanted::Stop(_) if sweep.told => nothing,
            Wanted::Stop(reason) => {
                sweep.told = true;
                let state = Pager {
                    pages: u32::try_from(sweep.asked).unwrap_or(u32::MAX),
                    items: sweep.hits,
                    stop: Some(reason.to_owned()),
                    ..Pager::default()
                };
                if let Some(start) = mapping.start_urls().first() {
                    let mut batch = self.ledger.batch(self.run)?;
                    if let Some(id) = batch.find(&start.key())? {
                        batch.set_pager(id, &sweep.rule, &state)?;
                    }
                    batch.commit()?;
                }
                let event = Event::PagerStopped {
                    list: rule.url.clone(),
                    rule: sweep.rule.clone(),
                    pages: state.pages,
                    reason: reason.to_owned(),
                };
                Reply::Swept(0, vec![event])
            }
        };
        self.sweeps.insert(index, sweep);
        Ok(reply)
    }
}
