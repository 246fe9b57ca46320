//! Writes: made, changed, published, taken off, removed.

use super::wire::{self, BROKEN, STATE};
use super::{Declared, broken, method, read};
use crate::deliver::api::Request;
use crate::deliver::failure::{Class, Failure};
use crate::deliver::multipart::Form;
use crate::deliver::sink::{Item, Remote, Wire};
use crate::ledger::Kind;
use crate::mapping::Text;
use crate::mapping::model::{ActionRule, ObjectRule, WriteRule};
use http::Method;
use serde_json::{Map, Value, json};

/// Refuses a payload whose templates could not be filled.
pub(super) fn whole(fields: &Map<String, Value>) -> Result<(), Failure> {
    match fields.get(BROKEN).and_then(Value::as_str) {
        Some(text) => Err(broken("fields", text.to_owned())),
        None => Ok(()),
    }
}

/// Fields in the body of a write.
pub(super) fn body(
    cms: &Declared,
    kind: Kind,
    rule: &ObjectRule,
    write: &WriteRule,
    of: &str,
    fields: &Map<String, Value>,
    context: &Value,
) -> Result<Value, Failure> {
    let mut body = match &write.body {
        Some(template) => template.value(context).map_err(|e| broken("body", e))?,
        None => json!({}),
    };
    let at = write.at.as_deref().unwrap_or_default();
    wire::put_at(&mut body, at, json!({}));
    for (name, value) in fields.iter().filter(|(name, _)| *name != STATE) {
        let is_term = kind == Kind::Document
            && cms
                .entries
                .iter()
                .any(|e| e.of == of && e.terms.contains_key(name));
        let place = wire::place(rule, is_term, name);
        wire::put_at(&mut body, &format!("{at}.{place}"), value.clone());
    }
    Ok(body)
}

pub(super) async fn create(cms: &Declared, item: &Item, wire: &Wire) -> Result<Remote, Failure> {
    whole(&wire.fields)?;
    let (kind, of) = (item.kind(), item.of.as_str());
    let rule = cms.by_item(item);
    let mut context = cms.context(of);
    let live = wire.fields.get(STATE).is_none_or(|s| *s == wire::state(true));
    context.insert("key".into(), item.key.clone().into());
    context.insert("slug".into(), item.slug.clone().into());
    context.insert("live".into(), live.into());
    let context = context.into();
    let body = body(cms, kind, rule, &rule.create, of, &wire.fields, &context)?;
    let path = cms.path(rule.create.path.as_ref().or(rule.path.as_ref()), &context)?;
    let how = method(rule.create.method.as_ref(), Method::POST);
    let answer = cms.call(Request::json(how, path, &body, false)).await?.json();
    let made = written(
        cms,
        kind,
        rule,
        of,
        read::object(&answer, rule.create.object.as_ref()),
    )?;
    let made = shown(cms, kind, rule.create.reread, of, made).await?;
    // A CMS that publishes by an action of its own makes drafts.
    if kind == Kind::Document && live && !made.live {
        return state(cms, rule, of, &made, true).await;
    }
    Ok(made)
}

/// The object of an answer; an answer without one says nothing of what was done.
pub(super) fn written(
    cms: &Declared,
    kind: Kind,
    rule: &ObjectRule,
    of: &str,
    object: &Value,
) -> Result<Remote, Failure> {
    read::remote(cms, kind, rule, of, object).ok_or_else(|| {
        let path = rule.path.as_ref().map(Text::as_str).unwrap_or_default();
        Failure::of(Class::Ambiguous, path, "the answer names no object")
    })
}

/// The object as it is, where the answer to a write does not show it.
pub(super) async fn shown(
    cms: &Declared,
    kind: Kind,
    reread: bool,
    of: &str,
    made: Remote,
) -> Result<Remote, Failure> {
    if !reread {
        return Ok(made);
    }
    let again = read::read(cms, kind, of, std::slice::from_ref(&made.id)).await?;
    again
        .into_iter()
        .next()
        .ok_or_else(|| Failure::of(Class::Missing, &made.id, "what was just written is not there"))
}

/// Writes fields of an object, and its state.
pub(super) async fn patch(
    cms: &Declared,
    kind: Kind,
    of: &str,
    id: &str,
    fields: &Map<String, Value>,
) -> Result<Remote, Failure> {
    whole(fields)?;
    let (rule, _) = cms.by_id(kind, id);
    let wanted = fields.get(STATE).map(|s| *s == wire::state(true));
    let only_state = fields.keys().all(|name| name == STATE);
    let has_action = match wanted {
        Some(true) => rule.publish.is_some(),
        Some(false) => rule.unpublish.is_some(),
        None => false,
    };
    let mut current = None;
    if kind == Kind::Document && (wanted.is_none() || only_state) {
        let there = read::read(cms, kind, of, &[id.to_owned()])
            .await?
            .into_iter()
            .next();
        current = Some(there.ok_or_else(|| Failure::of(Class::Missing, id, "is not there"))?);
    }
    let live = wanted.unwrap_or_else(|| current.as_ref().is_none_or(|c| c.live));
    let remote = match current {
        Some(current) if only_state && (has_action || current.live == live) => current,
        // Its body would not change the state.
        Some(current) if only_state && !rule.states => current,
        _ => send(cms, kind, rule, of, id, fields, live).await?,
    };
    if kind == Kind::Document && wanted.is_some_and(|w| w != remote.live) {
        return state(cms, rule, of, &remote, live).await;
    }
    Ok(remote)
}

async fn send(
    cms: &Declared,
    kind: Kind,
    rule: &ObjectRule,
    of: &str,
    id: &str,
    fields: &Map<String, Value>,
    live: bool,
) -> Result<Remote, Failure> {
    let (_, bare) = cms.by_id(kind, id);
    let mut context = cms.object_context(rule, of, bare);
    context.insert("live".into(), live.into());
    let context = context.into();
    let update = &rule.update;
    let body = body(cms, kind, rule, update, of, fields, &context)?;
    let path = cms.path(update.path.as_ref().or(rule.item.as_ref()), &context)?;
    let how = method(update.method.as_ref(), Method::PATCH);
    let request = if update.form {
        let mut form = Form::new(&super::media::boundary(&body));
        super::media::fields(&mut form, &body);
        let (bytes, headers) = form.finish();
        Request {
            method: how,
            path,
            headers,
            body: bytes,
            repeatable: true,
        }
    } else {
        Request::json(how, path, &body, true)
    };
    let answer = cms.call(request).await?.json();
    let object = read::object(&answer, update.object.as_ref());
    if update.reread {
        let again = read::read(cms, kind, of, &[id.to_owned()])
            .await?
            .into_iter()
            .next();
        return again.ok_or_else(|| Failure::of(Class::Missing, id, "is not there"));
    }
    written(cms, kind, rule, of, object)
}

/// Makes a document public, or takes it off.
async fn state(
    cms: &Declared,
    rule: &ObjectRule,
    of: &str,
    remote: &Remote,
    live: bool,
) -> Result<Remote, Failure> {
    let action = if live { &rule.publish } else { &rule.unpublish };
    let Some(action) = action else {
        let what = if live {
            "it was not made public, and the target declares no `document.publish`"
        } else {
            "this CMS has no way to take an entry off: set `action = \"keep\"` in [target.retire], or declare `document.unpublish`"
        };
        return Err(Failure::of(Class::Permanent, &remote.id, what));
    };
    act(cms, rule, of, &remote.id, action, Method::POST).await?;
    let again = read::read(cms, Kind::Document, of, std::slice::from_ref(&remote.id)).await?;
    match again.into_iter().next() {
        Some(now) if now.live == live => Ok(now),
        Some(_) => Err(Failure::of(
            Class::Permanent,
            &remote.id,
            "it said yes, and the state is as it was",
        )),
        None => Err(Failure::of(Class::Missing, &remote.id, "is not there")),
    }
}

async fn act(
    cms: &Declared,
    rule: &ObjectRule,
    of: &str,
    bare: &str,
    action: &ActionRule,
    usual: Method,
) -> Result<(), Failure> {
    let context: Value = cms.object_context(rule, of, bare).into();
    let path = cms.path(action.path.as_ref().or(rule.item.as_ref()), &context)?;
    let how = method(action.method.as_ref(), usual);
    let request = match &action.body {
        Some(body) => {
            let body = body.value(&context).map_err(|e| broken("body", e))?;
            Request::json(how, path, &body, true)
        }
        None => Request {
            method: how,
            ..Request::get(path)
        },
    };
    cms.call(request).await.map(|_| ())
}

pub(super) async fn delete(cms: &Declared, kind: Kind, of: &str, id: &str) -> Result<(), Failure> {
    let (rule, bare) = cms.by_id(kind, id);
    match act(cms, rule, of, bare, &rule.delete, Method::DELETE).await {
        Err(failure) if failure.class != Class::Missing => Err(failure),
        _ => Ok(()),
    }
}
