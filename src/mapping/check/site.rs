//! What holds for the whole site: its addresses, limits, URL rules, discovery, target.

use super::Check;
use super::table::{Table, number};
use crate::mapping::{Pattern, parse_span, walk};
use url::Url;

impl Check<'_> {
    pub(super) fn site(&mut self, root: &Table<'_, '_>) {
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
        for (alias, span) in site.texts("aliases").chain(site.texts("also")) {
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
            let near = walk::nearest(zone, &known);
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
    pub(super) fn numbers(&mut self, root: &Table<'_, '_>) {
        for (table, key) in [
            ("politeness", "concurrency"),
            ("limits", "page_bytes"),
            ("limits", "media_bytes"),
            ("limits", "urls"),
            ("limits", "html_depth"),
            ("limits", "html_elements"),
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
            && parse_span(timeout).is_ok_and(|t| t.is_zero())
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

    pub(super) fn url_rules(&mut self, root: &Table<'_, '_>) {
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
            let Ok(from) = Pattern::new(from) else {
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

    pub(super) fn rejects(&mut self, root: &Table<'_, '_>) {
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

    pub(super) fn decode(&mut self, root: &Table<'_, '_>) {
        let fallback = root.sub("decode").and_then(|d| d.text("fallback"));
        if let Some((label, span)) = fallback
            && !crate::lang::is_encoding(label)
        {
            self.add(
                "mapping::encoding",
                span,
                format!("`{label}` is no encoding that can be read"),
                "unknown label",
                "write `windows-1258`, `tcvn3`, `vni`, `viscii`, `vps`, or a label of the WHATWG registry",
            );
        }
    }

    pub(super) fn target(&mut self, root: &Table<'_, '_>) {
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
        for key in ["user_env", "secret_env"] {
            if let Some((name, span)) = target.text(key) {
                self.env_name(key, name, span);
            }
        }
        let secrets = ["secret_env", "secret_file", "secret_command"].map(|k| target.get(k));
        if let [_, second, ..] = secrets.into_iter().flatten().collect::<Vec<_>>()[..] {
            self.add(
                "mapping::secret",
                second.span(),
                "the secret has two sources",
                "one too many",
                "keep one of `secret_env`, `secret_file`, `secret_command`",
            );
        }
        if let Some((pin, span)) = target.text("pin")
            && !is_pin(pin)
        {
            self.add(
                "mapping::pin",
                span,
                "`pin` is no fingerprint of a certificate",
                "not `sha256:` and 64 hexadecimal digits",
                "`sangtrang inspect tls SERVER` prints it",
            );
        }
        self.entries(root, &target);
        self.http_json(&target);
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
}

impl Check<'_> {
    /// `[[target.entry]]`: collections that exist, each once.
    fn entries(&mut self, root: &Table<'_, '_>, target: &Table<'_, '_>) {
        let known: Vec<&str> = root
            .tables("collection")
            .filter_map(|c| c.text("id").map(|t| t.0))
            .collect();
        let mut seen = Vec::new();
        for entry in target.tables("entry") {
            let Some((id, span)) = entry.text("collection") else {
                continue;
            };
            // A file with nothing but a target is checked against its mapping when it is used.
            if !known.is_empty() && !known.contains(&id) {
                self.add(
                    "mapping::entry",
                    span,
                    format!("there is no collection `{id}`"),
                    "unknown collection",
                    &format!("one of `{}`", known.join("`, `")),
                );
            } else if seen.contains(&id) {
                self.add(
                    "mapping::duplicate_id",
                    span,
                    format!("the collection `{id}` has two entries"),
                    "the second one",
                    "",
                );
            }
            seen.push(id);
        }
        for rule in target.tables("redirect") {
            let said = [
                rule.get("to").is_some(),
                truth(&rule, "gone"),
                truth(&rule, "archive"),
            ];
            if said.into_iter().filter(|s| *s).count() != 1 {
                self.add(
                    "mapping::redirect",
                    rule.span.clone(),
                    "a redirect says where, or `gone`, or `archive`: one of them",
                    "none, or several",
                    "",
                );
            }
        }
        for (key, least, most) in [("concurrency", 1, 64), ("slug_max", 20, 200)] {
            if let Some(node) = target.get(key)
                && number(node).is_some_and(|n| n < f64::from(least) || n > f64::from(most))
            {
                self.add(
                    "mapping::range",
                    node.span(),
                    format!("`{key}` is out of range"),
                    &format!("must be from {least} to {most}"),
                    "",
                );
            }
        }
    }
}

fn truth(table: &Table<'_, '_>, key: &str) -> bool {
    table.get(key).and_then(|n| n.get_ref().as_bool()) == Some(true)
}

/// `sha256:` and the digits of a fingerprint, as `net` reads it.
fn is_pin(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.chars().filter(char::is_ascii_hexdigit).count() == 64)
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
