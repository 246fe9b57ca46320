//! JSON-LD of a page: what its publisher tells of the article, for machines.

use serde_json::Value;

/// What was told.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Linked {
    pub(super) headline: Option<String>,
    pub(super) published: Option<String>,
    pub(super) modified: Option<String>,
    pub(super) authors: Vec<String>,
    pub(super) image: Option<String>,
    pub(super) body: Option<String>,
    pub(super) description: Option<String>,
    pub(super) language: Option<String>,
    pub(super) is_article: bool,
}

/// Objects of one page that are looked at.
const MAX_OBJECTS: usize = 2000;
/// Authors of one article.
const MAX_AUTHORS: usize = 12;

/// Reads what all scripts tell; the object that is an article and tells most wins.
pub(super) fn read(scripts: &[&str]) -> Linked {
    let mut best: Option<(u32, Linked)> = None;
    for script in scripts {
        let Some(value) = parse(script) else { continue };
        let mut open = vec![&value];
        let mut seen = 0;
        while let Some(value) = open.pop() {
            seen += 1;
            if seen > MAX_OBJECTS {
                break;
            }
            match value {
                Value::Array(items) => open.extend(items.iter().rev()),
                Value::Object(map) => {
                    let rank = map.get("@type").map_or(0, rank);
                    if rank > 0 {
                        let told = object(map, &value_of(map, "author"));
                        let score = rank
                            + u32::from(told.published.is_some()) * 2
                            + u32::from(told.headline.is_some()) * 2
                            + u32::from(told.body.is_some());
                        if best.as_ref().is_none_or(|(s, _)| score > *s) {
                            best = Some((score, told));
                        }
                    }
                    open.extend(map.values().filter(|v| v.is_object() || v.is_array()));
                }
                _ => {}
            }
        }
    }
    best.map(|(_, told)| told).unwrap_or_default()
}

/// Publishers write line breaks inside of strings and leave comments around the whole.
fn parse(script: &str) -> Option<Value> {
    let text = script
        .trim()
        .trim_start_matches("<!--")
        .trim_end_matches("-->")
        .trim();
    let text = text.strip_prefix("//<![CDATA[").unwrap_or(text);
    let text = text.trim_end_matches("//]]>").trim().trim_end_matches(';');
    serde_json::from_str(text).ok().or_else(|| {
        let text: String = text
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        serde_json::from_str(&text).ok()
    })
}

fn rank(kind: &Value) -> u32 {
    let one = |name: &str| match name.rsplit(['/', ':']).next().unwrap_or_default() {
        "NewsArticle"
        | "ReportageNewsArticle"
        | "AnalysisNewsArticle"
        | "OpinionNewsArticle"
        | "BackgroundNewsArticle"
        | "ReviewNewsArticle"
        | "LiveBlogPosting" => 12,
        "Article"
        | "BlogPosting"
        | "Report"
        | "TechArticle"
        | "ScholarlyArticle"
        | "AdvertiserContentArticle"
        | "SatiricalArticle"
        | "MedicalScholarlyArticle" => 10,
        "VideoObject"
        | "Product"
        | "Recipe"
        | "Event"
        | "JobPosting"
        | "QAPage"
        | "DiscussionForumPosting"
        | "Question"
        | "Course"
        | "Book"
        | "HowTo" => 3,
        "WebPage" | "ItemPage" | "AboutPage" | "CollectionPage" => 1,
        _ => 0,
    };
    match kind {
        Value::String(name) => one(name),
        Value::Array(names) => names.iter().filter_map(Value::as_str).map(one).max().unwrap_or(0),
        _ => 0,
    }
}

fn value_of<'v>(map: &'v serde_json::Map<String, Value>, name: &str) -> Vec<&'v Value> {
    match map.get(name) {
        Some(Value::Array(items)) => items.iter().collect(),
        Some(value) => vec![value],
        None => Vec::new(),
    }
}

fn object(map: &serde_json::Map<String, Value>, authors: &[&Value]) -> Linked {
    let text = |name: &str| {
        value_of(map, name)
            .into_iter()
            .find_map(Value::as_str)
            .map(unescape)
            .filter(|t| !t.is_empty())
    };
    let kind = map.get("@type").map_or(0, rank);
    let names = authors.iter().filter_map(|a| match a {
        Value::String(name) => Some(name.as_str()),
        Value::Object(map) => map.get("name").and_then(Value::as_str),
        _ => None,
    });
    let image = value_of(map, "image").into_iter().find_map(|i| match i {
        Value::String(url) => Some(url.clone()),
        Value::Object(map) => map.get("url").and_then(Value::as_str).map(str::to_owned),
        _ => None,
    });
    Linked {
        headline: text("headline").or_else(|| if kind <= 3 { None } else { text("name") }),
        published: text("datePublished").or_else(|| text("uploadDate")),
        modified: text("dateModified"),
        authors: names
            .map(unescape)
            .filter(|n| !n.is_empty())
            .take(MAX_AUTHORS)
            .collect(),
        image,
        body: text("articleBody").filter(|_| kind >= 10),
        description: text("description"),
        language: text("inLanguage"),
        is_article: kind >= 10,
    }
}

/// Text of JSON-LD often holds HTML's character references, some with their tags.
pub(super) fn unescape(text: &str) -> String {
    if !text.contains('&') && !text.contains('<') {
        return crate::lang::spaces(text);
    }
    let fragment = scraper::Html::parse_fragment(text);
    let mut out = String::new();
    for piece in fragment.root_element().text() {
        out.push_str(piece);
        out.push(' ');
    }
    let once = crate::lang::spaces(&out);
    once.replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_article_of_a_graph() {
        let told = read(&[
            r#"{"@context":"https://schema.org","@graph":[{"@type":"WebSite","name":"Site"},
            {"@type":["NewsArticle"],"headline":"Giá &amp; lúa
 tăng","datePublished":"2024-05-01T08:00:00+07:00","author":[{"@type":"Person","name":"Lan"},"Minh"]}]}"#,
            "no json",
        ]);
        assert_eq!(told.headline.as_deref(), Some("Giá & lúa tăng"));
        assert_eq!(told.authors, ["Lan", "Minh"]);
        assert!(told.is_article && told.published.is_some());
    }
}
