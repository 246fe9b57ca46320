//! A model as a mapping to correct: valid, and with the evidence of every rule beside it.

use super::find::quote;
use super::model::{Article, Drop, Kind, List, Model, Rule, Template};
use super::sources::{Listed, discover, lists};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// The site that a mapping is drafted for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// Id of the site.
    pub id: String,
    /// Its name for people.
    pub name: Option<String>,
    /// How that is known.
    pub named_by: Option<String>,
    /// Base URL.
    pub base: String,
    /// Language of its content.
    pub language: String,
    /// Where its pages are read from, if not from the site: kind of the source and path.
    pub source: Option<(String, String)>,
    /// Encoding of pages that declare none.
    pub fallback: Option<String>,
    /// Tables of `[url]`, as [`super::aliases`] writes them.
    pub url: Option<String>,
}

/// An example of a collection: capture, URL, and the file with what is expected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Draft {
    /// Path of the capture, from the mapping's folder.
    pub capture: String,
    /// What it stands for.
    pub url: String,
    /// Path of what it must become.
    pub expect: String,
}

/// Ids of the collections of a model, in the order of its templates.
pub(super) fn collections(model: &Model) -> Vec<(String, &Template, &Article)> {
    let all = model
        .templates
        .iter()
        .filter_map(|t| Some((t, t.article.as_ref()?)));
    all.enumerate()
        .map(|(n, (t, a))| {
            (
                if n == 0 {
                    "articles".to_owned()
                } else {
                    format!("articles-{}", n + 1)
                },
                t,
                a,
            )
        })
        .collect()
}

/// A text inside of a comment.
pub(super) fn remark(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .take(110)
        .collect()
}

/// The mapping of a model; `examples` by id of the collection.
#[must_use]
pub fn draft(model: &Model, origin: &Origin, examples: &BTreeMap<String, Vec<Draft>>) -> String {
    let mut out = String::new();
    head(&mut out, model, origin);
    let lists = lists(model);
    let alone: Vec<&Template> = model
        .templates
        .iter()
        .filter(|t| t.kind == Kind::Article && t.article.is_none())
        .collect();
    let followed = if collections(model).is_empty() && alone.is_empty() {
        &[][..]
    } else {
        &lists[..]
    };
    discover(&mut out, model, origin, followed);
    let all = collections(model);
    if all.is_empty() && alone.is_empty() && lists.is_empty() {
        out.push_str("\n# No template was understood well enough: at least three articles of one kind are needed. Write the collection by hand\n# (docs/mapping.md), or sample more pages.\n");
    }
    if all.is_empty() && alone.is_empty() {
        // An entry stands on several lists: lists that are read alike are one collection, or it were several documents.
        let alike = |Listed { list, .. }: &Listed<'_>| {
            let date = list.date.as_ref().map(|d| (&d.css, &d.regex));
            format!("{} {} {date:?}", list.item.css, list.link)
        };
        let mut groups: Vec<(String, Vec<_>)> = Vec::new();
        for list in lists.iter().filter(|l| !l.again) {
            let rules = alike(list);
            match groups.iter_mut().find(|g| g.0 == rules) {
                Some((_, group)) => group.push(list),
                None => groups.push((rules, vec![list])),
            }
        }
        for (n, (_, group)) in groups.iter().enumerate() {
            let id = if n == 0 {
                "entries".to_owned()
            } else {
                format!("entries-{}", n + 1)
            };
            let urls: Vec<&str> = group.iter().map(|g| g.template.url.as_str()).collect();
            if let Some(first) = group.first() {
                listed(&mut out, &id, &urls.join("|"), first.template, first.list);
                examples_of(&mut out, examples, &id);
            }
        }
    }
    for (id, template, article) in &all {
        collection(&mut out, origin, id, template, article, &lists);
        examples_of(&mut out, examples, id);
    }
    for (n, template) in alone.into_iter().enumerate() {
        let n = all.len() + n + 1;
        let id = if n == 1 {
            "articles".into()
        } else {
            format!("articles-{n}")
        };
        page_by_page(&mut out, &id, template);
        examples_of(&mut out, examples, &id);
    }
    if !model.templates.is_empty() {
        out.push_str(REST);
        examples_of(&mut out, examples, "pages");
    }
    out
}

fn examples_of(out: &mut String, examples: &BTreeMap<String, Vec<Draft>>, id: &str) {
    for example in examples.get(id).into_iter().flatten() {
        let _ = write!(
            out,
            "\n[[collection.example]]\ncapture = {}\nurl = {}\nexpect = {}\n",
            quote(&example.capture),
            quote(&example.url),
            quote(&example.expect)
        );
    }
}

/// What no template is of is kept all the same.
const REST: &str = "\n# --- pages that nothing above knows. Each page is read by itself, and says that it is a guess. What is no content\n# wants an `[[ignore]]` rule, what is many pages alike a collection of its own.\n[[collection]]\nid = 'pages'\ntype = \"page\"\nmatch = { url = '^/', rest = true }\nscope = { container = [\"@auto\"] }\n";

/// A collection of articles of which nothing was learned: each page says by itself where its text is.
fn page_by_page(out: &mut String, id: &str, template: &Template) {
    let _ = write!(
        out,
        "\n# --- articles: {} pages of the sample: {}\n# No rules: {}. Each page is read by itself, and says that it is a guess.\n[[collection]]\nid = {}\ntype = \"article\"\nmatch = {{ url = {} }}\nscope = {{ container = [\"@auto\"] }}\n",
        template.pages,
        remark(&template.samples.join(" ")),
        remark(template.why.as_deref().unwrap_or("nothing was learned")),
        quote(id),
        quote(&template.url)
    );
    if let Some(key) = &template.key {
        let _ = writeln!(out, "key = {}", quote(key));
    }
    for drop in &template.drops {
        drop_rule(out, drop, template.pages);
    }
}

fn head(out: &mut String, model: &Model, origin: &Origin) {
    let _ = write!(
        out,
        "# Drafted by `sangtrang init` from {} pages. Every rule says how many pages it was right on and what it was known by;\n\
         # `also` names selectors that did as well. Correct it, look at `sangtrang try`, and keep the examples true.\n\
         schema = 1\n\n[site]\nid = {}\n",
        model.pages,
        quote(&origin.id)
    );
    if let Some(name) = &origin.name {
        if let Some(how) = &origin.named_by {
            let _ = writeln!(out, "# {}; titles lose it", remark(how));
        }
        let _ = writeln!(out, "name = {}", quote(name));
    }
    let _ = write!(
        out,
        "base = {}\nlanguage = {}\nstart = [\"/\"]\n",
        quote(&origin.base),
        quote(&origin.language)
    );
    if let Some((kind, path)) = &origin.source {
        let _ = write!(
            out,
            "\n[[site.source]]\nkind = {}\npath = {}\n",
            quote(kind),
            quote(path)
        );
    }
    out.push_str(origin.url.as_deref().unwrap_or_default());
    if let Some(label) = &origin.fallback {
        let _ = write!(
            out,
            "\n# Most pages declare no encoding that is right.\n[decode]\nfallback = {}\n",
            quote(label)
        );
    }
}

/// What a rule was known by, as a comment.
pub(super) fn evidence(out: &mut String, rule: &Rule) {
    let _ = writeln!(
        out,
        "# {} of {} pages{}, confidence {:.2}; known by: {}",
        rule.right,
        rule.of,
        if rule.wrong > 0 {
            format!(", wrong on {}", rule.wrong)
        } else {
            String::new()
        },
        rule.confidence(),
        remark(&rule.evidence)
    );
    if !rule.example.is_empty() {
        let _ = writeln!(out, "# found: {}", remark(&rule.example));
    }
    if !rule.others.is_empty() {
        let _ = writeln!(out, "# also: {}", remark(&rule.others.join("   ")));
    }
}

fn rung(rule: &Rule) -> String {
    let mut out = format!("{{ css = {}", quote(&rule.css));
    if let Some(attr) = &rule.attr {
        let _ = write!(out, ", attr = {}", quote(attr));
    }
    if let Some(regex) = &rule.regex {
        let _ = write!(out, ", regex = {}", quote(regex));
    }
    out + " }"
}

fn field(out: &mut String, name: &str, rules: &[&Rule], more: &[String], required: bool) {
    if rules.is_empty() && more.is_empty() {
        return;
    }
    out.push('\n');
    for rule in rules {
        evidence(out, rule);
    }
    let key = if name.contains('.') {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    };
    let rungs: Vec<String> = rules
        .iter()
        .map(|r| rung(r))
        .chain(more.iter().cloned())
        .collect();
    let _ = writeln!(out, "[collection.fields.{key}]\ntake = [{}]", rungs.join(", "));
    if required {
        out.push_str("required = true\n");
    }
}

fn collection(
    out: &mut String,
    origin: &Origin,
    id: &str,
    template: &Template,
    article: &Article,
    lists: &[Listed<'_>],
) {
    let _ = write!(
        out,
        "\n# --- articles: {} pages of the sample: {}\n[[collection]]\nid = {}\ntype = \"article\"\n",
        template.pages,
        remark(&template.samples.join(" ")),
        quote(id)
    );
    if let Some(key) = &template.key {
        let _ = writeln!(out, "key = {}", quote(key));
    }
    let _ = write!(
        out,
        "# A page of this address without the container is no article.\nmatch = {{ url = {}, css = {} }}\n",
        quote(&template.url),
        quote(&article.container.css)
    );
    if let Some(parts) = &template.parts {
        let _ = write!(
            out,
            "# {} articles go on on {} further pages with the same headline: {}\nparts = {{ url = {}, first = {}, css = {} }}\n",
            parts.articles,
            parts.pages,
            remark(&parts.example),
            quote(&parts.url),
            quote(&parts.first),
            quote(&parts.css)
        );
    }
    out.push_str("\n[collection.scope]\n");
    evidence(out, &article.container);
    let _ = writeln!(
        out,
        "container = [{}]\n# A page that is odd by what was learned is read by `@auto`, says that it is a guess, and carries a warning.\nalarm = true",
        quote(&article.container.css)
    );
    let listing = |name: &str| -> Vec<String> {
        let lists = lists.iter().filter(|l| name != "date" || l.list.date.is_some());
        lists
            .map(|l| format!("{{ listing = {} }}", quote(&format!("{}.{name}", l.id))))
            .collect()
    };
    let one = |rule: &Option<Rule>| -> Vec<Rule> { rule.iter().cloned().collect() };
    let title = one(&article.title);
    let mut titles = listing("title");
    // Where no heading is known, or not on all pages, the page is asked what it tells machines.
    if article
        .title
        .as_ref()
        .is_none_or(|r| (r.right as usize) < template.pages)
    {
        titles.push(head_title(origin));
    }
    field(out, "title", &title.iter().collect::<Vec<_>>(), &titles, true);
    let section = one(&article.section);
    field(out, "section", &section.iter().collect::<Vec<_>>(), &[], false);
    let mut dates: Vec<String> = article
        .published_meta
        .iter()
        .map(|m| format!("{{ meta = {} }}", quote(m)))
        .collect();
    dates.extend(listing("date"));
    field(
        out,
        "dates.published",
        &article.published.iter().collect::<Vec<_>>(),
        &dates,
        false,
    );
    let byline = one(&article.byline);
    let signature = if article.signature {
        vec!["{ signature = true }".to_owned()]
    } else {
        Vec::new()
    };
    if article.signature {
        out.push_str("\n# No page names its author outside of the text: the last line is tried.");
    }
    field(
        out,
        "byline",
        &byline.iter().collect::<Vec<_>>(),
        &signature,
        false,
    );
    let source = one(&article.source);
    let label: Vec<String> = article
        .source_label
        .iter()
        .map(|l| format!("{{ label = {} }}", quote(l)))
        .collect();
    if source.is_empty() && !label.is_empty() {
        out.push_str("\n# Where it is from stands behind this label, inside of the text.");
    }
    field(out, "source", &source.iter().collect::<Vec<_>>(), &label, false);
    let summary = one(&article.summary);
    field(out, "summary", &summary.iter().collect::<Vec<_>>(), &[], false);
    for drop in &article.drops {
        drop_rule(out, drop, template.pages);
    }
    if template.parts.is_some() {
        out.push_str(
            "\n[[collection.drop]]\nid = \"pager\"\nreason = \"the numbers of the article's pages\"\ncatalogue = \"pager\"\n",
        );
    }
    out.push_str(
        "\n# Whatever else stands around the article.\n[[collection.drop]]\nid = \"frame\"\nreason = \"outside of what holds the article\"\noutside = true\n\
         \n[[collection.gate]]\nid = \"dates\"\nrule = \"date-sane\"\nlevel = \"warn\"\n",
    );
}

/// A rung that takes `<title>` without the name of the site.
fn head_title(origin: &Origin) -> String {
    let name = origin.name.as_ref().map(|n| regex::escape(n));
    name.map_or_else(
        || "{ css = 'title' }".to_owned(),
        |name| {
            let sign = r"\s*[|»·•:–—<-]+\s*";
            let pattern = format!("^(?:{name}{sign})?(.+?)(?:{sign}{name})?$");
            format!("{{ css = 'title', regex = {} }}", quote(&pattern))
        },
    )
}

/// A collection of the entries of lists, for a sample without their articles.
fn listed(out: &mut String, id: &str, url: &str, template: &Template, list: &List) {
    let _ = write!(
        out,
        "\n# --- entries of lists: the articles behind them are not in the sample, so each entry is a document: {}\n[[collection]]\nid = {}\ntype = \"list-entry\"\n",
        remark(&template.samples.join(" ")),
        quote(id)
    );
    let css = quote(&list.item.css);
    let _ = writeln!(out, "match = {{ url = {}, css = {css} }}", quote(url));
    evidence(out, &list.item);
    let _ = writeln!(out, "each = {{ css = {css}, link = {} }}", quote(&list.link));
    let _ = write!(
        out,
        "\n[collection.fields.title]\ntake = [{{ css = {} }}]\nrequired = true\n",
        quote(&list.link)
    );
    if let Some(date) = &list.date {
        field(out, "dates.published", &[date], &[], false);
    }
}

fn drop_rule(out: &mut String, drop: &Drop, of: usize) {
    let _ = write!(
        out,
        "\n# {} of {of} pages\n[[collection.drop]]\nid = {}\nreason = {}\n",
        drop.pages,
        quote(&drop.id),
        quote(&remark(&drop.reason))
    );
    for (key, value) in [("css", &drop.css), ("from", &drop.from), ("text", &drop.text)] {
        if let Some(value) = value {
            let _ = writeln!(out, "{key} = {}", quote(value));
        }
    }
}
