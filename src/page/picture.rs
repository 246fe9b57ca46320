//! Which file an `img` shows: what scripts would load, the largest of a `srcset`, else `src`.

use scraper::{ElementRef, Html};

/// Entries of one `srcset` that are read.
const MAX_SET: usize = 32;

/// The addresses of a `srcset` with the size that each declares, in pixels or by density (HTML, "parse a srcset
/// attribute"): commas inside an address belong to it.
pub fn srcset(value: &str) -> impl Iterator<Item = (&str, f64)> {
    let mut rest = value;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        let (address, after) = rest.split_at(end);
        if address.is_empty() {
            return None;
        }
        // A comma at the end closes the entry; else its descriptor does.
        let (descriptor, more) = if address.ends_with(',') {
            ("", after)
        } else {
            after.split_once(',').unwrap_or((after, ""))
        };
        rest = more;
        let size = descriptor
            .trim()
            .trim_end_matches(['w', 'x'])
            .parse()
            .unwrap_or(1.0);
        Some((address.trim_end_matches(','), size))
    })
    .take(MAX_SET)
}

/// The largest of a `srcset`; of equal ones the first.
fn largest(value: &str) -> Option<&str> {
    let mut best: Option<(&str, f64)> = None;
    for (address, size) in srcset(value) {
        if best.is_none_or(|(_, most)| size > most) {
            best = Some((address, size));
        }
    }
    best.map(|(address, _)| address)
}

/// Largest `noscript` that is read, in bytes.
const FALLBACK: usize = 64 << 10;

/// What a `noscript` holds for browsers without scripts: its pictures are those that a script would load. `None` if it
/// holds none.
#[must_use]
pub fn fallback(noscript: ElementRef<'_>) -> Option<Html> {
    let html: String = noscript.text().collect();
    (html.len() <= FALLBACK && html.contains("<img")).then(|| Html::parse_fragment(&html))
}

/// Whether an address is that of a picture, by its name.
#[must_use]
pub fn is_named_so(url: &str) -> bool {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    let kinds = ["jpg", "jpeg", "png", "gif", "webp", "bmp", "tif", "tiff"];
    path.rsplit_once('.')
        .is_some_and(|(_, end)| kinds.iter().any(|k| end.eq_ignore_ascii_case(k)))
}

/// The address of the picture that an `img` is for, as written. `lazy` are attributes that hold the real one; those whose
/// name ends in `srcset` hold a set.
#[must_use]
pub fn source<'a>(image: ElementRef<'a>, lazy: &[String]) -> Option<&'a str> {
    let element = image.value();
    let attr = |name: &str| {
        super::attr(element, name)
            .map(str::trim)
            .filter(|v| !v.is_empty())
    };
    let set = |name: &str| attr(name).and_then(largest);
    let by_script = lazy.iter().find_map(|name| {
        if name.ends_with("srcset") {
            set(name)
        } else {
            attr(name)
        }
    });
    by_script
        .or_else(|| set("srcset"))
        .or_else(|| attr("src"))
        .or_else(|| {
            // A `picture` may leave its `img` without any address.
            let picture = image.parent().and_then(ElementRef::wrap)?;
            let sources = picture.children().filter_map(ElementRef::wrap);
            sources
                .filter(|e| picture.value().name() == "picture" && e.value().name() == "source")
                .find_map(|e| super::attr(e.value(), "srcset").and_then(largest))
        })
        .or_else(|| {
            // Scripts name the attribute that they read as they like.
            let mut all = element.attrs();
            all.find_map(|(name, value)| {
                let name = name.strip_prefix("data-").filter(|_| !value.trim().is_empty())?;
                if name.ends_with("srcset") {
                    largest(value)
                } else {
                    name.ends_with("src").then_some(value.trim())
                }
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use scraper::Selector;

    #[test]
    fn the_largest_of_a_set() {
        let set: Vec<_> = srcset(" a,b.png 1x, /c 200w,d ,e").collect();
        assert_eq!(set, [("a,b.png", 1.0), ("/c", 200.0), ("d", 1.0), ("e", 1.0)]);
        let lazy = ["data-src".to_owned(), "data-srcset".to_owned()];
        for (html, expected) in [
            ("<img src=a>", Some("a")),
            ("<img src=a srcset='b 320w, c 1024w, d 640w'>", Some("c")),
            ("<img src=wait.gif data-src=' real.jpg '>", Some("real.jpg")),
            ("<img src=wait.gif data-srcset='s 1x, l 2x'>", Some("l")),
            (
                "<picture><source srcset='p 1x, q 2x'><img alt=x></picture>",
                Some("q"),
            ),
            ("<img data-src='' src=' '>", None),
            ("<img data-flip-srcset='s 1x, l 2x'>", Some("l")),
        ] {
            let page = Html::parse_fragment(html);
            let image = page.select(&Selector::parse("img").unwrap()).next().unwrap();
            assert_eq!(source(image, &lazy), expected, "{html}");
        }
    }
}
