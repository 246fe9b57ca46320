//! A hundred thousand documents: every page of the list is there in a moment.

use super::Review;
use sangtrang::document::{CaptureId, DocumentId};
use sangtrang::ledger::{DocumentRow, Ledger, Recorded, Shelved};
use std::time::{Duration, Instant};

const DOCUMENTS: usize = 100_000;
/// Longest answer that a person does not notice, in a build without optimisation on a busy machine.
const MOMENT: Duration = Duration::from_millis(1000);

#[test]
fn the_list_of_a_hundred_thousand_documents_answers_in_a_moment() {
    let folder = tempfile::tempdir().unwrap();
    let mapping = super::hostile::mapping(folder.path());
    let output = folder.path().join("out");
    std::fs::create_dir_all(output.join("site")).unwrap();
    let path = output.join("site/ledger.db");
    let mut ledger = Ledger::open(&path).unwrap();
    let mut finds = Vec::with_capacity(DOCUMENTS);
    let run = ledger.begin_run("r", "extract", CaptureId::of(b"m"), 1).unwrap();
    let words = [
        "hòa bình",
        "kinh tế",
        "nông nghiệp",
        "thống kê",
        "Bình Thuận",
        "dân số",
        "giá cả",
    ];
    let bare = [
        "hoa binh",
        "kinh te",
        "nong nghiep",
        "thong ke",
        "binh thuan",
        "dan so",
        "gia ca",
    ];
    for chunk in 0..DOCUMENTS / 10_000 {
        let (mut rows, mut shelved) = (Vec::new(), Vec::new());
        for n in chunk * 10_000..(chunk + 1) * 10_000 {
            let id = DocumentId::new("site", &format!("news:{n}"));
            let row = DocumentRow {
                id,
                collection: if n % 3 == 0 { "news" } else { "docs" }.into(),
                source_key: format!("news:{n}"),
                url: None,
                state: if n % 1000 == 0 { "gated" } else { "extracted" }.into(),
                capture: None,
                content: format!("{n:064x}"),
                mapping: CaptureId::of(b"m"),
                gates: if n % 50 == 0 {
                    r#"[{"id":"dates","level":"warn","note":"x"}]"#.into()
                } else {
                    String::new()
                },
            };
            let (a, b) = (n % words.len(), n / 7 % words.len());
            shelved.push(Shelved {
                id: id.to_string(),
                sort: format!("{}/news:{n:012}", row.collection),
                title: format!("Tin số {n} về {} và {} của tỉnh", words[a], words[b]),
                find: format!(
                    "tin so {n} ve {} va {} cua tinh\nnews:{n}\nhttp://site.example/tin/{n}",
                    bare[a], bare[b]
                ),
            });
            finds.push(shelved[shelved.len() - 1].find.clone());
            rows.push(Recorded {
                row,
                imprint: CaptureId::of(id.to_string().as_bytes()),
                json: "{}".into(),
            });
        }
        ledger.record_documents(run, &rows, 1).unwrap();
        ledger.shelve(&shelved).unwrap();
    }
    for n in (1..DOCUMENTS).step_by(500) {
        let id = DocumentId::new("site", &format!("news:{n}")).to_string();
        assert!(ledger.decide(&id, None, n % 1500 != 1, "", "An", 5).unwrap());
    }
    drop(ledger);
    let holding = |words: [&str; 2]| {
        finds
            .iter()
            .filter(|f| words.iter().all(|w| f.contains(w)))
            .count()
    };
    let judged = |n: usize| n % 500 == 1;
    let review = Review::of(&mapping, &output, &[]);
    let mut client = review.client();
    let last = format!("/?after={}", "news%2Fnews%3A000000099000");
    let mut slowest = Duration::ZERO;
    for (path, found) in [
        ("/", DOCUMENTS),
        (&last, DOCUMENTS),
        ("/?q=hoa+binh", holding(["hoa", "binh"])),
        ("/?q=thong+ke", holding(["thong", "ke"])),
        ("/?q=news%3A99999", 1),
        ("/?q=khongco", 0),
        ("/?collection=news", 33_334),
        ("/?gate=fail", 100),
        (
            "/?gate=warn&collection=docs",
            (0..DOCUMENTS)
                .filter(|n| n % 50 == 0 && n % 1000 != 0 && n % 3 != 0)
                .count(),
        ),
        ("/?verdict=rejected", 67),
        (
            "/?verdict=open&q=gia+ca",
            (0..DOCUMENTS)
                .filter(|n| !judged(*n) && finds[*n].contains("gia") && finds[*n].contains("ca"))
                .count(),
        ),
        ("/?cms=none", DOCUMENTS),
        ("/?cms=live", 0),
    ] {
        client.page(path);
        let began = Instant::now();
        let page = client.page(path);
        let took = began.elapsed();
        let said: String = page.all(".found").concat();
        let number: String = said.chars().filter(char::is_ascii_digit).collect();
        eprintln!("{took:>10.1?}  {path}  {said}");
        assert_eq!(number, found.to_string(), "{path}");
        slowest = slowest.max(took);
    }
    assert!(slowest < MOMENT, "{slowest:?}");
}
