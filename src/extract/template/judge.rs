//! Whether a page is what its template taught: an odd page is told, not read as if it were like the others.

use super::model::{Article, Kind, Model, Template, VERSION};
use super::sketch::{Line, Sketch, likeness, steps};
use super::usual::{self, Seen};
use crate::lang::fold;
use crate::mapping::{Css, Mapping};
use crate::page::Page;
use scraper::ElementRef;
use std::collections::HashSet;
use std::sync::LazyLock;

/// How much longer or shorter than all pages of the sample a text may be, as a factor.
const BAND: usize = 4;

/// Shortest text that is no alarm by itself, in characters.
const SHORT: usize = 20;

/// Characters outside of the container that are never much, and the share of the text inside that is not.
const STRAY: usize = 200;
const STRAY_SHARE: usize = 2;

/// The same where the text inside is shorter than that of all pages that taught.
const STRAY_SHORT: usize = 60;

/// How many more hundredths of a text may be links than on any page of the sample; a text of which half is none is no list.
const LINKED: f64 = 0.25;
const LIST: f64 = 0.5;

/// Least share of steps that a page has in common with the template whose address it does not have.
const ALIKE: f64 = 0.6;

/// A form that asks for a password.
static PASSWORD: LazyLock<Css> = LazyLock::new(|| Css::builtin("input[type='password' i]"));

/// What is odd about a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Alarm {
    /// Its address is that of no template.
    Unknown,
    /// The container is missing.
    NoContainer,
    /// The container is empty.
    Empty,
    /// The headline is missing.
    NoTitle,
    /// Its text is far longer or shorter than that of all pages that taught: characters, shortest and longest.
    Length(usize, (usize, usize)),
    /// The container holds mostly links: their share here, and the largest of the sample.
    Links(f64, f64),
    /// The selector finds several elements: how many, and how many on the sample at most.
    Several(usize, usize),
    /// Much text stands outside of the container, in lines that no page of the template had there: characters, and most of
    /// the sample.
    Outside(usize, usize),
    /// It asks for a password.
    Login,
    /// It says what pages say that hold no article.
    Gone,
}

impl Alarm {
    /// A name for counts: the same for all pages.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Unknown => "unknown address",
            Self::NoContainer => "no container",
            Self::Empty => "empty",
            Self::NoTitle => "no headline",
            Self::Length(..) => "length",
            Self::Links(..) => "links",
            Self::Several(..) => "several containers",
            Self::Outside(..) => "text outside of the container",
            Self::Login => "asks for a password",
            Self::Gone => "no article",
        }
    }
}

impl std::fmt::Display for Alarm {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unknown => f.write_str("its address is that of no template"),
            Self::NoContainer => f.write_str("what holds the text is missing"),
            Self::Empty => f.write_str("there is no text"),
            Self::NoTitle => f.write_str("the headline is missing"),
            Self::Length(chars, (least, most)) => write!(
                f,
                "{chars} characters of text, where pages of its template have {least} to {most}"
            ),
            Self::Links(here, most) => write!(
                f,
                "{:.0} % of the text is links, where its template has {:.0} % at most",
                here * 100.0,
                most * 100.0
            ),
            Self::Several(here, most) => {
                write!(
                    f,
                    "{here} elements could hold the text, where its template has {most}"
                )
            }
            Self::Outside(chars, most) => write!(
                f,
                "{chars} characters that no other page has stand outside of what holds the text, where its template has {most} at most"
            ),
            Self::Login => f.write_str("it asks for a password"),
            Self::Gone => f.write_str("it says that there is no article"),
        }
    }
}

/// A stored model, ready to be asked page by page.
#[derive(Debug)]
pub struct Learned {
    version: u32,
    hash: String,
    ready: Vec<Ready>,
    /// Lines of the frame of the whole site.
    chrome: HashSet<u64>,
    messages: Vec<(String, Option<Css>)>,
}

/// A template of articles, ready to be asked.
#[derive(Debug)]
pub struct Ready {
    id: String,
    url: regex::Regex,
    steps: Vec<u64>,
    container: Css,
    title: Option<Css>,
    /// Selectors of its fields.
    fields: Vec<Css>,
    confidence: f64,
    article: Article,
    frame: HashSet<u64>,
}

impl Ready {
    /// Name of the template.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What holds the text on its pages.
    #[must_use]
    pub fn container(&self) -> &Css {
        &self.container
    }

    /// Whether path and query look like those of its pages.
    #[must_use]
    pub fn is_of(&self, location: &str) -> bool {
        self.url.is_match(location)
    }

    /// How sure that is, 0 to 1.
    #[must_use]
    pub fn confidence(&self) -> f64 {
        self.confidence
    }
}

impl Learned {
    /// Compiles a model. `version` and `hash` are those under which it is stored.
    ///
    /// # Errors
    /// What is wrong with the model: a form that this program does not know, a selector or pattern that does not compile.
    pub fn new(version: u32, hash: &str, model: &Model) -> Result<Self, String> {
        if model.version != VERSION {
            return Err(format!(
                "the models have form {}, this program knows {VERSION}; `sangtrang learn` makes them anew",
                model.version
            ));
        }
        let articles = model
            .templates
            .iter()
            .filter_map(|t| Some((t, t.article.as_ref()?)));
        let gone = model.templates.iter().filter(|t| t.kind == Kind::Gone);
        Ok(Self {
            version,
            hash: hash.to_owned(),
            ready: articles.map(|(t, a)| ready(t, a)).collect::<Result<_, _>>()?,
            chrome: model.chrome.iter().map(|c| c.0).collect(),
            messages: gone
                .filter_map(|t| t.message.as_ref())
                .map(|(text, css)| Ok((fold(text), css.as_deref().map(Css::new).transpose()?)))
                .collect::<Result<_, String>>()?,
        })
    }

    /// Under which number it is stored.
    #[must_use]
    pub fn version(&self) -> u32 {
        self.version
    }

    /// Hash of the stored form.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The template of a page: by its address; where several have such addresses or none has, by the steps of its tree.
    #[must_use]
    pub fn template(&self, page: &Page) -> Option<&Ready> {
        let location = page.url.path_and_query();
        let known: Vec<&Ready> = self.ready.iter().filter(|r| r.url.is_match(location)).collect();
        if let [only] = known[..] {
            return Some(only);
        }
        let own = steps(page);
        let (among, least): (Vec<&Ready>, f64) = if known.is_empty() {
            (self.ready.iter().collect(), ALIKE)
        } else {
            (known, 0.0)
        };
        let scored = among.into_iter().map(|r| (likeness(&own, &r.steps), r));
        // The first of equals: the most frequent template.
        let best = scored.reduce(|a, b| if b.0 > a.0 { b } else { a });
        best.filter(|(alike, _)| *alike >= least).map(|(_, r)| r)
    }

    /// What is odd about what holds the text of a page: `container`, by whatever rule it was found.
    #[must_use]
    pub fn judge(
        &self,
        ready: &Ready,
        page: &Page,
        mapping: &Mapping,
        container: Option<ElementRef<'_>>,
    ) -> Vec<Alarm> {
        let Some(element) = container else {
            return vec![Alarm::NoContainer];
        };
        let article = &ready.article;
        let span = page.text.span(element.id()).unwrap_or_default();
        let text = page.text_of(element);
        let chars = text.chars().count();
        if chars == 0 && !usual::shows(element) {
            return vec![Alarm::Empty];
        }
        let mut out = Vec::new();
        let short = chars < SHORT && chars * BAND < article.band.0 && !usual::shows(element);
        if chars > article.band.1 * BAND || short {
            out.push(Alarm::Length(chars, article.band));
        }
        let hits = usual::hits(page, &ready.container);
        if hits > article.hits.max(1) {
            out.push(Alarm::Several(hits, article.hits));
        }
        let sketch = Sketch::of(page, mapping);
        let linked = usual::linked(&sketch.lines, span);
        if linked > LIST && linked > article.linked + LINKED {
            out.push(Alarm::Links(linked, article.linked));
        }
        let seen = |l: &Line| ready.frame.contains(&l.key) || self.chrome.contains(&l.key);
        let fields = usual::places(page, &ready.fields);
        let Seen { inside, outside } = usual::seen(&sketch.lines, span, &fields, seen);
        let much = outside > 2 * article.outside + STRAY && outside * STRAY_SHARE > inside;
        // A notice is short: where the container holds less than on any page that taught, little is much.
        let instead = chars < article.band.0 && outside > article.outside + STRAY_SHORT;
        if much || instead {
            out.push(Alarm::Outside(outside, article.outside));
        }
        out
    }

    /// Characters of a page that stand in no frame and lead nowhere: what an article of an unknown layout would say.
    #[must_use]
    pub fn unseen(&self, ready: &Ready, page: &Page, mapping: &Mapping) -> usize {
        let sketch = Sketch::of(page, mapping);
        let seen = |l: &Line| ready.frame.contains(&l.key) || self.chrome.contains(&l.key);
        usual::seen(&sketch.lines, crate::document::Span(0, 0), &[], seen).outside
    }

    /// Whether a page says what pages say that hold no article.
    #[must_use]
    pub fn is_gone(&self, page: &Page) -> bool {
        self.messages.iter().any(|(text, css)| {
            page.has_text(text) && css.as_ref().is_none_or(|css| page.select(css).next().is_some())
        })
    }

    /// What is odd about a page by what was learned; empty if nothing is.
    #[must_use]
    pub fn alarms(&self, page: &Page, mapping: &Mapping) -> Vec<Alarm> {
        let location = page.url.path_and_query();
        let Some(ready) = self.template(page).filter(|r| r.url.is_match(location)) else {
            return vec![Alarm::Unknown];
        };
        let container = page.select(&ready.container).next();
        let mut out = self.judge(ready, page, mapping, container);
        let title = ready.title.as_ref().map(|css| page.select(css).next());
        if title.is_some_and(|t| t.is_none_or(|e| page.text_of(e).is_empty())) {
            out.push(Alarm::NoTitle);
        }
        // A box for the password stands beside many an article.
        if container.is_none() && asks(page) {
            out.push(Alarm::Login);
        }
        if self.is_gone(page) {
            out.push(Alarm::Gone);
        }
        out
    }
}

/// Whether a page asks for a password.
#[must_use]
pub fn asks(page: &Page) -> bool {
    page.select(&PASSWORD).next().is_some()
}

fn ready(template: &Template, article: &Article) -> Result<Ready, String> {
    Ok(Ready {
        id: template.id.clone(),
        url: regex::Regex::new(&template.url).map_err(|e| e.to_string())?,
        steps: template.steps.clone(),
        container: Css::new(&article.container.css)?,
        title: article.title.as_ref().map(|r| Css::new(&r.css)).transpose()?,
        fields: usual::fields(article),
        confidence: article.container.confidence(),
        frame: article.frame.iter().copied().collect(),
        article: Article {
            frame: Vec::new(),
            ..article.clone()
        },
    })
}
