//! Is a site that is synced regularly well? Reasons if it is not.

use super::Standing;
use serde::Serialize;

/// How a site is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Always `health/1`.
    pub schema: &'static str,
    /// Always `health`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Id of the site.
    pub site: String,
    /// Is nothing wrong?
    pub healthy: bool,
    /// Seconds since the last sync that walked through all its steps began.
    pub last_success_age: Option<u64>,
    /// Why it is not well.
    pub reasons: Vec<String>,
    /// What waits for a person and does not keep the rest from going on.
    pub notes: Vec<String>,
}

/// Holds of a whole run: everything of a kind waits until a person has looked.
const WHOLE_RUN: [&str; 3] = ["too_many_retirements", "empty_site", "portal_in_doubt"];

impl Health {
    /// Judges `standing` at `now`; a success that is older than `max_age` seconds is too old. `began`: since when somebody
    /// syncs, for a site that has none yet.
    #[must_use]
    pub fn of(standing: &Standing, now: jiff::Timestamp, began: jiff::Timestamp, max_age: u64) -> Self {
        let (mut reasons, mut notes) = (Vec::new(), Vec::new());
        let success: Option<jiff::Timestamp> = standing.last_success.as_deref().and_then(|t| t.parse().ok());
        let age = |since: jiff::Timestamp| u64::try_from(now.duration_since(since).as_secs()).unwrap_or(0);
        match success {
            Some(success) if age(success) > max_age => {
                reasons.push(format!(
                    "the last sync that came to its end began {} s ago, which is more than {max_age} s",
                    age(success)
                ));
            }
            None if age(began) > max_age => {
                reasons.push(format!("no sync came to its end in {} s", age(began)))
            }
            Some(_) | None => {}
        }
        if standing
            .last_crawl
            .as_ref()
            .is_some_and(|r| r.outcome.as_deref() == Some("stonewalled"))
        {
            reasons.push("the breaker is open: the portal answered nothing good in the last crawl".into());
        }
        if let Some(sync) = &standing.sync {
            if let Some(error) = &sync.error {
                reasons.push(format!("the last sync failed: {error}"));
            }
            let holds = sync.target.as_ref().map(|t| &t.holds);
            for (reason, count) in holds.into_iter().flatten() {
                let text = format!("{count} on hold: {}", reason.replace('_', " "));
                if WHOLE_RUN.contains(&reason.as_str()) {
                    reasons.push(text);
                } else {
                    notes.push(text);
                }
            }
            if sync.exit == 6 && sync.target.is_none() && sync.error.is_none() {
                reasons.push("held: a changed mapping waits for `--accept-mapping`".into());
            }
            reasons.extend(
                sync.drift
                    .iter()
                    .map(|d| format!("a gate fails, nothing is pushed: {d}")),
            );
            if let Some(doubt) = &sync.doubt {
                notes.push(format!("nothing is taken off: {doubt}"));
            }
        }
        if let Some(frozen) = &standing.frozen {
            notes.push(format!("frozen since {}: nothing is pushed", frozen.since));
        }
        Self {
            schema: "health/1",
            kind: "health",
            site: standing.site.clone(),
            healthy: reasons.is_empty(),
            last_success_age: success.map(age),
            reasons,
            notes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{Run, SyncSummary, TargetSummary};

    fn judge(standing: &Standing) -> Health {
        let at = |text: &str| text.parse().unwrap();
        Health::of(
            standing,
            at("2026-03-02T02:00:00Z"),
            at("2026-03-01T00:00:00Z"),
            86_400,
        )
    }

    #[test]
    fn each_reason_alone_makes_it_unhealthy_and_an_editors_change_does_not() {
        let well = Standing {
            site: "s".into(),
            last_success: Some("2026-03-01T03:00:00Z".into()),
            ..Standing::default()
        };
        assert_eq!(
            (judge(&well).healthy, judge(&well).last_success_age),
            (true, Some(82_800))
        );
        let old = Standing {
            last_success: Some("2026-03-01T01:00:00Z".into()),
            ..well.clone()
        };
        assert_eq!(judge(&old).reasons.len(), 1);
        let never = Standing {
            last_success: None,
            ..well.clone()
        };
        assert!(judge(&never).reasons[0].starts_with("no sync"));
        let breaker = Standing {
            last_crawl: Some(Run {
                id: "r".into(),
                command: "crawl".into(),
                started: String::new(),
                finished: None,
                outcome: Some("stonewalled".into()),
            }),
            ..well.clone()
        };
        assert!(judge(&breaker).reasons[0].contains("breaker"));
        let held = |reason: &str| Standing {
            sync: Some(SyncSummary {
                exit: 6,
                target: Some(TargetSummary {
                    holds: [(reason.to_owned(), 2)].into(),
                    ..TargetSummary::default()
                }),
                ..SyncSummary::default()
            }),
            ..well.clone()
        };
        assert!(!judge(&held("too_many_retirements")).healthy);
        let drift = judge(&held("drift"));
        assert!(drift.healthy && drift.notes == ["2 on hold: drift"]);
    }
}
