//! The section lists: ten items a page. Each of the four sections has a pager of its own: numbered links, a script that asks
//! an endpoint, postbacks, postbacks inside an UpdatePanel.

use super::render::escape;
use super::text::SECTIONS;
use super::urls::{Spelling, href};
use super::{Portal, chrome, postback};
use std::fmt::Write as _;

/// Items of one page.
const PER_PAGE: usize = 10;

/// Page numbers that a pager shows at once.
const WINDOW: usize = 10;

/// How the pages of a section hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paging {
    /// Links with a number in their query.
    Linked,
    /// A script fills the page from an endpoint; without it the list is empty and says "Trang: /".
    Script,
    /// `__doPostBack`.
    Postback,
    /// `__doPostBack` that a script manager turns into a request for the panel alone.
    Panel,
}

/// How section `cat` (from 1) pages.
pub(super) fn paging(cat: usize) -> Paging {
    match cat {
        2 => Paging::Script,
        3 => Paging::Postback,
        4 => Paging::Panel,
        _ => Paging::Linked,
    }
}

/// Where the script of section 2 asks for its list.
pub(super) const ENDPOINT: &str = "/handler/tintuc.ashx";

/// How many articles the list of section `cat` (from 1) names.
fn count(portal: &Portal, cat: usize) -> usize {
    match &portal.today {
        Some(today) => today.listed(cat).len(),
        None => (portal.articles + 4 - cat) / 4,
    }
}

/// How many list pages section `cat` has; an empty section has one.
pub(super) fn pages(portal: &Portal, cat: usize) -> usize {
    count(portal, cat).div_ceil(PER_PAGE).max(1)
}

/// The articles on list page `page` (from 1) of section `cat`, newest first.
pub(super) fn items(portal: &Portal, cat: usize, page: usize) -> Vec<usize> {
    let first = page.saturating_sub(1).saturating_mul(PER_PAGE);
    let on_page = first..count(portal, cat).min(first.saturating_add(PER_PAGE));
    match &portal.today {
        Some(today) => today.listed(cat).get(on_page).unwrap_or_default().to_vec(),
        None => on_page.map(|k| k * 4 + cat - 1).collect(),
    }
}

/// A pager's entries on `page` of `pages`: number and label; ten numbers at most, `...` leads to the next ten.
pub(super) fn window(page: usize, pages: usize) -> Vec<(usize, String)> {
    let first = (page - 1) / WINDOW * WINDOW + 1;
    let last = (first + WINDOW - 1).min(pages);
    let mut out = Vec::new();
    if first > 1 {
        out.push((first - 1, "...".to_owned()));
    }
    out.extend((first..=last).map(|n| (n, n.to_string())));
    if last < pages {
        out.push((last + 1, "...".to_owned()));
    }
    out
}

/// List page `page` of section `cat`; `None` if there is none.
pub(super) fn list(portal: &Portal, cat: usize, page: usize) -> Option<String> {
    let label = SECTIONS.get(cat.checked_sub(1)?)?;
    let hidden = match paging(cat) {
        Paging::Postback | Paging::Panel => postback::fields(portal, cat, page),
        Paging::Linked | Paging::Script => String::new(),
    };
    let inside = match paging(cat) {
        Paging::Script if page == 1 => script(cat),
        Paging::Script => return None,
        Paging::Panel => format!(
            "<script type=\"text/javascript\">Sys.WebForms.PageRequestManager._initialize('{}', 'aspnetForm', ['t{}'], [], [], 90, 'ctl00');</script>\n\
             <div id=\"{}\">{}</div>\n",
            postback::MANAGER,
            postback::PANEL,
            postback::PANEL.replace('$', "_"),
            panel(portal, cat, page)?
        ),
        Paging::Linked | Paging::Postback => panel(portal, cat, page)?,
    };
    let action = format!("./Default.aspx?CatID={cat}");
    let out = format!("<div class=\"chuyenmuc\">{label}</div>\n{inside}");
    Some(chrome::page(label, &action, &hidden, &out))
}

/// What a browser makes of an empty list.
fn script(cat: usize) -> String {
    format!(
        "<table class=\"danhsach\" width=\"100%\"></table>\n<div class=\"trang\">Trang: /</div>\n\
         <script type=\"text/javascript\">\n\
         function tai(trang) {{\n\
           var x = new XMLHttpRequest();\n\
           x.open('GET', '/Handler/TinTuc.ashx?CatID={cat}&trang=' + trang);\n\
           x.onload = function () {{\n\
             var a = JSON.parse(x.responseText), t = document.querySelector('table.danhsach');\n\
             a.d.tin.forEach(function (tin) {{\n\
               var r = t.insertRow(), c = r.insertCell(), l = document.createElement('a');\n\
               r.className = 'tin'; l.className = 'tieudetin'; l.href = tin.duongdan; l.textContent = tin.tieude;\n\
               c.appendChild(l);\n\
             }});\n\
             if (trang * {PER_PAGE} < a.d.tong) tai(trang + 1);\n\
           }};\n\
           x.send();\n\
         }}\n\
         tai(1);\n\
         </script>\n"
    )
}

/// What the endpoint of section `cat` answers for page `page`.
pub(super) fn endpoint(portal: &Portal, cat: usize, page: usize) -> Option<String> {
    SECTIONS.get(cat.checked_sub(1)?)?;
    let items: Vec<serde_json::Value> = items(portal, cat, page.max(1))
        .into_iter()
        .map(|index| {
            let head = portal.head(index);
            serde_json::json!({
                "duongdan": href(index, Spelling::Usual),
                "tieude": head.title,
                "ngay": chrome::day(head.published.date()),
                "tomtat": head.teaser,
            })
        })
        .collect();
    let answer = serde_json::json!({ "d": { "tong": count(portal, cat), "tin": items } });
    Some(answer.to_string())
}

/// Items and pager of one page.
pub(super) fn panel(portal: &Portal, cat: usize, page: usize) -> Option<String> {
    let pages = pages(portal, cat);
    if page == 0 || page > pages {
        return None;
    }
    let mut out = String::from("<table class=\"danhsach\" width=\"100%\">\n");
    for index in items(portal, cat, page) {
        let head = portal.head(index);
        let link = escape(&href(index, Spelling::Usual));
        let _ = write!(
            out,
            "<tr class=\"tin\"><td><a class=\"tieudetin\" href=\"{link}\">{}</a> <span class=\"ngay\">({})</span>",
            escape(&head.title),
            chrome::day(head.published.date())
        );
        if let Some(teaser) = head.teaser {
            let _ = write!(out, "<div class=\"tomtattin\">{}</div>", escape(&teaser));
        }
        out.push_str("</td></tr>\n");
    }
    out.push_str("</table>\n<div class=\"trang\">Trang: ");
    for (n, text) in window(page, pages) {
        let link = match (n == page, paging(cat), n) {
            (true, ..) => {
                let _ = write!(out, "<span>{text}</span> ");
                continue;
            }
            (_, Paging::Postback | Paging::Panel, _) => {
                format!("javascript:__doPostBack('{}','Page${n}')", postback::TARGET)
            }
            (_, _, 1) => format!("Default.aspx?CatID={cat}"),
            (..) => format!("Default.aspx?CatID={cat}&page={n}"),
        };
        let _ = write!(out, "<a href=\"{}\">{text}</a> ", escape(&link));
    }
    out.push_str("</div>\n");
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_hold_every_article_once() {
        for articles in [1, 3, 4, 41, 1003] {
            let portal = Portal::new(articles, 1);
            let mut seen: Vec<usize> = (1..=4)
                .flat_map(|cat| (1..=pages(&portal, cat)).map(move |p| (cat, p)))
                .flat_map(|(cat, p)| items(&portal, cat, p))
                .collect();
            seen.sort_unstable();
            assert_eq!(seen, (0..articles).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_pager_shows_ten_numbers_and_leads_on() {
        let numbers = |page, pages| window(page, pages).iter().map(|e| e.0).collect::<Vec<_>>();
        assert_eq!(numbers(1, 3), [1, 2, 3]);
        assert_eq!(numbers(3, 25), (1..=11).collect::<Vec<_>>());
        assert_eq!(numbers(11, 25), (10..=21).collect::<Vec<_>>());
        assert_eq!(numbers(25, 25), (20..=25).collect::<Vec<_>>());
    }
}
