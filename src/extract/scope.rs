//! Where the content is, what is dropped before anybody reads it, and the order in which rules take text.

use super::account::Claims;
use super::auto::{Auto, Candidate, Verdict, reason};
use super::block::Builder;
use super::container::{self, Chosen};
use super::field::{Found, Taker};
use super::{Context, InlineMedia, Rung};
use crate::document::{
    Accounting, Block, Citation, Dropped, FieldProvenance, Gate, GateLevel, LearnedFrom, Link, Media, Span,
};
use crate::lang::{catalogue, citation, fold, fold_case, spaces};
use crate::mapping::Css;
use crate::mapping::model::{Catalogue, Collection, DropRule, Field};
use crate::page::Page;
use ego_tree::NodeId;
use scraper::ElementRef;
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

/// What one container gave.
pub(super) struct Content {
    pub(super) fields: BTreeMap<String, Found>,
    pub(super) body: Vec<Block>,
    pub(super) media: Vec<Media>,
    pub(super) attachments: Vec<Media>,
    pub(super) links: Vec<Link>,
    pub(super) citations: Vec<Citation>,
    pub(super) inline_media: Vec<InlineMedia>,
    /// Pictures that are no content.
    pub(super) furniture: Vec<Dropped>,
    /// What a reader should look at.
    pub(super) notes: Vec<Gate>,
    /// The model that was asked for the container.
    pub(super) learned: Option<LearnedFrom>,
    pub(super) missing: usize,
}

pub(super) struct Scopes<'a> {
    page: &'a Page,
    collection: &'a Collection,
    context: &'a Context<'a>,
    claims: Claims,
    skip: HashSet<NodeId>,
    container: ElementRef<'a>,
    chosen: Chosen<'a>,
    spans: Vec<(Span, usize)>,
}

impl<'a> Scopes<'a> {
    pub(super) fn new(page: &'a Page, collection: &'a Collection, context: &'a Context<'a>) -> Self {
        let chosen = container::choose(page, collection, context);
        let mut claims = Claims::new(page.text.len());
        let mut skip = HashSet::new();
        for rule in context.mapping.rules().drop.iter().chain(&collection.drop) {
            let Some(css) = &rule.css else { continue };
            let owner = claims.rule(&rule.id, &rule.reason, false);
            for element in page.select(css) {
                let span = page.text.span(element.id()).unwrap_or_default();
                // On a page of another layout a rule may name what holds the text.
                if chosen.alarmed && chosen.auto.as_ref().is_some_and(|a| a.stands_in(span)) {
                    continue;
                }
                claims.claim(span, owner);
                skip.insert(element.id());
            }
        }
        for element in page.select(&OFFICE) {
            let owner = claims.rule("office-settings", OFFICE_REASON, false);
            claims.claim(page.text.span(element.id()).unwrap_or_default(), owner);
            skip.insert(element.id());
        }
        Self {
            page,
            collection,
            context,
            claims,
            skip,
            container: chosen.element.unwrap_or_else(|| page.html.root_element()),
            chosen,
            spans: Vec::new(),
        }
    }

    /// What `@auto` found, block by block.
    pub(super) fn into_auto(self) -> Option<Auto> {
        self.chosen.auto
    }

    /// Drops what `@auto` did not keep, each block by its own rule; what fields have taken is theirs.
    fn drop_auto(&mut self) {
        let Some(found) = &self.chosen.auto else { return };
        for block in found.blocks.iter().filter(|b| b.verdict == Verdict::Dropped) {
            let owner = self.claims.rule(block.rule, reason(block.rule), false);
            self.claims.claim(block.chars, owner);
        }
        self.skip.extend(&found.skip);
    }

    /// Fields that the mapping does not speak of, as the page tells and shows them; on an odd page also those that its rules
    /// do not find.
    fn auto_fields(&mut self, fields: &mut BTreeMap<String, Found>) {
        let Some(found) = &self.chosen.auto else { return };
        let authors: Vec<&str> = found.authors.iter().map(|a| a.value.as_str()).collect();
        let byline = found.authors.first().map(|first| Candidate {
            value: authors.join(", "),
            ..first.clone()
        });
        for (name, candidate) in [
            ("title", found.title.as_ref()),
            ("dates.published", found.published.as_ref()),
            ("byline", byline.as_ref()),
        ] {
            let told = fields.contains_key(name)
                || (self.collection.fields.contains_key(name) && !self.chosen.alarmed);
            let Some(candidate) = candidate.filter(|_| !told) else {
                continue;
            };
            // A date or a name in a table of data is said there as well: without it the table has a hole.
            let tabled = |chars: &Span| {
                let mut tables = found.tables.iter();
                name != "title" && tables.any(|t| t.holds(*chars))
            };
            if let Some(chars) = candidate.chars.filter(|c| !tabled(c)) {
                let rule = self.claims.rule(&format!("fields.{name}"), "", true);
                let label = "label around the value of the field";
                let label = self.claims.rule(&format!("fields.{name}"), label, false);
                let whole = spaces(self.page.text.slice(chars)) == candidate.value;
                self.claims.claim(chars, if whole { rule } else { label });
            }
            let provenance = FieldProvenance {
                rule: format!("auto:{name}"),
                rung: 0,
                method: candidate.method.clone(),
                confidence: candidate.confidence,
                chars: candidate.chars,
            };
            fields.insert(
                name.into(),
                Found {
                    value: candidate.value.clone(),
                    provenance,
                },
            );
        }
    }

    fn rules(&self) -> impl Iterator<Item = &'a DropRule> + use<'a> {
        self.context
            .mapping
            .rules()
            .drop
            .iter()
            .chain(&self.collection.drop)
    }

    /// Elements that become documents.
    pub(super) fn roots(&self) -> Vec<ElementRef<'a>> {
        self.collection.each.as_ref().map_or_else(
            || vec![self.container],
            |each| self.container.select(each.css.selector()).collect(),
        )
    }

    /// The element that holds the content.
    pub(super) fn container(&self) -> ElementRef<'a> {
        self.container
    }

    pub(super) fn whole(&self) -> Span {
        Span(0, self.page.text.len())
    }

    pub(super) fn spans(&self) -> Vec<(Span, usize)> {
        self.spans.clone()
    }

    pub(super) fn account(&self, span: Span, missing: usize) -> (Accounting, Vec<Dropped>) {
        self.claims.account(&self.page.text, span, missing)
    }

    /// Everything outside the container, for rules that say so.
    pub(super) fn outside(&mut self) {
        let inner = self.page.text.span(self.container.id()).unwrap_or_default();
        for rule in self.rules().filter(|r| r.outside == Some(true)) {
            let owner = self.claims.rule(&rule.id, &rule.reason, false);
            self.claims.claim(Span(0, inner.0), owner);
            self.claims.claim(Span(inner.1, self.page.text.len()), owner);
        }
    }

    fn drop_text(&mut self, lines: &[Span], end: usize) {
        let text = &self.page.text;
        let wanted = self.rules().any(|r| r.text.is_some() || r.from.is_some());
        let folded = lines
            .iter()
            .filter(|_| wanted)
            .map(|l| (*l, fold(text.slice(*l))));
        let folded: Vec<(Span, String)> = folded.collect();
        for line in lines.iter().filter(|l| is_office(text.slice(**l))) {
            let owner = self.claims.rule("office-settings", OFFICE_REASON, false);
            self.claims.claim(*line, owner);
        }
        for rule in self.rules() {
            let owner = self.claims.rule(&rule.id, &rule.reason, false);
            if let Some(pattern) = &rule.text {
                for (line, _) in folded.iter().filter(|(line, f)| {
                    let whole = |t: &str| pattern.regex().find(t).is_some_and(|m| m.len() == t.len());
                    // A pattern may place tones either way.
                    whole(f) || whole(&fold_case(text.slice(*line)))
                }) {
                    self.claims.claim(*line, owner);
                }
            }
            if let Some((group, language)) = rule.catalogue.map(group).zip(self.context.language()) {
                let known =
                    |l: &Span| catalogue::find(language, text.slice(*l)).is_some_and(|(g, _)| g == group);
                let mut hits = lines.iter().filter(|l| known(l));
                if group == catalogue::Group::Related {
                    if let Some(heading) = hits.next() {
                        self.claims.claim(Span(heading.0, end), owner);
                    }
                } else {
                    hits.for_each(|line| self.claims.claim(*line, owner));
                }
            }
            let Some(from) = rule.from.as_deref().map(fold) else {
                continue;
            };
            let Some(start) = folded.iter().position(|(_, f)| f.starts_with(&from)) else {
                continue;
            };
            let to = rule.to.as_deref().map(fold);
            let stop = folded[start + 1..]
                .iter()
                .find(|(_, f)| to.as_ref().is_some_and(|to| f.starts_with(to)));
            self.claims
                .claim(Span(folded[start].0.0, stop.map_or(end, |(l, _)| l.0)), owner);
        }
    }

    /// Takes fields, then the body.
    pub(super) fn content(
        &mut self,
        root: ElementRef<'a>,
        earlier: Option<&BTreeMap<String, Found>>,
        more: bool,
        explain: &mut Vec<Rung>,
    ) -> Content {
        let text = &self.page.text;
        let span = text.span(root.id()).unwrap_or_default();
        let lines = text.lines(span);
        self.drop_text(&lines, span.1);
        let stops: Vec<String> = self
            .collection
            .scope
            .stop_before
            .iter()
            .map(|s| fold(s))
            .collect();
        let stop = lines.iter().filter(|_| !stops.is_empty()).find(|l| {
            let folded = fold(text.slice(**l));
            stops.iter().any(|s| folded.starts_with(s))
        });
        let stop = stop.map_or(usize::MAX, |l| l.0);
        let taker = Taker {
            page: self.page,
            context: self.context,
            container: root,
            closed: self.collection.each.is_some(),
            earlier,
            more,
            lines: lines.into_iter().filter(|l| l.0 < stop).collect(),
        };
        let mut order: Vec<(&String, &Field)> = self.collection.fields.iter().collect();
        let rank = |f: &Field| {
            f.take.first().map_or(0, |t| match () {
                () if t.infer.is_some() => 4,
                () if t.lead.is_some() => 3,
                () if t.signature.is_some() => 2,
                () if t.after.is_some() => 1,
                () => 0,
            })
        };
        // A summary is known by its place: on a page of another layout the text may stand there.
        order.retain(|(name, _)| !self.chosen.alarmed || *name != "summary");
        order.sort_by_key(|(_, f)| rank(f));
        let mut fields: BTreeMap<String, Found> = BTreeMap::new();
        // A second round for those that wait for another field.
        for round in 0..2 {
            for (name, field) in &order {
                let waits = field.take.iter().any(|t| t.infer.is_some() || t.after.is_some());
                if fields.contains_key(*name) || (round == 1 && !waits) {
                    continue;
                }
                explain.retain(|r| round == 0 || earlier.is_some() || r.field != **name);
                if rank(field) > 0 {
                    self.claims.settle();
                }
                if let Some(found) = taker.field(name, field, &mut self.claims, &fields, explain) {
                    fields.insert((*name).clone(), found);
                }
            }
        }
        self.auto_fields(&mut fields);
        if let Some(provenance) = &self.chosen.provenance {
            fields.entry("body".into()).or_insert_with(|| Found {
                value: String::new(),
                provenance: provenance.clone(),
            });
        }
        self.claims.settle();
        self.drop_auto();
        let anchors = super::anchor::Anchors::of(self.page, root, &self.claims);
        let body = self.claims.rule("body", "", true);
        let marker = self
            .claims
            .rule("list-marker", "the list says what its marker said", false);
        let none = HashSet::new();
        let mut builder = Builder {
            page: self.page,
            context: self.context,
            claims: &mut self.claims,
            skip: &self.skip,
            captions: self.chosen.auto.as_ref().map_or(&none, |a| &a.captions),
            stop,
            body,
            marker,
            links: Vec::new(),
            targets: Vec::new(),
            media: Vec::new(),
            attachments: Vec::new(),
            inline_media: Vec::new(),
            anchors,
            furniture: Vec::new(),
            placeholder: None,
            notes: Vec::new(),
        };
        let blocks = builder.blocks(*root, 0);
        if let Some(found) = &self.chosen.auto {
            builder.leave(&found.left);
        }
        let (links, mut media) = (builder.links, builder.media);
        let (attachments, inline_media) = (builder.attachments, builder.inline_media);
        let (furniture, mut notes) = (builder.furniture, builder.notes);
        notes.extend(hidden(self.page, root, &self.skip));
        notes.extend(self.chosen.note.clone());
        let images = blocks.iter().flat_map(|b| match b {
            Block::Image { image, .. } => std::slice::from_ref(image),
            Block::Gallery { items, .. } => items.as_slice(),
            _ => &[],
        });
        for image in images {
            if let Some(entry) = media.iter_mut().find(|m| m.reference == image.media) {
                entry.caption = image.caption.as_ref().map(|c| c.text.clone());
                entry.credit.clone_from(&image.credit);
            }
        }
        // The title of a frame is an attribute: no visible character stands for it.
        let made: Vec<String> = blocks
            .iter()
            .filter(|b| !matches!(b, Block::Embed { .. }))
            .map(Block::text)
            .collect();
        let missing = self.claims.missing(text, span, body, &made);
        let end = stop.min(span.1).max(span.0);
        let cited = |l| citation::find(text.slice(Span(span.0, end)), span.0, l);
        let citations = self.context.language().map(cited).unwrap_or_default();
        self.spans.push((
            if self.collection.each.is_some() {
                span
            } else {
                self.whole()
            },
            missing,
        ));
        Content {
            fields,
            body: blocks,
            media,
            attachments,
            links,
            citations,
            inline_media,
            furniture,
            notes,
            learned: self.chosen.learned.clone(),
            missing,
        }
    }
}

/// Letters of hidden text in a container that are worth a look.
const HIDDEN: usize = 200;

/// Notes text that styles hide in a container: a script of the page may show it to readers.
fn hidden(page: &Page, root: ElementRef<'_>, skip: &HashSet<NodeId>) -> Option<Gate> {
    let within = page.text.span(root.id()).unwrap_or_default();
    let mut texts: Vec<String> = Vec::new();
    for (_, id) in page
        .text
        .hidden()
        .iter()
        .filter(|(at, _)| (within.0..=within.1).contains(at))
    {
        let Some(element) = page.html.tree.get(*id).and_then(ElementRef::wrap) else {
            continue;
        };
        if element.ancestors().any(|a| skip.contains(&a.id())) || skip.contains(id) {
            continue;
        }
        let words = element.descendants().filter(|n| {
            let parent = n.parent().and_then(|p| p.value().as_element());
            !parent.is_some_and(|p| matches!(p.name(), "script" | "style" | "noscript" | "template"))
        });
        let text: String = words
            .filter_map(|n| n.value().as_text())
            .map(|t| &**t)
            .collect::<Vec<_>>()
            .join(" ");
        texts.push(crate::lang::spaces(&text));
    }
    let letters: usize = texts
        .iter()
        .map(|t| t.chars().filter(|c| !c.is_whitespace()).count())
        .sum();
    let first: String = texts.iter().find(|t| !t.is_empty())?.chars().take(60).collect();
    (letters >= HIDDEN).then(|| Gate {
        id: "hidden-text".into(),
        level: GateLevel::Warn,
        note: format!(
            "styles hide {letters} characters of the container, first `{first}`; if readers see them, name their elements in `page.reveal`"
        ),
    })
}

const OFFICE_REASON: &str = "settings and styles of the office program that the text was written in";

/// Settings of office programs that have lost the comment round them: a browser shows them.
static OFFICE: LazyLock<Css> =
    LazyLock::new(|| Css::builtin(r"xml, w\:worddocument, o\:officedocumentsettings"));

/// Whether a line is such settings or styles without their element.
fn is_office(line: &str) -> bool {
    let mut words = line.split_whitespace();
    let settings = words.next() == Some("Normal") && words.next() == Some("0") && {
        words.all(|w| {
            matches!(
                w,
                "false" | "true" | "X-NONE" | "pt" | "MicrosoftInternetExplorer4"
            ) || is_small(w)
        })
    };
    settings || line.starts_with("/* Style Definitions */") || line.starts_with("st1\\:*{behavior:")
}

/// A number or the tag of a language.
fn is_small(word: &str) -> bool {
    let number = word.chars().all(|c| c.is_ascii_digit() || c == '.');
    number
        || (word.len() <= 7
            && word.contains('-')
            && word.chars().all(|c| c.is_ascii_alphabetic() || c == '-'))
}

/// The catalogue's group of a mapping's word.
fn group(named: Catalogue) -> catalogue::Group {
    match named {
        Catalogue::Related => catalogue::Group::Related,
        Catalogue::Tools => catalogue::Group::Tools,
        Catalogue::Counters => catalogue::Group::Counters,
        Catalogue::Chrome => catalogue::Group::Chrome,
        Catalogue::Pager => catalogue::Group::Pager,
    }
}
