//! Postbacks of ASP.NET WebForms: hidden fields that say which page the form is, and which arguments it offers. The
//! server keeps nothing; both fields carry a code that only it can make.

use super::{Portal, lists};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Name of the control that pages.
pub(super) const TARGET: &str = "ctl00$main$grid";

/// Name of the script manager.
pub(super) const MANAGER: &str = "ctl00$sm";

/// Name of the panel that the lists of a section lie in.
pub(super) const PANEL: &str = "ctl00$main$panel";

/// A posted form.
#[derive(Debug, Default)]
pub(super) struct Form {
    pub target: String,
    pub argument: String,
    pub state: String,
    pub validation: String,
}

/// Hidden fields of list page `page` of section `cat`.
pub(super) fn fields(portal: &Portal, cat: usize, page: usize) -> String {
    values(portal, cat, page)
        .into_iter()
        .map(|(name, value)| {
            format!("<input type=\"hidden\" name=\"{name}\" id=\"{name}\" value=\"{value}\" />\n")
        })
        .collect()
}

fn values(portal: &Portal, cat: usize, page: usize) -> [(&'static str, String); 5] {
    let state = sign(portal, &format!("VS|{cat}|{page}"));
    let offered: Vec<String> = lists::window(page, lists::pages(portal, cat))
        .into_iter()
        .filter(|(n, _)| *n != page)
        .map(|(n, _)| format!("Page${n}"))
        .collect();
    let validation = sign(portal, &format!("EV|{cat}|{page}|{}", offered.join(",")));
    [
        ("__EVENTTARGET", String::new()),
        ("__EVENTARGUMENT", String::new()),
        ("__VIEWSTATE", state),
        ("__VIEWSTATEGENERATOR", "CA0B0334".to_owned()),
        ("__EVENTVALIDATION", validation),
    ]
}

/// What a script manager gets for page `page` of section `cat`: `length|type|id|content|` for the panel and each hidden
/// field, lengths in UTF-16 units.
pub(super) fn delta(portal: &Portal, cat: usize, page: usize) -> Option<String> {
    let panel = portal.dressed(lists::panel(portal, cat, page)?);
    let part = |kind: &str, id: &str, content: &str| {
        format!("{}|{kind}|{id}|{content}|", content.encode_utf16().count())
    };
    let mut out = part("#", "", "4") + &part("updatePanel", &PANEL.replace('$', "_"), &panel);
    for (name, value) in values(portal, cat, page) {
        out.push_str(&part("hiddenField", name, &value));
    }
    Some(
        out + &part("asyncPostBackControlIDs", "", "")
            + &part("formAction", "", &format!("./Default.aspx?CatID={cat}")),
    )
}

/// The list page that a posted form of section `cat` asks for; `None` if the form's page did not offer it.
pub(super) fn page(portal: &Portal, cat: usize, form: &Form) -> Option<usize> {
    let state = verify(portal, &form.state)?;
    let shown: usize = state.strip_prefix(&format!("VS|{cat}|"))?.parse().ok()?;
    let validation = verify(portal, &form.validation)?;
    let mut offered = validation.strip_prefix(&format!("EV|{cat}|{shown}|"))?.split(',');
    if form.target != TARGET || !offered.any(|o| o == form.argument) {
        return None;
    }
    form.argument.strip_prefix("Page$")?.parse().ok()
}

fn sign(portal: &Portal, text: &str) -> String {
    let mut bytes = blake3::keyed_hash(&portal.key, text.as_bytes()).as_bytes()[..16].to_vec();
    bytes.extend(text.as_bytes());
    STANDARD.encode(bytes)
}

fn verify(portal: &Portal, field: &str) -> Option<String> {
    let bytes = STANDARD.decode(field).ok()?;
    let (code, text) = bytes.split_at_checked(16)?;
    let right = blake3::keyed_hash(&portal.key, text);
    (right.as_bytes()[..16] == *code).then(|| String::from_utf8(text.to_vec()).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(portal: &Portal, cat: usize, page: usize, argument: &str) -> Form {
        let html = fields(portal, cat, page);
        let value = |name: &str| {
            let rest = html.split(&format!("id=\"{name}\" value=\"")).nth(1).unwrap();
            rest.split('"').next().unwrap().to_owned()
        };
        Form {
            target: TARGET.into(),
            argument: argument.into(),
            state: value("__VIEWSTATE"),
            validation: value("__EVENTVALIDATION"),
        }
    }

    #[test]
    fn only_offered_pages_are_answered() {
        let portal = Portal::new(1000, 1);
        assert_eq!(page(&portal, 3, &form(&portal, 3, 1, "Page$2")), Some(2));
        assert_eq!(page(&portal, 3, &form(&portal, 3, 1, "Page$11")), Some(11));
        assert_eq!(page(&portal, 3, &form(&portal, 3, 1, "Page$12")), None);
        assert_eq!(page(&portal, 3, &form(&portal, 3, 1, "Page$1")), None);
        assert_eq!(page(&portal, 4, &form(&portal, 3, 1, "Page$2")), None);
        let mut mixed = form(&portal, 3, 11, "Page$12");
        assert_eq!(page(&portal, 3, &mixed), Some(12));
        mixed.state = form(&portal, 3, 1, "").state;
        assert_eq!(page(&portal, 3, &mixed), None);
        assert_eq!(
            page(&Portal::new(1000, 2), 3, &form(&portal, 3, 1, "Page$2")),
            None
        );
    }
}
