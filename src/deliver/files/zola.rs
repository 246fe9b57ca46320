//! Content of a Zola site (getzola.org, from 0.17): `content/`, `static/`. Zola refuses keys that it does not know, so all that
//! is ours stands under `[extra]`.

use super::{ExportError, Form, It, Out, Ways, site};

pub(super) struct Zola;

impl Form for Zola {
    fn ways(&self) -> Ways {
        site::ways()
    }

    fn begin(&mut self, out: &mut Out<'_>) -> Result<(), ExportError> {
        let names: Vec<String> = out.index.collections.keys().map(ToString::to_string).collect();
        for name in names {
            let front = toml::Table::from_iter([
                ("title".to_owned(), name.as_str().into()),
                ("sort_by".to_owned(), "date".into()),
            ]);
            site::section(out, &name, &front)?;
        }
        Ok(())
    }

    fn document(&mut self, out: &mut Out<'_>, it: &It<'_>) -> Result<(), ExportError> {
        let Some(entry) = it.entry else { return Ok(()) };
        let mut front = toml::Table::new();
        front.insert("title".into(), entry.title.as_str().into());
        front.insert("draft".into(), (entry.state == "draft").into());
        for (name, at) in [("date", &entry.date), ("updated", &entry.modified)] {
            if let Some(at) = at {
                front.insert(name.into(), site::date(at));
            }
        }
        if let Some(excerpt) = &entry.excerpt {
            front.insert("description".into(), excerpt.as_str().into());
        }
        let aliases = site::aliases(it.document);
        if !aliases.is_empty() {
            front.insert("aliases".into(), aliases.into());
        }
        let taxonomies = site::taxonomies(out, entry);
        if !taxonomies.is_empty() {
            front.insert("taxonomies".into(), taxonomies.into());
        }
        let mut extra = site::extra(it, entry);
        if let Some(cover) = site::cover(out, it, entry) {
            extra.insert("cover".into(), cover.into());
        }
        front.insert("extra".into(), extra.into());
        site::write(out, it, &front)
    }
}
