//! Every class of problem with its message, line and column; and what a whole mapping answers.

use super::model::GateKind;
use super::*;
use crate::document::DocumentId;
use miette::Diagnostic;
use proptest::prelude::*;
use std::path::Path;
use url::Url;

const PORTAL: &str = include_str!("../../tests/mappings/portal.toml");
const HEAD: &str = "schema = 1\n[site]\nid = 'x'\nbase = 'http://x.example/'\n";

fn portal() -> Mapping {
    match Mapping::parse("tests/mappings/portal.toml", PORTAL) {
        Ok(mapping) => mapping,
        Err(error) => panic!("{error}: {:#?}", lines(&error)),
    }
}

/// `LINE:COLUMN CODE: MESSAGE [LABEL] (HELP)`.
fn lines(error: &MappingError) -> Vec<String> {
    let line = |p: &Problem| {
        let help = p.help.as_deref().map(|h| format!(" ({h})")).unwrap_or_default();
        let code = p.code.trim_start_matches("mapping::");
        format!(
            "{}:{} {code}: {} [{}]{help}",
            p.line, p.column, p.message, p.label
        )
    };
    error.problems().iter().map(line).collect()
}

fn problems(text: &str) -> Vec<String> {
    Mapping::parse("x.toml", text)
        .err()
        .map(|e| lines(&e))
        .unwrap_or_default()
}

/// The problems of `HEAD` and `rest`, whose first line is line 5: `LINE:COLUMN CODE: MESSAGE`.
fn of(rest: &str) -> Vec<String> {
    let all = problems(&format!("{HEAD}{rest}"));
    all.iter()
        .map(|l| l.split(" [").next().unwrap_or_default().to_owned())
        .collect()
}

/// The only problem of `rest`, with its help.
fn help(rest: &str) -> String {
    let text = format!("{HEAD}{rest}");
    let error = Mapping::parse("x.toml", &text).err();
    match error.as_ref().map(MappingError::problems) {
        Some([one]) => one.help.clone().unwrap_or_default(),
        other => panic!("{other:#?}"),
    }
}

const NEWS: &str = "[[collection]]\nid = 'news'\nmatch = { url = '/v' }\n";

#[test]
fn a_whole_mapping_holds_and_answers() {
    let m = portal();
    let url = |text: &str| m.canonical(&Url::parse(text).unwrap()).unwrap();
    assert_eq!(m.start_urls(), [url("http://thongke.example/")]);
    assert_eq!(m.dir(), Path::new("tests/mappings"));
    let page = url("https://www.thongke.example/View.aspx?catid=7&itemid=4012"
        .replace("https", "http")
        .as_str());
    assert_eq!(
        page.as_str(),
        "http://thongke.example/view.aspx?ItemID=4012&CatID=7"
    );
    let news = m.collection_for_url(&page).unwrap();
    assert_eq!(news.id, "news");
    assert_eq!(m.source_key(news, &page).as_deref(), Some("news:4012"));
    assert_eq!(
        m.document_id(&page),
        Some(DocumentId::new("cuc-thong-ke", "news:4012"))
    );
    // `not_url` takes it away; a page of entries is no document, but its entries have keys.
    assert!(
        m.collection_for_url(&url("http://thongke.example/View.aspx?ItemID=1&CatID=99"))
            .is_none()
    );
    let list = url("http://thongke.example/List.aspx");
    assert_eq!(m.document_id(&list), None);
    let entries = m.collection_for_url(&list).unwrap();
    assert_eq!(m.source_key(entries, &page), Some(format!("entries:{page}")));
    assert!(m.is_attachment(&url("http://thongke.example/Download.ashx?ItemID=3")));
    assert!(!m.is_attachment(&page));
    assert_eq!(m.timezone().iana_name(), Some("Asia/Ho_Chi_Minh"));
    assert_eq!(m.rules().collection.len(), 2);
    assert_ne!(m.hash(), Mapping::parse("x", &format!("{HEAD}#")).unwrap().hash());
}

#[test]
fn the_rest_is_what_nothing_else_knows() {
    let text = format!(
        "{HEAD}[[discover]]\nkind = 'list'\nid = 'l'\non = '/list'\nitem = 'li'\n[[ignore]]\nid = 'home'\nurl = '/home$'\n\
         [[collection]]\nid = 'pages'\nmatch = {{ url = '^/', not_url = '^/x', rest = true }}\n[[collection]]\nid = 'news'\nmatch = {{ url = '^/news/' }}\n"
    );
    let m = Mapping::parse("m.toml", &text).unwrap();
    let id = |path: &str| {
        m.document_id(
            &m.canonical(&Url::parse("http://x.example").unwrap().join(path).unwrap())
                .unwrap(),
        )
    };
    let of = |key: &str| Some(DocumentId::new(&m.rules().site.id, key));
    assert_eq!(id("/news/1"), of("news:http://x.example/news/1"));
    assert_eq!(id("/about"), of("pages:http://x.example/about"));
    for other in ["/list", "/home", "/x"] {
        assert_eq!(id(other), None, "{other}");
    }
}

#[test]
fn keys_are_filled_from_parameters_groups_and_paths() {
    let key = |template: &str, page: &str| {
        let text = format!(
            "{HEAD}[[collection]]\nid = 'c'\nmatch = {{ url = '^/(\\w+)/(\\d+)?' }}\nkey = '{template}'\n"
        );
        let m = Mapping::parse("x.toml", &text).unwrap();
        let url = m.canonical(&Url::parse(page).unwrap()).unwrap();
        m.source_key(m.collection_for_url(&url).unwrap(), &url)
    };
    assert_eq!(
        key("{1}-{2}", "http://x.example/tin/5").as_deref(),
        Some("c:tin-5")
    );
    assert_eq!(key("{1}-{2}", "http://x.example/tin/"), None);
    assert_eq!(
        key("n{id}", "http://x.example/tin/?id=%C4%90%201").as_deref(),
        Some("c:nĐ 1")
    );
    assert_eq!(key("{id}", "http://x.example/tin/?ID=1"), None);
    assert_eq!(key("{id}", "http://x.example/tin/?id="), None);
    assert_eq!(
        key("{path}", "http://x.example/tin/?id=1").as_deref(),
        Some("c:/tin/")
    );
    assert_eq!(
        key("{url}", "http://x.example/tin/").as_deref(),
        Some("c:http://x.example/tin/")
    );
}

#[test]
fn all_mistakes_of_a_file_are_told_at_once() {
    assert_eq!(
        of(
            "timezon = 'UTC'\n[politeness]\ndelay = 'gấp'\nrobots = 'obeyy'\nretries = '5'\n[[collection]]\nid = 'a'\n\
            match = { url = 'ngày (\\d{1,2}/(\\d{4})' }\nfields.title = { take = [{ css = 'h1[' }] }\n"
        ),
        [
            "5:1 unknown_key: unknown key `timezon`",
            "7:9 time_span: `gấp` is not a length of time",
            "8:10 unknown_value: `obeyy` is no value of `robots`",
            "9:11 wrong_type: `retries` must be a whole number, not a string",
            // The column of the open group: characters, not bytes, stand before it.
            "12:23 regex: the pattern of `url` does not compile",
            "13:34 css: the selector of `css` does not compile",
        ]
    );
}

#[test]
fn syntax_errors_are_told_all_and_hide_nothing_but_missing_keys() {
    assert_eq!(
        problems("[site]\nid = x\nbase = = 'b'\n[links]\nunwarp = []\n")
            .iter()
            .map(|l| l.split(':').take(2).collect::<Vec<_>>().join(":"))
            .collect::<Vec<_>>(),
        ["2:6 syntax", "3:8 syntax", "3:10 syntax", "5:1 unknown_key"],
        "{:?}",
        problems("[site]\nid = x\nbase = = 'b'\n[links]\nunwarp = []\n")
    );
}

#[test]
fn the_echo_of_an_open_bracket_is_not_told() {
    let rest = "alarm = true\n".repeat(9);
    let open = format!("alias = 1\n[site]\nid = 'x'\naliases = ['a', 'b'\n{rest}");
    let told = problems(&open);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("1:1 unknown_key"), "{told:?}");
    assert!(told[1].starts_with("5:1 syntax"), "{told:?}");
}

#[test]
fn vietnamese_text_does_not_move_the_column() {
    assert_eq!(
        of("name = 'Cục Thống kê'\nalias = 'ừ'\n[links]\nunwrap = ['tiếng Việt đầy đủ', 'ưu (']\n"),
        [
            "6:1 unknown_key: unknown key `alias`",
            "8:36 regex: the pattern of `unwrap` does not compile"
        ]
    );
    // Escapes are followed, too.
    assert_eq!(
        of("[links]\nunwrap = [\"\\u1EA1\\\\d(\"]\n"),
        ["6:21 regex: the pattern of `unwrap` does not compile"]
    );
}

#[test]
fn keys_and_kinds() {
    assert_eq!(
        problems("schema = 1\n"),
        ["1:1 missing_key: missing key `site` [this table needs `site`] (add `site`: The site)"]
    );
    assert_eq!(
        of(
            "[[discover]]\nkind = 'lists'\nid = 'a'\n[[discover]]\nid = 'b'\n[[discover]]\nkind = 'list'\nid = 'c'\n"
        ),
        [
            "6:8 unknown_value: `lists` is no value of `discover.kind`",
            "8:1 missing_key: missing key `kind`",
            "10:1 missing_key: missing key `on`",
            "10:1 missing_key: missing key `item`",
        ]
    );
    assert_eq!(
        of("[drop]\nid = 'a'\n"),
        ["5:1 wrong_type: `drop` must be a list, not a table"]
    );
    assert_eq!(help("[media]\nfecth = true\n"), "did you mean `fetch`?");
    assert_eq!(
        help("[media]\nzzz = true\n"),
        "one of `fetch`, `attachments`, `lazy_attrs`, `ignore`"
    );
    assert!(
        help("[target]\nkind = 'directus'\nurl = 'http://x/'\npassword = 'b'\n").contains("`secret_env`")
    );
    assert_eq!(
        help(&format!(
            "{NEWS}[collection.fields.dates.published]\ntake = [{{ css = 'b' }}]\n"
        )),
        "a field name with a dot stands in quotes: `[collection.fields.\"dates.published\"]`"
    );
    assert!(help("[links]\nunwrap = ['a(?=b)']\n").contains("linear time"));
    assert_eq!(
        of("[limits]\ndepth = -1\nurls = 0\n"),
        ["6:9 range: `depth` is out of range", "7:8 range: `urls` is 0"]
    );
}

#[test]
fn the_site() {
    assert_eq!(
        problems(
            "schema = 1\n[site]\nid = 'a/b'\nbase = 'ftp://x.example'\ntimezone = 'Asia/Ho_Chi_Min'\naliases = ['x.example']\n"
        ),
        [
            "3:6 id: `a/b` cannot be an id [it becomes a folder or part of a name] (write 1 to 64 ASCII letters, digits and `-`, no `-` first)",
            "4:8 url: `base` is not the URL of a site [no http or https] (write `http://www.example.org/`)",
            "5:12 timezone: unknown time zone `Asia/Ho_Chi_Min` [not in the database] (did you mean `Asia/Ho_Chi_Minh`?)",
            "6:12 url: alias `x.example` is not an origin [not scheme and host] (write scheme and host: `http://www.example.org`)",
        ]
    );
    assert_eq!(
        of("start = ['/', 'http://y.example/']\n"),
        ["5:15 start: `http://y.example/` is no page to start from"]
    );
    assert_eq!(
        problems("schema = 2\nsomething = 'else'\n"),
        [
            "1:10 schema_version: the mapping has schema version 2; this program reads version 1 [another format] (set `schema = 1`, or use the program that the file was written for)"
        ]
    );
}

#[test]
fn url_rules_and_keys() {
    assert_eq!(
        of(
            "[url]\nsignificant_params = ['a']\ndrop_params = ['a']\n[[url.rewrite]]\nfrom = '(x)'\nto = '$1a$2${1}$$3'\n"
        ),
        [
            "7:16 url_rule: `a` stands in `significant_params` and in `drop_params`",
            "10:6 rewrite: `from` has no group `1a`",
            "10:6 rewrite: `from` has no group `2`",
        ]
    );
    // A rewrite that never ends is found by the pages that a crawl starts from.
    assert_eq!(
        of("[[url.rewrite]]\nfrom = '^/'\nto = '/x/'\n"),
        ["1:1 start: `/` is no page to start from"]
    );
    let key = |key: &str| {
        of(&format!(
            "{NEWS}key = '{key}'\n[url]\nsignificant_params = ['ItemID']\n"
        ))
    };
    assert_eq!(key("{ItemID}"), [""; 0]);
    assert_eq!(
        key("{Item}"),
        ["8:7 key: no canonical URL has the parameter `Item`"]
    );
    assert_eq!(
        key("{1}"),
        ["8:7 key: the key cannot be filled: `{1}` is no group of `match.url`, which has 0"]
    );
    assert_eq!(
        key("x"),
        ["8:7 key: the key cannot be filled: the same key for every page: it names nothing of the URL"]
    );
    assert_eq!(key("{x"), ["8:7 key: the key cannot be filled: `{` without `}`"]);
}

#[test]
fn rungs() {
    let field = |rungs: &str| {
        of(&format!(
            "{NEWS}[collection.fields]\ntitle.take = [{rungs}]\nb.take = [{{ css = 'b' }}]\n"
        ))
    };
    assert_eq!(field("{ css = 'h1' }, { after = 'b' }, { infer = 'b' }"), [""; 0]);
    assert_eq!(field(""), ["9:7 take: the field has no rung"]);
    assert_eq!(
        field("{ attr = 'x' }"),
        [
            "9:15 take: the rung has no verb",
            "9:17 take: `attr` belongs to `css`"
        ]
    );
    assert_eq!(
        field("{ meta = 'x', css = 'b' }"),
        ["9:29 take: the rung has two verbs, `meta` and `css`"]
    );
    assert_eq!(
        field("{ value = 'x' }, { css = 'b' }"),
        ["9:32 take: the rung is never tried"]
    );
    assert_eq!(
        field("{ lead = false }"),
        ["9:17 take: `lead = false` takes nothing"]
    );
    assert_eq!(
        field("{ after = 'titl' }"),
        ["9:25 unknown_field: `after` names no field of this collection: `titl`"]
    );
    assert_eq!(
        field("{ infer = 'title' }"),
        ["9:25 take: `title` cannot be taken from itself"]
    );
    assert_eq!(
        field("{ css = 'b', confidence = 1.5 }"),
        ["9:41 range: `confidence` is out of range"]
    );
    assert_eq!(
        field("{ listing = 'news.date' }"),
        ["9:27 unknown_listing: no list rule has the id `news`"]
    );
    let list = "[[discover]]\nkind = 'list'\nid = 'l'\non = 'x'\nitem = 'li'\nfields.date = { css = 'i' }\n";
    let listing = |name: &str| {
        help(&format!(
            "{list}{NEWS}fields.title = {{ take = [{{ listing = '{name}' }}] }}\n"
        ))
    };
    assert_eq!(listing("l.dat"), "did you mean `date`?");
    assert_eq!(listing("l"), "did you mean `l`?");
    assert_eq!(
        of(&format!(
            "{NEWS}fields.'dates.publishd' = {{ take = [{{ css = 'b' }}], on_unmapped = 'fail' }}\n"
        )),
        [
            "8:8 field: unknown date `dates.publishd`",
            "8:67 field: every value would fail"
        ]
    );
}

#[test]
fn gates_of_the_site_and_of_collections() {
    let gate = |rule: &str| of(&format!("[[gate]]\n{rule}\n"));
    assert_eq!(gate("rule = 'near-duplicate'\nlevel = 'warn'\nat = 90"), [""; 0]);
    assert_eq!(gate("rule = 'min-body'\nlevel = 'off'"), [""; 0]);
    assert_eq!(
        gate("rule = 'near-duplicates'"),
        ["6:8 unknown_value: `near-duplicates` is no value of `rule`"]
    );
    assert_eq!(
        help("[[gate]]\nrule = 'near-duplicates'\n"),
        "did you mean `near-duplicate`?"
    );
    assert_eq!(
        gate("rule = 'parts'\nlevel = 'error'"),
        ["7:9 unknown_value: `error` is no value of `level`"]
    );
    assert_eq!(
        gate("rule = 'near-duplicate'\nat = 40"),
        ["7:6 gate: `near-duplicate` compares with 75 to 100"]
    );
    assert_eq!(
        gate("rule = 'undecided'\nat = 1"),
        ["7:1 gate: `at` has no meaning for `undecided`"]
    );
    assert_eq!(
        gate("rule = 'accounted'\nlevel = 'off'"),
        ["6:8 gate: `accounted` cannot be off"]
    );
    assert_eq!(
        gate("id = 'parts'\nrule = 'alt-text'"),
        ["6:6 gate: `parts` is the name of another rule"]
    );
    assert_eq!(
        gate("rule = 'min-body'\nat = 1\n[[gate]]\nrule = 'min-body'\nat = 9"),
        ["9:8 gate: two rules `min-body` without an id"]
    );
}

#[test]
fn one_id_means_one_rule_in_a_collection() {
    assert_eq!(
        of(&format!(
            "[[gate]]\nid = 'x'\nrule = 'alt-text'\n{NEWS}gate = [{{ id = 'x', rule = 'parts' }}]\n"
        )),
        ["11:16 gate: `x` is the id of a rule `alt-text` of the site"]
    );
}

/// A collection's rules of a kind stand in the place of the site's, and those in the place of what is built in.
#[test]
fn the_nearest_rule_of_a_kind_counts() {
    let text = format!(
        "{HEAD}[[gate]]\nrule = 'alt-text'\nlevel = 'off'\n[[gate]]\nrule = 'parts'\nlevel = 'warn'\n{NEWS}\
         gate = [{{ rule = 'parts' }}, {{ id = 'a', rule = 'min-body', at = 9 }}, {{ id = 'b', rule = 'min-body', at = 90, level = 'warn' }}]\n"
    );
    let mapping = Mapping::parse("x.toml", &text).unwrap();
    let gates = mapping.rules().gates(&mapping.rules().collection[0]);
    let said = |kind: GateKind| {
        let of = gates.iter().filter(|g| g.kind == kind);
        of.map(|g| format!("{} {:?} {}", g.id, g.level(), g.at))
            .collect::<Vec<_>>()
    };
    assert_eq!(said(GateKind::AltText), ["alt-text Off 0"]);
    assert_eq!(said(GateKind::Parts), ["parts Fail 0"]);
    assert_eq!(said(GateKind::MinBody), ["a Fail 9", "b Warn 90"]);
    assert_eq!(said(GateKind::DateSane), ["date-sane Warn 1990"]);
    for kind in GateKind::ALL {
        assert!(gates.iter().any(|g| g.kind == kind), "{kind:?}");
        let schema = serde_json::to_string(&schemars::schema_for!(GateKind)).unwrap();
        assert!(schema.contains(&format!("\"{}\"", kind.name())), "{kind:?}");
    }
}

#[test]
fn drops_gates_rejects_and_ids() {
    let drop = |rule: &str| of(&format!("[[drop]]\nid = 'a'\n{rule}\n"));
    assert_eq!(drop("from = 'x'\nto = 'y'"), [""; 0]);
    assert_eq!(drop(""), ["5:1 drop: the rule drops nothing"]);
    assert_eq!(drop("to = 'x'"), ["7:1 drop: `to` without `from`"]);
    assert_eq!(
        drop("css = 'b'\ntext = 'x'"),
        ["8:1 drop: the rule is of two kinds, `css` and `text`"]
    );
    assert_eq!(
        drop("css = 'b'\nto = 'x'"),
        ["8:1 drop: `to` has no meaning beside `css`"]
    );
    assert_eq!(drop("from = ' '"), ["7:8 drop: `from` is empty"]);
    assert_eq!(drop("catalogue = 'related'"), Vec::<String>::new());
    assert!(of("[decode]\nfallback = 'viscii'\n").is_empty());
    assert_eq!(
        of("[decode]\nfallback = 'klingon'\n"),
        ["6:12 encoding: `klingon` is no encoding that can be read"]
    );
    let french = "schema = 1\n[site]\nid = 'x'\nbase = 'http://h/'\nlanguage = 'fr'\n[[drop]]\nid = 'd'\ncatalogue = 'pager'";
    assert!(
        problems(french)
            .iter()
            .any(|p| p.contains("there is no catalogue of the language `fr`"))
    );
    assert_eq!(
        drop("outside = false"),
        ["7:1 drop: `outside = false` drops nothing"]
    );
    assert_eq!(
        of(&format!(
            "{NEWS}gate = [{{ id = 'g', rule = 'min-body' }}, {{ id = 'g', rule = 'dates-order', at = 1 }}]\n{NEWS}"
        )),
        [
            "8:28 gate: `min-body` needs `at`",
            "8:49 duplicate_id: two gate rules have the id `g`",
            "8:76 gate: `at` has no meaning for `dates-order`",
            "10:6 duplicate_id: two collection rules have the id `news`",
            "11:17 match: an earlier collection has the same conditions",
        ]
    );
    assert_eq!(
        of("[[reject]]\nid = 'a'\nclass = 'gone'\n"),
        ["5:1 reject: the rule has no condition"]
    );
    assert_eq!(
        of("[[discover]]\nkind = 'links'\nid = 'a.b'\n[[discover]]\nkind = 'sitemap'\nid = 'a.b'\n"),
        [
            "7:6 id: `a.b` cannot be an id",
            "10:6 duplicate_id: two discover rules have the id `a.b`",
            "10:6 id: `a.b` cannot be an id"
        ]
    );
    assert_eq!(
        of(
            "[[discover]]\nkind = 'ids'\nid = 'a'\nurl = '/v?id={n}'\n[[discover]]\nkind = 'calendar'\nid = 'b'\nurl = '/{mm}'\nfrom = '2020-01-01'\n"
        ),
        [
            "8:7 template: `{n}` is not known here",
            "8:7 template: the address lacks `{id}`, or has it twice",
            "12:7 template: the address lacks `{yyyy}`, or has it twice"
        ]
    );
    assert_eq!(
        of(
            "[[discover]]\nkind='list'\nid='a'\non='x'\nitem='li'\n[discover.pager]\nkind='json'\nurl='/a'\nitems='rows'\nheaders={'a b'='c'}\n"
        ),
        [
            "10:1 pager: this pager would find nothing",
            "12:5 template: every page would be the same request",
            "13:7 pointer: `rows` is no JSON Pointer",
            "14:10 header: `a b` is no name of a header"
        ]
    );
    assert_eq!(
        of("[[discover]]\nkind = 'links'\nid = 'a'\nallow = ['x', '(?i)^/list']\n"),
        ["8:15 pattern: the pattern can never match"]
    );
    assert_eq!(
        of("[[collection]]\nid = 'a'\nmatch = { url = '^https?://x' }\n"),
        ["7:17 match: `match.url` begins with a scheme"]
    );
}

#[test]
fn a_secret_in_the_file_is_refused_and_not_repeated() {
    let found = of(
        "[target]\nkind = 'wordpress'\nurl = 'http://x/'\nsecret_env = 'hunter2!'\nretire = { max_share = 2 }\n",
    );
    assert_eq!(
        found,
        [
            "8:14 secret: `secret_env` is not the name of an environment variable",
            "9:24 range: `max_share` is out of range"
        ]
    );
}

#[test]
fn a_declared_target_tells_all_its_problems_at_once() {
    let found = of(concat!(
        "[target]\nkind = 'http-json'\npreset = 'wagtail'\nurl = 'http://x/'\n[target.http]\nproduct = 'X'\nbasee = 'api'\n",
        "headers = { Authorization = 'x', X-Ok = 'y' }\n[target.http.auth]\nkind = 'bearre'\n[target.http.document]\n",
        "item = 'http://evil.example/{{ id }}'\nkey = 'legacy_key'\nlive = 'object.live and'\n",
        "[target.http.document.fields]\nbody = { value = 'x {{ bodi }}' }\ntitle = { value = { a = ['{{ title'] } }\n",
        "cover = { valeu = 1 }\n[target.http.document.update]\nmethod = 'PATSH'\n",
    ));
    assert_eq!(
        found,
        [
            "11:1 unknown_key: unknown key `basee`",
            "12:13 http_json: the header `Authorization` cannot be set",
            "14:8 unknown_value: `bearre` is no value of `kind`",
            "16:8 http_json: `item` leads away from the CMS",
            "17:7 http_json: `legacy_key` is no JSON pointer",
            "18:21 template: the template of `live` cannot be read",
            "20:23 template: a template names `bodi`, which there is not",
            "21:27 template: the template of `a` cannot be read",
            "22:9 missing_key: missing key `value`",
            "22:11 unknown_key: unknown key `valeu`",
            "24:10 http_json: `PATSH` is no method of a write",
        ]
    );
}

#[test]
fn a_declared_target_says_what_it_lacks() {
    let lacking = |rest: &str| {
        of(&format!(
            "[target]\nkind = 'http-json'\nurl = 'http://x/'\n{rest}"
        ))
    };
    let found = lacking("");
    assert!(
        found.contains(&"5:1 http_json: the target needs `http.document.path`".to_owned()),
        "{found:#?}"
    );
    assert!(found.contains(&"5:1 http_json: the target needs an `[[target.entry]]`".to_owned()));
    assert_eq!(
        lacking("preset = 'wagtail'\n[[target.entry]]\ncollection = 'news'\ntype = 'home.ArticlePage'\n"),
        ["5:1 http_json: the target needs `http.vars.parent_id`"]
    );
    let other = of("[target]\nkind = 'directus'\nurl = 'http://x/'\npreset = 'wagtail'\n");
    assert_eq!(other, ["8:1 http_json: `preset` is for `kind = \"http-json\"`"]);
    // The declaration as a whole: the preset, and the mapping over it.
    let text = format!(
        "{HEAD}[target]\nkind = 'http-json'\nurl = 'http://x/'\npreset = 'wagtail'\n[target.http]\nvars = {{ parent_id = 3 }}\n[target.http.document]\nomit = ['cover']\n[target.http.document.fields]\nbody = {{ value = '{{{{ body }}}}', write = 'raw' }}\n[[target.entry]]\ncollection = 'news'\ntype = 'home.ArticlePage'\n"
    );
    let mapping = Mapping::parse("x.toml", &text).unwrap_or_else(|e| panic!("{:#?}", lines(&e)));
    let document = &mapping.rules().target.as_ref().unwrap().http.document;
    assert_eq!(document.fields["body"].write.as_deref(), Some("raw"));
    assert!(document.fields.contains_key("title") && !document.fields.contains_key("cover"));
}

/// The examples of the page are targets.
#[test]
fn what_the_page_of_declared_targets_shows_can_be_used() {
    let page = include_str!("../../docs/http-json.md");
    let examples: Vec<&str> = page
        .split("```toml\n")
        .skip(1)
        .filter_map(|part| part.split("```").next())
        .filter(|text| text.starts_with("[target]"))
        .collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        assert_eq!(of(example), [""; 0], "{example}");
    }
}

#[test]
fn sessions_hold_no_secrets_and_say_what_they_fill_in() {
    assert_eq!(
        of(
            "[session]\nheaders = { Authorization = 'Basic abc' }\ncookies = ['x']\nbearer_env = 'hunter2!'\n[session.login]\nurl = '/l'\nfields = { a = {}, b = { env = 'pw', value = 'x' } }\nsuccess = {}\n"
        ),
        [
            "6:13 secret: `Authorization` may carry a secret",
            "7:12 cookie: a cookie has a name and a value",
            "8:14 secret: `bearer_env` is not the name of an environment variable",
            "11:12 session: the field `a` needs one of `env` and `value`",
            "11:20 session: the field `b` needs one of `env` and `value`",
            "11:32 secret: `env` is not the name of an environment variable",
            "12:11 session: `success` names nothing"
        ]
    );
}

#[test]
fn miette_draws_file_line_and_caret() {
    let error = Mapping::parse("bad.toml", &format!("{HEAD}[links]\nunwarp = []\n")).unwrap_err();
    let mut drawn = String::new();
    let handler = miette::NarratableReportHandler::new();
    handler.render_report(&mut drawn, &error).unwrap();
    for part in [
        "mapping `bad.toml` has 1 problem",
        "unknown key `unwarp`",
        "line 6",
        "did you mean `unwrap`?",
    ] {
        assert!(drawn.contains(part), "{part}: {drawn}");
    }
    let related = error
        .related()
        .into_iter()
        .flatten()
        .filter_map(|d| d.code().map(|c| c.to_string()));
    assert_eq!(related.collect::<Vec<_>>(), ["mapping::unknown_key"]);
}

#[test]
fn a_file_that_cannot_be_read_is_named() {
    let error = Mapping::load(Path::new("no/such.toml")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("cannot read mapping `no/such.toml`: "),
        "{error}"
    );
    assert!(error.help().is_some());
    assert!(error.problems().is_empty());
}

#[test]
fn defaults_compile_and_the_schema_agrees_with_the_types() {
    let m = Mapping::parse("x.toml", &format!("{HEAD}[[discover]]\nkind='list'\nid='a'\non='x'\nitem='li'\npager = {{ kind = 'aspnet-postback', css = 'a' }}\n[[discover]]\nkind='links'\nid='b'\n")).unwrap();
    assert_eq!(m.rules().media.attachments.len(), 1);
    let schema = mapping_schema();
    let portal: serde_json::Value = toml::from_str(PORTAL).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator.iter_errors(&portal).map(|e| e.to_string()).collect();
    assert_eq!(errors, [""; 0]);
}

/// A key that the format has and the page does not name, or the other way round, is a mistake of the page.
#[test]
fn the_page_of_the_format_names_every_key() {
    // Declared targets have a page of their own.
    let page = concat!(
        include_str!("../../docs/mapping.md"),
        include_str!("../../docs/http-json.md")
    );
    let mut open = vec![mapping_schema()];
    let mut keys = 0;
    while let Some(schema) = open.pop() {
        for (key, value) in schema["properties"].as_object().into_iter().flatten() {
            keys += 1;
            let named = ["`", "[", ".", "{ ", ", "].iter().any(|before| {
                let wanted = format!("{before}{key}");
                let mut places = page.match_indices(&wanted);
                places.any(|(at, found)| {
                    !page[at + found.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
                })
            });
            assert!(
                named,
                "neither docs/mapping.md nor docs/http-json.md names `{key}`"
            );
            for name in value["oneOf"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(|v| v["const"].as_str())
            {
                assert!(page.contains(name), "docs/mapping.md does not name `{name}`");
            }
        }
        match schema {
            serde_json::Value::Object(map) => open.extend(map.into_values()),
            serde_json::Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
    assert!(keys > 80, "{keys}");
}

proptest! {
    /// A damaged mapping gives problems or a mapping; it never panics, and places lie inside the text.
    #[test]
    fn no_damage_panics(edits in proptest::collection::vec((0usize..1000, 0u8..4, 0usize..1000), 1..6)) {
        let mut lines: Vec<String> = PORTAL.lines().map(str::to_owned).collect();
        for (at, kind, other) in edits {
            let (at, other) = (at % lines.len(), other % lines.len());
            match kind {
                0 => { lines.remove(at); }
                1 => { let line = lines[at].clone(); lines.insert(other, line); }
                2 => lines.swap(at, other),
                _ => { let half = lines[at].chars().count() / 2; lines[at] = lines[at].chars().take(half).collect(); }
            }
        }
        let text = lines.join("\n");
        if let Err(error) = Mapping::parse("x.toml", &text) {
            prop_assert!(!error.problems().is_empty());
            for p in error.problems() {
                prop_assert!(text.get(p.span.clone()).is_some());
                prop_assert!(p.line <= text.lines().count() + 1 && p.column > 0);
                // What the walker and the checks let pass, serde takes.
                prop_assert!(p.code != "mapping::invalid", "{}", p.message);
            }
        }
    }
}
