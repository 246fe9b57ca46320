//! Gates as JUnit XML, which CI systems show: a suite for each collection, a test case for each gate, whatever the number of
//! documents. A gate that fails is a failure; one that warns passes and says so in its output; one that is off, or that nobody
//! could judge, is skipped. What could not be had or read is a suite of its own, so that nothing that answers 4 is green here.

use crate::ledger::{Checked, Finding, Tally};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};
use std::io;

/// Bytes of one text.
const MOST: usize = 16 << 10;

/// What is told.
#[derive(Clone, Copy, Debug)]
pub struct JUnit<'a> {
    /// Id of the site.
    pub site: &'a str,
    /// When the run began (RFC 3339).
    pub started: &'a str,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What the extraction found.
    pub tally: &'a Tally,
    /// Addresses that somebody should look at: how many, and the first of them.
    pub trouble: (u64, &'a [Finding]),
}

/// One test case.
struct Case {
    name: String,
    outcome: Outcome,
}

enum Outcome {
    Passed,
    Warned(String),
    Failed(String, String),
    Skipped(String),
}

impl JUnit<'_> {
    /// The XML.
    ///
    /// # Errors
    /// Never in practice: memory takes everything.
    pub fn xml(&self) -> io::Result<String> {
        let mut suites: Vec<(&str, Vec<Case>)> = Vec::new();
        let pages = vec![
            findings("captured", "URLs have no content", self.trouble.0, self.trouble.1),
            findings(
                "readable",
                "pages could not be read",
                self.tally.unreadable.count,
                &self.tally.unreadable.first,
            ),
        ];
        suites.push(("pages", pages));
        for (collection, checks) in &self.tally.checks {
            suites.push((collection, checks.iter().map(gate).collect()));
        }
        let mut out = Writer::new_with_indent(Vec::new(), b' ', 1);
        out.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
        let all = || suites.iter().flat_map(|(_, cases)| cases);
        let seconds = format!("{:.3}", self.seconds);
        out.create_element("testsuites")
            .with_attribute(("name", clean(&format!("sangtrang {}", self.site)).as_str()))
            .with_attributes(counts(all()).iter().map(|(k, v)| (*k, v.as_str())))
            .with_attribute(("time", seconds.as_str()))
            .write_inner_content(|out| {
                for (name, cases) in &suites {
                    self.suite(out, name, cases)?;
                }
                Ok::<(), io::Error>(())
            })?;
        let mut xml = String::from_utf8(out.into_inner()).map_err(io::Error::other)?;
        xml.push('\n');
        Ok(xml)
    }

    fn suite(&self, out: &mut Writer<Vec<u8>>, name: &str, cases: &[Case]) -> io::Result<()> {
        let class = clean(&format!("{}.{name}", self.site));
        out.create_element("testsuite")
            .with_attribute(("name", clean(name).as_str()))
            .with_attributes(counts(cases.iter()).iter().map(|(k, v)| (*k, v.as_str())))
            .with_attribute(("timestamp", self.started))
            .write_inner_content(|out| {
                for case in cases {
                    let element = out
                        .create_element("testcase")
                        .with_attribute(("name", clean(&case.name).as_str()))
                        .with_attribute(("classname", class.as_str()))
                        .with_attribute(("time", "0"));
                    match &case.outcome {
                        Outcome::Passed => element.write_empty()?,
                        other => element.write_inner_content(|out| inner(out, other))?,
                    };
                }
                Ok::<(), io::Error>(())
            })?;
        Ok(())
    }
}

fn inner(out: &mut Writer<Vec<u8>>, outcome: &Outcome) -> io::Result<()> {
    match outcome {
        Outcome::Passed => {}
        Outcome::Warned(text) => {
            out.create_element("system-out")
                .write_text_content(BytesText::new(&clean(text)))?;
        }
        Outcome::Failed(message, text) => {
            out.create_element("failure")
                .with_attribute(("message", clean(message).as_str()))
                .with_attribute(("type", "gate"))
                .write_text_content(BytesText::new(&clean(text)))?;
        }
        Outcome::Skipped(why) => {
            out.create_element("skipped")
                .with_attribute(("message", clean(why).as_str()))
                .write_empty()?;
        }
    }
    Ok(())
}

fn counts<'a>(cases: impl Iterator<Item = &'a Case>) -> [(&'static str, String); 4] {
    let (mut tests, mut failures, mut skipped) = (0, 0, 0);
    for case in cases {
        tests += 1;
        failures += u64::from(matches!(case.outcome, Outcome::Failed(..)));
        skipped += u64::from(matches!(case.outcome, Outcome::Skipped(_)));
    }
    [
        ("tests", tests),
        ("failures", failures),
        ("errors", 0),
        ("skipped", skipped),
    ]
    .map(|(name, n)| (name, n.to_string()))
}

fn findings(name: &str, what: &str, count: u64, first: &[Finding]) -> Case {
    let outcome = match count {
        0 => Outcome::Passed,
        n => Outcome::Failed(format!("{n} {what}"), lines(first.iter().take(Checked::NAMED), n)),
    };
    Case {
        name: name.to_owned(),
        outcome,
    }
}

fn gate(check: &Checked) -> Case {
    let text = || lines(check.first.iter(), check.documents);
    let message = match check.first.first() {
        Some(first) if check.documents == 1 => format!("{}: {}", first.url, first.note),
        _ => format!("{} did not pass", check.documents),
    };
    let outcome = match (&check.unjudged, check.documents) {
        (Some(why), _) => Outcome::Skipped(why.clone()),
        _ if check.level == "off" => Outcome::Skipped("off".to_owned()),
        (None, 0) => Outcome::Passed,
        (None, _) if check.failed > 0 => Outcome::Failed(message, text()),
        (None, _) => Outcome::Warned(format!("warning: {message}\n{}", text())),
    };
    Case {
        name: check.gate.clone(),
        outcome,
    }
}

fn lines<'a>(first: impl Iterator<Item = &'a Finding>, count: u64) -> String {
    let mut named = 0;
    let mut text = String::new();
    for finding in first {
        named += 1;
        text.push_str(&format!("{} {}", finding.url, finding.note).replace(['\n', '\r'], " "));
        text.push('\n');
    }
    if count > named {
        text.push_str(&format!("… and {} more\n", count - named));
    }
    text
}

/// What XML 1.0 can hold, not too long. Pages write what they like.
fn clean(text: &str) -> String {
    let fits =
        |c: char| matches!(c, '\t' | '\n' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
    let text: String = text
        .chars()
        .map(|c| if fits(c) { c } else { '\u{fffd}' })
        .collect();
    match text.char_indices().find(|(at, _)| *at >= MOST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use quick_xml::Reader;

    #[test]
    fn each_outcome_is_told_and_hostile_text_stays_text() {
        let check = |gate: &str, level: &str, documents, failed, note: &str| Checked {
            gate: gate.into(),
            rule: gate.into(),
            level: level.into(),
            documents,
            failed,
            first: (documents > 0)
                .then(|| Finding {
                    url: "http://h/?a=1&b=2".into(),
                    class: gate.into(),
                    note: note.into(),
                })
                .into_iter()
                .collect(),
            unjudged: None,
        };
        let mut tally = Tally::default();
        let mut checks = vec![
            check("accounted", "fail", 0, 0, ""),
            check(
                "date-sane",
                "fail",
                3,
                3,
                "<b>\u{0}\u{1b}[31m ]]> \u{ffff}\"'&amp;",
            ),
            check("alt-text", "warn", 1, 0, "2 of 3 pictures"),
            check("min-body", "off", 0, 0, ""),
            check("fill-rate", "warn", 0, 0, ""),
        ];
        checks[4].unjudged = Some("nothing was accepted yet".into());
        tally.checks.insert("news".into(), checks);
        let told = JUnit {
            site: "a-site",
            started: "2026-01-01T00:00:00Z",
            seconds: 1.5,
            tally: &tally,
            trouble: (0, &[]),
        };
        let xml = told.xml().unwrap();
        let mut reader = Reader::from_str(&xml);
        let (mut names, mut texts) = (Vec::new(), String::new());
        loop {
            match reader.read_event().unwrap() {
                Event::Eof => break,
                Event::Start(e) | Event::Empty(e) => {
                    let attributes: Vec<String> = e
                        .attributes()
                        .map(|a| a.unwrap())
                        .filter(|a| a.key.as_ref() != "timestamp")
                        .map(|a| a.value.into_owned())
                        .collect();
                    names.push(format!("{} {}", e.name().as_ref(), attributes.join(" ")));
                }
                Event::Text(t) => texts.push_str(&t),
                _ => {}
            }
        }
        assert_eq!(
            names,
            [
                "testsuites sangtrang a-site 7 1 0 2 1.500",
                "testsuite pages 2 0 0 0",
                "testcase captured a-site.pages 0",
                "testcase readable a-site.pages 0",
                "testsuite news 5 1 0 2",
                "testcase accounted a-site.news 0",
                "testcase date-sane a-site.news 0",
                "failure 3 did not pass gate",
                "testcase alt-text a-site.news 0",
                "system-out ",
                "testcase min-body a-site.news 0",
                "skipped off",
                "testcase fill-rate a-site.news 0",
                "skipped nothing was accepted yet",
            ]
        );
        assert!(texts.contains("… and 2 more"), "{texts}");
        assert!(!xml.contains('\u{0}') && !xml.contains('\u{1b}') && !xml.contains('\u{ffff}'));
        assert!(xml.contains("&lt;b&gt;"), "{xml}");
    }
}
