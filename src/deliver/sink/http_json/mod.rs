//! A CMS with a JSON interface that the mapping declares (`[target.http]`): nothing of any product is known here. What a
//! declaration says of an address stays below the CMS's own: expressions are encoded, and [`Api`] sends nothing elsewhere.

mod media;
mod probe;
mod read;
mod wire;
mod write;

use super::{Item, Links, Listed, Needs, Probe, Remote, Sink, Stage, Wire};
use crate::deliver::api::{Answer, Api, ApiError, Auth, Request, Words};
use crate::deliver::failure::{Class, Failure};
use crate::ledger::Kind;
use crate::mapping::Text;
use crate::mapping::model::{
    AuthKind, BodyForm, EntryRule, ErrorClass, ErrorRule, HttpJson, ObjectRule, RetireAction, Target,
};
use http::header::{HeaderName, HeaderValue};
use http::{HeaderMap, Method};
use serde_json::{Map, Value, json};

/// Before ids of files that have a place of their own.
const FILE: &str = "file:";
/// Pages of a search by key: a title that thousands of pictures share ends somewhere.
const SEARCH_PAGES: usize = 200;
/// Ids that are asked for at once.
const MANY: usize = 50;

/// A declared CMS.
pub struct Declared {
    api: Api,
    rules: HttpJson,
    entries: Vec<EntryRule>,
    body: BodyForm,
    headers: HeaderMap,
    /// Values of `vars`.
    vars: Value,
    /// Is a page that is gone taken off?
    retires: bool,
}

impl Declared {
    /// The CMS of `target`, whose rules the mapping has completed.
    ///
    /// # Errors
    /// [`ApiError`]
    pub fn new(target: &Target, user: Option<String>, secret: String) -> Result<Self, ApiError> {
        let rules = target.http.clone();
        let auth = match rules.auth.kind {
            AuthKind::Bearer => Auth::Bearer(secret),
            AuthKind::Basic => Auth::Basic(user.unwrap_or_default(), secret),
            AuthKind::Header => Auth::Header {
                name: rules.auth.header.clone().unwrap_or_default(),
                prefix: rules.auth.prefix.clone().unwrap_or_default(),
                secret,
            },
        };
        let mut headers = HeaderMap::new();
        for (name, value) in &rules.headers {
            // Names and values were checked with the mapping.
            if let (Ok(name), Ok(value)) = (
                HeaderName::from_bytes(name.as_bytes()),
                HeaderValue::from_str(value),
            ) {
                headers.insert(name, value);
            }
        }
        let mut vars = Map::new();
        for (name, template) in &rules.vars {
            vars.insert(name.clone(), template.value(&json!({})).map_err(ApiError::Rules)?);
        }
        let errors = rules.error.rule.clone();
        let words = Words {
            code: rules.error.code.clone(),
            text: rules.error.text.clone(),
        };
        let classify =
            move |status: u16, code: &str, json: &Value, _: &Method| classify(&errors, status, code, json);
        Ok(Self {
            api: Api::new(target, auth, classify)?.with_words(words),
            entries: target.entry.clone(),
            body: target.body.unwrap_or_else(|| target.kind.body()),
            vars: vars.into(),
            retires: target.retire.action == RetireAction::Unpublish,
            headers,
            rules,
        })
    }

    /// The rule of an object, and its id in the CMS.
    fn by_id<'i>(&self, kind: Kind, id: &'i str) -> (&ObjectRule, &'i str) {
        match (kind, id.strip_prefix(FILE), &self.rules.file) {
            (Kind::Media, Some(id), Some(file)) => (file, id),
            (Kind::Media, ..) => (&self.rules.media, id),
            (Kind::Term, ..) => (&self.rules.term, id),
            _ => (&self.rules.document, id),
        }
    }

    /// The rule by which an item is made.
    fn by_item(&self, item: &Item) -> &ObjectRule {
        match (&item.body, &self.rules.file) {
            (super::Payload::Media(asset, _), Some(file)) if !asset.mime.starts_with("image/") => file,
            (super::Payload::Media(..), _) => &self.rules.media,
            (super::Payload::Term(_), _) => &self.rules.term,
            _ => &self.rules.document,
        }
    }

    /// Is it the rule of files that have a place of their own?
    fn is_file(&self, rule: &ObjectRule) -> bool {
        self.rules
            .file
            .as_ref()
            .is_some_and(|file| std::ptr::eq(file, rule))
    }

    /// What every template may name.
    fn context(&self, of: &str) -> Map<String, Value> {
        let mut context = Map::new();
        context.insert("vars".into(), self.vars.clone());
        context.insert("of".into(), of.into());
        context
    }

    /// What templates on one object may name.
    fn object_context(&self, rule: &ObjectRule, of: &str, id: &str) -> Map<String, Value> {
        let mut context = self.context(of);
        context.insert("id".into(), typed(rule, id));
        context
    }

    /// A path below the interface, filled; `None` for what the rules do not have.
    fn path(&self, text: Option<&Text>, context: &Value) -> Result<String, Failure> {
        let base = self.rules.base.as_deref().unwrap_or_default().trim_matches('/');
        let path = match text {
            Some(text) => text.path(context).map_err(|e| broken(text.as_str(), e))?,
            None => String::new(),
        };
        Ok(if base.is_empty() {
            path
        } else {
            format!("{base}/{}", path.trim_start_matches('/'))
        })
    }

    /// The same with a query.
    fn path_query(
        &self,
        path: Option<&Text>,
        query: Option<&Text>,
        context: &Value,
    ) -> Result<String, Failure> {
        let path = self.path(path, context)?;
        Ok(match query {
            Some(query) => {
                let sign = if path.contains('?') { '&' } else { '?' };
                let query = query.path(context).map_err(|e| broken(query.as_str(), e))?;
                format!("{path}{sign}{query}")
            }
            None => path,
        })
    }

    async fn call(&self, mut request: Request) -> Result<Answer, Failure> {
        for (name, value) in &self.headers {
            request.headers.insert(name.clone(), value.clone());
        }
        self.api.call(request).await
    }

    async fn get(&self, path: String) -> Result<Value, Failure> {
        Ok(self.call(Request::get(path)).await?.json())
    }
}

/// An id as the CMS has it in JSON.
fn typed(rule: &ObjectRule, id: &str) -> Value {
    match id.parse::<u64>() {
        Ok(number) if rule.number => number.into(),
        _ => id.into(),
    }
}

/// A template that cannot be filled is no fault of the CMS, and no repetition helps.
fn broken(what: &str, error: String) -> Failure {
    Failure::of(
        Class::Permanent,
        what,
        format!("the template cannot be filled: {error}"),
    )
}

/// An HTTP method of the rules; they were checked with the mapping.
fn method(said: Option<&String>, usual: Method) -> Method {
    said.and_then(|m| Method::from_bytes(m.as_bytes()).ok())
        .unwrap_or(usual)
}

/// What an error means by the first rule that fits it.
fn classify(rules: &[ErrorRule], status: u16, code: &str, json: &Value) -> Option<Class> {
    let body = std::cell::OnceCell::new();
    let rule = rules.iter().find(|rule| {
        rule.status.is_none_or(|s| s == status)
            && rule.code.as_deref().is_none_or(|c| c == code)
            && rule
                .body
                .as_ref()
                .is_none_or(|p| p.regex().is_match(body.get_or_init(|| json.to_string())))
    })?;
    Some(match rule.class {
        ErrorClass::Transient => Class::Transient,
        ErrorClass::RateLimited => Class::RateLimited,
        ErrorClass::Ambiguous => Class::Ambiguous,
        ErrorClass::TooLarge => Class::TooLarge,
        ErrorClass::Permanent => Class::Permanent,
        ErrorClass::Auth => Class::Auth,
        ErrorClass::Conflict => Class::Conflict,
        ErrorClass::Missing => Class::Missing,
    })
}

impl Sink for Declared {
    fn api(&self) -> &Api {
        &self.api
    }

    async fn probe(&self, needs: &Needs) -> Result<Probe, Failure> {
        probe::probe(self, needs).await
    }

    fn wire(&self, item: &Item, links: &Links, stage: Stage) -> Wire {
        wire::wire(self, item, links, stage)
    }

    async fn list(
        &self,
        kind: Kind,
        of: &str,
        from: Option<String>,
    ) -> Result<(Vec<Listed>, Option<String>), Failure> {
        read::list(self, kind, of, from).await
    }

    async fn find(&self, item: &Item) -> Result<Vec<Remote>, Failure> {
        read::find(self, item).await
    }

    async fn create(&self, item: &Item, wire: &Wire) -> Result<Remote, Failure> {
        match &item.body {
            super::Payload::Media(asset, path) => media::upload(self, item, asset, path, wire).await,
            _ => write::create(self, item, wire).await,
        }
    }

    fn is_atomic(&self) -> bool {
        self.rules.document.atomic
    }

    async fn update(&self, id: &str, item: &Item, wire: &Wire) -> Result<Remote, Failure> {
        write::patch(self, item.kind(), &item.of, id, &wire.fields).await
    }

    async fn patch(
        &self,
        kind: Kind,
        of: &str,
        id: &str,
        fields: &Map<String, Value>,
    ) -> Result<Remote, Failure> {
        write::patch(self, kind, of, id, fields).await
    }

    fn state_fields(&self, live: bool) -> Map<String, Value> {
        [(wire::STATE.to_owned(), wire::state(live))]
            .into_iter()
            .collect()
    }

    async fn read(&self, kind: Kind, of: &str, ids: &[String]) -> Result<Vec<Remote>, Failure> {
        read::read(self, kind, of, ids).await
    }

    async fn delete(&self, kind: Kind, of: &str, id: &str) -> Result<(), Failure> {
        write::delete(self, kind, of, id).await
    }

    fn same(&self, field: &str, ours: &Value, theirs: &Value) -> bool {
        read::same(field, ours, theirs)
    }

    fn body_field(&self) -> &'static str {
        "body"
    }

    fn keeps_names(&self) -> bool {
        self.rules.media.keeps_names
    }
}
