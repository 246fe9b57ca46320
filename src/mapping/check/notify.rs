//! `[notify]`, `[retention]`: addresses are addresses, secrets stay outside, numbers are in bounds.

use super::Check;
use super::table::{Table, number};
use url::Url;

/// Most repetitions of a webhook.
const MAX_RETRIES: f64 = 10.0;

impl Check<'_> {
    pub(super) fn notify(&mut self, root: &Table<'_, '_>) {
        if let Some(retention) = root.sub("retention") {
            self.retention(&retention);
        }
        let Some(notify) = root.sub("notify") else { return };
        if let Some(webhook) = notify.sub("webhook") {
            self.webhook(&webhook);
        }
        if let Some(mail) = notify.sub("mail") {
            self.mail(&mail);
        }
    }

    fn webhook(&mut self, webhook: &Table<'_, '_>) {
        match (webhook.get("url"), webhook.get("url_env")) {
            (Some(_), Some(_)) => {
                let span = webhook.key_span("url_env");
                let help = "keep one of them";
                self.add(
                    "mapping::notify",
                    span,
                    "both `url` and `url_env`",
                    "the second one",
                    help,
                );
            }
            (None, None) => {
                let span = webhook.span.clone();
                let help = "write `url = \"https://…\"`, or `url_env = \"NAME\"` if the address is a secret";
                self.add(
                    "mapping::notify",
                    span,
                    "the webhook has no address",
                    "this table",
                    help,
                );
            }
            _ => {}
        }
        if let Some((text, span)) = webhook.text("url") {
            let url = Url::parse(text).ok().filter(Url::has_host);
            if url
                .as_ref()
                .is_some_and(|u| !u.username().is_empty() || u.password().is_some())
            {
                // The value is not repeated.
                let label = "secrets do not belong into a mapping";
                let help = "put the whole address into the environment and name the variable: `url_env`";
                self.add(
                    "mapping::secret",
                    span,
                    "the address carries a name or password",
                    label,
                    help,
                );
            } else if !url.is_some_and(|u| matches!(u.scheme(), "http" | "https")) {
                let message = format!("`{text}` is no address of a webhook");
                let help = "write `https://hooks.example.org/portal`";
                self.add("mapping::notify", span, message, "neither http nor https", help);
            }
        }
        for key in ["url_env", "secret_env"] {
            if let Some((name, span)) = webhook.text(key) {
                self.env_name(key, name, span);
            }
        }
        if let Some(node) = webhook.get("retries")
            && number(node).is_some_and(|n| n > MAX_RETRIES)
        {
            let help = "the next sync tries again";
            self.add(
                "mapping::notify",
                node.span(),
                "at most 10 repetitions",
                "too many",
                help,
            );
        }
    }

    fn mail(&mut self, mail: &Table<'_, '_>) {
        let from = mail.text("from").into_iter();
        for (text, span) in from.chain(mail.texts("to")) {
            // As much as can be said without a mail server: something, one @, a host.
            let parts: Vec<&str> = text.rsplitn(2, '@').collect();
            let fine = matches!(parts[..], [host, name] if !host.is_empty() && !name.is_empty());
            if !fine || text.contains(['\n', '\r']) {
                let message = format!("`{}` is no e-mail address", text.escape_debug());
                self.add(
                    "mapping::notify",
                    span,
                    message,
                    "no `@`",
                    "write `name@example.org`",
                );
            }
        }
        if let Some(node) = mail.get("to")
            && mail.list("to").next().is_none()
        {
            let help = "write `to = [\"name@example.org\"]`";
            self.add(
                "mapping::notify",
                node.span(),
                "nobody gets the e-mail",
                "empty",
                help,
            );
        }
        for key in ["user_env", "password_env"] {
            if let Some((name, span)) = mail.text(key) {
                self.env_name(key, name, span);
            }
        }
        let open = mail.text("tls").is_some_and(|(tls, _)| tls == "none");
        if open && mail.get("password_env").is_some() {
            let span = mail.key_span("password_env");
            let help = "use `tls = \"starttls\"` or `tls = \"tls\"`";
            self.add(
                "mapping::notify",
                span,
                "a password would be sent without TLS",
                "`tls` is `none`",
                help,
            );
        }
    }

    fn retention(&mut self, retention: &Table<'_, '_>) {
        if let Some(node) = retention.get("versions")
            && number(node).is_some_and(|n| n < 1.0)
        {
            let help = "1 keeps the last capture of each address";
            self.add(
                "mapping::retention",
                node.span(),
                "at least 1",
                "the last capture is never removed",
                help,
            );
        }
        if let Some(node) = retention.get("share")
            && number(node).is_some_and(|n| !(0.0..=1.0).contains(&n))
        {
            let help = "0.25 writes a file anew when a quarter of it is not needed";
            self.add(
                "mapping::retention",
                node.span(),
                "a share is between 0 and 1",
                "out of bounds",
                help,
            );
        }
    }
}
