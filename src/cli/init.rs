//! `sangtrang init URL|FOLDER|WARC`: looks at a sample of a site, learns its templates, drafts its mapping.

use super::args::InitArgs;
use super::crawl::sample_with_progress;
use super::error::CliError;
use super::example;
use super::target::{failure, mapping_error, reactor};
use super::{Exit, Outcome, Ui};
use crate::crawl::CrawlOptions;
use crate::extract::template::{self, Draft, Kind, Learned, Model, Origin};
use crate::ledger::{Ledger, UrlState};
use crate::mapping::Mapping;
use crate::pipeline::{self, Layout, Sampled, write_atomic};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use url::Url;

/// Examples of one collection.
const EXAMPLES: usize = 3;

pub(super) fn main(args: &InitArgs, ui: &Ui) -> Outcome {
    let began = Instant::now();
    let mut origin = origin(args)?;
    let file = args.mappings.join(format!("{}.toml", origin.id));
    if file.exists() && !args.force {
        return Err(CliError::new(
            Exit::Usage,
            "init::exists",
            format!("`{}` is there already: nothing was done", file.display()),
        )
        .hint("`--force` writes over it, `--id` gives the draft another name"));
    }
    let mut blank = blank(&origin)?;
    let layout = Layout::new(&args.output.output, &format!("{}-sample", origin.id));
    let (mut sample, full) = sample(args, &blank, &layout, ui)?;
    origin.url = {
        let pages: Vec<_> = sample.iter().map(|s| &s.page).collect();
        template::aliases(&pages, &blank)
    };
    if origin.url.is_some() {
        blank = self::blank(&origin)?;
        let most = usize::from(args.pages);
        sample = pipeline::sampled(&blank, &layout, most).map_err(failure)?;
        let mut seen = BTreeSet::new();
        sample.retain(|s| seen.insert(s.page.url.to_string()));
        ui.note("  pages stand under several addresses: `[url]` of the draft makes one of them");
    }
    let pages: Vec<_> = sample.iter().map(|s| &s.page).collect();
    let called = template::called(&pages);
    if let Some(called) = &called {
        let place = if called.first { "begin" } else { "end" };
        origin.named_by = Some(format!(
            "{} of {} titles {place} with it: {}",
            called.right, called.of, called.example
        ));
        origin.name = Some(called.name.clone());
    }
    let began_learning = Instant::now();
    let mut model = template::learn(&pages, &blank);
    let learned = began_learning.elapsed();
    let examples = examples(&model, &origin, &sample, &args.mappings, &layout)?;
    let text = template::draft(&model, &origin, &examples);
    checked(&file, &text)?;
    fs_err::create_dir_all(&args.mappings)?;
    write_atomic(&file, text.as_bytes())?;
    // Where the mapping's own runs look for them.
    let own = Layout::new(&args.output.output, &origin.id);
    let mut ledger = Ledger::open(&own.ledger()).map_err(failure)?;
    let known = pipeline::stored_model(&ledger).ok().flatten();
    template::names(&mut model, known.as_ref().map(|k| &k.model));
    let version = pipeline::store_model(&mut ledger, &model, jiff::Timestamp::now()).map_err(failure)?;
    drop(ledger);
    if let (Some(name), Some(how)) = (&origin.name, &origin.named_by) {
        ui.note(format_args!("  site      {name}: {how}"));
    }
    tell(&model, &sample, &blank, ui);
    ui.status(
        "Drafted",
        format_args!(
            "{} and version {version} of the site's models in {:.1} s, of which learning took {:.2} s",
            file.display(),
            began.elapsed().as_secs_f64(),
            learned.as_secs_f64()
        ),
    );
    if ui.json() {
        ui.event(&json!({
            "schema": "init/1", "type": "init", "mapping": file, "pages": model.pages, "model": model,
            "models": version, "seconds": began.elapsed().as_secs_f64(),
        }));
    } else {
        ui.data(file.display());
    }
    let understood = model
        .templates
        .iter()
        .any(|t| t.article.is_some() || t.list.is_some());
    if understood {
        ui.hint(format_args!(
            "next: read the draft, then `sangtrang test {0}` and `sangtrang run {0}`",
            file.display()
        ));
    } else if full {
        ui.hint("no template of articles was understood: `--pages` looks at more, docs/mapping.md shows how to write one by hand");
    } else {
        ui.hint("no template of articles was understood, and no page is left to look at; docs/mapping.md shows how to write one by hand");
    }
    if let Some((base, pages)) = elsewhere(&sample, &blank) {
        ui.warning(format_args!(
            "{pages} of {} pages say `<base href=\"{base}\">`: their links lead to that host, which was not asked",
            sample.len()
        ));
        ui.hint(format_args!(
            "`sangtrang init {base}` looks there; if it answers under this address only, add `--connect-to ::{}:{}`",
            blank.rules().site.base.host_str().unwrap_or_default(),
            blank.rules().site.base.port_or_known_default().unwrap_or(80)
        ));
    }
    Ok(if understood { Exit::Ok } else { Exit::Findings })
}

/// What the site is called and where it is read from.
fn origin(args: &InitArgs) -> Result<Origin, CliError> {
    let usage = |text: String, hint: &str| CliError::new(Exit::Usage, "usage::target", text).hint(hint);
    let path = Path::new(&args.target);
    let (base, source) = if path.exists() {
        let said = match &args.url {
            Some(url) => Some(
                Url::parse(url)
                    .map_err(|e| usage(format!("`{url}` is no URL: {e}"), "write http://HOST/"))?,
            ),
            None => pipeline::site_of(path).map_err(failure)?,
        };
        let base = said.ok_or_else(|| {
            usage(
                format!("`{}` does not say which site it was saved of", args.target),
                "add `--url http://HOST/`",
            )
        })?;
        let kind = if path.is_dir() && !holds_warc(path) {
            "folder"
        } else {
            "warc"
        };
        let place = std::path::absolute(path)?;
        (
            base,
            Some((kind.to_owned(), place.to_string_lossy().into_owned())),
        )
    } else {
        let text = if args.target.contains("://") {
            args.target.clone()
        } else {
            format!("http://{}", args.target)
        };
        let url = Url::parse(&text)
            .ok()
            .filter(|u| u.has_host() && matches!(u.scheme(), "http" | "https"));
        let url = url.ok_or_else(|| {
            usage(
                format!("`{}` is neither a file nor the address of a site", args.target),
                "write http://HOST/",
            )
        })?;
        (url, None)
    };
    let root = base
        .join("/")
        .map_err(|e| usage(format!("`{base}`: {e}"), "write http://HOST/"))?;
    let host = root.host_str().unwrap_or("site");
    let name: String = host
        .trim_start_matches("www.")
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .take(60)
        .collect();
    Ok(Origin {
        id: args.id.clone().unwrap_or(name),
        name: None,
        named_by: None,
        base: root.to_string(),
        language: args.language.clone(),
        source,
        fallback: None,
        url: None,
    })
}

fn holds_warc(folder: &Path) -> bool {
    let entries = fs_err::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(Result::ok);
    entries.map(|e| e.path()).any(|p| pipeline::is_warc(&p))
}

/// A mapping that knows nothing but the site.
fn blank(origin: &Origin) -> Result<Arc<Mapping>, CliError> {
    let empty = Model::default();
    let text = template::draft(&empty, origin, &BTreeMap::new()) + "\n[media]\nfetch = false\n";
    parsed(Path::new("sample.toml"), &text).map(Arc::new)
}

fn parsed(file: &Path, text: &str) -> Result<Mapping, CliError> {
    Mapping::parse(&file.display().to_string(), text).map_err(|e| mapping_error(file, e))
}

/// A draft that does not pass is kept from the disk: it is our mistake, and said as that.
fn checked(file: &Path, text: &str) -> Result<(), CliError> {
    parsed(file, text).map(drop).map_err(|mut error| {
        error.hint = Some("the draft itself is wrong: please report it with the address of the site".into());
        error
    })
}

/// The host that pages say their links are of, if it is not this site's, and how many of them do.
fn elsewhere(sample: &[Sampled], mapping: &Mapping) -> Option<(Url, usize)> {
    let foreign: Vec<&Url> = sample
        .iter()
        .map(|s| &s.page.base)
        .filter(|base| mapping.resolve(base, "/").is_err())
        .collect();
    let base = foreign.first()?.join("/").ok()?;
    (foreign.len() * 2 > sample.len()).then_some((base, foreign.len()))
}

/// Home page, lists and articles, archived on the way as a crawl archives them; and whether the site has more.
fn sample(
    args: &InitArgs,
    mapping: &Arc<Mapping>,
    layout: &Layout,
    ui: &Ui,
) -> Result<(Vec<Sampled>, bool), CliError> {
    let (runtime, cancel) = reactor()?;
    let fresh = !layout.root().exists();
    let options = CrawlOptions {
        limit: Some(u64::from(args.pages)),
        connect_to: args.net.connect_to()?,
        allow_net: args.net.allow_net.clone(),
        browser: args.net.browser.clone(),
        delay: args.delay,
        cancel,
        ..CrawlOptions::default()
    };
    // What is left of a try that got nothing is of use to nobody.
    let sweep = || {
        if fresh && pipeline::sampled(mapping, layout, 1).is_ok_and(|s| s.is_empty()) {
            let _ = fs_err::remove_dir_all(layout.root());
        }
    };
    let (exit, summary) =
        sample_with_progress(&runtime, mapping, layout, options, ui).inspect_err(|_| sweep())?;
    if exit == Exit::Interrupted {
        return Err(CliError::new(
            Exit::Interrupted,
            "init::interrupted",
            "stopped before the sample was whole",
        )
        .hint("the same command continues with what was fetched"));
    }
    let sample = pipeline::sampled(mapping, layout, usize::from(args.pages)).map_err(failure)?;
    if sample.is_empty() {
        let error = empty(layout, exit, summary.fetched());
        sweep();
        return Err(error);
    }
    Ok((sample, exit == Exit::Limit))
}

/// Why a sample holds no page.
fn empty(layout: &Layout, exit: Exit, fetched: u64) -> CliError {
    let failures = Ledger::read(&layout.ledger())
        .and_then(|ledger| ledger.failures("", 20))
        .unwrap_or_default();
    let answers = || failures.iter().find(|f| f.status >= 500 || f.status == 429);
    let silent = || failures.iter().find(|f| f.state == UrlState::Failed);
    let why = answers()
        .or_else(silent)
        .map(|f| format!("{} ({})", f.class, f.url));
    if fetched == 0 && (exit == Exit::Unreachable || why.is_some()) {
        let why = why.map_or_else(String::new, |w| format!(": {w}"));
        return CliError::new(
            Exit::Unreachable,
            "init::unreachable",
            format!("the site answers nothing good{why}"),
        )
        .hint("try later; `sangtrang inspect tls HOST` shows whether it can be reached at all");
    }
    CliError::new(Exit::Failure, "init::empty", "the site gave no page of HTML").hint(
        "`sangtrang inspect robots URL` shows whether it may be asked, `inspect tls HOST` whether it can",
    )
}

/// Captures and what the draft makes of them, for the tests of the mapping; writes both.
fn examples(
    model: &Model,
    origin: &Origin,
    sample: &[Sampled],
    folder: &Path,
    layout: &Layout,
) -> Result<BTreeMap<String, Vec<Draft>>, CliError> {
    let text = template::draft(model, origin, &BTreeMap::new());
    checked(Path::new("draft.toml"), &text)?;
    let mapping = parsed(Path::new("draft.toml"), &text)?;
    let mut out: BTreeMap<String, Vec<Draft>> = BTreeMap::new();
    let place = folder.join(&origin.id);
    let nowhere = Layout::new(&layout.root().join("none"), "none");
    for sampled in sample {
        let Ok(tried) = pipeline::try_capture(
            &mapping,
            &sampled.capture,
            &sampled.page.url,
            &BTreeMap::new(),
            &nowhere,
        ) else {
            continue;
        };
        let [document] = &tried.extraction.documents[..] else {
            continue;
        };
        let known = out.entry(tried.collection.clone()).or_default();
        // A login is no example of anything.
        if known.len() >= EXAMPLES || document.quality.failed() || template::asks(&sampled.page) {
            continue;
        }
        let name = format!("{}-{}", tried.collection, known.len() + 1);
        let expect = example::written_down(document).map_err(std::io::Error::other)?;
        fs_err::create_dir_all(&place)?;
        write_atomic(&place.join(format!("{name}.html")), &sampled.capture.body)?;
        write_atomic(
            &place.join(format!("{name}.json")),
            example::text(&expect).as_bytes(),
        )?;
        known.push(Draft {
            capture: format!("{}/{name}.html", origin.id),
            url: sampled.page.url.to_string(),
            expect: format!("{}/{name}.json", origin.id),
        });
    }
    Ok(out)
}

/// What was understood, for people.
fn tell(model: &Model, sample: &[Sampled], mapping: &Mapping, ui: &Ui) {
    let mut encodings: BTreeMap<&str, usize> = BTreeMap::new();
    for sampled in sample {
        *encodings.entry(sampled.page.decode.used.as_str()).or_default() += 1;
    }
    let said: Vec<String> = encodings.iter().map(|(n, c)| format!("{n} ({c})")).collect();
    ui.note(format_args!(
        "  {} pages, read as {}",
        model.pages,
        said.join(", ")
    ));
    for template in &model.templates {
        let kind = match template.kind {
            Kind::Article => "articles",
            Kind::List => "lists",
            Kind::Home => "home page",
            Kind::Login => "asks for a password",
            Kind::Copy => "print views",
            Kind::Gone => "no article any more",
            Kind::Other => "not understood",
        };
        ui.note(format_args!(
            "  {:>3} {kind:<20} {}",
            template.pages, template.url
        ));
        if let Some(why) = &template.why {
            ui.note(format_args!("      nothing was learned: {why}"));
        }
        if let Some(list) = &template.list {
            ui.note(format_args!("      sections: {}", list.sections.join(" | ")));
            let pagers: Vec<String> = [&list.pager, &list.more]
                .into_iter()
                .flatten()
                .map(|p| format!("{} `{}` on {} pages", p.kind, p.rule.css, p.rule.right))
                .collect();
            let pager = if pagers.is_empty() {
                "none seen".to_owned()
            } else {
                pagers.join(", ")
            };
            ui.note(format_args!("      entries: `{}`; pager: {pager}", list.item.css));
        }
        let Some(article) = &template.article else {
            continue;
        };
        if let Some(parts) = &template.parts {
            ui.note(format_args!(
                "      {} articles go on on further pages: {}",
                parts.articles, parts.example
            ));
        }
        ui.note(format_args!(
            "      text of pages that did not teach: {:.3} found, {:.3} by looking at each page alone",
            article.held_out.0, article.held_out.1
        ));
        let fields = [
            ("container", Some(&article.container)),
            ("title", article.title.as_ref()),
            ("section", article.section.as_ref()),
            ("date", article.published.first()),
            ("byline", article.byline.as_ref()),
            ("source", article.source.as_ref()),
            ("summary", article.summary.as_ref()),
        ];
        for (name, rule) in fields {
            match rule {
                Some(rule) => ui.note(format_args!(
                    "      {name:<9} {:.2} `{}` on {} of {} pages: {}",
                    rule.confidence(),
                    rule.css,
                    rule.right,
                    rule.of,
                    rule.example
                )),
                None if name == "byline" && article.signature => {
                    ui.note("      byline         the last line of the text, if it is signed")
                }
                None => ui.note(format_args!("      {name:<9} not found")),
            }
        }
        for drop in &article.drops {
            ui.note(format_args!(
                "      dropped   {} on {} pages: {}",
                drop.id, drop.pages, drop.reason
            ));
        }
    }
    let Ok(learned) = Learned::new(0, "", model) else {
        return;
    };
    for sampled in sample {
        let odd = learned.alarms(&sampled.page, mapping);
        let article = model.templates.iter().filter(|t| t.article.is_some());
        let of_article = article
            .filter_map(|t| regex::Regex::new(&t.url).ok())
            .any(|r| r.is_match(sampled.page.url.path_and_query()));
        if of_article && !odd.is_empty() {
            let said: Vec<String> = odd.iter().map(ToString::to_string).collect();
            ui.note(format_args!("  odd: {}: {}", sampled.page.url, said.join("; ")));
        }
    }
}
