//! How the pages of a list hang together: what the next page is, and when a walk ends. Pure.

use crate::ledger::Pager as State;
use crate::mapping::Pattern;
use crate::page::Page;
use scraper::{ElementRef, Selector};
use std::sync::LazyLock;
use url::Url;

/// Largest form body that is sent.
const MAX_FORM: usize = 8 << 20;

/// The next page of a list by sending its form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Postback {
    /// Where the form goes.
    pub action: String,
    /// `__EVENTTARGET`.
    pub target: String,
    /// `__EVENTARGUMENT`.
    pub argument: String,
    /// Number of the page that it leads to.
    pub page: u32,
    /// `application/x-www-form-urlencoded`.
    pub body: String,
}

impl Postback {
    /// What the ledger keeps: the way and the body.
    #[must_use]
    pub fn to_request(&self) -> Vec<u8> {
        format!("{}\n{}", self.action, self.body).into_bytes()
    }

    /// Way and body of what [`Postback::to_request`] made.
    #[must_use]
    pub fn from_request(request: &[u8]) -> Option<(&str, &str)> {
        std::str::from_utf8(request).ok()?.split_once('\n')
    }

    /// Identity: list, target, argument, page and walk.
    #[must_use]
    pub fn key(&self, list: &str, generation: u32) -> [u8; 16] {
        let text = format!(
            "postback\n{list}\n{}\n{}\n{}\n{generation}",
            self.target, self.argument, self.page
        );
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
        key
    }
}

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

/// The page behind page `current` of a list, as this response offers it; groups behind `...` included.
#[must_use]
pub fn next_postback(view: &Page, css: &Selector, number: &Pattern, current: u32) -> Option<Postback> {
    let mut group = None;
    for link in view.html.select(css) {
        let Some((target, argument)) = ["href", "onclick"]
            .iter()
            .find_map(|a| link.attr(a).and_then(postback_call))
        else {
            continue;
        };
        let text = view.text_of(link);
        let page = [argument.as_str(), target.as_str()]
            .iter()
            .find_map(|t| number.take(t)?.parse::<u32>().ok())
            .or_else(|| text.parse().ok());
        match page {
            Some(page) if page == current + 1 => {
                return build(view, link, target, argument, current + 1);
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
    build(view, link, target, argument, current + 1)
}

fn build(view: &Page, link: ElementRef<'_>, target: String, argument: String, page: u32) -> Option<Postback> {
    static FIELDS: LazyLock<Option<Selector>> =
        LazyLock::new(|| Selector::parse("input[name], select[name], textarea[name]").ok());
    let form = link
        .ancestors()
        .filter_map(ElementRef::wrap)
        .find(|e| e.value().name() == "form")?;
    let action = match form.attr("action") {
        Some(action) if !action.trim().is_empty() => view.base.join(action.trim()).ok()?,
        _ => view.url.as_url().clone(),
    };
    let mut pairs = url::form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("__EVENTTARGET", &target);
    pairs.append_pair("__EVENTARGUMENT", &argument);
    for field in form.select(FIELDS.as_ref()?) {
        let name = field.attr("name").unwrap_or_default();
        if name == "__EVENTTARGET" || name == "__EVENTARGUMENT" || field.attr("disabled").is_some() {
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
                    pairs.append_pair(name, field.attr("value").unwrap_or(default));
                }
            }
            "textarea" => {
                pairs.append_pair(name, &field.text().collect::<String>());
            }
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
                    pairs.append_pair(name, &option.attr("value").map_or_else(text, str::to_owned));
                }
            }
        }
    }
    let body = pairs.finish();
    (body.len() <= MAX_FORM).then(|| Postback {
        action: action.into(),
        target,
        argument,
        page,
        body,
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

/// Counts a page of the list in and says whether the walk ends here, and why.
pub fn advance(
    state: &mut State,
    new_items: usize,
    has_next: bool,
    max_pages: u32,
    stop_after: Option<u32>,
) -> bool {
    state.pages += 1;
    state.no_new = if new_items == 0 { state.no_new + 1 } else { 0 };
    state.stop = if !has_next {
        Some("last-page".into())
    } else if state.pages >= max_pages {
        Some("max-pages".into())
    } else if stop_after.is_some_and(|n| state.no_new >= n.max(1)) {
        Some("no-new-items".into())
    } else {
        None
    };
    state.stop.is_none()
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
    fn only_what_the_response_offers() {
        let view = super::super::tests::page("http://h/List.aspx?CatID=2", PAGE, "");
        let css = Selector::parse("a").unwrap();
        let number = Pattern::new(r"^Page\$(\d+)$").unwrap();
        let next = next_postback(&view, &css, &number, 11).unwrap();
        assert_eq!((next.argument.as_str(), next.page), ("Page$12", 12));
        assert_eq!(
            next.body,
            "__EVENTTARGET=grid&__EVENTARGUMENT=Page%2412&__VIEWSTATE=a%2Bb%2F%3D&c=on"
        );
        assert_eq!(next.action, "http://h/List.aspx?CatID=2");
        assert_eq!(
            Postback::from_request(&next.to_request()),
            Some((next.action.as_str(), next.body.as_str()))
        );
        assert_eq!(
            next_postback(&view, &css, &number, 20).unwrap().argument,
            "Page$21"
        );
        assert_eq!(next_postback(&view, &css, &number, 30), None);
    }

    #[test]
    fn walks_end_by_their_own_rules() {
        let mut state = State::default();
        assert!(advance(&mut state, 3, true, 10, Some(2)));
        assert!(advance(&mut state, 0, true, 10, Some(2)));
        assert!(!advance(&mut state, 0, true, 10, Some(2)));
        assert_eq!(state.stop.as_deref(), Some("no-new-items"));
        assert!(!advance(&mut State::default(), 1, false, 10, None));
        assert!(!advance(&mut State::default(), 1, true, 1, None));
        let list = Url::parse("http://h/l?a=1&p=3").unwrap();
        assert_eq!(with_page(&list, "p", Some(4)).as_str(), "http://h/l?a=1&p=4");
        assert_eq!(with_page(&list, "p", None).as_str(), "http://h/l?a=1");
    }
}
