//! The sample as a whole: which lines and links are everybody's, what anchors say of the pages that they lead to, and what
//! each group of pages is for.

use super::cluster::{clusters, common, core, share};
use super::model::Kind;
use super::sketch::{Sketch, hash, likeness};
use crate::document::Span;
use crate::extract::auto::{self, Auto};
use crate::lang::{Language, fold};
use crate::mapping::{Css, Mapping, PageUrl};
use crate::page::Page;
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

/// Shortest anchor that can be a title, in characters.
const TITLE: usize = 8;

/// Links to articles that make a page a list.
const ENTRIES: f64 = 2.0;

/// Links to articles of its own kind that make a page a list.
const MANY: f64 = 5.0;

/// Share of its steps that an article in the same frame has in common with the others, at least.
const SAME_FRAME: f64 = 0.5;

/// Characters of its own that a page without content has at most.
const EMPTY: usize = 300;

/// Shortest line of an article's text, and how much of such an article has, in characters.
const PROSE: usize = 80;
const ARTICLE: usize = 240;

/// A group of pages and what it is for.
#[derive(Debug)]
pub(super) struct Cluster {
    pub kind: Kind,
    pub pages: Vec<usize>,
}

/// The sample.
pub(super) struct Site<'a> {
    pub mapping: &'a Mapping,
    pub language: Option<&'static Language>,
    pub sketches: Vec<Sketch<'a>>,
    pub index: BTreeMap<PageUrl, usize>,
    /// Lines of the frame.
    pub lines: BTreeSet<u64>,
    /// Addresses that the frame links to.
    pub links: BTreeSet<u64>,
    /// What other pages call a page, folded, the most frequent first.
    pub anchors: BTreeMap<PageUrl, Vec<String>>,
    pub clusters: Vec<Cluster>,
    /// No articles are in the sample: what lists name is taken for articles all the same.
    pub open: bool,
    /// Cluster of a shape of addresses.
    shapes: BTreeMap<String, usize>,
    /// Cluster of a page.
    of: Vec<Option<usize>>,
    /// What `@auto` finds on a page, once somebody asks.
    found: Vec<OnceCell<Auto>>,
    /// Name of the site.
    name: Option<String>,
}

impl<'a> Site<'a> {
    pub(super) fn of(sketches: Vec<Sketch<'a>>, mapping: &'a Mapping) -> Self {
        let keys: Vec<BTreeSet<u64>> = sketches
            .iter()
            .map(|s| s.lines.iter().map(|l| l.key).collect())
            .collect();
        let targets: Vec<BTreeSet<u64>> = sketches
            .iter()
            .map(|s| s.links.iter().map(|l| hash(l.to.as_str())).collect())
            .collect();
        fn pair<'b>(
            sketches: &'b [Sketch<'_>],
            sets: &'b [BTreeSet<u64>],
        ) -> Vec<(&'b str, &'b BTreeSet<u64>)> {
            sketches.iter().map(|s| s.shape.as_str()).zip(sets).collect()
        }
        let lines = common(&pair(&sketches, &keys));
        let links = common(&pair(&sketches, &targets));
        let mut said: BTreeMap<PageUrl, BTreeMap<String, usize>> = BTreeMap::new();
        for sketch in &sketches {
            for link in sketch
                .links
                .iter()
                .filter(|l| l.to != sketch.page.url && l.text.chars().count() >= TITLE)
            {
                *said
                    .entry(link.to.clone())
                    .or_default()
                    .entry(link.text.clone())
                    .or_default() += 1;
            }
        }
        let anchors = said.into_iter().map(|(url, texts)| {
            let mut texts: Vec<(String, usize)> = texts.into_iter().collect();
            texts.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            (url, texts.into_iter().map(|t| t.0).collect())
        });
        let refs: Vec<&Page> = sketches.iter().map(|s| s.page).collect();
        let given = mapping.rules().site.name.clone();
        let mut site = Self {
            name: given.or_else(|| Some(super::called::called(&refs)?.name)),
            found: sketches.iter().map(|_| OnceCell::new()).collect(),
            mapping,
            language: Language::get(&mapping.rules().site.language),
            index: sketches
                .iter()
                .enumerate()
                .map(|(i, s)| (s.page.url.clone(), i))
                .collect(),
            lines,
            links,
            anchors: anchors.collect(),
            clusters: Vec::new(),
            open: false,
            shapes: BTreeMap::new(),
            of: Vec::new(),
            sketches,
        };
        site.group();
        site
    }

    fn group(&mut self) {
        let starts = self.mapping.start_urls();
        let home: Vec<usize> = (0..self.sketches.len())
            .filter(|i| starts.contains(&self.sketches[*i].page.url))
            .collect();
        let mut groups = clusters(&self.sketches);
        for group in &mut groups {
            group.retain(|i| !home.contains(i));
        }
        groups.retain(|g| !g.is_empty());
        for (at, group) in groups.iter().enumerate() {
            for index in group {
                self.shapes
                    .entry(self.sketches[*index].shape.clone())
                    .or_insert(at);
            }
        }
        self.clusters = groups
            .into_iter()
            .map(|pages| Cluster {
                kind: Kind::Other,
                pages,
            })
            .collect();
        self.place();
        let asking = self.sketches.iter().filter(|s| s.login).count();
        let rare = !share(asking, self.sketches.len(), 0.5);
        let count = self.clusters.len();
        // Who links to whom, page by page, apart from the frame.
        let links: Vec<Vec<f64>> = (0..count)
            .map(|c| {
                let pages = &self.clusters[c].pages;
                let mut to = vec![0.0; count];
                for index in pages {
                    for (at, n) in self.led_to(*index) {
                        to[at] += n as f64 / pages.len() as f64;
                    }
                }
                to
            })
            .collect();
        let titled: Vec<f64> = (0..count)
            .map(|c| {
                let pages = &self.clusters[c].pages;
                pages.iter().filter(|i| self.title_of(**i).is_some()).count() as f64 / pages.len() as f64
            })
            .collect();
        // Articles with and without pictures, tables, files may be several groups: those of one shape of address count as
        // one for whoever links to them.
        let family = self.families();
        let lists: Vec<BTreeSet<usize>> = (0..count)
            .map(|c| {
                // Articles name a few others of their kind; a list of the same shape is in the menu, or names many.
                let pages = &self.clusters[c].pages;
                let menu = pages.iter().filter(|i| {
                    let url = self.sketches[**i].page.url.as_str();
                    self.links.contains(&hash(url))
                });
                let menu = share(menu.count(), pages.len(), 0.5);
                let mut to: Vec<BTreeSet<usize>> = Vec::new();
                for d in (0..count).filter(|d| *d != c) {
                    if family[d] == family[c] {
                        if menu || links[c][d] >= MANY {
                            to.push(BTreeSet::from([d]));
                        }
                    } else if family[d] == d {
                        to.push((0..count).filter(|e| family[*e] == d).collect());
                    }
                }
                let sum = |to: &BTreeSet<usize>| to.iter().map(|d| links[c][*d]).sum::<f64>();
                let best = to.into_iter().max_by(|a, b| sum(a).total_cmp(&sum(b)));
                let fits = |to: &BTreeSet<usize>| {
                    let pages = |d: usize| self.clusters[d].pages.len() as f64;
                    let all: f64 = to.iter().map(|d| pages(*d)).sum();
                    let mean =
                        |of: &dyn Fn(usize) -> f64| to.iter().map(|d| of(*d) * pages(*d)).sum::<f64>() / all;
                    let there = sum(to);
                    there >= ENTRIES && there > mean(&|d| links[d][c]) && mean(&|d| titled[d]) >= 0.5
                };
                best.filter(fits).unwrap_or_default()
            })
            .collect();
        for c in 0..count {
            let pages = self.clusters[c].pages.clone();
            let login = rare
                && share(
                    pages.iter().filter(|i| self.sketches[**i].login).count(),
                    pages.len(),
                    0.5,
                );
            let listed = lists.iter().any(|to| to.contains(&c)) && titled[c] >= 0.5;
            let kind = if login {
                Kind::Login
            } else if !lists[c].is_empty() {
                Kind::List
            } else if listed || (titled[c] >= 0.5 && pages.len() >= 3) {
                Kind::Article
            } else {
                Kind::Other
            };
            self.clusters[c].kind = kind;
        }
        self.join();
        self.place();
        self.leftovers();
        if !home.is_empty() {
            self.clusters.push(Cluster {
                kind: Kind::Home,
                pages: home,
            });
            self.place();
        }
    }

    /// The first cluster of which a cluster has a shape of address.
    fn families(&self) -> Vec<usize> {
        let shapes = |c: &Cluster| -> BTreeSet<&str> {
            let pages = c.pages.iter();
            pages.map(|i| self.sketches[*i].shape.as_str()).collect()
        };
        let all: Vec<BTreeSet<&str>> = self.clusters.iter().map(shapes).collect();
        let mut out: Vec<usize> = Vec::new();
        for (c, own) in all.iter().enumerate() {
            let same = all[..c].iter().position(|other| !other.is_disjoint(own));
            out.push(same.map_or(c, |d| out[d]));
        }
        out
    }

    /// Notes the cluster of each page.
    fn place(&mut self) {
        self.of = vec![None; self.sketches.len()];
        for (at, cluster) in self.clusters.iter().enumerate() {
            for index in &cluster.pages {
                self.of[*index] = Some(at);
            }
        }
    }

    /// Articles that look unlike the others (nothing but a file, a page of pictures) have an address like theirs, show
    /// what others call them, and stand in the same frame. In another frame they are another template.
    fn join(&mut self) {
        let Some(main) = self.clusters.iter().position(|c| c.kind == Kind::Article) else {
            return;
        };
        let shapes: BTreeSet<String> = self.clusters[main]
            .pages
            .iter()
            .map(|i| self.sketches[*i].shape.clone())
            .collect();
        let core = core(self.clusters[main].pages.iter().map(|i| &self.sketches[*i].steps));
        let mut joined = Vec::new();
        for at in 0..self.clusters.len() {
            let cluster = &self.clusters[at];
            if at == main
                || cluster.kind == Kind::Login
                || cluster.pages.len() > self.clusters[main].pages.len()
            {
                continue;
            }
            let belongs = |i: &usize| {
                let sketch = &self.sketches[*i];
                shapes.contains(&sketch.shape)
                    && self.title_of(*i).is_some()
                    && likeness(&sketch.steps, &core) >= SAME_FRAME
            };
            let (theirs, own): (Vec<usize>, Vec<usize>) = cluster.pages.iter().partition(|i| belongs(i));
            joined.extend(theirs);
            self.clusters[at].pages = own;
        }
        self.clusters[main].pages.extend(joined);
        self.clusters[main].pages.sort_unstable();
        // Groups stay where they are, for addresses are looked up by them.
    }

    /// Clusters of no kind: print views, and messages under the address of an article.
    fn leftovers(&mut self) {
        let article: Vec<usize> = self.pages_of(Kind::Article);
        let shapes: BTreeSet<&str> = article.iter().map(|i| self.sketches[*i].shape.as_str()).collect();
        let texts: BTreeSet<u64> = article
            .iter()
            .flat_map(|i| self.own_lines(*i).into_iter().map(|l| l.0))
            .collect();
        let mut kinds = Vec::new();
        for cluster in &self.clusters {
            let mut kind = cluster.kind;
            let of_article = cluster
                .pages
                .iter()
                .all(|i| shapes.contains(self.sketches[*i].shape.as_str()));
            let lines: Vec<(u64, usize)> = cluster.pages.iter().flat_map(|i| self.own_lines(*i)).collect();
            let chars: usize = lines.iter().map(|l| l.1).sum();
            if cluster.pages.is_empty() {
                kinds.push(kind);
                continue;
            }
            if matches!(kind, Kind::Other | Kind::Article) && cluster.pages.len() <= article.len() {
                let known: usize = lines.iter().filter(|l| texts.contains(&l.0)).map(|l| l.1).sum();
                let small = chars / cluster.pages.len().max(1) < EMPTY;
                if of_article && small && kind == Kind::Other {
                    kind = Kind::Gone;
                } else if kind == Kind::Other && !of_article && chars > EMPTY && share(known, chars, 0.6) {
                    kind = Kind::Copy;
                }
            }
            kinds.push(kind);
        }
        for (cluster, kind) in self.clusters.iter_mut().zip(kinds) {
            cluster.kind = kind;
        }
    }

    /// All pages of a kind.
    pub(super) fn pages_of(&self, kind: Kind) -> Vec<usize> {
        self.clusters
            .iter()
            .filter(|c| c.kind == kind)
            .flat_map(|c| c.pages.iter().copied())
            .collect()
    }

    /// Lines that are not the frame's: key and length.
    fn own_lines(&self, index: usize) -> Vec<(u64, usize)> {
        let lines = self.sketches[index].lines.iter();
        lines
            .filter(|l| !self.lines.contains(&l.key))
            .map(|l| (l.key, l.chars))
            .collect()
    }

    /// What a page says that holds no article: its longest line that is not the frame's, and an element that no article has.
    pub(super) fn message(&self, index: usize) -> Option<(String, Option<String>)> {
        let sketch = &self.sketches[index];
        let own = sketch
            .lines
            .iter()
            .filter(|l| !self.lines.contains(&l.key) && l.chars >= TITLE);
        let line = own.max_by_key(|l| l.chars)?;
        let articles = self.pages_of(Kind::Article);
        let around = sketch.elements().filter(|(_, s)| s.holds(line.span));
        let mut names: Vec<(String, u32)> = around
            .flat_map(|(e, _)| super::selector::candidates(e))
            .filter(|c| c.1 <= 40)
            .collect();
        names.sort_by_key(|n| n.1);
        let strange = names.into_iter().take(60).find(|(css, _)| {
            crate::mapping::Css::new(css).is_ok_and(|css| {
                articles.iter().all(|i| {
                    self.sketches[*i]
                        .page
                        .html
                        .select(css.selector())
                        .next()
                        .is_none()
                })
            })
        });
        Some((
            crate::lang::spaces(sketch.page.text.slice(line.span)),
            strange.map(|s| s.0),
        ))
    }

    /// The cluster of an address, by the page itself or by others of its shape.
    pub(super) fn cluster_of(&self, url: &PageUrl) -> Option<usize> {
        if let Some(index) = self.index.get(url) {
            return self.of.get(*index).copied().flatten();
        }
        self.shapes.get(&super::sketch::shape(url)).copied()
    }

    /// Whether an address is that of an article, as far as the sample shows.
    pub(super) fn is_article(&self, url: &PageUrl) -> bool {
        let kind = self.cluster_of(url).map(|c| self.clusters[c].kind);
        if self.open {
            return !self.links.contains(&hash(url.as_str())) && kind.is_none_or(|k| k == Kind::Other);
        }
        kind == Some(Kind::Article)
    }

    /// Clusters that a page links to apart from the frame, and to how many of their pages.
    fn led_to(&self, index: usize) -> BTreeMap<usize, usize> {
        let sketch = &self.sketches[index];
        let targets: BTreeSet<&PageUrl> = sketch
            .links
            .iter()
            .map(|l| &l.to)
            .filter(|to| !self.links.contains(&hash(to.as_str())))
            .collect();
        let mut out = BTreeMap::new();
        for to in targets {
            if let Some(cluster) = self.cluster_of(to) {
                *out.entry(cluster).or_default() += 1;
            }
        }
        out
    }

    /// What `@auto` finds on a page.
    pub(super) fn auto(&self, index: usize) -> &Auto {
        self.found[index].get_or_init(|| auto::read_of(self.sketches[index].page, self.name.as_deref()))
    }

    /// What a page calls itself, if it shows that outside of links.
    pub(super) fn told_title(&self, index: usize) -> Option<String> {
        let sketch = &self.sketches[index];
        let found = self.auto(index).title.as_ref()?;
        let title = fold(&found.value);
        let mut lines = sketch.lines.iter().filter(|l| l.linked * 2 < l.chars);
        let shown = found.chars.is_some() || lines.any(|l| fold(sketch.page.text.slice(l.span)) == title);
        shown.then_some(title)
    }

    /// Characters of the long lines that `@auto` keeps on a page and that are no links, apart from those in `entries`.
    fn prose(&self, index: usize, entries: &[Span]) -> usize {
        let sketch = &self.sketches[index];
        let kept = super::vote::kept(sketch, self.auto(index));
        let lines = sketch.lines.iter().filter(|l| {
            let apart = !entries.iter().any(|e| e.holds(l.span));
            apart && kept.contains(&l.span.0) && l.chars >= PROSE && l.linked * 2 < l.chars
        });
        lines.map(|l| l.chars).sum()
    }

    /// Whether most of these pages say something at length, and in no entry of a list.
    pub(super) fn tell(&self, pages: &[usize], entries: Option<&Css>) -> bool {
        let article = |i: &&usize| {
            let page = self.sketches[**i].page;
            let hits = entries
                .into_iter()
                .flat_map(|css| page.html.select(css.selector()));
            let spans: Vec<Span> = hits.filter_map(|e| page.text.span(e.id())).collect();
            let titled = entries.is_none() || self.told_title(**i).is_some();
            titled && self.prose(**i, &spans) >= ARTICLE
        };
        share(pages.iter().filter(article).count(), pages.len(), 0.5)
    }

    /// No list says what is an article: pages that are made alike, and that tell something at length, are articles. Then all
    /// of a page's steps count, for the frame cannot be told from the template.
    pub(super) fn unlisted(&mut self) {
        let known = self.pages_of(Kind::Article).len() >= super::FEWEST;
        let kinds = &[Kind::Article, Kind::Other, Kind::Gone, Kind::Copy][..if known { 2 } else { 4 }];
        let mut pages: Vec<usize> = kinds.iter().flat_map(|k| self.pages_of(*k)).collect();
        pages.sort_unstable();
        let groups = super::cluster::whole(&self.sketches, &pages);
        self.clusters.retain(|c| !kinds.contains(&c.kind));
        for pages in groups {
            let article = pages.len() >= super::FEWEST && self.tell(&pages, None);
            let kind = if article { Kind::Article } else { Kind::Other };
            self.clusters.push(Cluster { kind, pages });
        }
        self.place();
        self.shapes.clear();
        for (at, cluster) in self.clusters.iter().enumerate() {
            for index in &cluster.pages {
                self.shapes
                    .entry(self.sketches[*index].shape.clone())
                    .or_insert(at);
            }
        }
    }

    /// What other pages call a page, if the page shows it outside of links.
    pub(super) fn title_of(&self, index: usize) -> Option<String> {
        let sketch = &self.sketches[index];
        let texts = self.anchors.get(&sketch.page.url)?;
        texts
            .iter()
            .find(|t| {
                let mut lines = sketch.lines.iter().filter(|l| l.linked * 2 < l.chars);
                lines.any(|l| crate::lang::fold(sketch.page.text.slice(l.span)) == **t)
            })
            .cloned()
    }
}
