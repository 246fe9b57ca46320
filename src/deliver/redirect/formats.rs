//! Redirects as servers read them. Checked with nginx and WordPress in the tests; the others by their documentation.

use super::{Decision, Redirect};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// What reads them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `map` and the lines of a server (nginx.org, ngx_http_map_module).
    Nginx,
    /// A text map of RewriteMap, and the rules that use it.
    Apache,
    /// Rewrite maps of the URL Rewrite module.
    Iis,
    /// A `map` directive of a Caddyfile.
    Caddy,
    /// `_redirects`.
    Netlify,
    /// A table: from, to, status, decision, hits, why.
    Csv,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::Nginx,
        Self::Apache,
        Self::Iis,
        Self::Caddy,
        Self::Netlify,
        Self::Csv,
    ];
}

/// Most parameters whose orders are all written out: servers compare addresses as they come.
const PERMUTED: usize = 3;

/// The files of a format: name and content.
#[must_use]
pub fn write(format: Format, all: &[Redirect]) -> Vec<(&'static str, String)> {
    match format {
        Format::Nginx => nginx(all),
        Format::Apache => apache(all),
        Format::Iis => vec![("iis-rewrite-maps.xml", iis(all))],
        Format::Caddy => vec![("Caddyfile", caddy(all))],
        Format::Netlify => vec![("_redirects", netlify(all))],
        Format::Csv => vec![("redirects.csv", table(all))],
    }
}

/// Addresses with their orders of parameters, without those that a server takes for the same, whatever their case.
fn spelled(all: &[Redirect], decision: Decision) -> Vec<(String, String)> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for redirect in all.iter().filter(|r| r.decision == decision) {
        let to = redirect.to.clone().unwrap_or_default();
        for from in orders(&redirect.from) {
            if seen.insert(from.to_lowercase()) {
                out.push((from, to.clone()));
            }
        }
    }
    out
}

fn orders(from: &str) -> Vec<String> {
    let Some((path, query)) = from.split_once('?') else {
        return vec![from.to_owned()];
    };
    let pairs: Vec<&str> = query.split('&').filter(|p| !p.is_empty()).collect();
    if pairs.len() < 2 || pairs.len() > PERMUTED {
        return vec![from.to_owned()];
    }
    let mut all = vec![from.to_owned()];
    let mut indices: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..pairs.len() {
        indices = indices
            .into_iter()
            .flat_map(|done| {
                (0..pairs.len())
                    .filter(|i| !done.contains(i))
                    .map(|i| done.iter().copied().chain([i]).collect())
                    .collect::<Vec<Vec<usize>>>()
            })
            .collect();
    }
    for order in indices {
        let query: Vec<&str> = order.into_iter().map(|i| pairs[i]).collect();
        let one = format!("{path}?{}", query.join("&"));
        if !all.contains(&one) {
            all.push(one);
        }
    }
    all
}

/// Between double quotes in a configuration of nginx; what would be a variable or the end of the text is escaped as URLs do.
fn quoted(text: &str) -> String {
    text.replace('\\', "%5C")
        .replace('"', "%22")
        .replace('$', "%24")
        .replace(['\n', '\r', '\t', ' '], "%20")
        .replace('{', "%7B")
        .replace('}', "%7D")
        .replace(';', "%3B")
}

fn nginx(all: &[Redirect]) -> Vec<(&'static str, String)> {
    let (to, gone) = (spelled(all, Decision::Redirect), spelled(all, Decision::Gone));
    let size = ((to.len() + gone.len()).max(1024) * 2).next_power_of_two();
    let mut map = format!(
        "# inside http {{ }}; {} addresses\nmap_hash_bucket_size 512;\nmap_hash_max_size {size};\nmap $request_uri $legacy_to {{\n  default \"\";\n",
        to.len() + gone.len()
    );
    for (from, to) in &to {
        let _ = writeln!(map, "  \"{}\" \"{}\";", key(from), quoted(to));
    }
    map.push_str("}\nmap $request_uri $legacy_gone {\n  default 0;\n");
    for (from, _) in &gone {
        let _ = writeln!(map, "  \"{}\" 1;", key(from));
    }
    map.push_str("}\n");
    let server = "# inside server { }\nif ($legacy_to) { return 301 $legacy_to; }\nif ($legacy_gone) { return 410; }\n";
    vec![("nginx-map.conf", map), ("nginx-server.conf", server.to_owned())]
}

/// A key of nginx's map: `~` would begin a pattern, `\` escapes.
fn key(from: &str) -> String {
    // Semicolons and braces are harmless between quotes, and the client sends them as they are.
    from.replace('\\', "\\\\")
        .replace('"', "%22")
        .replace(['\n', '\r', ' '], "%20")
}

fn apache(all: &[Redirect]) -> Vec<(&'static str, String)> {
    let plain = |t: &str| t.replace([' ', '\n', '\r', '\t'], "%20");
    let mut map = String::new();
    for (from, to) in spelled(all, Decision::Redirect) {
        let _ = writeln!(map, "{} {}", plain(&from).to_lowercase(), plain(&to));
    }
    for (from, _) in spelled(all, Decision::Gone) {
        let _ = writeln!(map, "{} gone", plain(&from).to_lowercase());
    }
    let rules = "# in a virtual host; for many addresses: httxt2dbm -i apache-map.txt -o apache-map.dbm, then dbm: for txt:\n\
        RewriteEngine On\n\
        RewriteMap legacy txt:/etc/apache2/apache-map.txt\n\
        RewriteMap lower int:tolower\n\
        RewriteCond %{THE_REQUEST} \"^[A-Z]+ ([^ ]+)\"\n\
        RewriteCond ${legacy:${lower:%1}} ^gone$\n\
        RewriteRule ^ - [G,L]\n\
        RewriteCond %{THE_REQUEST} \"^[A-Z]+ ([^ ]+)\"\n\
        RewriteCond ${legacy:${lower:%1}} ^(.+)$\n\
        RewriteRule ^ %1 [R=301,L,NE,QSD]\n";
    vec![("apache-map.txt", map), ("apache.conf", rules.to_owned())]
}

fn iis(all: &[Redirect]) -> String {
    let xml = |t: &str| crate::deliver::render::escape(&t.replace(['\n', '\r', '\t', ' '], "%20"));
    let mut out = String::from(
        "<!-- web.config, inside <system.webServer> -->\n<rewrite>\n  <rewriteMaps>\n    <rewriteMap name=\"legacy\" defaultValue=\"\">\n",
    );
    for (from, to) in spelled(all, Decision::Redirect) {
        let _ = writeln!(out, "      <add key=\"{}\" value=\"{}\" />", xml(&from), xml(&to));
    }
    out.push_str("    </rewriteMap>\n    <rewriteMap name=\"legacyGone\" defaultValue=\"\">\n");
    for (from, _) in spelled(all, Decision::Gone) {
        let _ = writeln!(out, "      <add key=\"{}\" value=\"1\" />", xml(&from));
    }
    out.push_str(
        "    </rewriteMap>\n  </rewriteMaps>\n  <rules>\n    <rule name=\"legacy\" stopProcessing=\"true\">\n      <match url=\".*\" />\n      <conditions>\n        <add input=\"{legacy:{REQUEST_URI}}\" pattern=\"(.+)\" />\n      </conditions>\n      <action type=\"Redirect\" url=\"{C:1}\" appendQueryString=\"false\" redirectType=\"Permanent\" />\n    </rule>\n    <rule name=\"legacyGone\" stopProcessing=\"true\">\n      <match url=\".*\" />\n      <conditions>\n        <add input=\"{legacyGone:{REQUEST_URI}}\" pattern=\"1\" />\n      </conditions>\n      <action type=\"CustomResponse\" statusCode=\"410\" statusReason=\"Gone\" />\n    </rule>\n  </rules>\n</rewrite>\n",
    );
    out
}

fn caddy(all: &[Redirect]) -> String {
    let plain = |t: &str| {
        t.replace('"', "%22")
            .replace(['\n', '\r', ' '], "%20")
            .replace('{', "%7B")
            .replace('}', "%7D")
    };
    let mut out = String::from("# inside a site block\nmap {uri} {legacy_to} {\n");
    for (from, to) in spelled(all, Decision::Redirect) {
        let _ = writeln!(out, "\t\"{}\" \"{}\"", plain(&from), plain(&to));
    }
    for (from, _) in spelled(all, Decision::Gone) {
        let _ = writeln!(out, "\t\"{}\" \"gone\"", plain(&from));
    }
    out.push_str("\tdefault \"\"\n}\n@legacy_gone `{legacy_to} == \"gone\"`\nrespond @legacy_gone 410\n@legacy `{legacy_to} != \"\" && {legacy_to} != \"gone\"`\nredir @legacy {legacy_to} permanent\n");
    out
}

/// Parameters stand between path and target there; their order does not count.
fn netlify(all: &[Redirect]) -> String {
    let mut out = String::new();
    let mut seen = BTreeSet::new();
    for redirect in all {
        let (to, status) = match redirect.decision {
            Decision::Redirect => (redirect.to.as_deref().unwrap_or_default(), "301!"),
            Decision::Gone => ("/410.html", "410"),
            _ => continue,
        };
        let (path, query) = redirect
            .from
            .split_once('?')
            .unwrap_or((redirect.from.as_str(), ""));
        let query: Vec<&str> = query.split('&').filter(|p| !p.is_empty()).collect();
        let from = [&[path][..], &query[..]].concat().join(" ");
        if seen.insert(from.clone()) {
            let _ = writeln!(out, "{from} {} {status}", to.replace([' ', '\n'], "%20"));
        }
    }
    out
}

fn table(all: &[Redirect]) -> String {
    let mut out = csv::Writer::from_writer(Vec::new());
    // Writing to a vector does not fail.
    let _ = out.write_record(["from", "to", "status", "decision", "hits", "why"]);
    for r in all {
        let status = match r.decision {
            Decision::Redirect => "301",
            Decision::Gone => "410",
            _ => "",
        };
        let decision = match r.decision {
            Decision::Redirect => "redirect",
            Decision::Archive => "archive",
            Decision::Gone => "gone",
            Decision::Unresolved => "unresolved",
        };
        let hits = r.hits.to_string();
        let _ = out.write_record([
            r.from.as_str(),
            r.to.as_deref().unwrap_or_default(),
            status,
            decision,
            &hits,
            &r.why,
        ]);
    }
    String::from_utf8(out.into_inner().unwrap_or_default()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_addresses_stay_inside_their_line() {
        let all = [Redirect {
            from: "/a\"; } server { return 200; }\n?x=1&y=2".into(),
            decision: Decision::Redirect,
            to: Some("https://new.example/$evil\n\"b".into()),
            why: "doc:1".into(),
            hits: 0,
        }];
        let map = &write(Format::Nginx, &all)[0].1;
        assert_eq!(
            map.lines().filter(|l| l.contains("new.example")).count(),
            2,
            "both orders: {map}"
        );
        assert!(
            !map.contains("$evil") && map.lines().all(|l| l.matches('"').count() % 2 == 0),
            "{map}"
        );
        for format in Format::ALL {
            for (name, text) in write(format, &all) {
                assert!(
                    name == "redirects.csv" || !text.contains("$evil\n"),
                    "{name}: {text}"
                );
            }
        }
        assert_eq!(orders("/x?a=1&b=2&c=3").len(), 6);
        assert_eq!(orders("/x?a=1&b=2&c=3&d=4").len(), 1);
    }
}
