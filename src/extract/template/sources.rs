//! The part of a draft that says what is no document and where pages come from.

use super::draft::{Origin, collections, evidence, remark};
use super::find::quote;
use super::model::{Kind, List, Model, Pager, Template};
use crate::mapping::Css;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Lists of one kind, and one way in which they go on.
pub(super) struct Listed<'a> {
    pub id: String,
    pub template: &'a Template,
    pub list: &'a List,
    pager: Option<&'a Pager>,
    /// The same lists as the rule before, for another pager.
    pub again: bool,
}

pub(super) fn lists(model: &Model) -> Vec<Listed<'_>> {
    let all = model.templates.iter().filter_map(|t| Some((t, t.list.as_ref()?)));
    let ways = all.flat_map(|(template, list)| {
        let more = list.more.iter().map(|p| (Some(p), true));
        std::iter::once((list.pager.as_ref(), false))
            .chain(more)
            .map(move |(pager, again)| (template, list, pager, again))
    });
    ways.enumerate()
        .map(|(n, (template, list, pager, again))| Listed {
            id: if n == 0 {
                "lists".to_owned()
            } else {
                format!("lists-{}", n + 1)
            },
            template,
            list,
            pager,
            again,
        })
        .collect()
}

/// The pattern of a template on whole URLs.
fn whole(origin: &Origin, url: &str) -> String {
    let base = super::urls::literal(origin.base.trim_end_matches('/'));
    format!("^{base}{}", url.trim_start_matches('^'))
}

pub(super) fn discover(out: &mut String, model: &Model, origin: &Origin, lists: &[Listed<'_>]) {
    out.push_str("\n# --- what is no document\n");
    let mut ignored: BTreeSet<(Kind, &str)> = BTreeSet::new();
    for template in &model.templates {
        let (id, reason) = match template.kind {
            Kind::Home => ("home", "the home page repeats what the lists hold"),
            Kind::Login => ("login", "asks for a password"),
            Kind::Copy => ("copy", "shows articles once more, as a print view does"),
            _ => continue,
        };
        // Print views of articles unlike each other are several templates of one address.
        if !ignored.insert((template.kind, &template.url)) {
            continue;
        }
        let alike = || {
            model
                .templates
                .iter()
                .filter(|t| (t.kind, &t.url) == (template.kind, &template.url))
        };
        let samples: Vec<&str> = alike().flat_map(|t| &t.samples).map(String::as_str).collect();
        let _ = write!(
            out,
            "\n# {} pages: {}\n[[ignore]]\nid = {}\nreason = {}\nurl = {}\n",
            alike().map(|t| t.pages).sum::<usize>(),
            remark(&samples.join(" ")),
            quote(&numbered(out, id)),
            quote(reason),
            quote(&whole(origin, &template.url))
        );
    }
    let containers: Vec<&str> = collections(model)
        .iter()
        .map(|c| c.2.container.css.as_str())
        .collect();
    for template in model.templates.iter().filter(|t| t.kind == Kind::Gone) {
        let Some((message, strange)) = &template.message else {
            continue;
        };
        let lacks = || {
            let css = containers.first().map(|c| format!("body:not(:has({c}))"));
            css.filter(|c| Css::new(c).is_ok())
        };
        let Some(css) = strange.clone().or_else(lacks) else {
            continue;
        };
        let _ = write!(
            out,
            "\n# {} pages have the address of an article and say this instead: {}\n[[reject]]\nid = {}\nclass = \"gone\"\ncss = {}\ntext_any = [{}]\n",
            template.pages,
            remark(&template.samples.join(" ")),
            quote(&numbered(out, "soft-404")),
            quote(&css),
            quote(message)
        );
    }
    out.push_str("\n# --- where pages come from\n\n[[discover]]\nkind = \"links\"\nid = \"links\"\n");
    let deny: Vec<String> = model
        .templates
        .iter()
        .filter(|t| matches!(t.kind, Kind::Login | Kind::Copy))
        .map(|t| format!("    {},\n", quote(&whole(origin, &t.url))))
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    if !deny.is_empty() {
        let _ = write!(out, "# Logins and print views.\ndeny = [\n{}]\n", deny.concat());
    }
    for Listed {
        id,
        template,
        list,
        pager,
        again,
    } in lists
    {
        if *again {
            out.push_str("\n# The same lists: others of them go on otherwise.");
        }
        let _ = write!(
            out,
            "\n# {} pages: {}\n",
            template.pages,
            remark(&template.samples.join(" "))
        );
        if !list.sections.is_empty() {
            let _ = writeln!(out, "# Sections: {}", remark(&list.sections.join(" | ")));
        }
        let _ = writeln!(
            out,
            "[[discover]]\nkind = \"list\"\nid = {}\non = {}",
            quote(id),
            quote(&whole(origin, &template.url))
        );
        evidence(out, &list.item);
        let _ = writeln!(out, "item = {}", quote(&list.item.css));
        if list.link != "a[href]" {
            let _ = writeln!(out, "link = {}", quote(&list.link));
        }
        if let Some(pager) = pager {
            evidence(out, &pager.rule);
            let _ = writeln!(
                out,
                "pager = {{ kind = {}, css = {} }}",
                quote(&pager.kind),
                quote(&pager.rule.css)
            );
        } else {
            out.push_str("# No pager was seen: one page a list, as far as the sample shows.\n");
        }
        let _ = write!(
            out,
            "\n[discover.fields]\ntitle = {{ css = {} }}\n",
            quote(&list.link)
        );
        if let Some(date) = &list.date {
            evidence(out, date);
            let regex = date
                .regex
                .as_ref()
                .map(|r| format!(", regex = {}", quote(r)))
                .unwrap_or_default();
            let _ = writeln!(out, "date = {{ css = {}{regex} }}", quote(&date.css));
        }
    }
}

/// An id that the text does not hold yet.
fn numbered(out: &str, id: &str) -> String {
    let taken = |id: &str| out.contains(&format!("id = '{id}'"));
    if !taken(id) {
        return id.to_owned();
    }
    (2..)
        .map(|n| format!("{id}-{n}"))
        .find(|i| !taken(i))
        .unwrap_or_default()
}
