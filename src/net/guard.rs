//! Which addresses may be connected to. Asked for the address that is really used, so a name that resolves to something
//! else the next time gets nowhere (DNS rebinding).

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// The filter of one run.
#[derive(Clone, Debug, Default)]
pub struct Guard {
    /// Networks that are allowed although they are not public.
    pub allow: Vec<IpNet>,
    /// The site's own host, if its base URL says `localhost` or an address: that much is the user's own word.
    pub own_host: Option<String>,
}

impl Guard {
    /// No guard at all: every address is allowed.
    #[must_use]
    pub fn anywhere() -> Self {
        Self {
            allow: vec![
                IpNet::new_assert(Ipv4Addr::UNSPECIFIED.into(), 0),
                IpNet::new_assert(Ipv6Addr::UNSPECIFIED.into(), 0),
            ],
            own_host: None,
        }
    }

    /// Why `address`, to which `host` leads, is not connected to; `None` if it may be.
    #[must_use]
    pub fn refuses(&self, host: &str, address: IpAddr) -> Option<&'static str> {
        let kind = kind(address)?;
        let allowed = self.allow.iter().any(|net| {
            net.contains(&address) || embedded(address).is_some_and(|v4| net.contains(&IpAddr::V4(v4)))
        });
        let own = self
            .own_host
            .as_deref()
            .is_some_and(|own| own.eq_ignore_ascii_case(host));
        (!allowed && !own).then_some(kind)
    }
}

/// The IPv4 address inside an IPv6 one: mapped (RFC 4291, 2.5.5.2), compatible (2.5.5.1), NAT64 (RFC 6052), 6to4
/// (RFC 3056).
fn embedded(address: IpAddr) -> Option<Ipv4Addr> {
    let IpAddr::V6(v6) = address else { return None };
    let s = v6.segments();
    let v4 = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        Ipv4Addr::new(a, b, c, d)
    };
    match s {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => Some(v4(high, low)),
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => Some(v4(high, low)),
        [0x2002, high, low, ..] => Some(v4(high, low)),
        _ => None,
    }
}

/// What an address is that is no public one (the registries of RFC 6890); `None` for a public one.
fn kind(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(v4) => kind4(v4),
        IpAddr::V6(v6) => match embedded(address) {
            Some(v4) => kind4(v4),
            None => kind6(v6),
        },
    }
}

fn kind4(a: Ipv4Addr) -> Option<&'static str> {
    let [first, second, third, _] = a.octets();
    Some(match (first, second, third) {
        (0, ..) => "this network",
        (127, ..) => "loopback",
        (10, ..) | (172, 16..=31, _) | (192, 168, _) => "private",
        (100, 64..=127, _) => "shared (carrier NAT)",
        (169, 254, _) => "link-local",
        (192, 0, 0) => "protocol assignments",
        (192, 0, 2) | (198, 51, 100) | (203, 0, 113) => "documentation",
        (198, 18..=19, _) => "benchmarking",
        (192, 88, 99) => "6to4 relay",
        (224..=239, ..) => "multicast",
        (240..=255, ..) => "reserved or broadcast",
        _ => return None,
    })
}

fn kind6(a: Ipv6Addr) -> Option<&'static str> {
    let s = a.segments();
    Some(match s[0] {
        _ if a.is_unspecified() => "unspecified",
        _ if a.is_loopback() => "loopback",
        0xfe80..=0xfebf => "link-local",
        0xfec0..=0xfeff => "site-local",
        0xfc00..=0xfdff => "unique local",
        0xff00..=0xffff => "multicast",
        0x0100 if s[1..4] == [0, 0, 0] => "discard",
        0x2001 if s[1] == 0 => "Teredo",
        0x2001 if s[1] == 0xdb8 => "documentation",
        0x3fff if s[1] < 0x1000 => "documentation",
        0x64 if s[1] == 0xff9b => "local NAT64",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(address: &str) -> Option<&'static str> {
        Guard::default().refuses("h", address.parse().unwrap())
    }

    #[test]
    fn every_kind_of_address_that_is_not_public() {
        for (address, kind) in [
            ("0.0.0.0", "this network"),
            ("127.0.0.1", "loopback"),
            ("127.255.3.4", "loopback"),
            ("10.1.2.3", "private"),
            ("172.16.0.1", "private"),
            ("172.31.255.255", "private"),
            ("192.168.1.1", "private"),
            ("100.64.0.1", "shared (carrier NAT)"),
            ("169.254.169.254", "link-local"),
            ("192.0.0.8", "protocol assignments"),
            ("192.0.2.1", "documentation"),
            ("198.18.0.1", "benchmarking"),
            ("224.0.0.1", "multicast"),
            ("255.255.255.255", "reserved or broadcast"),
            ("::", "unspecified"),
            ("::1", "loopback"),
            ("fe80::1", "link-local"),
            ("fec0::1", "site-local"),
            ("fd00::1", "unique local"),
            ("ff02::1", "multicast"),
            ("2001:db8::1", "documentation"),
            ("2001::1", "Teredo"),
            ("100::1", "discard"),
            ("::ffff:127.0.0.1", "loopback"),
            ("::ffff:10.0.0.1", "private"),
            ("::127.0.0.1", "loopback"),
            ("64:ff9b::a00:1", "private"),
            ("2002:7f00:1::", "loopback"),
            ("64:ff9b:1::1", "local NAT64"),
        ] {
            assert_eq!(refused(address), Some(kind), "{address}");
        }
        for address in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "203.162.4.190",
            "2606:4700::1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
        ] {
            assert_eq!(refused(address), None, "{address}");
        }
    }

    #[test]
    fn what_the_user_allows() {
        let guard = Guard {
            allow: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            own_host: Some("localhost".into()),
        };
        let refuses = |host: &str, address: &str| guard.refuses(host, address.parse().unwrap());
        assert_eq!(refuses("h", "10.9.9.9"), None);
        assert_eq!(refuses("h", "::ffff:10.9.9.9"), None);
        assert_eq!(refuses("h", "fd00::1"), None);
        assert_eq!(refuses("h", "192.168.0.1"), Some("private"));
        assert_eq!(refuses("LOCALHOST", "127.0.0.1"), None);
        assert_eq!(refuses("h", "127.0.0.1"), Some("loopback"));
    }
}
