//! D11: a list of ASP.NET WebForms whose view state changes with every answer, expires, and is validated.

use crate::harness::{Running, random, run, trials};
use crate::site::{Asked, Reply, Rules, Site, article, articles_are, job, mapping};
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex};

const PER_PAGE: u32 = 10;
const PAGES: u32 = 24;
const ARTICLES: u32 = PER_PAGE * PAGES - 3;

/// What the server remembers.
#[derive(Default)]
struct State {
    issued: u64,
    /// View state to the page that it shows. A state is good for one use.
    good: HashMap<String, u32>,
    shown: Vec<u32>,
    refused: usize,
    /// Forget all states once this many pages were shown.
    forget_at: Option<usize>,
}

impl State {
    fn list(&mut self, page: u32) -> Reply {
        self.issued += 1;
        let token = format!(
            "vs{}/{}+==",
            self.issued,
            blake3::hash(&self.issued.to_le_bytes()).to_hex()
        );
        self.good.insert(token.clone(), page);
        self.shown.push(page);
        if self.forget_at.is_some_and(|at| self.shown.len() >= at) {
            self.forget_at = None;
            self.good.clear();
        }
        let first = (page - 1) * PER_PAGE + 1;
        let items: String = (first..(first + PER_PAGE).min(ARTICLES + 1))
            .map(|id| format!("<tr class=tin><td><a href='/view?id={id}'>Bài {id}</a></td></tr>"))
            .collect();
        // Ten numbers at a time; `...` leads to the next ten.
        let group = (page - 1) / 10 * 10 + 1;
        let mut pager: String = (group..(group + 10).min(PAGES + 1))
            .filter(|n| *n != page)
            .map(|n| link(n, &n.to_string()))
            .collect();
        if group > 1 {
            pager = link(group - 1, "...") + &pager;
        }
        if group + 10 <= PAGES {
            pager += &link(group + 10, "...");
        }
        Reply::page(format!(
            "<html><body><form method=post action='/ds?CatID=3'><input type=hidden name=__EVENTTARGET value=''><input type=hidden name=__EVENTARGUMENT value=''><input type=hidden name=__VIEWSTATE value='{token}'><input type=hidden name=__EVENTVALIDATION value='ev-{page}'><table class=ds>{items}</table><div class=trang>{pager}</div></form></body></html>"
        ))
    }

    fn post(&mut self, asked: &Asked) -> Reply {
        let fields: HashMap<String, String> = url::form_urlencoded::parse(asked.body.as_bytes())
            .into_owned()
            .collect();
        let field = |name: &str| fields.get(name).cloned().unwrap_or_default();
        let shown = self.good.get(&field("__VIEWSTATE")).copied();
        let wanted = field("__EVENTARGUMENT")
            .strip_prefix("Page$")
            .and_then(|n| n.parse::<u32>().ok());
        let (Some(shown), Some(page)) = (shown, wanted) else {
            self.refused += 1;
            return Reply::status(500);
        };
        let group = (shown - 1) / 10 * 10 + 1;
        let offered = (1..=PAGES).contains(&page) && page + 1 >= group && page <= group + 10;
        if !offered || field("__EVENTVALIDATION") != format!("ev-{shown}") || field("__EVENTTARGET") != "grid"
        {
            self.refused += 1;
            return Reply::status(500);
        }
        self.list(page)
    }
}

fn link(page: u32, text: &str) -> String {
    format!("<a href=\"javascript:__doPostBack('grid','Page${page}')\">{text}</a> ")
}

fn site(state: Arc<Mutex<State>>) -> Site {
    Site::start(move |asked| match (asked.method.as_str(), asked.path.as_str()) {
        ("GET", "/") => Reply::page("<a href='/ds?CatID=3'>danh sách</a>"),
        ("GET", "/ds?CatID=3") => state.lock().unwrap().list(1),
        ("POST", "/ds?CatID=3") => state.lock().unwrap().post(asked),
        _ => match asked.id() {
            Some(id) if asked.path.starts_with("/view?") && id <= ARTICLES => Reply::page(article(id)),
            _ => Reply::status(404),
        },
    })
}

const LIST: &str = r#"[[discover]]
id = "list"
kind = "list"
on = '/ds\?CatID=3$'
item = "tr.tin"
link = "a"
pager = { kind = "aspnet-postback", css = "div.trang a[href]", max_pages = 200 }
"#;

fn every_page(state: &State) {
    let seen: BTreeSet<u32> = state.shown.iter().copied().collect();
    assert_eq!(seen, (1..=PAGES).collect(), "pages of the list");
}

#[test]
fn d11_a_list_of_postbacks_is_walked_once_and_survives_its_server() {
    // Once undisturbed; once with all states forgotten in the middle.
    for forget_at in [None, Some(9)] {
        let state = Arc::new(Mutex::new(State {
            forget_at,
            ..State::default()
        }));
        let site = site(state.clone());
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out");
        let rules = Rules {
            more: LIST,
            politeness: "breaker_rest = \"20ms\"",
            ..Rules::default()
        };
        let mapping = mapping(folder.path(), &rules);
        let ended = run(&mut job(&mapping, site.address, &output));
        let state = state.lock().unwrap();
        every_page(&state);
        articles_are(&output, 1..=ARTICLES);
        let (shown, refused) = (state.shown.len(), state.refused);
        match forget_at {
            None => assert_eq!(
                (shown, refused, ended.status.code()),
                (PAGES as usize, 0, Some(0)),
                "{}",
                ended.said
            ),
            // It begins again once; what was refused is asked for at most once more.
            Some(at) => assert!(
                shown <= PAGES as usize + at && (1..=3).contains(&refused),
                "{shown} shown, {refused} refused"
            ),
        }
        eprintln!(
            "D11: forgotten at {forget_at:?}: {shown} list pages shown ({PAGES} there are), {refused} refused, all {ARTICLES} articles"
        );
    }
}

#[test]
fn d11_killed_in_the_middle_of_a_list_it_goes_on_there() {
    let mut random = random("D11");
    let (mut kills, mut extra) = (0, 0);
    for _ in 0..trials(4) {
        let state = Arc::new(Mutex::new(State::default()));
        let site = site(state.clone());
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("out");
        let rules = Rules {
            more: LIST,
            ..Rules::default()
        };
        let mapping = mapping(folder.path(), &rules);
        let mut hits = 0;
        for part in 1..=2 {
            let moment = PAGES as usize * part / 3 + random.usize(..4);
            let mut running = Running::start(&mut job(&mapping, site.address, &output));
            running.until(|| state.lock().unwrap().shown.len() >= moment);
            hits += usize::from(running.kill());
        }
        run(&mut job(&mapping, site.address, &output)).with(0);
        articles_are(&output, 1..=ARTICLES);
        let state = state.lock().unwrap();
        every_page(&state);
        // At a kill one request of the list is under way.
        assert!(
            state.shown.len() <= PAGES as usize + hits,
            "{} list pages were shown",
            state.shown.len()
        );
        let articles: Vec<_> = site
            .log()
            .into_iter()
            .filter(|s| s.asked.id().is_some() && s.status == 200)
            .collect();
        let distinct: HashSet<_> = articles.iter().map(|s| s.asked.path.clone()).collect();
        assert!(articles.len() <= distinct.len() + 4 * hits);
        (kills, extra) = (kills + hits, extra + state.shown.len() - PAGES as usize);
    }
    eprintln!("D11: {kills} kills inside the list: all {PAGES} pages, {extra} shown twice");
}
