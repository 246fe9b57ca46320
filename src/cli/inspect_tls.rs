//! `sangtrang inspect tls`: which TLS a server speaks, and what to write into the mapping.

use super::args::InspectTlsArgs;
use super::error::CliError;
use super::inspect::clean;
use super::target::reactor;
use super::{Exit, Outcome, Ui};
use crate::net::{self, Attempt, Guard, Profile, Trust};
use serde_json::json;
use url::Url;

pub(super) fn main(args: &InspectTlsArgs, ui: &Ui) -> Outcome {
    let (host, port) = place(&args.server)?;
    let options = net::Options {
        connect_to: args.net.connect_to()?,
        guard: Some(Guard {
            allow: args.net.allow_net.clone(),
            // Who names a server wants exactly this one.
            own_host: Some(host.clone()),
        }),
        ..net::Options::default()
    };
    let (runtime, cancel) = reactor()?;
    let attempts = runtime.block_on(async {
        tokio::select! {
            () = cancel.cancelled() => None,
            attempts = net::probe(&options, &host, port) => Some(attempts),
        }
    });
    let Some(attempts) = attempts else {
        return Ok(Exit::Interrupted);
    };
    let attempts = attempts.map_err(|e| CliError::new(Exit::Usage, "net::client", e))?;
    let paste = paste(&host, &attempts);
    let found = net::best(&attempts).is_some();
    if ui.json() {
        ui.data(json!({
            "schema": "inspect/1", "type": "tls", "host": host, "port": port,
            "attempts": attempts.iter().map(object).collect::<Vec<_>>(),
            "legacy_built": Profile::Legacy.is_built(), "mapping": paste,
        }));
    } else {
        ui.data(clean(&format!("{host}:{port}")));
        let mut before = "";
        for attempt in &attempts {
            // A server that refuses to speak refuses it whatever the certificate would be.
            let why = attempt.result.as_ref().err().map_or("", |e| e.text.as_str());
            if why.is_empty() || why != before {
                ui.data(clean(&line(attempt)));
            }
            before = why;
        }
        match &paste {
            Some(text) => {
                ui.data("\nto read it, write into the mapping:\n");
                text.lines().for_each(|line| ui.data(clean(line)));
            }
            None if found => {
                ui.data("  nothing to write: that is the profile `modern` with a valid certificate")
            }
            None => {}
        }
    }
    if found {
        return Ok(Exit::Ok);
    }
    let error = CliError::new(
        Exit::Unreachable,
        "net::tls",
        format!("no TLS with {host}:{port}"),
    );
    Err(if Profile::Legacy.is_built() {
        error.hint("is it a TLS server at all? Try its http:// address in a browser")
    } else {
        error.hint(
            "older TLS (`compat`, `legacy`) was not tried, because this build does not speak it: \
             `cargo build --release --features legacy-tls` does",
        )
    })
}

/// `HOST`, `HOST:PORT` or a URL.
fn place(server: &str) -> Result<(String, u16), CliError> {
    let text = if server.contains("://") {
        server.to_owned()
    } else {
        format!("https://{server}")
    };
    let bad = |why: String| {
        CliError::new(
            Exit::Usage,
            "usage::server",
            format!("`{server}` is no server: {why}"),
        )
        .hint("write HOST, HOST:PORT or a URL that begins with https://")
    };
    let url = Url::parse(&text).map_err(|e| bad(e.to_string()))?;
    if url.scheme() != "https" {
        return Err(bad(format!("`{}` has no TLS", url.scheme())));
    }
    let host = url.host_str().ok_or_else(|| bad("no host".into()))?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    Ok((host.to_owned(), url.port().unwrap_or(443)))
}

fn line(attempt: &Attempt) -> String {
    let certificate = match attempt.trust {
        Trust::Valid => "",
        Trust::Pinned => " (this certificate)",
        Trust::Any => " (any certificate)",
    };
    let profile = attempt.profile.as_str();
    match &attempt.result {
        Ok(tls) => {
            let pin = tls.certificate.map(|p| p.to_string()).unwrap_or_default();
            format!(
                "  {profile}{certificate}: {}, {}, certificate {pin}",
                tls.protocol, tls.cipher
            )
        }
        Err(error) => format!("  {profile}{certificate}: {}", reason(&error.text)),
    }
}

/// Without the server's name, which stands above, and the hint to call this command.
fn reason(text: &str) -> &str {
    let text = text.split("; `sangtrang inspect tls").next().unwrap_or(text);
    text.strip_prefix("no TLS with `")
        .and_then(|rest| rest.split_once("` (")?.1.strip_suffix(')'))
        .unwrap_or(text)
}

fn object(attempt: &Attempt) -> serde_json::Value {
    let trust = match attempt.trust {
        Trust::Valid => "valid",
        Trust::Pinned => "pinned",
        Trust::Any => "any",
    };
    let mut object = json!({ "profile": attempt.profile.as_str(), "certificate": trust });
    match &attempt.result {
        Ok(tls) => {
            object["protocol"] = json!(tls.protocol);
            object["cipher"] = json!(tls.cipher);
            object["sha256"] = json!(tls.certificate.map(|p| p.to_string()));
        }
        Err(error) => object["error"] = json!({ "class": error.class, "text": reason(&error.text) }),
    }
    object
}

/// What a mapping needs for this server; nothing if the usual rule opens it.
fn paste(host: &str, attempts: &[Attempt]) -> Option<String> {
    let best = net::best(attempts)?;
    let tls = best.result.as_ref().ok()?;
    if best.profile == Profile::Modern && best.trust == Trust::Valid {
        return None;
    }
    let mut lines = vec!["[[tls.host]]".to_owned(), format!("host = {}", json!(host))];
    let mut reasons = Vec::new();
    if best.profile != Profile::Modern {
        lines.push(format!("profile = \"{}\"", best.profile.as_str()));
        reasons.push(format!("opened by {} with {} only", tls.protocol, tls.cipher));
    }
    if best.trust != Trust::Valid {
        match tls.certificate.filter(|_| best.trust == Trust::Pinned) {
            Some(pin) => lines.push(format!("pins = [\"{pin}\"]")),
            None => lines.push("allow_invalid = true".to_owned()),
        }
        let why = attempts.iter().rev().find_map(|a| {
            let error = a.result.as_ref().err().filter(|_| a.trust == Trust::Valid)?;
            Some(reason(&error.text).to_owned())
        });
        reasons.push(format!("certificate not accepted: {}", why.unwrap_or_default()));
    }
    let today = jiff::Zoned::now().date();
    lines.push(format!(
        "reason = {}",
        json!(format!("{} (probed {today})", reasons.join("; ")))
    ));
    Some(lines.join("\n"))
}
