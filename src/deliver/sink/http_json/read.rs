//! Objects as the CMS shows them.

use super::wire::{self, STATE};
use super::{Declared, FILE, MANY, SEARCH_PAGES};
use crate::deliver::failure::{Class, Failure};
use crate::deliver::sink::{Item, Links, Listed, Remote};
use crate::ledger::Kind;
use crate::mapping::Text;
use crate::mapping::model::ObjectRule;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The value at a pointer; `/-/` goes through a list.
pub(super) fn at(object: &Value, pointer: &str) -> Value {
    if let Some((list, rest)) = pointer.split_once("/-") {
        return match object.pointer(list) {
            Some(Value::Array(items)) => items.iter().map(|i| at(i, rest)).collect(),
            _ => Value::Null,
        };
    }
    object.pointer(pointer).cloned().unwrap_or_default()
}

/// A text or a number as a text.
fn scalar(object: &Value, pointer: Option<&String>) -> Option<String> {
    match at(object, pointer?) {
        Value::String(text) if !text.is_empty() => Some(text),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The object of an answer.
pub(super) fn object<'a>(answer: &'a Value, pointer: Option<&String>) -> &'a Value {
    pointer.and_then(|p| answer.pointer(p)).unwrap_or(answer)
}

fn id(cms: &Declared, rule: &ObjectRule, object: &Value) -> Option<String> {
    let id = scalar(object, rule.id.as_ref())?;
    Some(if cms.is_file(rule) {
        format!("{FILE}{id}")
    } else {
        id
    })
}

/// An object; nothing if it has no id.
pub(super) fn remote(
    cms: &Declared,
    kind: Kind,
    rule: &ObjectRule,
    of: &str,
    object: &Value,
) -> Option<Remote> {
    let id = id(cms, rule, object)?;
    let slug = scalar(object, rule.slug.as_ref()).unwrap_or_default();
    let live = kind != Kind::Document || is_live(cms, rule, of, object);
    let mut fields: BTreeMap<String, Value> = rule
        .fields
        .keys()
        .map(|name| (name.clone(), at(object, &wire::pointer(rule, false, name))))
        .collect();
    if kind == Kind::Document {
        for entry in cms.entries.iter().filter(|e| e.of == of) {
            let own = entry
                .terms
                .keys()
                .map(|n| (n, true))
                .chain(entry.fields.keys().map(|n| (n, false)));
            for (name, is_term) in own {
                fields.insert(name.clone(), at(object, &wire::pointer(rule, is_term, name)));
            }
        }
        fields.insert(STATE.into(), wire::state(live));
    }
    let said = scalar(object, rule.url.as_ref());
    let template = cms
        .entries
        .iter()
        .find(|e| e.of == of)
        .and_then(|e| e.url.as_ref());
    let url = match (kind, said, template) {
        (Kind::Document, _, Some(template)) => Some(template.replace("{slug}", &slug).replace("{id}", &id)),
        (_, said, _) => said,
    };
    Some(Remote {
        url: url.map(|u| cms.api.base().join(&u).map(Into::into).unwrap_or(u)),
        key: scalar(object, rule.key.as_ref()),
        modified: scalar(object, rule.modified.as_ref()),
        rendered: scalar(object, rule.rendered.as_ref()),
        used: None,
        live,
        fields,
        slug,
        id,
    })
}

fn is_live(cms: &Declared, rule: &ObjectRule, of: &str, object: &Value) -> bool {
    let Some(live) = &rule.live else { return true };
    let mut context = cms.context(of);
    context.insert("object".into(), object.clone());
    // An object that does not say it is not public as far as we know.
    live.value(&context.into()).is_ok_and(|v| truth(&v))
}

fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(b) => *b,
        Value::String(text) => !text.is_empty(),
        Value::Number(n) => n.as_f64() != Some(0.0),
        Value::Array(items) => !items.is_empty(),
        Value::Object(map) => !map.is_empty(),
    }
}

/// A page of a list. The place where the next one begins is `RULE/PAGE/CURSOR`: files may be two lists.
pub(super) async fn list(
    cms: &Declared,
    kind: Kind,
    of: &str,
    from: Option<String>,
) -> Result<(Vec<Listed>, Option<String>), Failure> {
    let from = from.unwrap_or_else(|| "0/1/".into());
    let mut parts = from.splitn(3, '/');
    let second = parts.next() == Some("1");
    let page: usize = parts.next().and_then(|p| p.parse().ok()).unwrap_or(1);
    let cursor = parts.next().unwrap_or_default();
    let rule = match (kind, second, &cms.rules.file) {
        (Kind::Media, true, Some(file)) => file,
        (Kind::Media, ..) => &cms.rules.media,
        (Kind::Term, ..) => &cms.rules.term,
        _ => &cms.rules.document,
    };
    let context = paged(cms, rule.list.size, of, page, cursor, BTreeMap::new());
    let path = cms.path_query(rule.path.as_ref(), rule.list.query.as_ref(), &context)?;
    let answer = match cms.get(path).await {
        Ok(answer) => answer,
        // One past the last page, to some.
        Err(failure) if failure.class == Class::Missing && page > 1 => json!([]),
        Err(failure) => return Err(failure),
    };
    let items = items(rule, &answer)?;
    let listed = items
        .iter()
        .filter_map(|item| {
            Some(Listed {
                id: id(cms, rule, item)?,
                slug: scalar(item, rule.slug.as_ref()).unwrap_or_default(),
                key: scalar(item, rule.key.as_ref()),
                modified: scalar(item, rule.modified.as_ref()),
            })
        })
        .collect();
    let place = usize::from(second);
    let first = items
        .first()
        .and_then(|item| scalar(item, rule.id.as_ref()))
        .unwrap_or_default();
    let next = match &rule.list.cursor {
        Some(pointer) => scalar(&answer, Some(pointer)).map(|c| format!("{place}/{}/{c}", page + 1)),
        // A CMS that does not know the parameter would give the first page for ever.
        None if page > 1 && !first.is_empty() && first == cursor => {
            let path = rule.path.as_ref().map(Text::as_str).unwrap_or_default();
            let text = "the same page came twice: `list.query` does not ask for the next one";
            return Err(Failure::of(Class::Permanent, path, text));
        }
        None => (items.len() >= rule.list.size).then(|| format!("{place}/{}/{first}", page + 1)),
    };
    let more = kind == Kind::Media && !second && cms.rules.file.is_some();
    Ok((listed, next.or_else(|| more.then(|| "1/1/".to_owned()))))
}

fn items(rule: &ObjectRule, answer: &Value) -> Result<Vec<Value>, Failure> {
    match object(answer, rule.list.items.as_ref()) {
        Value::Array(items) => Ok(items.clone()),
        _ => Err(Failure::of(
            Class::Permanent,
            rule.path.as_ref().map(Text::as_str).unwrap_or_default(),
            format!(
                "no list at `{}` of the answer",
                rule.list.items.as_deref().unwrap_or_default()
            ),
        )),
    }
}

fn paged(
    cms: &Declared,
    size: usize,
    of: &str,
    page: usize,
    cursor: &str,
    more: BTreeMap<String, Value>,
) -> Value {
    let mut context = cms.context(of);
    context.extend(more);
    context.insert("page".into(), page.into());
    context.insert("offset".into(), ((page - 1) * size).into());
    context.insert("size".into(), size.into());
    context.insert("cursor".into(), cursor.into());
    context.into()
}

/// What has the key of an item. A CMS that does not know a parameter leaves it out: each find is looked at.
pub(super) async fn find(cms: &Declared, item: &Item) -> Result<Vec<Remote>, Failure> {
    let rule = cms.by_item(item);
    let kind = item.kind();
    let own = wire::context(cms, item, &Links::default(), &mut BTreeSet::new());
    let own: BTreeMap<String, Value> = own
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let mut found = Vec::new();
    for page in 1..=SEARCH_PAGES {
        let context = paged(cms, rule.list.size, &item.of, page, "", own.clone());
        let path = cms.path_query(rule.path.as_ref(), rule.find.query.as_ref(), &context)?;
        let answer = cms.get(path).await?;
        let items = items(rule, &answer)?;
        let last = items.len() < rule.list.size || !names_page(rule.find.query.as_ref());
        for object in items {
            found.extend(looked_at(cms, kind, rule, item, &object, &context).await?);
        }
        if last {
            break;
        }
    }
    found.sort_by_key(|r: &Remote| (r.id.parse::<u64>().unwrap_or(u64::MAX), r.id.clone()));
    Ok(found)
}

/// Does a query have pages at all?
fn names_page(query: Option<&Text>) -> bool {
    query.is_some_and(|q| {
        q.names()
            .any(|(name, _)| ["page", "offset"].contains(&name.as_str()))
    })
}

/// An object of a search, if it is what is looked for.
async fn looked_at(
    cms: &Declared,
    kind: Kind,
    rule: &ObjectRule,
    item: &Item,
    object: &Value,
    context: &Value,
) -> Result<Option<Remote>, Failure> {
    if let Some(mine) = &rule.find.mine {
        let mut context = context.clone();
        context["object"] = object.clone();
        let mine = mine.value(&context).map_err(|e| super::broken("find.mine", e))?;
        if !truth(&mine) {
            return Ok(None);
        }
    }
    let Some(id) = id(cms, rule, object) else {
        return Ok(None);
    };
    let remote = if rule.list.whole {
        remote(cms, kind, rule, &item.of, object)
    } else {
        read(cms, kind, &item.of, std::slice::from_ref(&id))
            .await?
            .into_iter()
            .next()
    };
    Ok(remote.filter(|remote| {
        rule.find.mine.is_some()
            || match (&rule.key, &remote.key) {
                (Some(_), key) => key.as_deref() == Some(item.key.as_str()),
                (None, _) => remote.slug == item.slug,
            }
    }))
}

/// Objects by id; what is not there is left out.
pub(super) async fn read(
    cms: &Declared,
    kind: Kind,
    of: &str,
    ids: &[String],
) -> Result<Vec<Remote>, Failure> {
    let mut all = Vec::with_capacity(ids.len());
    let mut single = Vec::new();
    let mut many: BTreeMap<bool, Vec<&String>> = BTreeMap::new();
    for id in ids {
        let (rule, _) = cms.by_id(kind, id);
        if rule.read.many.is_some() && ids.len() > 1 {
            many.entry(cms.is_file(rule)).or_default().push(id);
        } else {
            single.push(id);
        }
    }
    for ids in many.into_values() {
        for part in ids.chunks(MANY) {
            let found = read_many(cms, kind, of, part).await?;
            // A list may show less than an object by itself: what it does not show is asked for.
            let missing = part.iter().filter(|id| found.iter().all(|r| r.id != ***id));
            single.extend(missing.copied());
            all.extend(found);
        }
    }
    for id in single {
        all.extend(read_one(cms, kind, of, id).await?);
    }
    Ok(all)
}

async fn read_many(cms: &Declared, kind: Kind, of: &str, ids: &[&String]) -> Result<Vec<Remote>, Failure> {
    let (rule, _) = cms.by_id(kind, ids.first().map_or("", |id| id.as_str()));
    let mut context = cms.context(of);
    let bare: Vec<&str> = ids.iter().map(|id| cms.by_id(kind, id).1).collect();
    context.insert("ids".into(), json!(bare));
    context.insert("size".into(), ids.len().into());
    let context = context.into();
    let mut views = Vec::new();
    for query in views_of(rule) {
        let many = cms.path_query(rule.path.as_ref(), rule.read.many.as_ref(), &context)?;
        let path = and(&many, query, &context)?;
        views.push(items(rule, &cms.get(path).await?)?);
    }
    let public: Option<BTreeSet<String>> = (views.len() > 1).then(|| {
        let last = views.pop().unwrap_or_default();
        last.iter().filter_map(|object| id(cms, rule, object)).collect()
    });
    Ok(views
        .iter()
        .flatten()
        .filter_map(|object| remote(cms, kind, rule, of, object))
        .map(|found| match &public {
            Some(public) => {
                let live = public.contains(&found.id);
                with_state(found, kind, live)
            }
            None => found,
        })
        .collect())
}

/// The queries by which objects are read: as editors have them, and whether they are public.
fn views_of(rule: &ObjectRule) -> impl Iterator<Item = Option<&Text>> {
    std::iter::once(rule.read.query.as_ref()).chain(rule.read.public.as_ref().map(Some))
}

/// `path` with one more query.
fn and(path: &str, query: Option<&Text>, context: &Value) -> Result<String, Failure> {
    let Some(query) = query else {
        return Ok(path.to_owned());
    };
    let sign = if path.contains('?') { '&' } else { '?' };
    let said = query
        .path(context)
        .map_err(|e| super::broken(query.as_str(), e))?;
    Ok(format!("{path}{sign}{said}"))
}

/// An object whose state another question told.
fn with_state(mut remote: Remote, kind: Kind, live: bool) -> Remote {
    if kind == Kind::Document {
        remote.live = live;
        remote.fields.insert(STATE.into(), wire::state(live));
    }
    remote
}

/// One object: as its readers see it, or as its editors do.
async fn read_one(cms: &Declared, kind: Kind, of: &str, id: &str) -> Result<Option<Remote>, Failure> {
    let (rule, bare) = cms.by_id(kind, id);
    let context: Value = cms.object_context(rule, of, bare).into();
    let item = cms.path(rule.item.as_ref(), &context)?;
    let mut found = None;
    for query in views_of(rule) {
        let answer = match cms.get(and(&item, query, &context)?).await {
            Ok(answer) => remote(cms, kind, rule, of, object(&answer, rule.read.object.as_ref())),
            Err(failure) if failure.class == Class::Missing => None,
            Err(failure) => return Err(failure),
        };
        found = match (found, answer) {
            (None, Some(first)) if rule.read.public.is_some() => Some(with_state(first, kind, false)),
            (None, first) => return Ok(first),
            (Some(first), public) => return Ok(Some(with_state(first, kind, public.is_some()))),
        };
    }
    Ok(found)
}

/// Do two values of a field mean the same? Nothing is an empty text, dates are instants, lists have no order.
pub(super) fn same(field: &str, ours: &Value, theirs: &Value) -> bool {
    if ours == theirs {
        return true;
    }
    match (ours, theirs) {
        (Value::String(a), Value::String(b)) => {
            let instant = |t: &str| t.parse::<jiff::Timestamp>().ok();
            let date = a.len() >= 19 && instant(a).is_some() && instant(a) == instant(b);
            date || (field == "body" && a.trim() == b.trim())
        }
        (Value::Null, Value::String(text)) | (Value::String(text), Value::Null) => text.is_empty(),
        (Value::Null, Value::Array(items)) => items.is_empty(),
        (Value::Array(items), Value::Null) => items.is_empty(),
        (Value::Number(n), Value::String(text)) | (Value::String(text), Value::Number(n)) => {
            n.to_string() == *text
        }
        (Value::Array(a), Value::Array(b)) if field != "body" => {
            let sorted = |list: &[Value]| {
                let mut texts: Vec<String> = list.iter().map(Value::to_string).collect();
                texts.sort();
                texts
            };
            sorted(a) == sorted(b)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_go_through_lists() {
        let object = json!({ "tags": [{ "id": 1 }, { "id": 2 }], "cover": null, "n": 3 });
        assert_eq!(at(&object, "/tags/-/id"), json!([1, 2]));
        assert_eq!(at(&object, "/cover/id"), Value::Null);
        assert_eq!(at(&object, "/cover/-/id"), Value::Null);
        assert_eq!(scalar(&object, Some(&"/n".to_owned())).as_deref(), Some("3"));
    }

    #[test]
    fn what_means_the_same() {
        assert!(same(
            "date",
            &"2015-03-02T00:00:00+07:00".into(),
            &"2015-03-01T17:00:00.000Z".into()
        ));
        assert!(!same(
            "date",
            &"2015-03-02T00:00:00+07:00".into(),
            &"2015-02-03T00:00:00Z".into()
        ));
        assert!(!same("date", &"2015-03-02T00:00:00+07:00".into(), &Value::Null));
        assert!(same("summary", &Value::Null, &"".into()));
        assert!(same("tags", &json!([2, 1]), &json!([1, 2])));
        assert!(!same("section", &json!(1), &Value::Null));
    }
}
