//! How the pages of a list hang together: what the next page is, and when a walk ends. Pure.

pub mod delta;
pub mod json;
mod request;

pub use request::{NextRequest, Request, form_type};

use crate::ledger::Pager as State;
use crate::mapping::Pattern;
use crate::page::Page;
use request::MAX_REQUEST;
use scraper::{ElementRef, Selector};
use std::sync::LazyLock;
use url::Url;

/// The call `__doPostBack('target','argument')` inside an attribute.
#[must_use]
pub fn postback_call(text: &str) -> Option<(String, String)> {
    static CALL: LazyLock<Option<regex::Regex>> = LazyLock::new(|| {
        regex::Regex::new(
            r#"(?:__doPostBack|WebForm_PostBackOptions)\s*\(\s*(?:'([^']*)'|"([^"]*)")\s*,\s*(?:'([^']*)'|"([^"]*)")"#,
        )
        .ok()
    });
    let groups = CALL.as_ref()?.captures(text)?;
    let get = |a, b| {
        groups
            .get(a)
            .or_else(|| groups.get(b))
            .map_or("", |m| m.as_str())
            .replace("\\$", "$")
    };
    Some((get(1, 2), get(3, 4)))
}

/// How a list is paged by postbacks.
#[derive(Clone, Copy, Debug)]
pub struct Postbacks<'a> {
    /// Id of the list rule.
    pub rule: &'a str,
    /// Elements that hold the calls.
    pub css: &'a Selector,
    /// The number in an argument.
    pub number: &'a Pattern,
    /// Ask as an UpdatePanel does: names of the ScriptManager's field and of the panel, where the mapping says them.
    pub delta: Option<(Option<&'a str>, Option<&'a str>)>,
}

/// The page behind page `current` of a list, as this response offers it; groups behind `...` included.
#[must_use]
pub fn next_postback(view: &Page, how: &Postbacks<'_>, current: u32) -> Option<NextRequest> {
    let mut group = None;
    for link in view.html.select(how.css) {
        let Some((target, argument)) = ["href", "onclick"]
            .iter()
            .find_map(|a| link.attr(a).and_then(postback_call))
        else {
            continue;
        };
        let text = view.text_of(link);
        let page = [argument.as_str(), target.as_str()]
            .iter()
            .find_map(|t| how.number.take(t)?.parse::<u32>().ok())
            .or_else(|| text.parse().ok());
        match page {
            Some(page) if page == current + 1 => {
                return build(view, how, link, &target, &argument, current + 1);
            }
            Some(_) => {}
            // Without a number: the last one leads forward, the first one may lead back.
            None if matches!(text.as_str(), "..." | "…" | ">" | "»" | "›") => {
                group = Some((link, target, argument));
            }
            None => {}
        }
    }
    let (link, target, argument) = group?;
    build(view, how, link, &target, &argument, current + 1)
}

fn build(
    view: &Page,
    how: &Postbacks<'_>,
    link: ElementRef<'_>,
    target: &str,
    argument: &str,
    page: u32,
) -> Option<NextRequest> {
    let form = link
        .ancestors()
        .filter_map(ElementRef::wrap)
        .find(|e| e.value().name() == "form")?;
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    let mut headers = vec![form_type()];
    if let Some((manager, panel)) = how.delta {
        let (found_manager, found_panel) = update_panel(view).unzip();
        let manager = manager.map(str::to_owned).or(found_manager)?;
        let panel = panel.map(str::to_owned).or(found_panel)?;
        pairs.append_pair(&manager, &format!("{panel}|{target}"));
        headers.push(("x-microsoftajax".into(), "Delta=true".into()));
        headers.push(("x-requested-with".into(), "XMLHttpRequest".into()));
    }
    pairs.append_pair("__EVENTTARGET", target);
    pairs.append_pair("__EVENTARGUMENT", argument);
    for (name, value) in fields(form)? {
        if name != "__EVENTTARGET" && name != "__EVENTARGUMENT" {
            pairs.append_pair(&name, &value);
        }
    }
    if how.delta.is_some() {
        pairs.append_pair("__ASYNCPOST", "true");
    }
    let request = Request {
        rule: how.rule.to_owned(),
        method: "POST".into(),
        url: action(view, form)?.into(),
        headers,
        body: pairs.finish(),
    };
    (request.body.len() <= MAX_REQUEST).then(|| NextRequest {
        request,
        page,
        identity: format!("{target}\n{argument}"),
    })
}

/// Names of a page's ScriptManager and of its first UpdatePanel.
fn update_panel(view: &Page) -> Option<(String, String)> {
    static MARK: LazyLock<Option<Selector>> =
        LazyLock::new(|| Selector::parse("meta[name=sangtrang-update-panel]").ok());
    static SCRIPTS: LazyLock<Option<Selector>> = LazyLock::new(|| Selector::parse("script:not([src])").ok());
    // `_initialize('ctl00$sm', 'aspnetForm', ['tctl00$main$panel', …], …)`; `t` and `f` say whether children update it.
    static CALL: LazyLock<Option<regex::Regex>> = LazyLock::new(|| {
        regex::Regex::new(
            r"PageRequestManager\._initialize\(\s*'([^']+)'\s*,\s*'[^']*'\s*,\s*\[\s*'[tf]?([^',]+)'",
        )
        .ok()
    });
    if let Some(mark) = view.html.select(MARK.as_ref()?).next() {
        let (manager, panel) = mark.attr("content")?.split_once('|')?;
        return Some((manager.to_owned(), panel.to_owned()));
    }
    view.html.select(SCRIPTS.as_ref()?).find_map(|script| {
        let text: String = script.text().collect();
        let groups = CALL.as_ref()?.captures(&text)?;
        Some((groups[1].to_owned(), groups[2].to_owned()))
    })
}

/// Where a form goes.
fn action(view: &Page, form: ElementRef<'_>) -> Option<Url> {
    match form.attr("action") {
        Some(action) if !action.trim().is_empty() => view.base.join(action.trim()).ok(),
        _ => Some(view.url.as_url().clone()),
    }
}

/// The fields of a form as a browser would send them, no button pressed (HTML, "constructing the entry list").
fn fields(form: ElementRef<'_>) -> Option<Vec<(String, String)>> {
    static FIELDS: LazyLock<Option<Selector>> =
        LazyLock::new(|| Selector::parse("input[name], select[name], textarea[name]").ok());
    let mut pairs = Vec::new();
    for field in form.select(FIELDS.as_ref()?) {
        let name = field.attr("name").unwrap_or_default();
        if field.attr("disabled").is_some() {
            continue;
        }
        match field.value().name() {
            "input" => {
                let kind = field.attr("type").unwrap_or("text").to_ascii_lowercase();
                let sent = match kind.as_str() {
                    "submit" | "button" | "image" | "reset" | "file" => false,
                    "checkbox" | "radio" => field.attr("checked").is_some(),
                    _ => true,
                };
                if sent {
                    let default = if kind == "checkbox" { "on" } else { "" };
                    pairs.push((name.to_owned(), field.attr("value").unwrap_or(default).to_owned()));
                }
            }
            "textarea" => pairs.push((name.to_owned(), field.text().collect())),
            _ => {
                let options = || {
                    field
                        .descendants()
                        .filter_map(ElementRef::wrap)
                        .filter(|e| e.value().name() == "option")
                };
                if let Some(option) = options()
                    .find(|o| o.attr("selected").is_some())
                    .or_else(|| options().next())
                {
                    let text = || option.text().collect::<String>();
                    let value = option.attr("value").map_or_else(text, str::to_owned);
                    pairs.push((name.to_owned(), value));
                }
            }
        }
    }
    Some(pairs)
}

/// A form with some of its fields filled in, as it would be sent; fields that it lacks are added.
#[must_use]
pub fn filled(view: &Page, css: &Selector, values: &[(String, String)]) -> Option<Request> {
    let form = view.html.select(css).find(|e| e.value().name() == "form")?;
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in fields(form)? {
        if !values.iter().any(|(n, _)| *n == name) {
            pairs.append_pair(&name, &value);
        }
    }
    for (name, value) in values {
        pairs.append_pair(name, value);
    }
    let body = pairs.finish();
    let mut url = action(view, form)?;
    let post = form
        .attr("method")
        .is_some_and(|m| m.trim().eq_ignore_ascii_case("post"));
    if !post {
        url.set_query(Some(&body));
    }
    (body.len() <= MAX_REQUEST).then(|| Request {
        rule: String::new(),
        method: if post { "POST" } else { "GET" }.into(),
        url: url.into(),
        headers: if post { vec![form_type()] } else { Vec::new() },
        body: if post { body } else { String::new() },
    })
}

/// The next page of a list whose form has a field for the page's number.
#[must_use]
pub fn form_page(view: &Page, rule: &str, css: &Selector, param: &str, page: u32) -> Option<NextRequest> {
    let request = filled(view, css, &[(param.to_owned(), page.to_string())])?;
    Some(NextRequest {
        request: Request {
            rule: rule.to_owned(),
            ..request
        },
        page,
        identity: format!("form {param}"),
    })
}

/// The list with another page number in its query.
#[must_use]
pub fn with_page(list: &Url, param: &str, page: Option<u32>) -> Url {
    let kept: Vec<(String, String)> = list
        .query_pairs()
        .filter(|(k, _)| !k.eq_ignore_ascii_case(param))
        .map(|(k, v)| (k.into_owned(), v.into_owned()))
        .collect();
    let mut url = list.clone();
    url.set_query(None);
    if !kept.is_empty() || page.is_some() {
        let mut pairs = url.query_pairs_mut();
        pairs.extend_pairs(kept);
        if let Some(page) = page {
            pairs.append_pair(param, &page.to_string());
        }
    }
    url
}

/// What a page of a list says of the walk.
#[derive(Clone, Copy, Debug, Default)]
pub struct Seen {
    /// Items that no page of this walk had named.
    pub new_items: usize,
    /// Does the page lead on?
    pub has_next: bool,
    /// How many items the list says it has.
    pub total: Option<u64>,
    /// The mapping's limit.
    pub max_pages: u32,
    /// Pages in a row without a new item that end the walk.
    pub stop_after: Option<u32>,
    /// Items that earlier walks had not named, or of which the list says something else now.
    pub news: usize,
    /// Fewer items than this, and a whole walk is not believed; 0: nothing is known of the list.
    pub least: u64,
}

/// Counts a page of the list in and says whether the walk goes on. Why it ends stands in `state.stop`.
pub fn advance(state: &mut State, seen: &Seen) -> bool {
    state.pages += 1;
    if state.brief {
        // What is known of the whole list stands.
        state.stop = if seen.news == 0 && seen.new_items == 0 && state.pages == 1 && state.usual > 0 {
            Some(EMPTY.into())
        } else if seen.news == 0 {
            Some("known-items".into())
        } else if !seen.has_next {
            Some("last-page".into())
        } else if state.pages >= seen.max_pages {
            Some("max-pages".into())
        } else {
            None
        };
        return state.stop.is_none();
    }
    state.items += seen.new_items as u64;
    state.total = seen.total.or(state.total);
    state.no_new = if seen.new_items == 0 { state.no_new + 1 } else { 0 };
    let reached = state.total.is_some_and(|t| state.items >= t);
    state.stop = if reached && seen.stop_after.is_some() {
        Some("count-reached".into())
    } else if !seen.has_next {
        Some("last-page".into())
    } else if state.pages >= seen.max_pages {
        Some("max-pages".into())
    } else if seen.stop_after.is_some_and(|n| state.no_new >= n.max(1)) {
        Some("no-new-items".into())
    } else {
        None
    };
    judge_size(state, seen.least);
    state.stop.is_none()
}

/// The end of a walk that named nothing although the list usually does.
pub const EMPTY: &str = "empty";
/// The end of a whole walk that named far less than usual.
pub const SHRUNK: &str = "shrunk";

/// A whole walk that came to its end is not believed if it named fewer than `least` items.
pub fn judge_size(state: &mut State, least: u64) {
    if state.stop.is_some() && least > 0 && state.items < least {
        state.stop = Some(if state.items == 0 { EMPTY } else { SHRUNK }.into());
    }
}

/// All numbers of a URL, in order: pages of a list in their order.
#[must_use]
pub fn numbers(url: &str) -> Vec<u64> {
    url.split(|c: char| !c.is_ascii_digit())
        .filter_map(|n| n.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<form action="List.aspx?CatID=2"><input type="hidden" name="__VIEWSTATE" value="a+b/=">
        <input type="submit" name="go" value="1"><input type="checkbox" name="c" checked>
        <table><tr><td><a href="javascript:__doPostBack('grid','Page$1')">...</a></td>
        <td><a href="javascript:__doPostBack('grid','Page$12')">12</a></td>
        <td><a href="javascript:__doPostBack(&#39;grid&#39;,&#39;Page$21&#39;)">...</a></td></tr></table></form>"#;

    #[test]
    fn a_brief_walk_ends_where_nothing_is_new_and_a_whole_one_is_not_believed_if_it_is_short() {
        let seen = |new_items, news, has_next| Seen {
            new_items,
            news,
            has_next,
            max_pages: 10,
            ..Seen::default()
        };
        let brief = State {
            brief: true,
            usual: 40,
            items: 40,
            ..State::default()
        };
        let mut state = brief.clone();
        assert!(advance(&mut state, &seen(5, 2, true)));
        assert!(!advance(&mut state, &seen(5, 0, true)));
        assert_eq!((state.stop.as_deref(), state.items), (Some("known-items"), 40));
        let mut state = brief;
        assert!(!advance(&mut state, &seen(0, 0, false)));
        assert_eq!(state.stop.as_deref(), Some(EMPTY));
        for (items, stop) in [(0, EMPTY), (19, SHRUNK), (20, "last-page")] {
            let mut state = State::default();
            let seen = Seen {
                least: 20,
                ..seen(items, items, false)
            };
            assert!(!advance(&mut state, &seen));
            assert_eq!(state.stop.as_deref(), Some(stop));
        }
        assert!(numbers("http://h/l?page=2") < numbers("http://h/l?page=10"));
    }

    #[test]
    fn only_what_the_response_offers() {
        let view = super::super::tests::page("http://h/List.aspx?CatID=2", PAGE, "");
        let css = Selector::parse("a").unwrap();
        let number = Pattern::new(r"^Page\$(\d+)$").unwrap();
        let how = Postbacks {
            rule: "list",
            css: &css,
            number: &number,
            delta: None,
        };
        let next = next_postback(&view, &how, 11).unwrap();
        assert_eq!((next.identity.as_str(), next.page), ("grid\nPage$12", 12));
        assert_eq!(
            next.request.body,
            "__EVENTTARGET=grid&__EVENTARGUMENT=Page%2412&__VIEWSTATE=a%2Bb%2F%3D&c=on"
        );
        assert_eq!(next.request.url, "http://h/List.aspx?CatID=2");
        assert_eq!(next_postback(&view, &how, 20).unwrap().identity, "grid\nPage$21");
        assert_eq!(next_postback(&view, &how, 30), None);
    }

    #[test]
    fn an_update_panel_is_found_and_asked_as_its_script_does() {
        let script = "<script>Sys.WebForms.PageRequestManager._initialize('ctl00$sm', 'f', ['tctl00$panel',''], [], [], 90, '');</script>";
        let view = super::super::tests::page("http://h/List.aspx?CatID=2", &format!("{script}{PAGE}"), "");
        let css = Selector::parse("a").unwrap();
        let number = Pattern::new(r"^Page\$(\d+)$").unwrap();
        let how = Postbacks {
            rule: "list",
            css: &css,
            number: &number,
            delta: Some((None, None)),
        };
        let next = next_postback(&view, &how, 11).unwrap().request;
        assert!(
            next.body
                .starts_with("ctl00%24sm=ctl00%24panel%7Cgrid&__EVENTTARGET=grid&"),
            "{}",
            next.body
        );
        assert!(next.body.ends_with("&__ASYNCPOST=true"));
        assert!(
            next.headers
                .contains(&("x-microsoftajax".into(), "Delta=true".into()))
        );
    }

    #[test]
    fn a_form_with_a_page_number() {
        let html = "<form id=tim method=POST action='/tim'><input name=q value='a b'><input name=trang value=1><input type=submit name=s></form>";
        let view = super::super::tests::page("http://h/l", html, "");
        let css = Selector::parse("#tim").unwrap();
        let next = form_page(&view, "list", &css, "trang", 2).unwrap().request;
        assert_eq!(
            (next.method.as_str(), next.url.as_str()),
            ("POST", "http://h/tim")
        );
        assert_eq!(next.body, "q=a+b&trang=2");
    }

    #[test]
    fn walks_end_by_their_own_rules() {
        let mut state = State::default();
        let seen = |new_items, has_next| Seen {
            new_items,
            has_next,
            max_pages: 10,
            stop_after: Some(2),
            ..Seen::default()
        };
        assert!(advance(&mut state, &seen(3, true)));
        assert!(advance(&mut state, &seen(0, true)));
        assert!(!advance(&mut state, &seen(0, true)));
        assert_eq!((state.stop.as_deref(), state.items), (Some("no-new-items"), 3));
        let stop = |seen: Seen| {
            let mut state = State::default();
            assert!(!advance(&mut state, &seen));
            state.stop.unwrap()
        };
        assert_eq!(stop(seen(1, false)), "last-page");
        assert_eq!(
            stop(Seen {
                max_pages: 1,
                ..seen(1, true)
            }),
            "max-pages"
        );
        assert_eq!(
            stop(Seen {
                total: Some(4),
                ..seen(4, true)
            }),
            "count-reached"
        );
        let list = Url::parse("http://h/l?a=1&p=3").unwrap();
        assert_eq!(with_page(&list, "p", Some(4)).as_str(), "http://h/l?a=1&p=4");
        assert_eq!(with_page(&list, "p", None).as_str(), "http://h/l?a=1");
    }
}
