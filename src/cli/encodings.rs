//! `sangtrang encodings MAPPING`: what a portal wrote its pages in, and the pages where that is in doubt.

use super::args::EncodingsArgs;
use super::error::CliError;
use super::inspect::clean;
use super::target::{failure, load_mapping, reactor};
use super::{Exit, Outcome, Ui};
use crate::document::Decode;
use crate::page::Shown;
use crate::pipeline::{self, Encodings, Layout, PipelineError};

/// Characters of a block on a line of a terminal.
const WIDTH: usize = 70;

pub(super) fn main(args: &EncodingsArgs, ui: &Ui) -> Outcome {
    let mapping = load_mapping(&args.mapping)?;
    let layout = Layout::new(&args.output.output, &mapping.rules().site.id);
    if !layout.ledger().exists() {
        return Err(CliError::new(
            Exit::Failure,
            "ledger::missing",
            format!(
                "there is nothing to read: `{}` does not exist",
                layout.ledger().display()
            ),
        )
        .hint(format!(
            "crawl the site first: `sangtrang run {}`",
            args.mapping.display()
        )));
    }
    let (_runtime, cancel) = reactor()?;
    let bar = ui.progress("Reading", 0);
    let found = pipeline::encodings(&mapping, &layout, args.limit, &cancel, &|pages| {
        bar.update(pages, format_args!("{pages} pages"));
        ui.event(&serde_json::json!({ "schema": "event/1", "type": "read", "pages": pages }));
    });
    let found = match found {
        Err(PipelineError::Interrupted) => {
            return Err(CliError::new(Exit::Interrupted, "interrupted", "interrupted"));
        }
        other => other.map_err(failure)?,
    };
    drop(bar);
    if ui.json() {
        let mut value = serde_json::to_value(&found).map_err(|e| CliError::new(Exit::Failure, "json", e))?;
        value["schema"] = "encodings/1".into();
        value["type"] = "encodings".into();
        value["site"] = mapping.rules().site.id.as_str().into();
        ui.data(value);
    } else {
        for line in lines(&found) {
            ui.data(clean(&line));
        }
    }
    Ok(Exit::Ok)
}

fn lines(found: &Encodings) -> Vec<String> {
    let mut out = vec![format!(
        "{:<14} {:>9} {:>9}  {:>9}  decided by",
        "encoding", "pages", "blocks", "lowest"
    )];
    let mut rows: Vec<_> = found.used.iter().collect();
    rows.sort_by_key(|(name, used)| (*name == "undecided", std::cmp::Reverse((used.pages, used.blocks))));
    for (name, used) in rows {
        let methods: Vec<String> = used.methods.iter().map(|(m, n)| format!("{m} {n}")).collect();
        let lowest = used.lowest_share.map_or_else(|| "-".to_owned(), percent);
        out.push(format!(
            "{name:<14} {:>9} {:>9}  {lowest:>9}  {}",
            used.pages,
            used.blocks,
            methods.join(", ")
        ));
    }
    for (repair, pages) in &found.repairs {
        out.push(format!("repaired       {pages:>9}            {repair}"));
    }
    if found.replacements > 0 {
        out.push(format!("{} characters could not be decoded", found.replacements));
    }
    if found.lost_letters > 0 {
        out.push(format!(
            "{} words lost their vowels before the portal stored them",
            found.lost_letters
        ));
    }
    if found.unreadable > 0 {
        out.push(format!("{} pages could not be read", found.unreadable));
    }
    out.push(match found.in_doubt {
        0 => "no page is in doubt".to_owned(),
        1 => "1 page is in doubt".to_owned(),
        n => format!("{n} pages are in doubt, the worst first"),
    });
    for page in &found.worst {
        out.push(format!("  {}", page.url));
        out.push(format!("    {}", doubt(&page.decode)));
        if let Some(shown) = &page.shown {
            out.push(format!("    {}", cut(&shown.after)));
        }
    }
    out
}

fn doubt(d: &Decode) -> String {
    let share = d.share.map_or_else(String::new, |s| format!(" ({})", percent(s)));
    format!(
        "{} by {}{share}, {} blocks undecided, {} characters undecodable",
        d.used, d.method, d.undecided, d.replacements
    )
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}

/// A block on one line.
fn cut(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out: String = line.chars().take(WIDTH).collect();
    if out.len() < line.len() {
        out.push('…');
    }
    out
}

/// A decision for a terminal: how it was found, the text before and after.
pub(super) fn decision_lines(decode: &Decode, shown: &[Shown], most: usize) -> Vec<String> {
    let mut out = Vec::new();
    for (block, texts) in decode.blocks.iter().zip(shown).take(most) {
        let mut how = format!("{} by {}", block.used, block.method);
        if let Some(share) = block.share {
            how.push_str(&format!(", {} of its words are syllables", percent(share)));
        }
        if let Some(other) = &block.runner_up {
            how.push_str(&format!("; next {} {}", other.encoding, percent(other.share)));
        }
        if let Some(font) = &block.font {
            how.push_str(&format!("; font {font}"));
        }
        if !block.repairs.is_empty() {
            how.push_str(&format!("; repaired: {}", block.repairs.join(", ")));
        }
        let place = block
            .place
            .as_deref()
            .map_or_else(String::new, |p| format!(" {p}"));
        out.push(format!("  read{place:<12} {how}"));
        out.push(format!("    before         {}", cut(&texts.before)));
        if texts.after != texts.before {
            out.push(format!("    after          {}", cut(&texts.after)));
        }
    }
    if decode.blocks.len() > most {
        out.push(format!("  … and {} blocks more", decode.blocks.len() - most));
    }
    out
}
