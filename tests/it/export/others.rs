//! Drupal, Portable Text, inventories.

use super::*;

#[test]
fn drupal_migrations_are_yaml_and_name_what_is_there() {
    let folder = enriched(12);
    export(folder.path(), "drupal", &[], 0);
    let out = place(folder.path(), "drupal");
    let docs = fit(folder.path());
    let module = "sangtrang_ctk_binhthuan";
    let yaml = |path: &str| -> serde_yaml_ng::Value {
        serde_yaml_ng::from_str(&read(out.join(path))).unwrap_or_else(|e| panic!("{path}: {e}"))
    };
    assert_eq!(yaml(&format!("{module}.info.yml"))["type"], "module");
    let mut rows = BTreeMap::new();
    for what in ["files", "images", "documents", "terms", "nodes"] {
        let migration = yaml(&format!("migrations/{module}_{what}.yml"));
        assert_eq!(migration["id"], format!("{module}_{what}").as_str());
        let source = &migration["source"];
        assert_eq!(
            (
                source["plugin"].as_str(),
                source["data_fetcher_plugin"].as_str(),
                source["data_parser_plugin"].as_str()
            ),
            (Some("url"), Some("file"), Some("json"))
        );
        assert_eq!(source["ids"]["id"]["type"], "string");
        let selector = source["item_selector"].as_str().unwrap();
        let mut found = Vec::new();
        for url in source["urls"].as_sequence().unwrap() {
            let file = url
                .as_str()
                .unwrap()
                .strip_prefix(&format!("modules/custom/{module}/"))
                .unwrap();
            let data: Value = serde_json::from_str(&read(out.join(file))).unwrap();
            found.extend(data[selector].as_array().unwrap().clone());
        }
        // Every field that a process reads is one of the source or a constant.
        let names: BTreeSet<&str> = source["fields"]
            .as_sequence()
            .unwrap()
            .iter()
            .map(|f| f["name"].as_str().unwrap())
            .collect();
        for field in source["fields"].as_sequence().unwrap() {
            let at = field["selector"].as_str().unwrap();
            let row = found.first();
            assert!(
                row.is_none_or(|r| at.split('/').try_fold(r, |v, k| v.get(k)).is_some()),
                "{what}: {at}"
            );
        }
        for (_, process) in migration["process"].as_mapping().unwrap() {
            let read = process.as_str().or(process["source"].as_str());
            if let Some(read) = read.filter(|r| !r.starts_with('@')) {
                match read.strip_prefix("constants/") {
                    Some(constant) => assert!(!source["constants"][constant].is_null(), "{what}: {read}"),
                    None => assert!(names.contains(read), "{what}: {read}"),
                }
            }
        }
        rows.insert(what, found);
    }
    assert_eq!(rows["nodes"].len(), docs.len());
    let terms: BTreeSet<&str> = rows["terms"].iter().map(|t| t["id"].as_str().unwrap()).collect();
    for term in &rows["terms"] {
        assert!(term["parent"].is_null() || terms.contains(term["parent"].as_str().unwrap()));
    }
    let aliases: BTreeSet<&str> = rows["nodes"]
        .iter()
        .map(|n| n["alias"].as_str().unwrap())
        .collect();
    let paths: BTreeSet<String> = rows["files"]
        .iter()
        .map(|f| format!("/sites/default/files/legacy/{}", f["path"].as_str().unwrap()))
        .collect();
    for file in &rows["files"] {
        assert!(out.join("files").join(file["path"].as_str().unwrap()).is_file());
    }
    assert_eq!(
        rows["images"].len() + rows["documents"].len(),
        rows["files"].len()
    );
    for document in &docs {
        let node = rows["nodes"].iter().find(|n| n["id"] == document["id"]).unwrap();
        assert_eq!(
            (&node["title"], &node["type"], &node["status"]),
            (&document["title"], &"article".into(), &1.into())
        );
        assert!(node["created"].as_str().unwrap().ends_with("+07:00"));
        let shown = sangtrang::deliver::render::shown(node["body"].as_str().unwrap());
        assert_eq!(missing(words_of(document), shown.words), Vec::<String>::new());
        for address in shown
            .links
            .iter()
            .chain(&shown.images)
            .filter(|a| a.starts_with('/'))
        {
            assert!(
                aliases.contains(address.as_str()) || paths.contains(address),
                "{address}"
            );
        }
        assert!(
            node["terms"]["categories"]
                .as_array()
                .unwrap()
                .iter()
                .all(|t| terms.contains(t["id"].as_str().unwrap()))
        );
    }
}

#[test]
fn portable_text_names_files_and_documents_that_are_there() {
    let folder = enriched(12);
    export(folder.path(), "portable-text", &[], 0);
    let out = place(folder.path(), "portable-text");
    let written = lines(out.join("documents.ndjson"));
    let docs = fit(folder.path());
    assert_eq!(written.len(), docs.len());
    let ids: BTreeSet<&str> = written.iter().map(|d| d["_id"].as_str().unwrap()).collect();
    fn walk(value: &Value, each: &mut dyn FnMut(&serde_json::Map<String, Value>)) {
        match value {
            Value::Object(map) => {
                each(map);
                map.values().for_each(|v| walk(v, each));
            }
            Value::Array(items) => items.iter().for_each(|v| walk(v, each)),
            _ => {}
        }
    }
    let (mut assets, mut references) = (BTreeSet::new(), 0);
    for document in &docs {
        let line = written.iter().find(|d| d["_id"] == document["id"]).unwrap();
        assert_eq!(
            (&line["title"], &line["_type"]),
            (&document["title"], &document["type"])
        );
        let mut words = Vec::new();
        walk(line, &mut |map| {
            if let Some(asset) = map.get("_sanityAsset").and_then(Value::as_str) {
                let (kind, path) = asset.split_once("@file://./").unwrap();
                assert_eq!(map["_type"], kind);
                assert!(out.join(path).is_file(), "{asset}");
                assets.insert(path.to_owned());
            }
            if let Some(reference) = map.get("_ref").and_then(Value::as_str) {
                assert!(ids.contains(reference));
                references += 1;
            }
            if let Some(spans) = map.get("children").and_then(Value::as_array) {
                let text: String = spans.iter().map(|s| s["text"].as_str().unwrap()).collect();
                words.extend(sangtrang::deliver::render::words(&text));
            }
            for key in ["text", "lead", "units"] {
                if map.get("_type").is_some_and(|t| t != "span") {
                    words.extend(
                        map.get(key)
                            .and_then(Value::as_str)
                            .map(sangtrang::deliver::render::words)
                            .unwrap_or_default(),
                    );
                }
            }
        });
        assert_eq!(missing(words_of(document), words), Vec::<String>::new());
        assert!(!line.to_string().contains(['\u{E000}', '\u{E001}']), "{line}");
    }
    assert!(references > 0 && !assets.is_empty());
}

#[test]
fn inventories_hold_every_document_medium_and_address_and_calculate_nothing() {
    use calamine::{Data, Reader as _};
    let folder = enriched(12);
    let key = documents(&site(folder.path()))[4]["source_key"]
        .as_str()
        .unwrap()
        .to_owned();
    change(folder.path(), &key, |d| {
        d["title"] = "=HYPERLINK(\"http://evil.example\")".into()
    });
    let docs = documents(&site(folder.path()));
    export(folder.path(), "csv", &[], 0);
    export(folder.path(), "xlsx", &[], 0);
    let out = place(folder.path(), "csv");
    let table = |name: &str| -> Vec<Vec<String>> {
        let bytes = std::fs::read(out.join(name)).unwrap();
        let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap();
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(bytes);
        reader
            .records()
            .map(|r| r.unwrap().iter().map(str::to_owned).collect())
            .collect()
    };
    let book = place(folder.path(), "xlsx").join("inventory.xlsx");
    let mut workbook = calamine::open_workbook_auto(&book).unwrap();
    assert_eq!(workbook.sheet_names(), ["Documents", "Media", "Redirects"]);
    let tables = ["documents.csv", "media.csv", "redirects.csv"].map(table);
    for (sheet, table) in ["Documents", "Media", "Redirects"].iter().zip(&tables) {
        let range = workbook.worksheet_range(sheet).unwrap();
        let rows: Vec<Vec<String>> = range
            .rows()
            .map(|row| {
                row.iter()
                    .map(|c| match c {
                        Data::Empty => String::new(),
                        cell => cell.to_string(),
                    })
                    .collect()
            })
            .collect();
        let plain: Vec<Vec<String>> = table
            .iter()
            .map(|r| {
                r.iter()
                    .map(|c| c.strip_prefix("'=").map_or(c.clone(), |c| format!("={c}")))
                    .collect()
            })
            .collect();
        assert_eq!(rows, plain, "{sheet}");
    }
    let [rows, media, redirects] = &tables;
    assert_eq!(rows.len(), docs.len() + 1);
    for document in &docs {
        let row = rows
            .iter()
            .find(|r| r[0] == document["id"].as_str().unwrap())
            .unwrap();
        let title = document["title"].as_str().unwrap();
        assert!(row[3] == title || row[3] == format!("'{title}"), "{row:?}");
        assert_eq!(row[10], words_of(document).len().to_string());
        assert_eq!(
            row[15],
            document["provenance"]["fetch"]["requested"].as_str().unwrap()
        );
    }
    assert!(rows.iter().any(|r| r[3].starts_with("'=HYPERLINK")));
    let count: usize = docs
        .iter()
        .map(|d| d["media"].as_array().unwrap().len() + d["attachments"].as_array().unwrap().len())
        .sum();
    assert_eq!(media.len(), count + 1);
    for old in docs
        .iter()
        .flat_map(|d| d["redirects"]["from"].as_array().unwrap())
    {
        let old = url::Url::parse(old.as_str().unwrap()).unwrap();
        let from = &old[url::Position::BeforePath..url::Position::AfterQuery];
        assert!(redirects.iter().any(|r| r[0] == from), "{from}");
    }
    // The same input, the same bytes: a workbook too.
    let before = tree(&place(folder.path(), "xlsx"));
    export(folder.path(), "xlsx", &[], 0);
    assert_eq!(tree(&place(folder.path(), "xlsx")), before);
}
