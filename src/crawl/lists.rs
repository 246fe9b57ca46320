//! What a page of a list changes in the ledger: its items, the state of its pager, the next page. Inside the recorder's
//! transaction, so that a walk that was killed goes on where it was.

use super::Event;
use super::discover::{List, NextPage};
use super::error::CrawlError;
use super::pager::{self, Request, Seen};
use super::process::skip;
use super::writer::{Writer, offer};
use crate::ledger::{Offer, Ready, Settle, UrlKind};

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
        let mut new_items = 0;
        for item in &list.items {
            if let Some(id) = self.batch.find(&item.url.key())? {
                let anchor = item.anchor.as_deref();
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
        };
        let goes_on = pager::advance(&mut state, &seen);
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
