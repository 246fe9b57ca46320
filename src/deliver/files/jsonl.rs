//! Documents as they are: canonical JSON, one a line, sorted; media by hash, as their tokens name them.

use super::folder::Stream;
use super::index::{Medium, Place};
use super::{ExportError, Form, It, Out, Ways};
use crate::deliver::redirect::Redirect;
use crate::deliver::render;
use std::io::Write;

#[derive(Default)]
pub(super) struct Jsonl {
    lines: Option<Stream>,
}

/// `media/ab/cdef….png`, as in the output folder.
fn file(_: &Place, medium: &Medium) -> String {
    let hex = medium.id.to_string();
    format!("media/{}/{}.{}", &hex[..2], &hex[2..], medium.plain)
}

impl Form for Jsonl {
    fn ways(&self) -> Ways {
        Ways {
            document: |_, _, _| String::new(),
            medium: |_, from, medium| file(from, medium),
            file: Some(file),
            public: None,
            public_medium: None,
            escape: str::to_owned,
        }
    }

    fn begin(&mut self, out: &mut Out<'_>) -> Result<(), ExportError> {
        self.lines = Some(out.folder.stream("documents.jsonl")?);
        Ok(())
    }

    fn document(&mut self, out: &mut Out<'_>, it: &It<'_>) -> Result<(), ExportError> {
        if let Some(lines) = &mut self.lines {
            serde_json::to_writer(&mut *lines, it.document).map_err(std::io::Error::from)?;
            lines.write_all(b"\n")?;
        }
        // Tokens stay; those that name nothing of this export are told.
        let targets = it
            .document
            .links
            .iter()
            .filter_map(|l| Some((l, l.target.as_deref()?)));
        for (link, target) in targets.filter(|(_, t)| render::is_token(t)) {
            if out.index.document(target).is_none() && out.index.medium(target).is_none() {
                out.tally.kept_links += 1;
                let more = serde_json::json!({ "target": target, "kept": link.resolved });
                out.note("link", it.document, more)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>, _: &[Redirect]) -> Result<(), ExportError> {
        match self.lines.take() {
            Some(lines) => out.folder.close(lines),
            None => Ok(()),
        }
    }
}
