//! What goes on during a crawl, as JSON lines and as lines of a log.

use crate::crawl::Event;
use serde_json::{Value, json};

/// One object of the event stream (`event/1`).
pub(super) fn json(event: &Event) -> Value {
    let mut object = match event {
        Event::Progress {
            captured,
            known,
            queued,
            in_flight,
            failed,
            bytes,
        } => json!({
            "type": "progress", "captured": captured, "known": known, "queued": queued, "in_flight": in_flight,
            "failed": failed, "bytes": bytes,
        }),
        Event::Captured { url, status, bytes } => {
            json!({ "type": "captured", "url": url, "status": status, "bytes": bytes })
        }
        Event::Retry {
            url,
            class,
            attempt,
            delay,
        } => json!({
            "type": "retry", "url": url, "class": class, "attempt": attempt, "delay_ms": delay.as_millis() as u64,
        }),
        Event::Failed { url, class } => json!({ "type": "failed", "url": url, "class": class }),
        Event::Rejected { url, class, .. } => json!({ "type": "rejected", "url": url, "class": class }),
        Event::Unchanged { url, status } => json!({ "type": "unchanged", "url": url, "status": status }),
        Event::PatternStopped { pattern, rule, url } => {
            json!({ "type": "pattern_stopped", "pattern": pattern, "rule": rule, "url": url })
        }
        Event::Stonewalled { host, waiting } => {
            json!({ "type": "stonewalled", "host": host, "waiting": waiting })
        }
        Event::Quiet { rest } => json!({ "type": "quiet", "rest_ms": rest.as_millis() as u64 }),
        Event::PagerStopped {
            list,
            rule,
            pages,
            reason,
        } => json!({
            "type": "pager_stopped", "list": list, "rule": rule, "pages": pages, "reason": reason,
        }),
    };
    object["schema"] = "event/1".into();
    object
}

/// One line of the log; nothing for mere numbers.
pub(super) fn for_people(event: &Event) -> Option<String> {
    Some(match event {
        Event::Progress { .. } => return None,
        Event::Captured { url, status, bytes } => format!("captured {url} ({status}, {bytes} bytes)"),
        Event::Retry {
            url,
            class,
            attempt,
            delay,
        } => {
            format!(
                "retry {attempt} of {url} in {:.1} s: {class}",
                delay.as_secs_f64()
            )
        }
        Event::Failed { url, class } => format!("gave up {url}: {class}"),
        Event::Unchanged { url, status } => format!("as it was: {url} ({status})"),
        Event::Rejected { url, class, .. } => format!("no content at {url}: {class}"),
        Event::PatternStopped { pattern, rule, url } => {
            format!("a trap: URLs like {pattern} are not followed any more ({rule}), the last is {url}")
        }
        Event::Stonewalled { host, waiting } => {
            format!("{host} answers nothing good or asks for a long rest: {waiting} URLs stay queued")
        }
        Event::Quiet { rest } => format!("quiet hours: waiting {} s", rest.as_secs()),
        Event::PagerStopped {
            list,
            rule,
            pages,
            reason,
        } => format!("list {rule} at {list}: {pages} pages, stopped: {reason}"),
    })
}
