//! `sangtrang init` on portals that it has never seen: the draft, untouched, against the truth of each.

use crate::support::{Server, documents, expect, sangtrang, text};
use sangtrang::demo::{Expected, Portal, Skin};
use sangtrang::document::{Block, Document};
use std::collections::BTreeMap;

const ARTICLES: usize = 30;

/// Sizes of portals with their seeds, and the answers that `init` may ask for (what it takes by itself, if empty). Of the
/// large ones, lists name few of the articles of the sample; of the small ones, about half stay unseen.
const PORTALS: [(usize, u64, &str); 4] = [
    (ARTICLES, 1, "30"),
    (ARTICLES, 9, "30"),
    (40, 1, ""),
    (120, 1, ""),
];

/// Address without the order of its parameters.
fn normal(url: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let mut pairs: Vec<String> = url.query_pairs().map(|(k, v)| format!("{k}={v}")).collect();
    pairs.sort();
    format!("{}?{}", url.path(), pairs.join("&"))
}

fn body(blocks: &[Block]) -> (String, Vec<&str>) {
    let images = blocks.iter().flat_map(|b| match b {
        Block::Image { image, .. } => std::slice::from_ref(image),
        Block::Gallery { items, .. } => items.as_slice(),
        _ => &[],
    });
    let captions = images
        .filter_map(|i| i.caption.as_ref())
        .map(|c| c.text.as_str())
        .collect();
    (
        blocks.iter().map(Block::text).collect::<Vec<_>>().join("\n"),
        captions,
    )
}

/// Fields that are not as the truth says.
fn wrong(truth: &Expected, found: &Document) -> Vec<&'static str> {
    let mut out = Vec::new();
    let mut check = |name, same: bool| {
        if !same {
            out.push(name);
        }
    };
    check("title", found.title.as_deref() == Some(&truth.title));
    check(
        "section",
        found.section.as_ref().map(|s| s.label.as_str()) == Some(&truth.section),
    );
    let published = found.dates.published.as_ref();
    check(
        "published",
        published.map(|d| (&d.value, d.precision))
            == Some((&truth.published.value, truth.published.precision)),
    );
    check(
        "byline",
        found.byline.as_ref().map(|b| b.raw.as_str()) == truth.byline.as_deref(),
    );
    let (wanted, got) = (body(&truth.body), body(&found.body));
    check("body", wanted.0 == got.0);
    check("captions", wanted.1 == got.1);
    check("accounting", found.accounting.unaccounted == 0);
    out
}

/// Every skin: the draft passes `check` and `test`; a run with it gives at least 95 % of the articles whole; the pager and
/// the boilerplate have names.
#[test]
fn a_draft_of_every_skin_reads_its_portal() {
    let mut told = Vec::new();
    let mut failed = Vec::new();
    let only = std::env::var("SANGTRANG_SKIN").ok();
    let portals = PORTALS.into_iter().flat_map(|p| Skin::ALL.map(|skin| (p, skin)));
    for ((articles, seed, pages), skin) in portals {
        let name = skin.name();
        if only.as_ref().is_some_and(|o| o != name) {
            continue;
        }
        let server = Server::start(Portal::new(articles, seed).skinned(skin));
        let pages = if pages.is_empty() {
            Vec::new()
        } else {
            vec!["--pages", pages]
        };
        let folder = tempfile::tempdir().unwrap();
        let mappings = folder.path().join("mappings");
        let began = std::time::Instant::now();
        expect(
            sangtrang()
                .args([
                    "init",
                    &skin.base(),
                    "--delay",
                    "0ms",
                    "--id",
                    name,
                    "--connect-to",
                    &server.connect_to(),
                ])
                .args(pages)
                .arg("--mappings")
                .arg(&mappings)
                .arg("--output")
                .arg(folder.path()),
            0,
        );
        let seconds = began.elapsed().as_secs_f64();
        let mapping = mappings.join(format!("{name}.toml"));
        expect(sangtrang().arg("check").arg(&mapping), 0);
        expect(sangtrang().arg("test").arg(&mapping), 0);
        let run = sangtrang()
            .arg("run")
            .arg(&mapping)
            .args(["--delay", "0ms", "--connect-to", &server.connect_to()])
            .arg("--output")
            .arg(folder.path())
            .output()
            .unwrap();
        // What the portal does not have any more is a finding, and said.
        assert!(
            matches!(run.status.code(), Some(0 | 4)),
            "{name}: {}",
            text(&run.stderr)
        );
        let found: BTreeMap<String, Document> = documents(&folder.path().join(name))
            .into_iter()
            .map(|d| {
                let document: Document = serde_json::from_value(d).unwrap();
                (normal(&document.provenance.fetch.requested), document)
            })
            .collect();
        let mut wrongs: BTreeMap<&str, usize> = BTreeMap::new();
        let mut whole = 0;
        for truth in server.portal.expected() {
            let Some(document) = found.get(&normal(&truth.url)) else {
                *wrongs.entry("missing").or_default() += 1;
                continue;
            };
            let wrong = wrong(&truth, document);
            whole += usize::from(wrong.is_empty());
            for field in wrong {
                if only.is_some() {
                    println!(
                        "{} {field}: {:#}\n{}",
                        truth.url,
                        serde_json::to_value(document).unwrap()[field],
                        truth.text()
                    );
                }
                *wrongs.entry(field).or_default() += 1;
            }
        }
        let ledger = sangtrang::ledger::Ledger::read(&folder.path().join(name).join("ledger.db")).unwrap();
        let stored = sangtrang::pipeline::stored_model(&ledger).unwrap().unwrap();
        let model = stored.model;
        assert_eq!(stored.version, 1);
        let taught: usize = model
            .templates
            .iter()
            .filter(|t| t.article.is_some())
            .map(|t| t.pages)
            .sum();
        let draft = std::fs::read_to_string(&mapping).unwrap();
        let report = std::fs::read_to_string(folder.path().join(name).join("report.txt")).unwrap();
        // Three sections, four a page; pages that links led to first begin a walk of their own.
        let walked: usize = report
            .lines()
            .filter(|l| l.contains("list lists at "))
            .filter_map(|l| {
                l.split(" items")
                    .next()?
                    .rsplit(' ')
                    .next()?
                    .parse::<usize>()
                    .ok()
            })
            .sum();
        let pager = draft.contains("pager = {");
        let boilerplate = draft.matches("[[collection.drop]]").count();
        let related = draft.contains("id = 'related-list'");
        let extra = found.len() - found.len().min(articles);
        told.push(format!(
            "{name:<11} seed {seed}: {whole:>2} of {articles} whole from a sample of {taught}, {extra} strange; {walked} entries of lists, pager {}; {boilerplate} drop rules, related list {}; {seconds:.1} s to the draft; {wrongs:?}",
            if pager { "found" } else { "not found" },
            if related { "named" } else { "in the frame" }
        ));
        if whole * 100 < articles * 95 || extra > 0 || walked < articles || !pager || boilerplate < 2 {
            failed.push(name);
        }
    }
    println!("{}", told.join("\n"));
    assert!(failed.is_empty(), "{failed:?}\n{}", told.join("\n"));
}

/// A folder of pages that a browser saved, and an archive: both say which site they are of.
#[test]
fn a_folder_and_an_archive_are_sampled_as_a_site_is() {
    let skin = Skin::Fitc;
    let portal = Portal::new(ARTICLES, 1).skinned(skin);
    let folder = tempfile::tempdir().unwrap();
    let saved = folder.path().join("saved");
    std::fs::create_dir_all(&saved).unwrap();
    let mut urls = vec![skin.base()];
    for cat in 1..=3 {
        urls.push(format!("{}TinTuc/ChuyenMuc.aspx?ChuyenMuc={cat}", skin.base()));
    }
    urls.extend(portal.expected().into_iter().take(12).map(|t| t.url));
    for (n, url) in urls.iter().enumerate() {
        let address = format!("/{}", url.strip_prefix(&skin.base()).unwrap());
        let mut page = format!("<!-- saved from url=({:04}){url} -->\n", url.len()).into_bytes();
        page.extend(portal.served(&address, None).unwrap().body);
        std::fs::write(saved.join(format!("{n}.html")), page).unwrap();
    }
    let init = |target: &std::path::Path, id: &str| {
        let mut command = sangtrang();
        command
            .arg("init")
            .arg(target)
            .args(["--id", id, "--mappings"])
            .arg(folder.path().join("m"));
        command.arg("--output").arg(folder.path());
        command
    };
    expect(&mut init(&saved, "saved"), 0);
    let mapping = folder.path().join("m/saved.toml");
    let draft = std::fs::read_to_string(&mapping).unwrap();
    assert!(
        draft.contains("kind = 'folder'") && draft.contains("base = 'http://fitc.example/'"),
        "{draft}"
    );
    let run = |mapping: &std::path::Path| {
        let out = sangtrang()
            .arg("run")
            .arg(mapping)
            .arg("--output")
            .arg(folder.path())
            .output()
            .unwrap();
        assert!(matches!(out.status.code(), Some(0 | 4)), "{}", text(&out.stderr));
    };
    run(&mapping);
    let found = documents(&folder.path().join("saved"));
    assert_eq!(found.len(), 12);
    assert!(
        found.iter().all(|d| d["title"].is_string()
            && d["section"].is_object()
            && d["accounting"]["unaccounted"] == 0)
    );

    // Nothing is written over.
    let again = expect(&mut init(&saved, "saved"), 2);
    assert!(text(&again.stderr).contains("--force"), "{}", text(&again.stderr));

    // What was read of the folder is an archive now.
    expect(
        &mut init(&folder.path().join("saved-sample/archive"), "archived"),
        0,
    );
    let archived = folder.path().join("m/archived.toml");
    assert!(
        std::fs::read_to_string(&archived)
            .unwrap()
            .contains("kind = 'warc'")
    );
    run(&archived);
    assert_eq!(documents(&folder.path().join("archived")).len(), 12);
}
