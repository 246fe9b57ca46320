//! What a mapping and the command line say of the network, in the words of the network room.

use super::CrawlOptions;
use crate::mapping::Mapping;
use crate::mapping::model::TlsProfile;
use crate::net::{self, Guard, Profile, TlsRule, TlsRules};
use url::Host;

/// The client's options.
pub(super) fn options(mapping: &Mapping, crawl: &CrawlOptions) -> net::Options {
    let rules = mapping.rules();
    net::Options {
        user_agent: rules.politeness.agent(),
        timeout: rules.politeness.timeout.0,
        connect_timeout: rules.network.connect_timeout.0.min(rules.politeness.timeout.0),
        connect_to: crawl.connect_to.clone(),
        guard: Some(guard(mapping, crawl)),
        tls: tls(mapping),
        proxy: rules.network.proxy.clone(),
        ..net::Options::default()
    }
}

/// Which addresses may be asked.
fn guard(mapping: &Mapping, crawl: &CrawlOptions) -> Guard {
    let base = &mapping.rules().site.base;
    let own = match base.host() {
        Some(Host::Domain(name)) if name == "localhost" || name.ends_with(".localhost") => {
            Some(name.to_owned())
        }
        Some(Host::Ipv4(ip)) => Some(ip.to_string()),
        Some(Host::Ipv6(ip)) => Some(ip.to_string()),
        _ => None,
    };
    let mut allow = mapping.rules().network.allow.clone();
    allow.extend(&crawl.allow_net);
    Guard { allow, own_host: own }
}

fn tls(mapping: &Mapping) -> TlsRules {
    let rules = &mapping.rules().tls;
    let rule = |profile: TlsProfile, pins: &[String], allow_invalid: bool, reason: &Option<String>| TlsRule {
        profile: match profile {
            TlsProfile::Modern => Profile::Modern,
            TlsProfile::Compat => Profile::Compat,
            TlsProfile::Legacy => Profile::Legacy,
        },
        // The mapping's check has read them before.
        pins: pins.iter().filter_map(|pin| pin.parse().ok()).collect(),
        allow_invalid,
        reason: reason.clone(),
    };
    let hosts = rules.host.iter().map(|h| {
        (
            h.host.clone(),
            rule(h.profile, &h.pins, h.allow_invalid, &h.reason),
        )
    });
    TlsRules {
        default: rule(rules.profile, &rules.pins, rules.allow_invalid, &rules.reason),
        hosts: hosts.collect(),
    }
}
