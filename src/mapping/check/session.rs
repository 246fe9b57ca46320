//! `[session]`: secrets stay outside, and names are names.

use super::Check;
use super::table::Table;
use std::ops::Range;

/// Headers that carry secrets.
const SECRET: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "x-api-key"];

impl Check<'_> {
    pub(super) fn session(&mut self, root: &Table<'_, '_>) {
        let Some(session) = root.sub("session") else {
            return;
        };
        for (name, span) in session.names("headers") {
            if SECRET.contains(&name.to_ascii_lowercase().as_str()) {
                let help = "use `session.basic`, `session.bearer_env`, `session.cookies` or `session.login`";
                let message = format!("`{name}` may carry a secret");
                self.add(
                    "mapping::secret",
                    span,
                    message,
                    "secrets do not belong into a mapping",
                    help,
                );
            } else {
                self.header_name(name, span);
            }
        }
        for (cookie, span) in session.texts("cookies") {
            if cookie
                .split_once('=')
                .is_none_or(|(name, _)| name.trim().is_empty())
            {
                let message = "a cookie has a name and a value";
                self.add("mapping::cookie", span, message, "no `=`", "write `lang=vi`");
            }
        }
        let basic = session.sub("basic");
        for key in ["user_env", "password_env"] {
            if let Some((name, span)) = basic.as_ref().and_then(|b| b.text(key)) {
                self.env_name(key, name, span);
            }
        }
        if let Some((name, span)) = session.text("bearer_env") {
            self.env_name("bearer_env", name, span);
        }
        if session.get("basic").is_some() && session.get("bearer_env").is_some() {
            let help = "a request has one `Authorization`: take one of them away";
            let span = session.key_span("bearer_env");
            self.add(
                "mapping::session",
                span,
                "both `basic` and `bearer_env`",
                "the second one",
                help,
            );
        }
        let Some(login) = session.sub("login") else { return };
        for (name, span, field) in login.named("fields") {
            if let Some((env, span)) = field.text("env") {
                self.env_name("env", env, span);
            }
            if field.get("env").is_some() == field.get("value").is_some() {
                let help = "write `{ env = \"PORTAL_PASSWORD\" }` for a secret, `{ value = \"on\" }` for anything else";
                let message = format!("the field `{name}` needs one of `env` and `value`");
                self.add("mapping::session", span, message, "what is filled in?", help);
            }
        }
        let success = login.sub("success");
        if let Some(success) = success
            && ["css", "text", "url"]
                .iter()
                .all(|key| success.get(key).is_none())
        {
            let help = "write `{ text = \"Đăng xuất\" }`, `{ css = \"a.logout\" }` or `{ url = '/home' }`";
            self.add(
                "mapping::session",
                success.span,
                "`success` names nothing",
                "would always hold",
                help,
            );
        }
    }

    /// A name of RFC 9110, 5.1.
    pub(super) fn header_name(&mut self, name: &str, span: Range<usize>) {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        if name.is_empty() || !name.bytes().all(plain) {
            let message = format!("`{name}` is no name of a header");
            self.add("mapping::header", span, message, "not a token of RFC 9110", "");
        }
    }

    /// The value may be the secret itself: it is not repeated.
    pub(super) fn env_name(&mut self, key: &str, name: &str, span: Range<usize>) {
        let upper = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_';
        if name.is_empty() || name.as_bytes()[0].is_ascii_digit() || !name.bytes().all(upper) {
            let help = "write the name (`WORDPRESS_PASSWORD`), and the secret into the environment";
            let message = format!("`{key}` is not the name of an environment variable");
            self.add(
                "mapping::secret",
                span,
                message,
                "upper-case letters, digits and `_`",
                help,
            );
        }
    }
}
