//! `[network]`, `[tls]`: networks, proxies and certificates are what they say, and nothing old is spoken without a reason.

use super::Check;
use super::table::Table;
use ipnet::IpNet;
use url::Url;

impl Check<'_> {
    pub(super) fn network(&mut self, root: &Table<'_, '_>) {
        if let Some(network) = root.sub("network") {
            for (text, span) in network.texts("allow") {
                if text.parse::<IpNet>().is_err() {
                    let message = format!("`{text}` is no network");
                    let help = "write `10.0.0.0/8`, `fd00::/8`, or `127.0.0.1/32` for one address";
                    self.add("mapping::network", span, message, "not in CIDR notation", help);
                }
            }
            if let Some((text, span)) = network.text("proxy") {
                let url = Url::parse(text).ok().filter(|u| u.host_str().is_some());
                let secret = url
                    .as_ref()
                    .is_some_and(|u| !u.username().is_empty() || u.password().is_some());
                if secret {
                    // The value is not repeated.
                    let help = "set `HTTPS_PROXY` and `HTTP_PROXY` in the environment instead of this key";
                    let label = "secrets do not belong into a mapping";
                    self.add(
                        "mapping::secret",
                        span,
                        "the proxy's URL carries a name or password",
                        label,
                        help,
                    );
                } else if !url.is_some_and(|u| matches!(u.scheme(), "http" | "socks5" | "socks5h")) {
                    let message = format!("`{text}` is no proxy that can be used");
                    let help = "write `http://HOST:PORT`, `socks5://HOST:PORT` or `socks5h://HOST:PORT`";
                    self.add("mapping::network", span, message, "unknown kind of proxy", help);
                }
            }
        }
        let Some(tls) = root.sub("tls") else { return };
        self.tls_rule(&tls);
        let mut seen = Vec::new();
        for host in tls.tables("host") {
            self.tls_rule(&host);
            let Some((name, span)) = host.text("host") else {
                continue;
            };
            if !matches!(url::Host::parse(name), Ok(parsed) if parsed.to_string() == name) {
                let message = format!("`{name}` is not the name of a host");
                let help = "write it as in URLs: lower case, without scheme, port and path";
                self.add("mapping::tls", span, message, "host", help);
            } else if seen.contains(&name) {
                let message = format!("two rules for `{name}`");
                self.add(
                    "mapping::duplicate",
                    span,
                    message,
                    "the second one",
                    "take one of them away",
                );
            } else {
                seen.push(name);
            }
        }
    }

    fn tls_rule(&mut self, rule: &Table<'_, '_>) {
        for (pin, span) in rule.texts("pins") {
            let hex = pin.strip_prefix("sha256:").unwrap_or_default().replace(':', "");
            if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                let message = "a pin is `sha256:` and 64 hexadecimal digits";
                let help = "`sangtrang inspect tls HOST` prints it";
                self.add(
                    "mapping::tls",
                    span,
                    message,
                    "not the SHA-256 of a certificate",
                    help,
                );
            }
        }
        let old = rule
            .text("profile")
            .filter(|(profile, _)| matches!(*profile, "compat" | "legacy"));
        let open = rule.get("allow_invalid").and_then(|v| v.get_ref().as_bool()) == Some(true);
        let said = rule
            .text("reason")
            .is_some_and(|(reason, _)| !reason.trim().is_empty());
        if said {
            return;
        }
        let help =
            "write `reason = \"…\"`: it goes into the provenance of every document and into the report";
        if let Some((profile, span)) = old {
            let message = format!("the profile `{profile}` needs a `reason`");
            self.add("mapping::tls", span, message, "weaker than it could be", help);
        } else if open {
            let span = rule.key_span("allow_invalid");
            let message = "`allow_invalid` needs a `reason`";
            self.add("mapping::tls", span, message, "anybody could answer", help);
        }
    }
}
