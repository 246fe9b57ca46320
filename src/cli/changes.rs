//! Changes for people: what was, what is, and the words between.

use super::inspect::clean;
use crate::diff::{BlockChange, Change, Piece, Tag};
use crate::pipeline::{Told, What};
use anstyle::{AnsiColor, Style};

const REMOVED: Style = AnsiColor::Red.on_default();
const ADDED: Style = AnsiColor::Green.on_default();
const NAME: Style = AnsiColor::Cyan.on_default();

/// Characters of unchanged text that stay beside a change.
const CONTEXT: usize = 40;

/// Characters of a value that are shown.
const LONGEST: usize = 400;

/// Lines of a change.
const LINES: usize = 12;

/// A change, a line or more: `-` the old value, `+` the new one; a text that changed in a few words is one line `~` with
/// `[-old-]` and `{+new+}` in it.
pub(super) fn lines(change: &Change) -> Vec<String> {
    let mut out = vec![format!("{NAME}{}{NAME:#}", clean(&change.name))];
    let kept: usize = length(&change.words, |t| t == Tag::Same);
    let changed: usize = length(&change.words, |t| t != Tag::Same);
    if kept > 0 && kept * 2 > changed && change.words.iter().any(|p| p.tag == Tag::Same) {
        push(&mut out, '~', Style::new(), &woven(&change.words));
        return out;
    }
    if let Some(old) = &change.old {
        push(&mut out, '-', REMOVED, &clean_lines(old));
    }
    if let Some(new) = &change.new {
        push(&mut out, '+', ADDED, &clean_lines(new));
    }
    out
}

/// Changes of a block.
pub(super) fn block_lines(change: &BlockChange) -> Vec<String> {
    let head = |text: String| format!("{NAME}{text}{NAME:#}");
    match change {
        BlockChange::Added { new, kind, text } => {
            let mut out = vec![head(format!("body[{new}] new {kind}"))];
            push(&mut out, '+', ADDED, &clean_lines(text));
            out
        }
        BlockChange::Removed { old, kind, text } => {
            let mut out = vec![head(format!("body[{old}] {kind} gone"))];
            push(&mut out, '-', REMOVED, &clean_lines(text));
            out
        }
        BlockChange::Moved { old, new, kind, text } => {
            let mut out = vec![head(format!("body[{new}] {kind} moved, was body[{old}]"))];
            push(&mut out, '=', Style::new(), &clean_lines(text));
            out
        }
        BlockChange::Changed { new, kind, parts, .. } => parts
            .iter()
            .flat_map(|part| {
                let mut part = part.clone();
                part.name = match kind.as_str() {
                    // Of a CMS there is only the body as a whole.
                    "body" => format!("body {}", part.name),
                    _ => format!("body[{new}] {kind} {}", part.name),
                };
                lines(&part)
            })
            .collect(),
    }
}

/// A document that is not the same: a line with its sign, one with its id, then at most `most` changes. `old` and `new` say what
/// the sides are: "by the new mapping".
pub(super) fn told_lines(told: &Told, old: &str, new: &str, most: usize) -> Vec<String> {
    let (sign, style) = match told.change {
        What::Changed => ('~', Style::new()),
        What::Moved => ('>', Style::new()),
        What::Retold => ('=', Style::new()),
        What::Added => ('+', ADDED),
        What::Removed => ('-', REMOVED),
    };
    let title = told.title.as_deref().unwrap_or("(no title)");
    let mut out = vec![
        format!(
            "{style}{sign} {}{style:#}",
            clean(&format!("{}  {title}", told.source_key))
        ),
        clean(&format!("    {}  {}", told.id, told.url)),
    ];
    if let Some(old) = told.old_id {
        out.push(format!(
            "    was document {old}: the new CMS would get a second entry"
        ));
    }
    if let Some(instead) = &told.instead {
        let side = if told.change == What::Removed { new } else { old };
        out.push(clean(&format!("    {side} it is no document: {instead}")));
    }
    for gate in &told.newly_fails {
        out.push(clean(&format!("    ! newly fails {gate}")));
    }
    let Some(difference) = &told.difference else {
        return out;
    };
    let mut changes: Vec<Vec<String>> = difference.fields.iter().map(lines).collect();
    changes.extend(difference.body.iter().map(block_lines));
    let group = |name: &str, all: &[Change]| -> Vec<Vec<String>> {
        let mut all = all.to_vec();
        all.iter_mut().for_each(|c| c.name = format!("{name} {}", c.name));
        all.iter().map(lines).collect()
    };
    changes.extend(group("medium", &difference.media));
    changes.extend(group("link", &difference.links));
    changes.extend(group("gate", &difference.gates));
    if told.change == What::Retold {
        changes.extend(group("characters", &difference.accounting));
        for origin in &difference.origins {
            let side = |s: &Option<String>| s.clone().unwrap_or_else(|| "nowhere".into());
            changes.push(vec![clean(&format!(
                "{} from {}, was from {}",
                origin.field,
                side(&origin.new),
                side(&origin.old)
            ))]);
        }
    }
    for drop in &difference.drops {
        changes.push(vec![clean(&format!(
            "rule {} drops {} characters, was {}",
            drop.rule, drop.new, drop.old
        ))]);
    }
    let more = changes.len().saturating_sub(most);
    out.extend(
        changes
            .iter()
            .take(most)
            .flatten()
            .map(|line| format!("    {line}")),
    );
    if more > 0 {
        out.push(format!("    … and {more} more changes"));
    }
    out
}

/// So many values of a field.
pub(super) fn named(field: &str, n: u64) -> String {
    let plural = |one: &str, many: &str| format!("{n} {}", if n == 1 { one } else { many });
    match field {
        "title" => plural("title", "titles"),
        "section" => plural("section", "sections"),
        "byline" => plural("byline", "bylines"),
        "source" => plural("source", "sources"),
        "summary" => plural("summary", "summaries"),
        "slug" => plural("slug", "slugs"),
        "body" => plural("body", "bodies"),
        "source_key" => plural("key", "keys"),
        "media" => plural("set of media", "sets of media"),
        "links" => plural("set of links", "sets of links"),
        _ => match field.strip_prefix("dates.") {
            Some(role) => plural(&format!("{role} date"), &format!("{role} dates")),
            None => plural(&format!("`{field}`"), &format!("`{field}`")),
        },
    }
}

fn length(words: &[Piece], of: impl Fn(Tag) -> bool) -> usize {
    let pieces = words.iter().filter(|p| of(p.tag));
    pieces.map(|p| p.text.trim().chars().count()).sum()
}

fn push(out: &mut Vec<String>, sign: char, style: Style, text: &str) {
    let mut left = LONGEST;
    for (n, line) in text.lines().enumerate() {
        if n >= LINES || left == 0 {
            out.push(format!("  {style}{sign} …{style:#}"));
            return;
        }
        // What was woven in has colours of its own and is short already.
        let cut = if sign == '~' {
            line.to_owned()
        } else {
            short(line, left)
        };
        left = left.saturating_sub(line.chars().count());
        out.push(format!("  {style}{sign} {cut}{style:#}"));
    }
    if text.is_empty() {
        out.push(format!("  {style}{sign} (empty){style:#}"));
    }
}

fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let mut cut: String = text.chars().take(most).collect();
    cut.push('…');
    cut
}

fn clean_lines(text: &str) -> String {
    text.lines().map(clean).collect::<Vec<_>>().join("\n")
}

/// One text with what went and what came in it; long unchanged stretches are left out. White space that changed is made
/// visible.
fn woven(words: &[Piece]) -> String {
    let mut out = String::new();
    let last = words.len().saturating_sub(1);
    for (at, piece) in words.iter().enumerate() {
        let text = clean(&piece.text.replace('\n', "⏎"));
        let seen = || {
            let blank = text.chars().all(char::is_whitespace);
            short(
                &if blank {
                    text.replace(' ', "␣")
                } else {
                    text.clone()
                },
                LONGEST,
            )
        };
        match piece.tag {
            Tag::Same => out.push_str(&elided(&text, at == 0, at == last)),
            Tag::Removed => out.push_str(&format!("{REMOVED}[-{}-]{REMOVED:#}", seen())),
            Tag::Added => out.push_str(&format!("{ADDED}{{+{}+}}{ADDED:#}", seen())),
        }
    }
    out
}

/// An unchanged stretch without what is far from any change.
fn elided(text: &str, first: bool, last: bool) -> String {
    let chars: Vec<char> = text.chars().collect();
    let (head, tail) = (if first { 0 } else { CONTEXT }, if last { 0 } else { CONTEXT });
    if chars.len() <= head + tail + 3 {
        return text.to_owned();
    }
    let start: String = chars[..head].iter().collect();
    let end: String = chars[chars.len() - tail..].iter().collect();
    format!("{start}…{end}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diff::Class;

    fn plain(old: &str, new: &str) -> Vec<String> {
        let change = Change::of(Class::Field, "title", Some(old.into()), Some(new.into()));
        let lines = change.iter().flat_map(lines);
        lines
            .map(|l| anstream::adapter::strip_str(&l).to_string())
            .collect()
    }

    #[test]
    fn few_words_are_shown_in_their_text_and_many_below_each_other() {
        assert_eq!(
            plain("Hội nghị sơ kết công tác", "Hội nghị tổng kết công tác"),
            ["title", "  ~ Hội nghị [-sơ-]{+tổng+} kết công tác"]
        );
        assert_eq!(plain("2023", "abc"), ["title", "  - 2023", "  + abc"]);
        assert_eq!(
            plain("một  hai ba", "một hai ba"),
            ["title", "  ~ một[-␣␣-]{+␣+}hai ba"]
        );
        let long = "chữ ".repeat(60);
        let shown = plain(&format!("{long}cũ {long}"), &format!("{long}mới {long}"));
        assert!(
            shown[1].chars().count() < 120 && shown[1].contains("[-cũ-]{+mới+}"),
            "{shown:?}"
        );
        // A page must not draw on the terminal.
        assert_eq!(plain("\u{1b}[31mx", "y"), ["title", "  - \u{fffd}[31mx", "  + y"]);
    }
}
