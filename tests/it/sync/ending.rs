//! The end of a move: frozen, checked, recorded.

use super::follow::Life;
use super::portal::{Portal, article};
use crate::cms::WordPress;
use crate::support::{expect, serve_router, text};
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::process::Command;
use std::sync::{Arc, Mutex};

#[test]
fn a_move_is_frozen_checked_and_recorded() {
    let Some(wp) = WordPress::other() else { return };
    let portal = Portal::new(6);
    for (article, news) in portal.today().articles.values_mut().zip(NEWS) {
        article.body += &format!("<p>{news}</p>");
    }
    let life = Life::new(&portal, "");
    let rules = "[[target.redirect]]\nfrom = '^/($|list)'\narchive = true\n";
    let target = wp.target_at(life.folder.path(), &wp.base, rules);
    let target = target.to_str().unwrap().to_owned();
    let house = |args: &[&str], more: &[&str]| -> Command {
        let mut command = wp.command();
        command.arg("--json").args(args).arg(&life.mapping);
        command.args(["--target", &target, "--output"]).arg(life.output());
        command.env("SANGTRANG_NOW", "2026-04-01T02:00:00Z").args(more);
        command
    };
    let sync = |more: &[&str], code| {
        let mut args = vec!["--target", target.as_str()];
        args.extend(more);
        let said = expect(&mut life.command(wp.command(), &args), code);
        serde_json::from_str::<Value>(text(&said.stdout).lines().last().unwrap()).unwrap()
    };
    let freeze = |more: &[&str], code| {
        let mut args = vec!["--target", target.as_str()];
        args.extend(more);
        // It takes the flags of a sync.
        let sync = life.command(wp.command(), &args);
        let mut command = wp.command();
        command.args(
            sync.get_args()
                .map(|a| if a == "sync" { OsStr::new("freeze") } else { a }),
        );
        command.envs(sync.get_envs().filter_map(|(name, value)| Some((name, value?))));
        text(&expect(&mut command, code).stderr)
    };
    sync(&[], 0);
    // Not frozen, and the new host knows nothing of old addresses: line by line.
    let known: Known = Arc::default();
    let router = axum::Router::new().fallback(new_host).with_state(known.clone());
    let at = format!("http://{}/", serve_router(router));
    let checks = |code| -> BTreeMap<String, (bool, String)> {
        let said = expect(&mut house(&["switchover"], &["--at", &at]), code);
        let list: Value = serde_json::from_slice(&said.stdout).unwrap();
        assert_eq!(list["schema"], "switchover/1");
        let checks = list["checks"].as_array().unwrap();
        assert_eq!(list["pass"], checks.iter().all(|c| c["pass"] == true));
        checks
            .iter()
            .map(|c| {
                let reason = c["reason"].as_str().unwrap().to_owned();
                (c["id"].as_str().unwrap().to_owned(), (c["pass"] == true, reason))
            })
            .collect()
    };
    let found = checks(6);
    for (id, pass) in [
        ("frozen", false),
        ("new-host", false),
        ("verify", true),
        ("holds", true),
        ("delivered", true),
    ] {
        assert_eq!(found[id].0, pass, "{id}: {found:?}");
    }
    // An editor's change is left: nothing is frozen until it is accepted.
    let post = wp
        .posts()
        .into_iter()
        .find(|p| p["title"]["raw"] == "Bài viết số 2")
        .unwrap();
    wp.edit(
        &format!("posts/{}", post["id"]),
        json!({ "title": "Biên tập viên sửa" }),
    );
    portal.today().articles.get_mut(&2).unwrap().title = "Tiêu đề mới".into();
    let said = freeze(&["--full"], 6);
    assert!(said.contains("nothing is frozen"), "{said}");
    freeze(&["--full", "--ours", "*"], 0);
    // Nothing is pushed any more, whoever asks.
    portal.today().articles.insert(7, article(7));
    let told = sync(&[], 6);
    assert_eq!(
        (&told["target"]["writes"], &told["portal"]["added"]),
        (&0.into(), &1.into()),
        "{told}"
    );
    let plan = life.site().join("plan.json");
    let mut apply = wp.command();
    apply.arg("apply").arg(&plan).arg("--output").arg(life.output());
    apply.env("SANGTRANG_NOW", "2026-04-01T02:00:00Z");
    assert!(text(&expect(&mut apply, 6).stderr).contains("frozen since"));
    let rollback = house(&["rollback"], &[]).output().unwrap();
    assert_eq!(rollback.status.code(), Some(6), "{}", text(&rollback.stderr));
    let found = checks(6);
    assert!(found["frozen"].0 && !found["delivered"].0, "{found:?}");
    // Lifted, followed, frozen again.
    expect(&mut house(&["freeze", "--lift"], &[]), 0);
    freeze(&[], 0);
    // A new host that does what the ledger of redirects says.
    expect(&mut house(&["redirects", "write"], &[]), 0);
    let ledger = std::fs::read_to_string(life.site().join("redirects").join("ledger.jsonl")).unwrap();
    for line in ledger.lines() {
        let redirect: Value = serde_json::from_str(line).unwrap();
        let to = redirect["to"].as_str().map(str::to_owned);
        known
            .lock()
            .unwrap()
            .insert(redirect["from"].as_str().unwrap().to_owned(), to);
    }
    let found = checks(0);
    assert!(
        found.values().all(|(pass, _)| *pass) && found.len() >= 12,
        "{found:?}"
    );
    // One wrong address is enough.
    known
        .lock()
        .unwrap()
        .insert("/view?id=3".into(), Some("http://elsewhere.example/".into()));
    assert!(!checks(6)["new-host"].0);
    let (status, record) = {
        let said = house(&["report"], &["--out", "-"]).output().unwrap();
        (said.status.code(), text(&said.stdout))
    };
    assert_eq!(status, Some(0), "{record}");
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!(
        (&record["schema"], &record["type"]),
        (&"record/1".into(), &"record".into())
    );
    for sum in record["totals"]["sums"].as_array().unwrap() {
        let parts: u64 = sum["parts"]
            .as_object()
            .unwrap()
            .values()
            .map(|v| v.as_u64().unwrap())
            .sum();
        assert_eq!(Some(parts), sum["whole"].as_u64(), "{sum}");
    }
    expect(&mut house(&["report"], &[]), 0);
    let markdown = std::fs::read_to_string(life.site().join("record.md")).unwrap();
    for words in [
        "# Record of the move of `song`",
        "reconciles",
        "Frozen since",
        "Checklist of the switch-over (not yet",
    ] {
        assert!(markdown.contains(words), "{words}\n{markdown}");
    }
    assert!(!markdown.contains("DOES NOT RECONCILE"), "{markdown}");
    if crate::browser::is_there() {
        the_cms_shows_the_pages(&mut house(&["report"], &["--fidelity", "7", "--cms"]), &wp.base);
    }
}

/// What each article tells that the others do not: by this a browser tells it from its frame.
const NEWS: [&str; 6] = [
    "Phan Thiết được mùa thanh long, nông dân bán phần lớn ra nước ngoài.",
    "Hồ chứa ở Tuy Phong cạn sớm, nhiều xã chuyển sang trồng nho và táo.",
    "Ngư dân La Gi đóng mười tàu vỏ thép để khai thác xa bờ quanh năm.",
    "Đức Linh mở thêm ba lớp dạy nghề dệt cho phụ nữ các thôn vùng cao.",
    "Cảng Phú Quý đón chuyến tàu cao tốc đầu tiên sau mùa gió bấc kéo dài.",
    "Bệnh viện Hàm Tân nhận máy chụp cắt lớp do một quỹ từ thiện trao tặng.",
];

/// What readers of the CMS see of the old pages.
fn the_cms_shows_the_pages(report: &mut Command, base: &str) {
    let said = expect(report, 0);
    let told: Value = serde_json::from_slice(&said.stdout).unwrap();
    let pages = told["report"]["fidelity"]["pages"].as_array().unwrap();
    let shown: Vec<&Value> = pages
        .iter()
        .filter(|p| p["with"].as_str().unwrap().starts_with(base))
        .collect();
    assert!(shown.len() >= 6, "{pages:#?}");
    // The seventh says nothing that the others do not say, too.
    let judged: Vec<&&Value> = shown.iter().filter(|p| p["not_compared"].is_null()).collect();
    assert_eq!(judged.len(), NEWS.len(), "{pages:#?}");
    for page in judged {
        assert_eq!(page["percent"], 100.0, "{page:#}");
    }
}

/// What the new host does with old addresses.
type Known = Arc<Mutex<BTreeMap<String, Option<String>>>>;

async fn new_host(State(known): State<Known>, uri: Uri) -> Response {
    let asked = uri.path_and_query().map_or("", |p| p.as_str());
    match known.lock().unwrap().get(asked) {
        Some(Some(to)) => (StatusCode::MOVED_PERMANENTLY, [(header::LOCATION, to.clone())]).into_response(),
        Some(None) => StatusCode::GONE.into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
