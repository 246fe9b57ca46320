//! `[[discover]]`: rules that can find something.

use super::Check;
use super::table::Table;
use crate::mapping::Pattern;
use std::ops::Range;

impl Check<'_> {
    pub(super) fn discover(&mut self, root: &Table<'_, '_>) {
        self.unique(root.tables("discover"), "discover");
        for rule in root.tables("discover") {
            let Some((id, span)) = rule.text("id") else {
                continue;
            };
            self.id(id, span, true);
            if rule.text("kind").is_some_and(|(kind, _)| kind == "list") {
                let of_items = rule.names("fields").into_iter();
                let of_endpoint = rule.sub("pager").map(|p| p.names("fields")).unwrap_or_default();
                let fields = of_items
                    .chain(of_endpoint)
                    .map(|(name, _)| name.to_owned())
                    .collect();
                self.lists.insert(id.to_owned(), fields);
            }
            self.addresses(&rule);
            if let Some(pager) = rule.sub("pager") {
                self.json_pager(&pager);
            }
            let patterns = rule.text("on").into_iter();
            let patterns = patterns.chain(rule.texts("allow")).chain(rule.texts("deny"));
            for (pattern, span) in patterns {
                if pattern.trim_start_matches("(?i)").starts_with("^/") {
                    let help = r"take the `^` away, or begin with the site: '^http://www\.example\.org/'";
                    let label = "looks at the whole URL";
                    self.add(
                        "mapping::pattern",
                        span,
                        "the pattern can never match",
                        label,
                        help,
                    );
                }
            }
            if let Some((page, span)) = rule.sub("pager").and_then(|p| p.text("page"))
                && Pattern::new(page).is_ok_and(|p| p.regex().captures_len() < 2)
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

    /// Templates of addresses: `calendar`, `ids`, and patterns of `links`.
    fn addresses(&mut self, rule: &Table<'_, '_>) {
        let kind = rule.text("kind").map(|(kind, _)| kind);
        if let (Some("calendar" | "ids"), Some((url, span))) = (kind, rule.text("url")) {
            let (names, help): (&[&str], _) = match kind {
                Some("ids") => (&["id"], "write the number as `{id}`: `/View.aspx?ItemID={id}`"),
                _ => (
                    &["yyyy", "mm", "dd", "m", "d"],
                    "write the date with `{yyyy}`, `{mm}`, `{dd}`: `/tin/{yyyy}/{mm}/{dd}`",
                ),
            };
            let used = self.placeholders(url, &span, names, help);
            if !used.contains(&names[0]) || (names.len() == 1 && used.len() > 1) {
                let message = format!("the address lacks `{{{}}}`, or has it twice", names[0]);
                self.add("mapping::template", span, message, "would be one address", help);
            }
        }
        for pattern in rule.tables("patterns") {
            let Some((attr, span)) = pattern.text("attr") else {
                continue;
            };
            let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
            if attr.is_empty() || !attr.bytes().all(plain) {
                let message = format!("`{attr}` is no attribute");
                self.add(
                    "mapping::attr",
                    span,
                    message,
                    "no name of an attribute",
                    "write `onclick` or `href`",
                );
            }
        }
    }

    /// `pager = { kind = "json", … }`.
    fn json_pager(&mut self, pager: &Table<'_, '_>) {
        if pager.text("kind").is_none_or(|(kind, _)| kind != "json") {
            return;
        }
        let fields = pager.named_texts("fields");
        let pointers = ["items", "html", "total"]
            .iter()
            .filter_map(|key| pager.text(key));
        let pointers: Vec<(&str, Range<usize>)> = pointers.chain(fields).collect();
        for (pointer, span) in pointers {
            if !pointer.is_empty() && !pointer.starts_with('/') {
                let help = "write the way into the answer: `/data/items` (RFC 6901); the whole answer is the empty text";
                let message = format!("`{pointer}` is no JSON Pointer");
                self.add("mapping::pointer", span, message, "has to begin with `/`", help);
            }
        }
        let (items, link) = (pager.get("items").is_some(), pager.get("link").is_some());
        if items != link || (!items && pager.get("html").is_none()) {
            let help = "say where the items are and where the link of one is: `items = \"/rows\", link = \"/url\"`; or where \
                        a fragment of HTML is: `html = \"/html\"`";
            let span = pager.span.clone();
            self.add(
                "mapping::pager",
                span,
                "this pager would find nothing",
                "finds nothing",
                help,
            );
        }
        if let Some((url, span)) = pager.text("url") {
            let help = "`{page}`, `{offset}`, and `{1}` for group 1 of the list's `on`";
            let names = ["page", "offset", "1", "2", "3", "4", "5", "6", "7", "8", "9"];
            let used = self.placeholders(url, &span, &names, help);
            let body = pager.text("body").map_or("", |(body, _)| body);
            let moves = ["page", "offset"];
            let in_body = moves.iter().any(|m| body.contains(&format!("{{{m}}}")));
            if !in_body && !moves.iter().any(|m| used.contains(m)) {
                let message = "every page would be the same request";
                self.add(
                    "mapping::template",
                    span,
                    message,
                    "lacks `{page}` and `{offset}`",
                    help,
                );
            }
        }
        for (name, span) in pager.names("headers") {
            self.header_name(name, span);
        }
    }

    /// The placeholders of a template; those that are not among `names` are problems.
    fn placeholders<'u>(
        &mut self,
        template: &'u str,
        span: &Range<usize>,
        names: &[&str],
        help: &str,
    ) -> Vec<&'u str> {
        let mut used = Vec::new();
        for rest in template.split('{').skip(1) {
            let name = rest.split('}').next().unwrap_or_default();
            if !names.contains(&name) {
                let message = format!("`{{{name}}}` is not known here");
                self.add(
                    "mapping::template",
                    span.clone(),
                    message,
                    "cannot be filled in",
                    help,
                );
            }
            used.push(name);
        }
        used
    }
}
