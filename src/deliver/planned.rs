//! A plan with its changes, however many: from a planner's decisions, into `plan.json`, and back.

use super::plan::{Change, Decided, Guard, Held, Hold, Plan, Summary};
use super::spool::Spool;
use serde::de::{DeserializeOwned, DeserializeSeed, Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserializer, Serialize};
use serde_json::{Map, Value};
use std::fmt;
use std::io::{self, BufReader, Read, Write};
use std::path::Path;

/// A plan.
pub struct Planned {
    /// What stands at its head.
    pub plan: Plan,
    /// What is to be done, in order.
    pub changes: Spool<Change>,
    /// What is left alone, and why.
    pub holds: Spool<Held>,
}

/// Decisions as a planner makes them, by what they are about.
pub struct Drafts {
    terms: Spool<Change>,
    media: Spool<Change>,
    documents: Spool<Change>,
    retired: Spool<Change>,
    holds: Holds,
    folder: std::path::PathBuf,
}

impl Drafts {
    /// None yet; what does not fit into memory goes to `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            terms: Spool::new(folder),
            media: Spool::new(folder),
            documents: Spool::new(folder),
            retired: Spool::new(folder),
            holds: Holds {
                all: Spool::new(folder),
                order: Vec::new(),
            },
            folder: folder.to_owned(),
        }
    }

    /// Takes decisions.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn take(&mut self, decided: impl IntoIterator<Item = Decided>) -> io::Result<()> {
        for one in decided {
            match one {
                Decided::Term(change) => self.terms.push(&change).map(|_| ()),
                Decided::Media(change) => self.media.push(&change).map(|_| ()),
                Decided::Document(change) => self.documents.push(&change).map(|_| ()),
                Decided::Retire(change) => self.retired.push(&change).map(|_| ()),
                Decided::Hold(held) => self.holds.push(held),
            }?;
        }
        Ok(())
    }

    /// The plan: terms, media, documents, retirements that the guard lets pass; holds by reason and key.
    ///
    /// # Errors
    /// When the disk is full or fails.
    pub fn finish(mut self, mut plan: Plan, guard: &Guard) -> io::Result<Planned> {
        let mut changes = self.terms;
        changes.append(self.media)?;
        changes.append(self.documents)?;
        for change in self.retired.each()? {
            match guard.judge(change?) {
                Ok(change) => {
                    changes.push(&change)?;
                    plan.counts.retire += 1;
                }
                Err(held) => {
                    self.holds.push(held)?;
                    plan.counts.hold += 1;
                }
            }
        }
        Ok(Planned {
            plan,
            changes,
            holds: self.holds.sorted(&self.folder)?,
        })
    }
}

/// Holds, and their order.
struct Holds {
    all: Spool<Held>,
    order: Vec<(Hold, Box<str>, u64)>,
}

impl Holds {
    fn push(&mut self, held: Held) -> io::Result<()> {
        let at = self.all.push(&held)?;
        self.order.push((held.reason, held.key.into(), at));
        Ok(())
    }

    fn sorted(mut self, folder: &Path) -> io::Result<Spool<Held>> {
        self.order.sort();
        let mut sorted = Spool::new(folder);
        for (_, _, at) in &self.order {
            sorted.push(&self.all.get(*at)?)?;
        }
        Ok(sorted)
    }
}

impl Planned {
    /// Writes the plan as JSON for people.
    ///
    /// # Errors
    /// When `out` or the disk fails.
    pub fn write(&mut self, out: &mut impl Write) -> io::Result<()> {
        let head = serde_json::to_string_pretty(&self.plan)?;
        out.write_all(head.trim_end_matches("\n}").as_bytes())?;
        list(out, "changes", &mut self.changes)?;
        list(out, "holds", &mut self.holds)?;
        out.write_all(b"\n}\n")
    }

    /// Reads a plan; what does not fit into memory goes to `folder`.
    ///
    /// # Errors
    /// When it is none, or the disk fails.
    pub fn read(plan: impl Read, folder: &Path) -> serde_json::Result<Self> {
        let mut from = serde_json::Deserializer::from_reader(BufReader::new(plan));
        let planned = from.deserialize_map(Parts(folder))?;
        from.end()?;
        Ok(planned)
    }

    /// The plan as text: numbers, then what changes, then what is held.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn summary(&mut self) -> io::Result<String> {
        let mut summary = Summary::default();
        for change in self.changes.each()? {
            summary.change(&change?);
        }
        for held in self.holds.each()? {
            summary.hold(&held?);
        }
        Ok(summary.text(&self.plan))
    }
}

/// A list as serde_json's pretty form has it inside an object.
fn list<T: Serialize + DeserializeOwned>(
    out: &mut impl Write,
    name: &str,
    things: &mut Spool<T>,
) -> io::Result<()> {
    write!(out, ",\n  \"{name}\": [")?;
    let mut first = true;
    for thing in things.each()? {
        out.write_all(if first { b"\n" } else { b",\n" })?;
        first = false;
        // A line end inside a text is written as `\n`: each line of this is a line of the form.
        for (n, line) in serde_json::to_string_pretty(&thing?)?.lines().enumerate() {
            out.write_all(if n == 0 { b"    " } else { b"\n    " })?;
            out.write_all(line.as_bytes())?;
        }
    }
    out.write_all(if first { b"]" } else { b"\n  ]" })
}

/// Reads a plan part by part.
struct Parts<'f>(&'f Path);

impl<'de> Visitor<'de> for Parts<'_> {
    type Value = Planned;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a plan")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Planned, A::Error> {
        let (mut head, mut changes, mut holds) = (Map::new(), None, None);
        while let Some(key) = map.next_key::<String>()? {
            match key.as_str() {
                "changes" => changes = Some(map.next_value_seed(Things(Spool::new(self.0)))?),
                "holds" => holds = Some(map.next_value_seed(Things(Spool::new(self.0)))?),
                _ => {
                    head.insert(key, map.next_value()?);
                }
            }
        }
        Ok(Planned {
            plan: serde_json::from_value(Value::Object(head)).map_err(A::Error::custom)?,
            changes: changes.ok_or_else(|| A::Error::missing_field("changes"))?,
            holds: holds.ok_or_else(|| A::Error::missing_field("holds"))?,
        })
    }
}

struct Things<T>(Spool<T>);

impl<'de, T: Serialize + DeserializeOwned> DeserializeSeed<'de> for Things<T> {
    type Value = Spool<T>;

    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<Spool<T>, D::Error> {
        d.deserialize_seq(self)
    }
}

impl<'de, T: Serialize + DeserializeOwned> Visitor<'de> for Things<T> {
    type Value = Spool<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut list: A) -> Result<Spool<T>, A::Error> {
        while let Some(thing) = list.next_element::<T>()? {
            self.0.push(&thing).map_err(A::Error::custom)?;
        }
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Counts, FieldDiff, Op};
    use super::*;
    use crate::ledger::Kind;

    fn change(key: &str, of: &str) -> Change {
        Change {
            op: Op::Retire,
            kind: Kind::Document,
            key: key.into(),
            of: of.into(),
            collection: None,
            source: Some("s".into()),
            title: "Dòng một\ndòng hai".into(),
            slug: "x".into(),
            remote: None,
            was: None,
            payload: None,
            revision: None,
            fields: vec![FieldDiff {
                field: "title".into(),
                from: "a".into(),
                to: String::new(),
            }],
            note: None,
            over: None,
        }
    }

    fn held(key: &str, reason: Hold) -> Held {
        Held {
            key: key.into(),
            source: String::new(),
            title: String::new(),
            reason,
            note: String::new(),
            fields: Vec::new(),
        }
    }

    fn head() -> Plan {
        Plan {
            schema: super::super::plan::SCHEMA.into(),
            site: "s".into(),
            target: "t".into(),
            mapping: "m".into(),
            made_with: ("a".into(), None),
            rules: "r".into(),
            extraction: None,
            surveyed: true,
            counts: Counts::default(),
        }
    }

    fn text(planned: &mut Planned) -> String {
        let mut out = Vec::new();
        planned.write(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_form_is_that_of_one_value_and_reads_back() {
        let folder = tempfile::tempdir().unwrap();
        let mut drafts = Drafts::new(folder.path());
        drafts
            .take([
                Decided::Hold(held("doc:b", Hold::Drift)),
                Decided::Retire(change("doc:r", "pages")),
                Decided::Document(change("doc:d", "posts")),
                Decided::Hold(held("doc:a", Hold::Drift)),
                Decided::Term(change("term:t", "categories")),
                Decided::Retire(change("doc:q", "posts")),
            ])
            .unwrap();
        let guard = Guard::of([("posts".to_owned(), "1 of 1 posts".to_owned())]);
        let mut planned = drafts.finish(head(), &guard).unwrap();
        assert_eq!((planned.plan.counts.retire, planned.plan.counts.hold), (1, 1));
        let written = text(&mut planned);
        let value: Value = serde_json::from_str(&written).unwrap();
        assert_eq!(serde_json::to_string_pretty(&value).unwrap() + "\n", written);
        let keys = |list: &Value| -> Vec<String> {
            let list = list.as_array().unwrap();
            list.iter()
                .map(|c| c["key"].as_str().unwrap().to_owned())
                .collect()
        };
        assert_eq!(keys(&value["changes"]), ["term:t", "doc:d", "doc:r"]);
        assert_eq!(keys(&value["holds"]), ["doc:a", "doc:b", "doc:q"]);
        assert_eq!(value["holds"][2]["reason"], "too_many_retirements");
        let mut again = Planned::read(written.as_bytes(), folder.path()).unwrap();
        assert_eq!(text(&mut again), written);
    }

    #[test]
    fn an_empty_plan_has_empty_lists_and_what_is_no_plan_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let drafts = Drafts::new(folder.path());
        let mut planned = drafts.finish(head(), &Guard::of([])).unwrap();
        let written = text(&mut planned);
        assert!(
            written.ends_with("\"changes\": [],\n  \"holds\": []\n}\n"),
            "{written}"
        );
        for broken in [
            "[]".to_owned(),
            "{}".to_owned(),
            written.replace("\"holds\": []", "\"more\": []"),
            written.replace("\"changes\": []", "\"changes\": [{}]"),
            written.clone() + "x",
            written[..written.len() / 2].to_owned(),
        ] {
            assert!(
                Planned::read(broken.as_bytes(), folder.path()).is_err(),
                "{broken}"
            );
        }
    }
}
