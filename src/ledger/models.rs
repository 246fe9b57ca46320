//! What was learned of a site's pages: models by version. A version is never changed; a newer one is added.

use super::{Ledger, LedgerError};
use rusqlite::{OptionalExtension as _, params};

/// The schema of this file; a step of [`super::open`].
pub(super) const SCHEMA: &str = "
CREATE TABLE model (version INTEGER PRIMARY KEY, at INTEGER NOT NULL, hash TEXT NOT NULL, form INTEGER NOT NULL,
  pages INTEGER NOT NULL, frame TEXT NOT NULL);
CREATE TABLE template (model INTEGER NOT NULL, id TEXT NOT NULL, place INTEGER NOT NULL, kind TEXT NOT NULL,
  pages INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (model, id)) WITHOUT ROWID;
";

/// A model of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelRow {
    /// Number of the version, from 1.
    pub version: u32,
    /// When it was stored, milliseconds since 1970.
    pub at: i64,
    /// Hash of the whole model.
    pub hash: String,
    /// Version of the form that `frame` and the bodies are written in.
    pub form: u32,
    /// Pages that it was learned from.
    pub pages: u32,
    /// What all pages of the site share, as JSON.
    pub frame: String,
    /// Its templates, in order.
    pub templates: Vec<TemplateRow>,
}

/// One template of a model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateRow {
    /// Its name: the same in all versions.
    pub id: String,
    /// `article`, `list`, …
    pub kind: String,
    /// Pages that it was learned from.
    pub pages: u32,
    /// The template, as JSON.
    pub body: String,
}

impl Ledger {
    /// Adds a model (its `version` is not looked at) and answers its version; if the newest has the same hash, nothing is
    /// added.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn store_model(&mut self, row: &ModelRow) -> Result<u32, LedgerError> {
        let newest: Option<(u32, String)> = self.newest()?;
        if let Some((version, hash)) = &newest
            && *hash == row.hash
        {
            return Ok(*version);
        }
        let version = newest.map_or(0, |n| n.0) + 1;
        self.add_model(&ModelRow {
            version,
            ..row.clone()
        })?;
        Ok(version)
    }

    /// Adds a model under its own version, as another ledger had it.
    ///
    /// # Errors
    /// What SQLite says, among it that the version is there already.
    pub fn add_model(&mut self, row: &ModelRow) -> Result<(), LedgerError> {
        let path = self.path.clone();
        let sql = |e| LedgerError::sql(&path, e);
        let tx = self.conn.transaction().map_err(sql)?;
        tx.execute(
            "INSERT INTO model (version, at, hash, form, pages, frame) VALUES (?,?,?,?,?,?)",
            params![row.version, row.at, row.hash, row.form, row.pages, row.frame],
        )
        .map_err(sql)?;
        for (place, t) in row.templates.iter().enumerate() {
            tx.execute(
                "INSERT INTO template (model, id, place, kind, pages, body) VALUES (?,?,?,?,?,?)",
                params![
                    row.version,
                    t.id,
                    super::query::int(place),
                    t.kind,
                    t.pages,
                    t.body
                ],
            )
            .map_err(sql)?;
        }
        tx.commit().map_err(sql)
    }

    /// The newest model; `None` if nothing was learned, or if the ledger is older than the models of this program.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn newest_model(&self) -> Result<Option<ModelRow>, LedgerError> {
        let newest = self.newest()?.map(|n| n.0);
        newest.map_or(Ok(None), |version| self.model(version))
    }

    /// All versions that are kept, the oldest first.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn model_versions(&self) -> Result<Vec<u32>, LedgerError> {
        if !self.has_models()? {
            return Ok(Vec::new());
        }
        self.all("SELECT version FROM model ORDER BY version", [], |r| r.get(0))
    }

    /// One version of the models.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn model(&self, version: u32) -> Result<Option<ModelRow>, LedgerError> {
        let templates = self.all(
            "SELECT id, kind, pages, body FROM template WHERE model = ? ORDER BY place",
            [version],
            |r| {
                Ok(TemplateRow {
                    id: r.get(0)?,
                    kind: r.get(1)?,
                    pages: r.get(2)?,
                    body: r.get(3)?,
                })
            },
        )?;
        self.conn
            .query_row(
                "SELECT at, hash, form, pages, frame FROM model WHERE version = ?",
                [version],
                |r| {
                    Ok(ModelRow {
                        version,
                        at: r.get(0)?,
                        hash: r.get(1)?,
                        form: r.get(2)?,
                        pages: r.get(3)?,
                        frame: r.get(4)?,
                        templates,
                    })
                },
            )
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    fn newest(&self) -> Result<Option<(u32, String)>, LedgerError> {
        if !self.has_models()? {
            return Ok(None);
        }
        self.conn
            .query_row(
                "SELECT version, hash FROM model ORDER BY version DESC LIMIT 1",
                [],
                |r| Ok((r.get(0)?, r.get(1)?)),
            )
            .optional()
            .map_err(|e| LedgerError::sql(&self.path, e))
    }

    /// A reader may look into a ledger that an older program made and no newer one has opened for writing yet.
    fn has_models(&self) -> Result<bool, LedgerError> {
        self.conn
            .query_row(
                "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'model')",
                [],
                |r| r.get(0),
            )
            .map_err(|e| LedgerError::sql(&self.path, e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(hash: &str) -> ModelRow {
        ModelRow {
            version: 0,
            at: 7,
            hash: hash.into(),
            form: 2,
            pages: 30,
            frame: "[]".into(),
            templates: vec![TemplateRow {
                id: "article-1".into(),
                kind: "article".into(),
                pages: 12,
                body: "{}".into(),
            }],
        }
    }

    #[test]
    fn versions_are_added_and_equal_models_are_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        let mut ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.newest_model().unwrap(), None);
        assert_eq!(ledger.store_model(&row("a")).unwrap(), 1);
        assert_eq!(ledger.store_model(&row("a")).unwrap(), 1);
        assert_eq!(ledger.store_model(&row("b")).unwrap(), 2);
        let read = Ledger::read(&path).unwrap();
        assert_eq!(
            read.newest_model().unwrap(),
            Some(ModelRow {
                version: 2,
                ..row("b")
            })
        );
        assert_eq!(read.model(1).unwrap().unwrap().hash, "a");
        assert_eq!(read.model_versions().unwrap(), [1, 2]);
    }

    /// A ledger of the version before models is read without them, and has them once it is opened for writing.
    #[test]
    fn an_older_ledger_opens() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.db");
        crate::ledger::open::before(&path, SCHEMA);
        assert_eq!(Ledger::read(&path).unwrap().newest_model().unwrap(), None);
        let mut ledger = Ledger::open(&path).unwrap();
        assert_eq!(ledger.store_model(&row("a")).unwrap(), 1);
    }
}
