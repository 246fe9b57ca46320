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
        let mut front = site::front(it, entry, "updated");
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
