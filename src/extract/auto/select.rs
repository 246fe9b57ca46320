//! Which blocks are content, and why the others are not.

use super::features::Scene;
use super::stream::{Block, FAR, Stream, TAGS, tells};
use super::words::{Part, Phrase};
use crate::document::Span;

/// What became of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Text of the document.
    Kept,
    /// Caption of a picture of the document: kept with the picture.
    Caption,
    /// Not of the document.
    Dropped,
}

/// A block with its verdict.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) verdict: Verdict,
    /// Name of the rule: `auto:related`.
    pub(super) rule: &'static str,
    /// Why, for people.
    pub(super) reason: String,
    /// How likely the block is content, 0 to 1.
    pub(super) likely: f32,
}

/// A block at least so likely is content, if [`Scene::least`] does not say otherwise.
pub(super) const LIKELY: f32 = 0.46;
/// If no block of a page is, those are that are nearly as likely as the best one …
const BEST: f32 = 0.8;
/// … which must be so likely itself: a page may hold no content at all.
const AT_ALL: f32 = 0.35;
/// Elements round a line in which a picture says that it is its caption.
const LEVELS: usize = 7;
/// Longest caption, in characters.
const CAPTION: usize = 500;
/// Blocks before the first and behind the last kept one in which a picture with caption still belongs to the text.
const MARGIN: usize = 6;
/// Blocks behind the title in which pictures may open an article.
const LEAD: usize = 60;
/// Elements between a block and the one whose names tell what it is.
const REACH: u8 = 8;

/// A line that says it is no content must be so likely to be kept all the same.
const AGAINST: f32 = 0.85;
/// Longest line above the title that is its section, in characters.
const LABEL: usize = 48;

/// Judges all blocks; `title` is the block of the visible title, `weigh` says how likely rows of features are content.
pub(super) fn judge(
    stream: &Stream<'_>,
    scene: &Scene<'_, '_>,
    title: Option<usize>,
    weigh: impl FnOnce(&[f32], usize) -> Vec<f32>,
) -> Vec<Judged> {
    let mut rows = Vec::new();
    for at in 0..stream.blocks.len() {
        scene.tell(at, |_, value| rows.push(value));
    }
    let width = rows.len() / stream.blocks.len().max(1);
    let likely = weigh(&rows, width);
    // The best block says how sure the page lets one be; what stands above the title or names itself says nothing.
    let speaks =
        |at: usize, b: &Block<'_>| b.phrase.is_none() && (b.is_good() || title.is_none_or(|t| at > t));
    let best = stream.blocks.iter().zip(&likely).enumerate();
    let best = best
        .filter(|(at, (b, _))| speaks(*at, b))
        .map(|(_, (_, l))| *l)
        .fold(0.0, f32::max);
    let least = if best < AT_ALL {
        LIKELY
    } else {
        scene.least().min(best * BEST)
    };
    let short = if best < LIKELY {
        notice(stream, title)
    } else {
        None
    };
    // Where nothing is sure at all, sentences that nothing speaks against are better than an empty document.
    let unsure = short.is_none() && likely.iter().all(|l| *l < least);
    let first = likely.iter().position(|l| *l >= least).unwrap_or(0);
    let last = likely.iter().rposition(|l| *l >= least).unwrap_or(0);
    // Between the title and the text stand the pictures that open an article, also many.
    let lead = title.map_or(first..first, |t| t + 1..first.min(t + LEAD));
    let mut images = stream.images.iter().map(|(at, _)| *at).collect::<Vec<_>>();
    images.dedup();
    stream
        .blocks
        .iter()
        .zip(&likely)
        .enumerate()
        .map(|(at, (block, &likely))| {
            let within = at + MARGIN >= first && at <= last + MARGIN || lead.contains(&at);
            let part = part(stream, block);
            let button =
                matches!(block.phrase, Some((p, true)) if p != Phrase::Caption && p != Phrase::Byline);
            let caption = !button
                && ((likely < 0.9 && (is_caption(stream, block) || is_framed_media(stream, block)))
                    || (likely < LIKELY && block.heading == 0 && framed(stream, block).is_some()));
            if within && caption && pictured(stream, block, &images, at) {
                return told(Verdict::Caption, "auto:caption", "names a picture".into(), likely);
            }
            let against = match block.phrase {
                Some((Phrase::Caption | Phrase::Newsletter, false)) => likely < AGAINST,
                Some((Phrase::Caption | Phrase::Byline, _)) => false,
                Some((_, whole)) => whole && likely < AGAINST,
                None => is_date(stream, block) && likely < AGAINST,
            };
            if against && let Some((rule, reason)) = part {
                return told(Verdict::Dropped, rule, reason, likely);
            }
            let label = block.chars <= LABEL && !block.ends && title.is_some_and(|t| at < t);
            if label && likely < LIKELY {
                let above = || ("auto:label", "stands above the title".into());
                let (rule, reason) = part.unwrap_or_else(above);
                return told(Verdict::Dropped, rule, reason, likely);
            }
            if let Some((from, to)) = short {
                let kept = at >= from && at < to && block.linked() <= 0.5;
                if kept {
                    return told(
                        Verdict::Kept,
                        "auto:content",
                        "follows the title of a short page".into(),
                        likely,
                    );
                }
            } else if likely >= least {
                return told(Verdict::Kept, "auto:content", why(scene, block), likely);
            } else if unsure && part.is_none() && (block.is_good() || block.ends) && block.linked() <= 0.5 {
                let reason = "a sentence on a page without other text";
                return told(Verdict::Kept, "auto:content", reason.into(), likely);
            }
            let (rule, reason) = part.unwrap_or_else(|| {
                if block.linked() > 0.5 {
                    ("auto:links", "hardly anything but links".into())
                } else if !scene.is_inside(block) {
                    (
                        "auto:outside",
                        "stands outside of the element that holds the text".into(),
                    )
                } else {
                    ("auto:unlike", "is unlike the text around it".into())
                }
            });
            told(Verdict::Dropped, rule, reason, likely)
        })
        .collect()
}

/// So many links in a row are a list.
const LINKS: usize = 3;

/// A page with next to no text: what follows its title, up to a line that says it is something else, or to a list of links.
fn notice(stream: &Stream<'_>, title: Option<usize>) -> Option<(usize, usize)> {
    let title = title?;
    let from = title + 1;
    let mut links = 0;
    let mut to = stream.blocks.len();
    for (at, block) in stream.blocks.iter().enumerate().skip(from) {
        links = if block.linked() > 0.5 { links + 1 } else { 0 };
        let ends = match block.phrase {
            Some((Phrase::Caption | Phrase::Byline, _)) | None => false,
            Some(_) => true,
        };
        if ends || links == LINKS {
            to = if ends { at } else { at + 1 - LINKS };
            break;
        }
    }
    (from < to).then_some((title, to))
}

fn told(verdict: Verdict, rule: &'static str, reason: String, likely: f32) -> Judged {
    Judged {
        verdict,
        rule,
        reason,
        likely,
    }
}

fn why(scene: &Scene<'_, '_>, block: &Block<'_>) -> String {
    let place = if scene.is_inside(block) {
        "inside"
    } else {
        "beside"
    };
    let kind = match block {
        b if b.heading > 0 => "heading",
        b if b.is_good() => "sentences",
        _ => "short text",
    };
    format!("{kind} {place} of the element that holds the text")
}

/// What a block's own words, or the names of the elements around it, say it is; the nearest name wins.
fn part(stream: &Stream<'_>, block: &Block<'_>) -> Option<(&'static str, String)> {
    if let Some((phrase, _)) = block.phrase {
        let rule = match phrase {
            Phrase::Related => "auto:related",
            Phrase::Share => "auto:share",
            Phrase::Comments => "auto:comments",
            Phrase::Newsletter => "auto:newsletter",
            Phrase::Cookie => "auto:cookie",
            Phrase::Chrome => "auto:chrome",
            Phrase::Byline => "auto:byline",
            Phrase::Caption => "auto:caption",
            Phrase::Pager => "auto:pager",
            Phrase::Counter => "auto:counter",
        };
        return Some((rule, "the line says so".into()));
    }
    let element = stream.elements.get(block.inner)?;
    let named = [
        (Part::Related, "auto:related"),
        (Part::Comments, "auto:comments"),
        (Part::Share, "auto:share"),
        (Part::Newsletter, "auto:newsletter"),
        (Part::Cookie, "auto:cookie"),
        (Part::Ads, "auto:ads"),
        (Part::Pager, "auto:pager"),
        (Part::Breadcrumb, "auto:breadcrumb"),
        (Part::Tags, "auto:tags"),
        (Part::Byline, "auto:byline"),
        (Part::Date, "auto:date"),
        (Part::Meta, "auto:byline"),
        (Part::Toc, "auto:toc"),
        (Part::Popup, "auto:popup"),
        (Part::Form, "auto:form"),
        (Part::Caption, "auto:caption"),
        (Part::Nav, "auto:navigation"),
        (Part::Sidebar, "auto:sidebar"),
        (Part::Footer, "auto:footer"),
        (Part::Header, "auto:header"),
    ];
    let tags = [
        ("nav", "auto:navigation"),
        ("aside", "auto:sidebar"),
        ("footer", "auto:footer"),
        ("form", "auto:form"),
        ("button", "auto:button"),
        ("select", "auto:form"),
        ("figcaption", "auto:caption"),
        ("header", "auto:header"),
    ];
    let by_name = named.iter().map(|(p, rule)| (element.near[*p as usize], *rule));
    let by_tag = tags.iter().filter_map(|(tag, rule)| {
        let at = TAGS.iter().position(|t| t == tag)?;
        Some((element.tags[at], *rule))
    });
    let (steps, rule) = by_name.chain(by_tag).min_by_key(|(steps, _)| *steps)?;
    (steps != FAR && steps <= REACH).then(|| {
        let from = stream.up(block.inner).nth(usize::from(steps));
        let name = from.map_or("", |at| stream.elements[at].name);
        (rule, format!("stands in a <{name}> that says so"))
    })
}

/// The short line that is no more than the date of the page is a field, and no text of it unless the page is sure.
pub(super) fn without_date(stream: &Stream<'_>, judged: &mut [Judged], date: Span) {
    let at = stream.blocks.partition_point(|b| b.span.1 <= date.0);
    let (Some(block), Some(judged)) = (stream.blocks.get(at), judged.get_mut(at)) else {
        return;
    };
    let says = block.span.0 <= date.0 && block.chars <= LABEL && block.heading == 0;
    if says && judged.rule == "auto:content" && judged.likely < LIKELY {
        judged.verdict = Verdict::Dropped;
        judged.rule = "auto:date";
        judged.reason = "says when the page was published".into();
    }
}

/// Whether the element of a short line calls it a date.
fn is_date(stream: &Stream<'_>, block: &Block<'_>) -> bool {
    let near = stream
        .elements
        .get(block.inner)
        .map_or(FAR, |e| e.near[Part::Date as usize]);
    block.chars <= LABEL && block.heading == 0 && near <= 1
}

fn is_caption(stream: &Stream<'_>, block: &Block<'_>) -> bool {
    let Some(element) = stream.elements.get(block.inner) else {
        return false;
    };
    let figcaption = TAGS
        .iter()
        .position(|t| *t == "figcaption")
        .is_some_and(|at| element.tags[at] <= 4);
    let named = element.near[Part::Caption as usize] <= 2;
    let says = matches!(block.phrase, Some((Phrase::Caption, _)));
    block.chars <= CAPTION && block.heading == 0 && (figcaption || named || says)
}

/// The element that holds one picture, this line and hardly any other text: what stands so is said of the picture.
fn framed(stream: &Stream<'_>, block: &Block<'_>) -> Option<usize> {
    let mut around = stream.up(block.inner).take(LEVELS);
    let frame = around.find(|e| stream.elements[*e].images > 0)?;
    let e = &stream.elements[frame];
    let alone = e.blocks <= 2 || (e.blocks <= 4 && block.chars * 4 >= e.chars * 3);
    let says =
        !matches!(block.phrase, Some((phrase, _)) if phrase != Phrase::Caption && phrase != Phrase::Byline);
    (e.images == 1 && alone && says && block.chars <= CAPTION / 2 && block.linked() <= 0.5).then_some(frame)
}

/// Whether such an element is one that a template calls a picture's.
fn is_framed_media(stream: &Stream<'_>, block: &Block<'_>) -> bool {
    let named = |e: usize| stream.elements[e].name == "figure" || tells(&stream.elements[e], Part::Media);
    block.heading == 0 && framed(stream, block).is_some_and(named)
}

/// Whether a picture stands in the same figure or directly before or behind.
fn pictured(stream: &Stream<'_>, block: &Block<'_>, images: &[usize], at: usize) -> bool {
    let figure = stream
        .up(block.inner)
        .take(6)
        .any(|e| matches!(stream.elements[e].name, "figure") || stream.elements[e].images == 1);
    let near = images.partition_point(|i| *i + 1 < at);
    figure || images.get(near).is_some_and(|i| *i <= at + 1)
}

/// What a rule of `@auto` means, for people.
#[must_use]
pub fn reason(rule: &str) -> &'static str {
    match rule {
        "auto:related" => "list of other pages",
        "auto:share" => "what the portal offers to do with the page",
        "auto:comments" => "what readers say of the page",
        "auto:newsletter" => "invitation to sign up or in",
        "auto:cookie" => "consent banner",
        "auto:chrome" => "furniture of the portal",
        "auto:byline" => "who wrote it and when, beside the text",
        "auto:date" => "date beside the text",
        "auto:caption" => "caption of a picture outside of the text",
        "auto:pager" => "pager",
        "auto:counter" => "number that changes at each visit",
        "auto:ads" => "advertisement",
        "auto:breadcrumb" => "way through the portal",
        "auto:tags" => "keywords",
        "auto:toc" => "table of contents, made of the headings",
        "auto:popup" => "window over the page",
        "auto:form" => "form",
        "auto:button" => "button",
        "auto:navigation" => "navigation",
        "auto:sidebar" => "column beside the text",
        "auto:footer" => "foot of the portal",
        "auto:header" => "head of the portal",
        "auto:label" => "short line above the title: section, kicker, way through the portal",
        "auto:links" => "hardly anything but links",
        "auto:outside" => "outside of the element that holds the text",
        _ => "unlike the text around it",
    }
}
