//! Sends the traffic of one host somewhere else, as curl's `--connect-to` does.

use super::NetError;
use std::fmt;
use std::str::FromStr;

/// `HOST:PORT:ADDRESS:PORT2`: requests for `HOST:PORT` are connected to `ADDRESS:PORT2`; URL, Host header and TLS name
/// stay. An empty HOST or PORT means any, an empty ADDRESS or PORT2 means unchanged. IPv6 addresses stand in brackets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectTo {
    /// Host of the URL in lower case; `None` is any.
    pub host: Option<String>,
    /// Port of the URL; `None` is any.
    pub port: Option<u16>,
    /// Name or address to connect to; `None` is the host itself.
    pub to_host: Option<String>,
    /// Port to connect to; `None` is the port itself.
    pub to_port: Option<u16>,
}

impl FromStr for ConnectTo {
    type Err = NetError;

    fn from_str(value: &str) -> Result<Self, NetError> {
        let bad = |reason: String| NetError::ConnectTo {
            value: value.to_owned(),
            reason,
        };
        let parts = split(value).ok_or_else(|| bad("a `[` has no `]`".to_owned()))?;
        let [host, port, to_host, to_port] = parts.as_slice() else {
            return Err(bad(format!(
                "expected 4 parts between colons, found {} (write IPv6 addresses in brackets)",
                parts.len()
            )));
        };
        let name = |part: &str, what: &str| {
            let part = part.trim();
            if part.contains(|c: char| c.is_whitespace() || matches!(c, '/' | '@' | '?' | '#')) {
                return Err(bad(format!("the {what} `{part}` is not a host name or address")));
            }
            Ok((!part.is_empty()).then(|| part.to_ascii_lowercase()))
        };
        let number = |part: &str, what: &str| match part.trim() {
            "" => Ok(None),
            text => match text.parse::<u16>() {
                Ok(port) if port > 0 => Ok(Some(port)),
                _ => Err(bad(format!("the {what} `{text}` is not a port from 1 to 65535"))),
            },
        };
        Ok(Self {
            host: name(host, "host")?,
            port: number(port, "port")?,
            to_host: name(to_host, "address")?,
            to_port: number(to_port, "second port")?,
        })
    }
}

/// Parts between colons; colons in brackets do not count, the brackets go.
fn split(value: &str) -> Option<Vec<String>> {
    let mut parts = vec![String::new()];
    let mut inside = false;
    for c in value.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            ':' if !inside => parts.push(String::new()),
            _ => parts.last_mut()?.push(c),
        }
    }
    (!inside).then_some(parts)
}

impl fmt::Display for ConnectTo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = |host: &Option<String>| match host {
            Some(host) if host.contains(':') => format!("[{host}]"),
            Some(host) => host.clone(),
            None => String::new(),
        };
        let port = |port: Option<u16>| port.map(|p| p.to_string()).unwrap_or_default();
        write!(
            f,
            "{}:{}:{}:{}",
            host(&self.host),
            port(self.port),
            host(&self.to_host),
            port(self.to_port)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_and_written() {
        for text in [
            "a.example:80:127.0.0.1:8080",
            "::127.0.0.1:8080",
            "a.example::[::1]:9",
            ":::",
        ] {
            assert_eq!(text.parse::<ConnectTo>().unwrap().to_string(), text);
        }
        assert_eq!(
            "A.Example:::".parse::<ConnectTo>().unwrap().host.as_deref(),
            Some("a.example")
        );
    }

    #[test]
    fn bad_rules_say_why() {
        let message = |text: &str| text.parse::<ConnectTo>().unwrap_err().to_string();
        assert!(message("a:80:b").contains("found 3"));
        assert!(message("a:80:b:99999").contains("second port `99999`"));
        assert!(message("a:0:b:1").contains("port `0`"));
        assert!(
            message("http://a:80:b").contains("not a host")
                || message("http://a:80:b").contains("not a port")
        );
        assert!(message("a:80:[::1:5").contains("no `]`"));
    }
}
