//! Is everything there that a mapping needs? Only reads.

use super::{WordPress, route};
use crate::deliver::api::{Request, encode};
use crate::deliver::failure::{Class, Failure};
use crate::deliver::sink::{Needs, Probe};
use http::Method;
use serde_json::Value;
use std::sync::PoisonError;

pub(super) async fn probe(site: &WordPress, needs: &Needs) -> Result<Probe, Failure> {
    let mut found = Probe::default();
    let index = site.api.call(Request::get("wp-json/")).await?.json();
    let spoken = index["namespaces"]
        .as_array()
        .is_some_and(|n| n.iter().any(|n| n == "wp/v2"));
    if !spoken {
        found.problems.push(format!(
            "{} has no REST interface of WordPress at wp-json/: permalinks must not be \"plain\", and no plugin may switch it off",
            site.api.base()
        ));
        return Ok(found);
    }
    found.product = format!("WordPress ({})", index["name"].as_str().unwrap_or_default());
    found.timezone = index["timezone_string"]
        .as_str()
        .filter(|z| !z.is_empty())
        .map(str::to_owned)
        .or_else(|| Some(format!("UTC{:+}", index["gmt_offset"].as_f64()?)));
    user(site, needs, &mut found).await?;
    types(site, needs, &mut found).await?;
    authors(site, needs, &mut found).await?;
    companion(site, &mut found).await?;
    Ok(found)
}

async fn user(site: &WordPress, needs: &Needs, found: &mut Probe) -> Result<(), Failure> {
    let me = site
        .api
        .call(Request::get(format!("{}?context=edit", route("users/me"))))
        .await?
        .json();
    found.user = me["slug"].as_str().unwrap_or_default().to_owned();
    let may = |what: &str| me["capabilities"][what] == Value::Bool(true);
    for (what, wanted) in [
        ("edit_posts", true),
        ("publish_posts", true),
        ("edit_others_posts", true),
        (
            "manage_categories",
            needs.types.iter().any(|t| !t.terms.is_empty()),
        ),
        ("upload_files", needs.media),
    ] {
        if wanted && !may(what) {
            found.problems.push(format!(
                "the user `{}` may not `{what}`: give it the role of an editor or administrator",
                found.user
            ));
        }
    }
    if !may("unfiltered_html") {
        found.notes.push(format!(
            "WordPress filters the HTML of `{}` (no `unfiltered_html`): `verify` shows what it takes out",
            found.user
        ));
    }
    Ok(())
}

async fn types(site: &WordPress, needs: &Needs, found: &mut Probe) -> Result<(), Failure> {
    for need in &needs.types {
        let schema = match site
            .api
            .call(Request {
                method: Method::OPTIONS,
                ..Request::get(route(&need.of))
            })
            .await
        {
            Ok(answer) => answer.json()["schema"]["properties"].clone(),
            Err(failure) if matches!(failure.class, Class::Missing | Class::Permanent) => Value::Null,
            Err(failure) => return Err(failure),
        };
        let Some(properties) = schema.as_object() else {
            found.problems.push(format!(
                "there is no type `{}`: the REST base of a type that has `show_in_rest` (`posts`, `pages`, …)",
                need.of
            ));
            continue;
        };
        for taxonomy in need.terms.keys().filter(|t| !properties.contains_key(*t)) {
            found
                .problems
                .push(format!("the type `{}` has no taxonomy `{taxonomy}`", need.of));
        }
        let meta = schema.pointer("/meta/properties");
        let mut wanted: Vec<&str> = need
            .fields
            .keys()
            .map(String::as_str)
            .filter(|f| !properties.contains_key(*f))
            .collect();
        if site.companion {
            wanted.push("sangtrang_key");
        }
        for field in wanted {
            if meta.and_then(|m| m.get(field)).is_none() {
                let what = if field == "sangtrang_key" {
                    "the companion plugin is not active: `sangtrang target setup` writes it".to_owned()
                } else {
                    format!(
                        "the type `{}` has no field `{field}` that REST may write: WordPress would drop it without a word; register it with `show_in_rest`",
                        need.of
                    )
                };
                found.problems.push(what);
            }
        }
    }
    Ok(())
}

async fn authors(site: &WordPress, needs: &Needs, found: &mut Probe) -> Result<(), Failure> {
    for name in &needs.authors {
        let users = site
            .api
            .call(Request::get(format!(
                "{}?context=edit&slug={}",
                route("users"),
                encode(name)
            )))
            .await?
            .json();
        match users[0]["id"].as_u64() {
            Some(id) => {
                site.authors
                    .lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .insert(name.clone(), id);
            }
            None => found
                .problems
                .push(format!("there is no user `{name}`, whom `target.authors` names")),
        }
    }
    Ok(())
}

async fn companion(site: &WordPress, found: &mut Probe) -> Result<(), Failure> {
    match site.api.call(Request::get("wp-json/sangtrang/v1/info")).await {
        Ok(answer) => {
            let info = answer.json();
            found.max_upload = info["max_upload"].as_u64();
            found.product = format!("WordPress {}", info["wordpress"].as_str().unwrap_or_default());
            if !site.companion {
                found
                    .notes
                    .push("the companion plugin is active: `mode = \"companion\"` would use it".into());
            }
        }
        Err(failure) if matches!(failure.class, Class::Missing | Class::Permanent) => {}
        Err(failure) => return Err(failure),
    }
    Ok(())
}
