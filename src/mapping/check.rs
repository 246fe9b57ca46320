//! The sense of a mapping: what no schema can say. Works on the spanned table and skips what has the wrong shape, so
//! that it adds its problems to those of the walker.

use super::error::Problems;
use super::place;
use super::walk::proposal;
use std::collections::BTreeMap;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

/// Version of the format that this program reads.
pub(super) const VERSION: u64 = 1;

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
const DROPS: [&str; 4] = ["css", "text", "from", "outside"];
/// What may stand behind `dates.`.
const DATES: [&str; 6] = [
    "published",
    "modified",
    "event",
    "effective",
    "embargo_until",
    "expires",
];

type Node<'i> = Spanned<DeValue<'i>>;

/// A table with its place.
#[derive(Clone)]
struct Table<'t, 'i> {
    table: &'t DeTable<'i>,
    span: Range<usize>,
}

impl<'t, 'i> Table<'t, 'i> {
    fn of(node: &'t Node<'i>) -> Option<Self> {
        Some(Self {
            table: node.get_ref().as_table()?,
            span: node.span(),
        })
    }

    fn get(&self, key: &str) -> Option<&'t Node<'i>> {
        self.table.get(key)
    }

    fn sub(&self, key: &str) -> Option<Self> {
        Self::of(self.get(key)?)
    }

    fn text(&self, key: &str) -> Option<(&'t str, Range<usize>)> {
        text(self.get(key)?)
    }

    /// The elements of a list.
    fn list(&self, key: &str) -> impl Iterator<Item = &'t Node<'i>> + use<'t, 'i> {
        self.get(key)
            .and_then(|n| n.get_ref().as_array())
            .into_iter()
            .flatten()
    }

    /// The tables of a list.
    fn tables(&self, key: &str) -> impl Iterator<Item = Table<'t, 'i>> + use<'t, 'i> {
        self.list(key).filter_map(Table::of)
    }

    /// The texts of a list.
    fn texts(&self, key: &str) -> impl Iterator<Item = (&'t str, Range<usize>)> + use<'t, 'i> {
        self.list(key).filter_map(text)
    }

    /// The tables of a map, by name.
    fn named(&self, key: &str) -> Vec<(&'t str, Range<usize>, Table<'t, 'i>)> {
        let map = self.get(key).and_then(|n| n.get_ref().as_table());
        map.into_iter()
            .flatten()
            .filter_map(|(k, v)| Some((k.get_ref().as_ref(), k.span(), Table::of(v)?)))
            .collect()
    }

    /// The place of a key.
    fn key_span(&self, key: &str) -> Range<usize> {
        self.table
            .get_key_value(key)
            .map_or_else(|| self.span.clone(), |(k, _)| k.span())
    }
}

fn text<'t>(node: &'t Node<'_>) -> Option<(&'t str, Range<usize>)> {
    Some((node.get_ref().as_str()?, node.span()))
}

/// Checks the whole mapping.
pub(super) fn check(root: &DeTable<'_>, text: &str, problems: &mut Problems) {
    let root = Table {
        table: root,
        span: 0..0,
    };
    let mut check = Check {
        text,
        problems,
        lists: BTreeMap::new(),
    };
    check.site(&root);
    check.numbers(&root);
    check.url_rules(&root);
    check.rejects(&root);
    check.discover(&root);
    check.unique(root.tables("drop"), "drop");
    root.tables("drop").for_each(|d| check.drop_rule(&d));
    check.collections(&root);
    check.target(&root);
}

struct Check<'c> {
    text: &'c str,
    problems: &'c mut Problems,
    /// List rules with the names of their fields.
    lists: BTreeMap<String, Vec<String>>,
}

impl Check<'_> {
    fn add(
        &mut self,
        code: &'static str,
        span: Range<usize>,
        message: impl Into<String>,
        label: &str,
        help: &str,
    ) {
        let help = (!help.is_empty()).then(|| help.to_owned());
        self.problems
            .add(code, place::first_line(self.text, span), message, label, help);
    }

    fn site(&mut self, root: &Table<'_, '_>) {
        let Some(site) = root.sub("site") else { return };
        if let Some((id, span)) = site.text("id") {
            self.id(id, span, false);
        }
        let base = site
            .text("base")
            .and_then(|(text, span)| Some((Url::parse(text).ok()?, span)));
        if let Some((base, span)) = &base {
            let help = "write `http://www.example.org/`";
            if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
                self.add(
                    "mapping::url",
                    span.clone(),
                    "`base` is not the URL of a site",
                    "no http or https",
                    help,
                );
            } else if base.query().is_some() || base.fragment().is_some() || !base.username().is_empty() {
                let label = "only scheme, host, port and path";
                self.add("mapping::url", span.clone(), "`base` says too much", label, help);
            }
        }
        for (alias, span) in site.texts("aliases") {
            let origin = Url::parse(alias)
                .ok()
                .filter(|u| matches!(u.scheme(), "http" | "https"));
            if !origin.is_some_and(|u| u.path() == "/" && u.query().is_none() && u.fragment().is_none()) {
                let message = format!("alias `{alias}` is not an origin");
                let help = "write scheme and host: `http://www.example.org`";
                self.add("mapping::url", span, message, "not scheme and host", help);
            }
        }
        if let Some((zone, span)) = site.text("timezone")
            && jiff::tz::TimeZone::get(zone).is_err()
        {
            let known: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
            let near = super::walk::nearest(zone, &known);
            let help = near.map_or_else(
                || "write an IANA name such as `Asia/Ho_Chi_Minh`".to_owned(),
                |near| format!("did you mean `{near}`?"),
            );
            self.add(
                "mapping::timezone",
                span,
                format!("unknown time zone `{zone}`"),
                "not in the database",
                &help,
            );
        }
        for source in site.tables("source") {
            if let Some((root, span)) = source.text("root")
                && !Url::parse(root).is_ok_and(|u| matches!(u.scheme(), "http" | "https"))
            {
                let help = "write the whole URL: `http://www.example.org/`";
                self.add(
                    "mapping::url",
                    span,
                    format!("`{root}` is not a URL"),
                    "no http or https URL",
                    help,
                );
            }
        }
    }

    /// Values that no crawl can work with.
    fn numbers(&mut self, root: &Table<'_, '_>) {
        for (table, key) in [
            ("politeness", "concurrency"),
            ("limits", "page_bytes"),
            ("limits", "media_bytes"),
            ("limits", "urls"),
            ("limits", "html_depth"),
        ] {
            let node = root.sub(table).and_then(|t| t.get(key));
            if let Some(node) = node
                && node
                    .get_ref()
                    .as_integer()
                    .is_some_and(|n| n.as_str().bytes().all(|b| b"0_".contains(&b)))
            {
                self.add(
                    "mapping::range",
                    node.span(),
                    format!("`{key}` is 0"),
                    "nothing could be fetched",
                    "",
                );
            }
        }
        if let Some((timeout, span)) = root.sub("politeness").and_then(|t| t.text("timeout"))
            && super::parse_span(timeout).is_ok_and(|t| t.is_zero())
        {
            self.add(
                "mapping::range",
                span,
                "`timeout` is 0",
                "every request would fail",
                "",
            );
        }
    }

    fn url_rules(&mut self, root: &Table<'_, '_>) {
        let Some(url) = root.sub("url") else { return };
        let significant: Vec<&str> = url.texts("significant_params").map(|(name, _)| name).collect();
        for (name, span) in url.texts("drop_params") {
            if significant.contains(&name) {
                let message = format!("`{name}` stands in `significant_params` and in `drop_params`");
                self.add(
                    "mapping::url_rule",
                    span,
                    message,
                    "dropped before it can tell pages apart",
                    "keep it in one",
                );
            }
        }
        for rewrite in url.tables("rewrite") {
            let (Some((from, _)), Some((to, span))) = (rewrite.text("from"), rewrite.text("to")) else {
                continue;
            };
            let Ok(from) = super::Pattern::new(from) else {
                continue;
            };
            for name in replacement_groups(to) {
                let known = match name.parse::<usize>() {
                    Ok(n) => n < from.regex().captures_len(),
                    Err(_) => from.regex().capture_names().flatten().any(|n| n == name),
                };
                if !known {
                    let message = format!("`from` has no group `{name}`");
                    let help = "`$1` is the first group; write `${1}` if a letter, digit or `_` follows; `$$` is a dollar sign";
                    self.add(
                        "mapping::rewrite",
                        span.clone(),
                        message,
                        "would put nothing there",
                        help,
                    );
                }
            }
        }
    }

    fn rejects(&mut self, root: &Table<'_, '_>) {
        self.unique(root.tables("reject"), "reject");
        for reject in root.tables("reject") {
            if reject.texts("text_any").next().is_none()
                && reject.get("css").is_none()
                && reject.get("url").is_none()
            {
                let help = "add `text_any`, `css` or `url`";
                self.add(
                    "mapping::reject",
                    reject.span,
                    "the rule has no condition",
                    "would never hold",
                    help,
                );
            }
        }
    }

    fn discover(&mut self, root: &Table<'_, '_>) {
        self.unique(root.tables("discover"), "discover");
        for rule in root.tables("discover") {
            let Some((id, span)) = rule.text("id") else {
                continue;
            };
            self.id(id, span, true);
            if rule.text("kind").is_some_and(|(kind, _)| kind == "list") {
                let fields = rule
                    .named("fields")
                    .iter()
                    .map(|(name, ..)| (*name).to_owned())
                    .collect();
                self.lists.insert(id.to_owned(), fields);
            }
            if let Some((page, span)) = rule.sub("pager").and_then(|p| p.text("page"))
                && super::Pattern::new(page).is_ok_and(|p| p.regex().captures_len() < 2)
            {
                let help = r"put the number into a group: '^Page\$(\d+)$'";
                self.add(
                    "mapping::pager",
                    span,
                    "`page` has no group",
                    "group 1 is the page's number",
                    help,
                );
            }
        }
    }

    fn collections(&mut self, root: &Table<'_, '_>) {
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
            self.fields(&collection);
            self.unique(collection.tables("drop"), "drop");
            collection.tables("drop").for_each(|d| self.drop_rule(&d));
            self.gates(&collection);
            for example in collection.tables("example") {
                let listing = example.get("listing").and_then(|n| n.get_ref().as_table());
                for (name, _) in listing.into_iter().flatten() {
                    self.listing(name.get_ref(), name.span());
                }
            }
        }
    }

    fn matches(&mut self, matches: &Table<'_, '_>, seen: &mut Vec<[Option<String>; 3]>) {
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
        let conditions =
            ["url", "not_url", "css"].map(|key| matches.text(key).map(|(text, _)| text.to_owned()));
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
        let Some(Ok(pattern)) = pattern.map(|(url, _)| super::Pattern::new(url)) else {
            return;
        };
        let template = match super::key::KeyTemplate::new(key, pattern.regex().captures_len() - 1) {
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
            let same = |p: &&str| super::identity::same_name(fold, p, name);
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
                && !DATES.contains(&date)
            {
                let help = proposal(date, &DATES);
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

    fn drop_rule(&mut self, rule: &Table<'_, '_>) {
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
                let help = "add one of `css`, `text`, `from`, `outside`";
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

    fn gates(&mut self, collection: &Table<'_, '_>) {
        self.unique(collection.tables("gate"), "gate");
        for gate in collection.tables("gate") {
            let Some((rule, span)) = gate.text("rule") else {
                continue;
            };
            let at = gate.get("at").is_some();
            if rule == "min-body" && !at {
                let label = "how many characters?";
                self.add(
                    "mapping::gate",
                    span,
                    "`min-body` needs `at`",
                    label,
                    "add `at = 200`",
                );
            } else if at && ["captions-have-images", "media-complete", "date-sane"].contains(&rule) {
                let message = format!("`at` has no meaning for `{rule}`");
                self.add(
                    "mapping::gate",
                    gate.key_span("at"),
                    message,
                    "compares with no number",
                    "take it away",
                );
            }
        }
    }

    fn target(&mut self, root: &Table<'_, '_>) {
        let Some(target) = root.sub("target") else { return };
        if let Some((url, span)) = target.text("url")
            && !Url::parse(url).is_ok_and(|u| matches!(u.scheme(), "http" | "https"))
        {
            let help = "write the whole URL: `https://cms.example.org/`";
            self.add(
                "mapping::url",
                span,
                "`url` is not the URL of a CMS",
                "no http or https URL",
                help,
            );
        }
        if let Some((name, span)) = target.text("secret_env") {
            let upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
            if name.is_empty() || name.as_bytes()[0].is_ascii_digit() || !name.bytes().all(upper) {
                // The value may be the secret itself: it is not repeated here.
                let help = "write the name (`WORDPRESS_PASSWORD`), and the secret into the environment";
                let message = "`secret_env` is not the name of an environment variable";
                self.add(
                    "mapping::secret",
                    span,
                    message,
                    "upper-case letters, digits and `_`",
                    help,
                );
            }
        }
        let share = target.sub("retire").and_then(|r| r.get("max_share"));
        if let Some(node) = share
            && !number(node).is_none_or(|n| (0.0..=1.0).contains(&n))
        {
            self.add(
                "mapping::range",
                node.span(),
                "`max_share` is out of range",
                "must be from 0 to 1",
                "",
            );
        }
    }

    /// Ids become folders and parts of names. `under`: may it hold `_`?
    fn id(&mut self, id: &str, span: Range<usize>, under: bool) {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || (under && b == b'_');
        if id.is_empty() || id.len() > 64 || id.starts_with('-') || !id.bytes().all(plain) {
            let marks = if under { "`-` and `_`" } else { "and `-`" };
            let help = format!("write 1 to 64 ASCII letters, digits {marks}, no `-` first");
            self.add(
                "mapping::id",
                span,
                format!("`{id}` cannot be an id"),
                "it becomes a folder or part of a name",
                &help,
            );
        }
    }

    fn unique<'t, 'i: 't>(&mut self, tables: impl Iterator<Item = Table<'t, 'i>>, kind: &str) {
        let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
        for table in tables {
            let Some((id, span)) = table.text("id") else {
                continue;
            };
            if id.trim().is_empty() {
                self.add(
                    "mapping::id",
                    span,
                    "the id is empty",
                    "reports could not name it",
                    "",
                );
            } else if let Some(first) = seen.get(id) {
                let line = self.text[..*first].matches('\n').count() + 1;
                let message = format!("two {kind} rules have the id `{id}`");
                let help = format!("the first is in line {line}; give this one another id");
                self.add("mapping::duplicate_id", span, message, "already taken", &help);
            } else {
                seen.insert(id, span.start);
            }
        }
    }
}

fn number(node: &Node<'_>) -> Option<f64> {
    let value = node.get_ref();
    let text = value
        .as_float()
        .map(|f| f.as_str())
        .or_else(|| value.as_integer().map(|i| i.as_str()))?;
    text.replace('_', "").parse().ok()
}

/// The names behind `$` in a replacement, as the `regex` crate reads them.
fn replacement_groups(to: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = to;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(next) = rest.strip_prefix('$') {
            rest = next;
        } else if let Some((name, next)) = rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            names.push(name);
            rest = next;
        } else {
            let end = rest
                .find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                .unwrap_or(rest.len());
            if end > 0 {
                names.push(&rest[..end]);
            }
            rest = &rest[end..];
        }
    }
    names
}
