//! `report.txt`: totals that reconcile, the worst last.

use super::RunReport;
use crate::ledger::{Finding, Listed};
use std::collections::BTreeMap;
use std::fmt::Write;

/// The report as plain text.
#[must_use]
pub fn report_text(report: &RunReport) -> String {
    let mut out = String::new();
    let d = &report.documents;
    // Writing to a String cannot fail.
    let _ = writeln!(
        out,
        "sangtrang {}  site {}  started {}  {:.1} s",
        report.program, report.site, report.started, report.seconds
    );
    let _ = writeln!(out, "mapping {}\n", report.mapping);

    let _ = writeln!(out, "URLS");
    let _ = writeln!(out, "  known {:>28}", report.crawl.known);
    for (state, count) in &report.crawl.by_state {
        let _ = writeln!(out, "  {state:<24} {count:>9}");
    }
    for stop in &report.pagers {
        let _ = writeln!(
            out,
            "  list {} at {}: {} pages, {} items{}, stopped: {}",
            stop.rule,
            stop.list,
            stop.pages,
            stop.items,
            match stop.total {
                Some(total) if total != stop.items => format!(" of the {total} that it says it has"),
                Some(_) => ", as it says".to_owned(),
                None => String::new(),
            },
            stop.reason
        );
    }

    for trap in &report.traps {
        let _ = writeln!(
            out,
            "  trap {}: stopped by {}, {} URLs taken, {} refused",
            trap.pattern, trap.rule, trap.taken, trap.refused
        );
    }
    for handler in &report.soft_404 {
        let _ = writeln!(out, "  says 200 for what is not there: {handler}");
    }

    let _ = writeln!(out, "\nPAGES  {} in the archive", d.pages);
    let _ = writeln!(out, "  with documents           {:>9}", d.document_pages);
    let _ = writeln!(out, "  lists only               {:>9}", d.navigation);
    for (rule, count) in &d.ignored {
        let _ = writeln!(out, "  ignored by {rule:<13} {count:>9}");
    }
    if d.files.count > 0 {
        let _ = writeln!(out, "  files, no pages          {:>9}", d.files.count);
    }
    let _ = writeln!(out, "  unclassified             {:>9}", d.unclassified.count);
    let _ = writeln!(out, "  unreadable               {:>9}", d.unreadable.count);

    let _ = writeln!(
        out,
        "\nDOCUMENTS  {}  ({} new or changed, {} seen on another page before)",
        d.documents, d.changed, d.duplicates
    );
    section(&mut out, &d.by_collection);

    let _ = writeln!(
        out,
        "\nVISIBLE CHARACTERS of the documents' pages (white space not counted)"
    );
    let _ = writeln!(out, "  visible                  {:>9}", d.visible);
    let _ = writeln!(out, "  kept                     {:>9}", d.kept);
    let _ = writeln!(out, "  dropped by named rules   {:>9}", d.dropped);
    let _ = writeln!(out, "  unaccounted              {:>9}", d.unaccounted);
    let _ = writeln!(out, "  dropped, by rule:");
    section(&mut out, &d.dropped_by_rule);

    let _ = writeln!(out, "\nENCODINGS used, in documents");
    section(&mut out, &d.encodings);
    if !d.unusual.is_empty() {
        let _ = writeln!(out, "\nFETCHED in unusual ways, in documents");
        section(&mut out, &d.unusual);
    }
    let _ = writeln!(out, "\nRUNGS that matched, by field (0 is the first)");
    section(&mut out, &d.rungs);
    let _ = writeln!(
        out,
        "\nMEDIA  {} files, {} bytes; references by state",
        d.media_files, d.media_bytes
    );
    section(&mut out, &d.media);
    let _ = writeln!(
        out,
        "\nGATES that did not pass, in documents ({} failed, {} with warnings)",
        d.failed, d.warned
    );
    section(&mut out, &d.gates);
    let whole = d
        .checks
        .iter()
        .flat_map(|(of, all)| all.iter().map(move |c| (of, c)));
    for (of, check) in whole.filter(|(of, c)| c.first.iter().any(|f| f.url == **of)) {
        for finding in &check.first {
            let level = if check.failed > 0 { "fail" } else { "warn" };
            let _ = writeln!(out, "    {level}:{} in {of}: {}", check.gate, finding.note);
        }
    }

    list(
        &mut out,
        "UNCLASSIFIED PAGES",
        d.unclassified.count,
        d.unclassified.first.iter().map(|u| u.to_owned()),
    );
    findings(&mut out, "MEDIA THAT ARE NOT STORED", &d.media_missing);
    list(
        &mut out,
        "URLS WITHOUT CONTENT",
        report.failures.count,
        report
            .failures
            .first
            .iter()
            .map(|f| format!("{:<16} {}  {}", f.class, f.url, f.note)),
    );
    findings(&mut out, "UNREADABLE PAGES", &d.unreadable);
    findings(&mut out, "FINDINGS OF GATES", &d.findings);
    out
}

fn section(out: &mut String, counts: &BTreeMap<String, u64>) {
    for (name, count) in counts {
        let _ = writeln!(out, "    {name:<24} {count:>7}");
    }
}

fn findings(out: &mut String, title: &str, found: &Listed<Finding>) {
    list(
        out,
        title,
        found.count,
        found
            .first
            .iter()
            .map(|f| format!("{:<16} {}  {}", f.class, f.url, f.note)),
    );
}

fn list(out: &mut String, title: &str, count: u64, lines: impl Iterator<Item = String>) {
    if count == 0 {
        return;
    }
    let _ = writeln!(out, "\n{title}  {count}");
    let mut shown = 0;
    for line in lines {
        shown += 1;
        // One finding, one line: text of the web must not draw lines of its own.
        let line: String = line
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        let _ = writeln!(out, "  {line}");
    }
    if shown < count {
        let _ = writeln!(out, "  … and {} more", count - shown);
    }
}
