//! What a page of a list changes in the ledger: its items, the state of its pager, the next page. Inside the recorder's
//! transaction, so that a walk that was killed goes on where it was.

use super::Event;
use super::discover::{Item, List, NextPage};
use super::error::CrawlError;
use super::pager::{self, Request, Seen};
use super::process::skip;
use super::recorder::now_ms;
use super::writer::{Writer, offer};
use crate::ledger::{Offer, Ready, Settle, UrlId, UrlKind};

/// Most pages that are asked for because one walk through a list did not name them any more.
const MAX_DROPPED: usize = 1000;

impl Writer<'_, '_> {
    /// The server does not know the state of a list's form any more: the list begins again, once.
    pub(super) fn expired(&mut self, task: &Ready, status: u16) -> Result<(), CrawlError> {
        let rules = self.mapping.rules();
        let mut again = false;
        if let Some(list) = task.list {
            let asked = task.request.as_deref().and_then(Request::from_bytes);
            let asked = asked.map_or_else(String::new, |r| r.rule);
            for rule in rules
                .discover
                .iter()
                .filter(|r| asked.is_empty() || r.id() == asked)
            {
                let mut state = self.batch.pager(list, rule.id())?;
                again |= state.generation > task.generation;
                if state.pages == 0 || state.generation != task.generation {
                    continue;
                }
                if state.restarts == 0 {
                    state = crate::ledger::Pager {
                        generation: state.generation + 1,
                        restarts: 1,
                        full_at: state.full_at,
                        full_generation: state.full_generation,
                        usual: state.usual,
                        ..Default::default()
                    };
                    self.batch.reopen(list)?;
                    again = true;
                } else {
                    state.stop = Some("expired".into());
                    self.events.push(Event::PagerStopped {
                        list: task.url.clone(),
                        rule: rule.id().to_owned(),
                        pages: state.pages,
                        reason: "expired".into(),
                    });
                }
                self.batch.set_pager(list, rule.id(), &state)?;
            }
        }
        let settle = if again {
            Settle::Superseded("expired-form")
        } else {
            Settle::Rejected("expired-form")
        };
        self.batch.settle(task.id, &settle, status, None)?;
        Ok(())
    }

    /// Is an item new to its list, or does the list say something else of it than before? Then its page is asked for, and so is
    /// one that was gone and is listed again.
    fn is_news(
        &mut self,
        id: UrlId,
        list: &List,
        item: &Item,
        root: UrlId,
        generation: u32,
    ) -> Result<bool, CrawlError> {
        let Some(named) = self.batch.named(id, &list.rule, root)? else {
            if self.batch.is_gone(id)? {
                self.batch.ask_again(id)?;
            }
            return Ok(true);
        };
        if named.generation == generation {
            return Ok(false);
        }
        let fields = (!item.fields.is_empty())
            .then(|| serde_json::to_string(&item.fields).ok())
            .flatten();
        let differs = named.fields != fields;
        if differs || self.batch.is_gone(id)? {
            self.batch.ask_again(id)?;
        }
        Ok(differs)
    }

    /// Fewer items than this, and a whole walk is not believed.
    fn least(&self, state: &crate::ledger::Pager) -> u64 {
        // Pages of a list that are read at the same time do not say when its end was reached.
        if !self.follows {
            return 0;
        }
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a count far below 2^52"
        )]
        let least = (state.usual as f64 * self.mapping.rules().sync.list_share.clamp(0.0, 1.0)).ceil() as u64;
        least
    }

    /// A whole walk came to its end: what it does not name any more is asked for itself.
    fn ended(
        &mut self,
        state: &mut crate::ledger::Pager,
        list: &List,
        root: UrlId,
    ) -> Result<(), CrawlError> {
        if state.full_at > 0 {
            let (since, now) = (state.full_generation, state.generation);
            for id in self
                .batch
                .dropped_from(root, &list.rule, since, now, MAX_DROPPED)?
            {
                self.batch.ask_again(id)?;
            }
        }
        state.full_at = now_ms();
        state.full_generation = state.generation;
        state.usual = state.items;
        Ok(())
    }

    pub(super) fn list(&mut self, task: &Ready, list: &List) -> Result<(), CrawlError> {
        let root = match task.list {
            Some(root) => root,
            None => match self.batch.find(&list.root.key())? {
                Some(root) => root,
                None => task.id,
            },
        };
        // Items found behind a form stand on the list itself: its other pages have no address.
        let parent = if task.kind == UrlKind::Postback {
            root
        } else {
            task.id
        };
        let mut state = self.batch.pager(root, &list.rule)?;
        if task.kind == UrlKind::Postback && state.generation != task.generation {
            return Ok(());
        }
        let (mut new_items, mut news) = (0, 0);
        for item in &list.items {
            if let Some(id) = self.batch.find(&item.url.key())? {
                let anchor = item.anchor.as_deref();
                if self.follows {
                    news += usize::from(self.is_news(id, list, item, root, state.generation)?);
                }
                let new = self.batch.found(
                    id,
                    &list.rule,
                    parent,
                    root,
                    state.generation,
                    anchor,
                    &item.fields,
                )?;
                new_items += usize::from(new);
            }
        }
        let has_next = !matches!(list.next, NextPage::None);
        let seen = Seen {
            new_items,
            has_next,
            total: list.total,
            max_pages: list.max_pages,
            stop_after: list.stop_after,
            news,
            least: self.least(&state),
        };
        let goes_on = pager::advance(&mut state, &seen);
        if self.follows && !state.brief && state.ended_well() {
            self.ended(&mut state, list, root)?;
        }
        if let Some(reason) = &state.stop
            && has_next | list.stop_after.is_some()
        {
            self.events.push(Event::PagerStopped {
                list: list.root.to_string(),
                rule: list.rule.clone(),
                pages: state.pages,
                reason: reason.clone(),
            });
        }
        self.batch.set_pager(root, &list.rule, &state)?;
        if !goes_on {
            return Ok(());
        }
        match &list.next {
            NextPage::None => {}
            NextPage::Urls(urls) if self.follows => {
                // One page after the other, so that a walk can end where nothing is new, and knows where its end is.
                let mut urls: Vec<_> = urls.iter().collect();
                urls.sort_by_cached_key(|url| pager::numbers(url.as_str()));
                let mut taken = false;
                for url in urls {
                    let reason = skip(self.mapping, self.robots, url, task.depth);
                    let (id, new) = self.batch.offer(&offer(
                        url,
                        UrlKind::Page,
                        &list.rule,
                        Some(task.id),
                        task.depth,
                        reason,
                    ))?;
                    self.known += u64::from(new);
                    if self.batch.walk_to(id, root, state.generation)? {
                        taken = true;
                        break;
                    }
                }
                if !taken && list.stop_after.is_none() {
                    state.stop = Some("last-page".into());
                    if !state.brief {
                        let least = self.least(&state);
                        pager::judge_size(&mut state, least);
                        if state.ended_well() {
                            self.ended(&mut state, list, root)?;
                        }
                    }
                    self.batch.set_pager(root, &list.rule, &state)?;
                }
            }
            NextPage::Urls(urls) => {
                let mut any_new = false;
                for url in urls {
                    if self.known >= self.mapping.rules().limits.urls {
                        break;
                    }
                    let reason = skip(self.mapping, self.robots, url, task.depth);
                    let (_, new) = self.batch.offer(&Offer {
                        list: Some(root),
                        generation: state.generation,
                        ..offer(url, UrlKind::Page, &list.rule, Some(task.id), task.depth, reason)
                    })?;
                    self.known += u64::from(new);
                    any_new |= new;
                }
                // Numbered links always lead somewhere: the walk is over when they lead nowhere new.
                if !any_new && list.stop_after.is_none() {
                    state.stop = Some("last-page".into());
                    self.batch.set_pager(root, &list.rule, &state)?;
                }
            }
            NextPage::Request(next) => {
                let Some(request) = next.request.to_bytes() else {
                    tracing::warn!(list = %list.root, "the request for the next page is too large");
                    return Ok(());
                };
                let (_, new) = self.batch.offer(&Offer {
                    key: next.key(list.root.as_str(), state.generation),
                    url: list.root.as_str(),
                    kind: UrlKind::Postback,
                    depth: task.depth,
                    hops: 0,
                    via: &list.rule,
                    parent: Some(task.id),
                    skip: None,
                    request: Some(&request),
                    list: Some(root),
                    page: next.page,
                    generation: state.generation,
                })?;
                self.known += u64::from(new);
            }
        }
        Ok(())
    }
}
