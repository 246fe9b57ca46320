//! What holds for a page kind: conditions, key, fields and their rungs, drop rules, gates.

use super::Check;
use super::table::{Table, number};
use crate::document::Dates;
use crate::lang::Language;
use crate::mapping::walk::proposal;
use crate::mapping::{Pattern, key, url_rules};
use std::ops::Range;
use toml::de::DeTable;

/// Verbs of a rung: exactly one stands in each.
const VERBS: [&str; 10] = [
    "css",
    "meta",
    "listing",
    "after",
    "label",
    "lead",
    "signature",
    "url",
    "value",
    "infer",
];
/// Kinds of drop rules: exactly one stands in each.
const DROPS: [&str; 5] = ["css", "text", "from", "catalogue", "outside"];
/// What may stand behind `legal.`.
const LEGAL: [&str; 7] = ["number", "kind", "issuer", "signer", "position", "area", "status"];

impl Check<'_> {
    pub(super) fn collections(&mut self, root: &Table<'_, '_>) {
        self.unique(root.tables("collection"), "collection");
        let mut seen = Vec::new();
        for collection in root.tables("collection") {
            if let Some((id, span)) = collection.text("id") {
                self.id(id, span, true);
            }
            if let Some(matches) = collection.sub("match") {
                self.matches(&matches, &mut seen);
            }
            self.key(root, &collection);
            if let (Some(parts), Some(_)) = (collection.sub("parts"), collection.get("each")) {
                let help = "take `each` or `parts` away";
                self.add(
                    "mapping::parts",
                    parts.span.clone(),
                    "entries of a list have no parts",
                    "beside `each`",
                    help,
                );
            }
            self.fields(&collection);
            self.unique(collection.tables("drop"), "drop");
            collection.tables("drop").for_each(|d| self.drop_rule(&d));
            self.own_gates(root, &collection);
            for example in collection.tables("example") {
                let listing = example.get("listing").and_then(|n| n.get_ref().as_table());
                for (name, _) in listing.into_iter().flatten() {
                    self.listing(name.get_ref(), name.span());
                }
            }
        }
    }

    fn matches(&mut self, matches: &Table<'_, '_>, seen: &mut Vec<[Option<String>; 4]>) {
        let Some((url, span)) = matches.text("url") else {
            return;
        };
        if url.trim_start_matches(['^', '(']).starts_with("http") {
            let help = r"write it without the site: '^/view\.aspx\?'";
            let label = "looks at path and query only";
            self.add(
                "mapping::match",
                span.clone(),
                "`match.url` begins with a scheme",
                label,
                help,
            );
        }
        let conditions = ["url", "not_url", "css", "rest"]
            .map(|key| matches.get(key).map(|value| format!("{:?}", value.get_ref())));
        if seen.contains(&conditions) {
            let help = "collections are tried in order: make the first one narrower";
            self.add(
                "mapping::match",
                span,
                "an earlier collection has the same conditions",
                "never reached",
                help,
            );
        }
        seen.push(conditions);
    }

    fn key(&mut self, root: &Table<'_, '_>, collection: &Table<'_, '_>) {
        let Some((key, span)) = collection.text("key") else {
            return;
        };
        let pattern = collection.sub("match").and_then(|m| m.text("url"));
        let Some(Ok(pattern)) = pattern.map(|(url, _)| Pattern::new(url)) else {
            return;
        };
        let template = match key::KeyTemplate::new(key, pattern.regex().captures_len() - 1) {
            Ok(template) => template,
            Err(error) => {
                let help = "`{name}` is a query parameter, `{1}` a group of `match.url`, `{path}` the path, `{url}` all";
                return self.add(
                    "mapping::key",
                    span,
                    format!("the key cannot be filled: {error}"),
                    "here",
                    help,
                );
            }
        };
        let Some(url) = root.sub("url") else { return };
        let fold = url
            .get("case_insensitive_path")
            .and_then(|n| n.get_ref().as_bool())
            .unwrap_or(false);
        let significant: Vec<&str> = url.texts("significant_params").map(|(name, _)| name).collect();
        for name in template.params() {
            let same = |p: &&str| url_rules::same_name(fold, p, name);
            let kept = significant.is_empty() || significant.iter().any(same);
            if !kept || url.texts("drop_params").any(|(p, _)| same(&p)) {
                let help = format!(
                    "name it in `url.significant_params`, or take another: {}",
                    proposal(name, &significant)
                );
                let message = format!("no canonical URL has the parameter `{name}`");
                self.add(
                    "mapping::key",
                    span.clone(),
                    message,
                    "the rules of `[url]` drop it",
                    &help,
                );
            }
        }
    }

    fn fields(&mut self, collection: &Table<'_, '_>) {
        let fields = collection.named("fields");
        let names: Vec<&str> = fields.iter().map(|(name, ..)| *name).collect();
        for (name, span, field) in &fields {
            if let Some(date) = name.strip_prefix("dates.")
                && !Dates::ROLES.contains(&date)
            {
                let help = proposal(date, &Dates::ROLES);
                self.add(
                    "mapping::field",
                    span.clone(),
                    format!("unknown date `{name}`"),
                    "no role of a date",
                    &help,
                );
            }
            if field.list("take").next().is_none()
                && field.get("take").is_some_and(|n| n.get_ref().is_array())
            {
                let help = "write `take = [{ css = \"h1\" }]`";
                self.add(
                    "mapping::take",
                    field.key_span("take"),
                    "the field has no rung",
                    "would never have a value",
                    help,
                );
            }
            if let Some(part) = name.strip_prefix("legal.")
                && !LEGAL.contains(&part)
            {
                let help = proposal(part, &LEGAL);
                self.add(
                    "mapping::field",
                    span.clone(),
                    format!("unknown field of a legal document `{name}`"),
                    "not one of them",
                    &help,
                );
            }
            let mut sure = false;
            for take in field.tables("take") {
                if sure {
                    let help = "a rung before it always gives a value; put that one last";
                    self.add(
                        "mapping::take",
                        take.span.clone(),
                        "the rung is never tried",
                        "behind `value`",
                        help,
                    );
                }
                sure = sure || (take.get("value").is_some() && take.get("regex").is_none());
                self.take(&take, name, &names);
            }
            let fail = field.text("on_unmapped").filter(|(text, _)| *text == "fail");
            let map = field.get("map").and_then(|n| n.get_ref().as_table());
            if let Some((_, span)) = fail
                && map.is_none_or(DeTable::is_empty)
            {
                let help = "add `map = { \"printed\" = \"id\" }` or take `on_unmapped` away";
                self.add(
                    "mapping::field",
                    span,
                    "every value would fail",
                    "nothing is mapped",
                    help,
                );
            }
        }
    }

    fn take(&mut self, take: &Table<'_, '_>, field: &str, fields: &[&str]) {
        let mut verbs: Vec<&str> = VERBS.into_iter().filter(|v| take.get(v).is_some()).collect();
        verbs.sort_by_key(|v| take.key_span(v).start);
        match verbs.as_slice() {
            [] => {
                let help = format!("add one of {}", VERBS.map(|v| format!("`{v}`")).join(", "));
                self.add(
                    "mapping::take",
                    take.span.clone(),
                    "the rung has no verb",
                    "takes nothing",
                    &help,
                );
            }
            [_] => {}
            [first, second, ..] => {
                let message = format!("the rung has two verbs, `{first}` and `{second}`");
                let help = "write two rungs: `take = [{ … }, { … }]`";
                self.add(
                    "mapping::take",
                    take.key_span(second),
                    message,
                    "one verb a rung",
                    help,
                );
            }
        }
        for verb in ["lead", "signature"] {
            if take
                .get(verb)
                .is_some_and(|n| n.get_ref().as_bool() == Some(false))
            {
                let message = format!("`{verb} = false` takes nothing");
                self.add(
                    "mapping::take",
                    take.key_span(verb),
                    message,
                    "never has a value",
                    "leave the rung out",
                );
            }
        }
        if take.get("attr").is_some() && take.get("css").is_none() {
            let label = "has no element to read from";
            self.add(
                "mapping::take",
                take.key_span("attr"),
                "`attr` belongs to `css`",
                label,
                "add `css`",
            );
        }
        if let Some(node) = take.get("confidence")
            && !number(node).is_none_or(|n| (0.0..=1.0).contains(&n))
        {
            self.add(
                "mapping::range",
                node.span(),
                "`confidence` is out of range",
                "must be from 0 to 1",
                "",
            );
        }
        for verb in ["after", "infer"] {
            let Some((other, span)) = take.text(verb) else {
                continue;
            };
            if other == field {
                self.add(
                    "mapping::take",
                    span,
                    format!("`{other}` cannot be taken from itself"),
                    "this very field",
                    "",
                );
            } else if !fields.contains(&other) {
                let message = format!("`{verb}` names no field of this collection: `{other}`");
                self.add(
                    "mapping::unknown_field",
                    span,
                    message,
                    "not a field",
                    &proposal(other, fields),
                );
            }
        }
        if let Some((listing, span)) = take.text("listing") {
            self.listing(listing, span);
        }
    }

    /// `RULE.FIELD` of a list rule.
    fn listing(&mut self, name: &str, span: Range<usize>) {
        let rules: Vec<&String> = self.lists.keys().collect();
        let (message, help) = match name.split_once('.') {
            None => (
                format!("`{name}` is not of the form `RULE.FIELD`"),
                proposal(name, &rules),
            ),
            Some((rule, field)) => match self.lists.get(rule) {
                None => (
                    format!("no list rule has the id `{rule}`"),
                    proposal(rule, &rules),
                ),
                Some(fields) if fields.iter().any(|f| f == field) => return,
                Some(fields) => (
                    format!("list `{rule}` has no field `{field}`"),
                    proposal(field, fields),
                ),
            },
        };
        self.add(
            "mapping::unknown_listing",
            span,
            message,
            "no list says this",
            &help,
        );
    }

    pub(super) fn drop_rule(&mut self, rule: &Table<'_, '_>) {
        let mut kinds: Vec<&str> = DROPS.into_iter().filter(|k| rule.get(k).is_some()).collect();
        kinds.sort_by_key(|k| rule.key_span(k).start);
        match kinds.as_slice() {
            [] if rule.get("to").is_some() => {
                let help = "add `from`, the text with which the dropped part begins";
                self.add(
                    "mapping::drop",
                    rule.key_span("to"),
                    "`to` without `from`",
                    "where does it begin?",
                    help,
                );
            }
            [] => {
                let help = "add one of `css`, `text`, `from`, `catalogue`, `outside`";
                self.add(
                    "mapping::drop",
                    rule.span.clone(),
                    "the rule drops nothing",
                    "no kind of rule",
                    help,
                );
            }
            [only] => {
                if *only != "from" && rule.get("to").is_some() {
                    let message = format!("`to` has no meaning beside `{only}`");
                    self.add(
                        "mapping::drop",
                        rule.key_span("to"),
                        message,
                        "belongs to `from`",
                        "",
                    );
                }
            }
            [first, second, ..] => {
                let message = format!("the rule is of two kinds, `{first}` and `{second}`");
                self.add(
                    "mapping::drop",
                    rule.key_span(second),
                    message,
                    "one kind a rule",
                    "write two rules",
                );
            }
        }
        if rule
            .get("outside")
            .is_some_and(|n| n.get_ref().as_bool() == Some(false))
        {
            let label = "never drops anything";
            self.add(
                "mapping::drop",
                rule.key_span("outside"),
                "`outside = false` drops nothing",
                label,
                "",
            );
        }
        if rule.get("catalogue").is_some() && Language::get(&self.language).is_none() {
            let message = format!("there is no catalogue of the language `{}`", self.language);
            let help = format!(
                "`site.language` with a catalogue: {}",
                Language::codes().join(", ")
            );
            self.add(
                "mapping::drop",
                rule.key_span("catalogue"),
                message,
                "drops nothing",
                &help,
            );
        }
        for key in ["from", "to"] {
            if let Some((text, span)) = rule.text(key)
                && text.trim().is_empty()
            {
                let message = format!("`{key}` is empty");
                self.add(
                    "mapping::drop",
                    span,
                    message,
                    "every block begins with it",
                    "name the block's first words",
                );
            }
        }
    }
}
