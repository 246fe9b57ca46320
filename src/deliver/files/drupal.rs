//! A module for Drupal Migrate (core `migrate`, contributed `migrate_plus`): JSON that the `url` source reads with the `file` fetcher and
//! the `json` parser, and the migrations that read it: files, media, terms with those above them, nodes.
//!
//! Written by the documentation of these modules; no Drupal has read it yet. Migrations are meant to be edited.

use super::folder::Stream;
use super::index::{self, Medium, Place};
use super::{ExportError, Form, It, Out, Ways};
use crate::deliver::entry::Mapper;
use crate::deliver::redirect::Redirect;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write;

/// Most nodes of a file, and most bytes: the parser of `migrate_plus` reads a file as a whole.
const NODES: usize = 500;
const BYTES: usize = 8 << 20;

#[derive(Default)]
pub(super) struct Drupal {
    nodes: Option<Rows>,
    /// Finished and open files of nodes.
    parts: usize,
    files: Option<Rows>,
    images: Option<Rows>,
    papers: Option<Rows>,
    taxonomies: BTreeSet<String>,
    fields: BTreeSet<String>,
}

/// `{"NAME":[…]}`, row by row.
struct Rows {
    stream: Stream,
    count: usize,
    bytes: usize,
}

impl Rows {
    fn open(out: &mut Out<'_>, file: &str, name: &str) -> Result<Self, ExportError> {
        let mut stream = out.folder.stream(&format!("data/{file}.json"))?;
        write!(stream, "{{\"{name}\":[")?;
        Ok(Self {
            stream,
            count: 0,
            bytes: 0,
        })
    }

    fn add(&mut self, row: &Value) -> Result<(), ExportError> {
        let text = row.to_string();
        let comma = if self.count == 0 { "\n" } else { ",\n" };
        write!(self.stream, "{comma}{text}")?;
        self.count += 1;
        self.bytes += text.len();
        Ok(())
    }

    fn close(mut self, out: &mut Out<'_>) -> Result<(), ExportError> {
        self.stream.write_all(b"\n]}\n")?;
        out.folder.close(self.stream)
    }
}

/// Name of the module: what Drupal allows in one.
fn module(site: &str) -> String {
    let name: String = site
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    format!("sangtrang_{name}")
}

/// A name as a field of Drupal may have it.
fn machine(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect()
}

fn alias(place: &Place) -> String {
    format!("/{}/{}", place.collection, place.slug)
}

fn public_file(medium: &Medium) -> String {
    format!("/sites/default/files/legacy/{}", medium.below())
}

impl Form for Drupal {
    fn ways(&self) -> Ways {
        Ways {
            document: |_, _, to| alias(to),
            medium: |_, _, medium| public_file(medium),
            file: Some(|_, medium| format!("files/{}", medium.below())),
            public: Some(alias),
            public_medium: Some(|_, medium| public_file(medium)),
            escape: crate::deliver::render::escape,
        }
    }

    fn begin(&mut self, out: &mut Out<'_>) -> Result<(), ExportError> {
        self.files = Some(Rows::open(out, "files", "files")?);
        self.images = Some(Rows::open(out, "images", "media")?);
        self.papers = Some(Rows::open(out, "documents", "media")?);
        let mut rows = Rows::open(out, "terms", "terms")?;
        let terms: Vec<Value> = out
            .index
            .ordered()
            .enumerate()
            .map(|(weight, t)| {
                json!({ "id": t.key, "vid": machine(&t.taxonomy), "name": t.name, "slug": t.slug, "parent": t.parent, "weight": weight })
            })
            .collect();
        for term in terms {
            rows.add(&term)?;
        }
        rows.close(out)
    }

    fn document(&mut self, out: &mut Out<'_>, it: &It<'_>) -> Result<(), ExportError> {
        let Some(entry) = it.entry else { return Ok(()) };
        if entry.date.is_none() {
            out.tally.undated += 1;
            out.note("undated", it.document, json!({}))?;
        }
        self.media(out, it)?;
        let body = out.body(it)?;
        let terms: serde_json::Map<String, Value> = entry
            .terms
            .iter()
            .map(|(taxonomy, keys)| {
                let ids = keys.iter().map(|key| json!({ "id": key }));
                (machine(taxonomy), ids.collect())
            })
            .collect();
        self.taxonomies.extend(terms.keys().cloned());
        let fields: serde_json::Map<String, Value> = entry
            .fields
            .iter()
            .map(|(name, value)| (machine(name), value.clone()))
            .collect();
        self.fields.extend(fields.keys().cloned());
        let node = json!({
            "id": it.document.id, "type": bundle(&entry.of), "title": entry.title, "alias": alias(it.place),
            "status": u8::from(entry.state == "publish"), "langcode": entry.language, "created": entry.date,
            "changed": entry.modified, "summary": entry.excerpt, "body": body, "terms": terms, "fields": fields,
            "cover": entry.cover, "legacy_key": entry.source_key, "legacy_url": entry.legacy.url, "legacy_from": entry.legacy.from,
        });
        if self
            .nodes
            .as_ref()
            .is_some_and(|n| n.count >= NODES || n.bytes >= BYTES)
            && let Some(full) = self.nodes.take()
        {
            full.close(out)?;
        }
        let mut nodes = match self.nodes.take() {
            Some(open) => open,
            None => {
                self.parts += 1;
                Rows::open(out, &format!("nodes-{:04}", self.parts), "nodes")?
            }
        };
        nodes.add(&node)?;
        self.nodes = Some(nodes);
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>, _: &[Redirect]) -> Result<(), ExportError> {
        let open = [
            self.nodes.take(),
            self.files.take(),
            self.images.take(),
            self.papers.take(),
        ];
        for rows in open.into_iter().flatten() {
            rows.close(out)?;
        }
        let name = module(&out.options.site);
        let title = Value::from(format!("Content of {}", out.options.title)).to_string();
        out.folder.put(
            &format!("{name}.info.yml"),
            format!(
                "name: {title}\ntype: module\ndescription: 'Migrations of the old portal, written by sangtrang. Lies in modules/custom/{name}.'\npackage: Migration\ncore_version_requirement: ^10 || ^11\ndependencies:\n  - drupal:file\n  - drupal:media\n  - drupal:node\n  - drupal:path\n  - drupal:taxonomy\n  - drupal:migrate\n  - migrate_plus:migrate_plus\n"
            )
            .as_bytes(),
        )?;
        for (what, yaml) in [
            ("files", files(&name)),
            ("images", media(&name, "images", "image", "field_media_image")),
            (
                "documents",
                media(&name, "documents", "document", "field_media_document"),
            ),
            ("terms", terms(&name)),
            ("nodes", self.nodes_yaml(&name)),
        ] {
            out.folder
                .put(&format!("migrations/{name}_{what}.yml"), yaml.as_bytes())?;
        }
        Ok(())
    }
}

impl Drupal {
    fn media(&mut self, out: &mut Out<'_>, it: &It<'_>) -> Result<(), ExportError> {
        for asset in Mapper::assets(it.document) {
            let medium = index::media_id(&asset.key).and_then(|id| out.index.media.get(&id));
            let Some(medium) = medium.filter(|m| !m.copied) else {
                continue;
            };
            let file = json!({ "id": asset.key, "path": medium.below(), "filename": medium.filename, "mime": asset.mime,
                "bytes": asset.bytes });
            let row = json!({ "id": asset.key, "name": asset.title, "alt": asset.alt, "caption": asset.caption,
                "credit": asset.credit, "legacy_url": asset.legacy.url });
            if let Some(files) = &mut self.files {
                files.add(&file)?;
            }
            let rows = match asset.mime.starts_with("image/") {
                true => &mut self.images,
                false => &mut self.papers,
            };
            if let Some(rows) = rows {
                rows.add(&row)?;
            }
        }
        Ok(())
    }

    fn nodes_yaml(&self, name: &str) -> String {
        let urls: Vec<String> = (1..=self.parts).map(|n| format!("nodes-{n:04}")).collect();
        let mut fields = vec![
            ("id".to_owned(), "id".to_owned()),
            ("type".into(), "type".into()),
            ("title".into(), "title".into()),
            ("alias".into(), "alias".into()),
            ("status".into(), "status".into()),
            ("langcode".into(), "langcode".into()),
            ("created".into(), "created".into()),
            ("changed".into(), "changed".into()),
            ("summary".into(), "summary".into()),
            ("body".into(), "body".into()),
            ("cover".into(), "cover".into()),
            ("legacy_url".into(), "legacy_url".into()),
        ];
        fields.extend(
            self.taxonomies
                .iter()
                .map(|t| (format!("terms_{t}"), format!("terms/{t}"))),
        );
        fields.extend(
            self.fields
                .iter()
                .map(|f| (format!("fields_{f}"), format!("fields/{f}"))),
        );
        let mut yaml = source(name, "nodes", "Articles", &urls, "nodes", &fields);
        yaml.push_str(
            "  constants:\n    user: 1\n    format: full_html\n    pathauto: 0\n\
             process:\n  type: type\n  title: title\n  uid: constants/user\n  langcode: langcode\n  status: status\n",
        );
        for at in ["created", "changed"] {
            let _ = write!(
                yaml,
                "  {at}:\n    -\n      plugin: skip_on_empty\n      method: process\n      source: {at}\n    -\n      plugin: format_date\n      from_format: 'Y-m-d\\TH:i:sP'\n      to_format: U\n"
            );
        }
        yaml.push_str(
            "  body/value: body\n  body/summary: summary\n  body/format: constants/format\n  path/pathauto: constants/pathauto\n  path/alias: alias\n",
        );
        for taxonomy in &self.taxonomies {
            let _ = write!(
                yaml,
                "  field_{taxonomy}:\n    plugin: sub_process\n    source: terms_{taxonomy}\n    process:\n      target_id:\n        plugin: migration_lookup\n        migration: {name}_terms\n        source: id\n"
            );
        }
        for field in &self.fields {
            let _ = writeln!(yaml, "  {field}: fields_{field}");
        }
        let _ = write!(
            yaml,
            "destination:\n  plugin: entity:node\nmigration_dependencies:\n  required:\n    - {name}_terms\n    - {name}_files\n"
        );
        yaml
    }
}

/// Content types of Drupal's standard profile, where the mapping speaks of WordPress's.
fn bundle(of: &str) -> &str {
    match of {
        "posts" => "article",
        "pages" => "page",
        of => of,
    }
}

/// Head and source of a migration.
fn source(
    name: &str,
    what: &str,
    label: &str,
    files: &[String],
    selector: &str,
    fields: &[(String, String)],
) -> String {
    let mut yaml = format!(
        "id: {name}_{what}\nlabel: '{label} of the old portal'\nmigration_tags:\n  - sangtrang\nsource:\n  plugin: url\n  data_fetcher_plugin: file\n  data_parser_plugin: json\n  track_changes: true\n  urls:\n"
    );
    for file in files {
        let _ = writeln!(yaml, "    - modules/custom/{name}/data/{file}.json");
    }
    let _ = write!(yaml, "  item_selector: {selector}\n  fields:\n");
    for (field, at) in fields {
        let _ = write!(yaml, "    -\n      name: {field}\n      selector: {at}\n");
    }
    yaml.push_str("  ids:\n    id:\n      type: string\n");
    yaml
}

fn same(names: &[&str]) -> Vec<(String, String)> {
    names.iter().map(|n| ((*n).to_owned(), (*n).to_owned())).collect()
}

fn files(name: &str) -> String {
    let fields = same(&["id", "path", "filename", "mime"]);
    let mut yaml = source(name, "files", "Files", &["files".into()], "files", &fields);
    let _ = write!(
        yaml,
        "  constants:\n    from: modules/custom/{name}/files\n    to: 'public://legacy'\n    user: 1\n    status: 1\n\
         process:\n  source_path:\n    plugin: concat\n    delimiter: /\n    source:\n      - constants/from\n      - path\n\
         \x20 destination_path:\n    plugin: concat\n    delimiter: /\n    source:\n      - constants/to\n      - path\n\
         \x20 uri:\n    plugin: file_copy\n    file_exists: 'use existing'\n    source:\n      - '@source_path'\n      - '@destination_path'\n\
         \x20 filename: filename\n  filemime: mime\n  uid: constants/user\n  status: constants/status\n\
         destination:\n  plugin: entity:file\n"
    );
    yaml
}

fn media(name: &str, what: &str, bundle: &str, field: &str) -> String {
    let fields = same(&["id", "name", "alt", "caption", "credit"]);
    let mut yaml = source(name, what, "Media", &[what.into()], "media", &fields);
    let _ = write!(
        yaml,
        "  constants:\n    bundle: {bundle}\n    user: 1\n    status: 1\n\
         process:\n  bundle: constants/bundle\n  name: name\n  uid: constants/user\n  status: constants/status\n\
         \x20 {field}/target_id:\n    plugin: migration_lookup\n    migration: {name}_files\n    source: id\n"
    );
    if bundle == "image" {
        let _ = writeln!(yaml, "  {field}/alt: alt");
    }
    let _ = write!(
        yaml,
        "destination:\n  plugin: entity:media\nmigration_dependencies:\n  required:\n    - {name}_files\n"
    );
    yaml
}

fn terms(name: &str) -> String {
    let fields = same(&["id", "vid", "name", "parent", "weight"]);
    let mut yaml = source(name, "terms", "Terms", &["terms".into()], "terms", &fields);
    let _ = write!(
        yaml,
        "process:\n  vid: vid\n  name: name\n  weight: weight\n  parent:\n    -\n      plugin: skip_on_empty\n      method: process\n      source: parent\n    -\n      plugin: migration_lookup\n      migration: {name}_terms\n\
         destination:\n  plugin: entity:taxonomy_term\n"
    );
    yaml
}
