//! Content of a Hugo site (gohugo.io, from 0.92): `content/`, `static/`. Parameters stand at the top of the front matter, where
//! every version reads them.

use super::{ExportError, Form, It, Out, Ways, site};

pub(super) struct Hugo;

impl Form for Hugo {
    fn ways(&self) -> Ways {
        site::ways()
    }

    fn begin(&mut self, out: &mut Out<'_>) -> Result<(), ExportError> {
        let names: Vec<String> = out.index.collections.keys().map(ToString::to_string).collect();
        for name in names {
            let front = toml::Table::from_iter([("title".to_owned(), name.as_str().into())]);
            site::section(out, &name, &front)?;
        }
        Ok(())
    }

    fn document(&mut self, out: &mut Out<'_>, it: &It<'_>) -> Result<(), ExportError> {
        let Some(entry) = it.entry else { return Ok(()) };
        // The generator's own words win over a field of the same name.
        let mut front = site::extra(it, entry);
        front.extend(site::taxonomies(out, entry));
        front.extend(site::front(it, entry, "lastmod"));
        if let Some(cover) = site::cover(out, it, entry) {
            front.insert("images".into(), vec![toml::Value::from(cover)].into());
        }
        site::write(out, it, &front)
    }
}
