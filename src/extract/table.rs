//! Data tables as grids; layout tables are read through.

use super::block::Builder;
use super::sums;
use crate::document::{Block, Cell, Gate, GateLevel, Inline, MarkKind, Span, Table};
use crate::lang::number::{Fraction, Printed};
use crate::lang::{Language, fold};
use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node};

/// Most cells of one expanded table.
const CELLS: usize = 200_000;
/// Most columns (HTML: colspan is at most 1000).
const COLUMNS: usize = 1000;
/// Longest text of a cell in a table that nothing but its shape calls one, in characters.
const CELL: usize = 300;
/// Most rows of a header that only bold letters tell.
const HEADER: usize = 3;

/// A row of the markup: whether it stands in `thead`, and its cells.
pub(super) struct Row {
    head: bool,
    cells: Vec<NodeId>,
}

/// Whether a style draws lines round its element. `border-collapse` and `border-spacing` draw none.
fn draws_border(style: &str) -> bool {
    style
        .split(';')
        .filter_map(|d| d.split_once(':'))
        .any(|(name, value)| {
            let name = name.trim().to_ascii_lowercase();
            let value = value.trim().to_ascii_lowercase();
            let drawn = [
                "solid", "double", "dotted", "dashed", "ridge", "groove", "inset", "outset",
            ];
            name.starts_with("border") && drawn.iter().any(|d| value.contains(d))
        })
}

fn is_named(node: NodeRef<'_, Node>, name: &str) -> bool {
    node.value().as_element().is_some_and(|e| e.name() == name)
}

/// The rows of a data table that are not taken yet; `None` for a layout table.
pub(super) fn grid(builder: &Builder<'_>, table: ElementRef<'_>) -> Option<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    let (mut th, mut drawn, mut blocks, mut numbers, mut longest) = (false, false, 0, 0, 0);
    let text = &builder.page.text;
    for node in table.descendants().skip(1) {
        let Node::Element(element) = node.value() else {
            continue;
        };
        match element.name() {
            "table" => return None,
            "tr" => {
                let head = node.parent().is_some_and(|p| is_named(p, "thead"));
                rows.push(Row {
                    head,
                    cells: Vec::new(),
                });
            }
            name @ ("td" | "th") => {
                th |= name == "th";
                drawn |= element.attr("style").is_some_and(draws_border);
                let content = text.slice(text.span(node.id()).unwrap_or_default());
                numbers += usize::from(Printed::read(content).is_some());
                longest = longest.max(content.len());
                if let Some(row) = rows.last_mut() {
                    row.cells.push(node.id());
                }
            }
            "img" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "hr" | "iframe" | "form" => blocks += 1,
            _ => {}
        }
    }
    let value = table.value();
    if matches!(value.attr("role"), Some("presentation" | "none")) {
        return None;
    }
    let columns = rows.iter().map(|r| r.cells.len()).max().unwrap_or(0);
    let border = drawn
        || value.attr("border").is_some_and(|b| b.trim() != "0")
        || value.attr("class").is_some_and(|c| c.contains("MsoTableGrid"))
        || value.attr("style").is_some_and(draws_border)
        || table.parent().is_some_and(|p| is_named(p, "figure"));
    // Without lines only the shape speaks: short cells in rows, and more than two lines of two words, which is how the head of
    // an official letter is set.
    let shaped = rows.len() >= 2
        && blocks == 0
        && longest <= CELL * 2
        && (numbers > 0 || rows.len() > 2 || columns > 2);
    if columns < 2 || !(th || border || shaped) {
        return None;
    }
    let before = rows.len();
    let spans = |id: &NodeId| {
        let cell = builder.page.html.tree.get(*id);
        cell.and_then(|c| c.value().as_element()?.attr("rowspan"))
            .is_some_and(|n| n.trim() != "1")
    };
    // A row without cells is one that cells above reach into.
    rows.retain(|row| {
        row.cells.is_empty() || row.cells.iter().any(|id| spans(id) || !is_taken(builder, *id))
    });
    // What fields have left of a table is no table.
    (rows.len() == before || rows.len() > 1).then_some(rows)
}

/// Whether rules have taken all that a cell shows; an empty cell shows nothing that could be taken.
fn is_taken(builder: &Builder<'_>, id: NodeId) -> bool {
    let Some(cell) = builder.page.html.tree.get(id) else {
        return false;
    };
    let span = builder.page.text.span(id).unwrap_or_default();
    let picture = cell.descendants().any(|n| is_named(n, "img"));
    let row = cell.ancestors().find(|n| is_named(*n, "tr"));
    let row = row
        .and_then(|r| builder.page.text.span(r.id()))
        .unwrap_or_default();
    !picture && !row.is_empty() && builder.claims.free_text(&builder.page.text, span).is_empty()
}

/// The block of a data table, and its pictures behind it.
pub(super) fn build(
    builder: &mut Builder<'_>,
    node: NodeRef<'_, Node>,
    rows: Vec<Row>,
    depth: usize,
) -> Vec<Block> {
    let mut pictures = Vec::new();
    let tree = node.tree();
    let mut caption = None;
    for child in node.children() {
        if is_named(child, "caption") {
            let blocks = builder.blocks(child, depth + 1);
            // Only the first one is a caption to HTML; none of their words may be lost.
            let more = Some(content(blocks, &mut pictures)).filter(|c: &Inline| !c.text.is_empty());
            caption = joined(caption, more);
        }
    }
    let heads: Vec<bool> = rows.iter().map(|r| r.head).collect();
    let height = rows.len();
    let mut grid: Vec<Vec<Option<Cell>>> = vec![Vec::new(); height];
    let mut cells = 0;
    let mut thorough = vec![true; height];
    for (y, row) in rows.into_iter().enumerate() {
        let mut x = 0;
        for id in row.cells {
            let Some(found) = tree.get(id) else { continue };
            let Some(element) = found.value().as_element() else {
                continue;
            };
            while grid[y].get(x).is_some_and(Option::is_some) {
                x += 1;
            }
            let number = |name| {
                element
                    .attr(name)
                    .and_then(|v| v.trim().parse::<usize>().ok())
                    .unwrap_or(1)
                    .max(1)
            };
            let colspan = number("colspan").min(COLUMNS.saturating_sub(x).max(1));
            let rowspan = number("rowspan").min(height - y);
            let header = element.name() == "th";
            thorough[y] &= header;
            let blocks = builder.blocks(found, depth + 1);
            let content = content(blocks, &mut pictures);
            let (colspan, rowspan) = if cells + colspan * rowspan > CELLS {
                (1, 1)
            } else {
                (colspan, rowspan)
            };
            cells += colspan * rowspan;
            for dy in 0..rowspan {
                for dx in 0..colspan {
                    let line = &mut grid[y + dy];
                    if line.len() <= x + dx {
                        line.resize(x + dx + 1, None);
                    }
                    let origin = ((dy, dx) != (0, 0)).then_some((y, x));
                    line[x + dx] = Some(Cell {
                        content: content.clone(),
                        header,
                        rowspan: if origin.is_some() { 1 } else { rowspan },
                        colspan: if origin.is_some() { 1 } else { colspan },
                        origin,
                        ..Cell::default()
                    });
                }
            }
            x += colspan;
        }
    }
    let language = builder.context.language();
    let span = builder.page.text.span(node.id()).unwrap_or_default();
    let mut table = Table {
        caption,
        ..Table::default()
    };
    let ragged = square(&mut table, grid);
    let title = edges(&mut table, language);
    table.header_rows = header_rows(&table, heads.get(title..).unwrap_or_default(), &thorough[title..]);
    for (y, row) in table.rows.iter_mut().enumerate() {
        for cell in row {
            cell.header |= y < table.header_rows;
        }
    }
    column_units(&mut table, language);
    numbers(&mut table, language);
    notes(builder, &table, ragged, span);
    let mut out = vec![Block::Table {
        table,
        src: builder.source(span),
    }];
    out.extend(pictures);
    out
}

/// Makes rows of equal length; the first row that had fewer cells than the longest, and how many.
fn square(table: &mut Table, grid: Vec<Vec<Option<Cell>>>) -> Option<(usize, usize, usize)> {
    let width = grid.iter().map(Vec::len).max().unwrap_or(0);
    let empty = || Cell {
        rowspan: 1,
        colspan: 1,
        ..Cell::default()
    };
    let short = grid
        .iter()
        .position(|line| !line.is_empty() && line.len() < width);
    let ragged = short.map(|y| (y, grid[y].len(), width));
    let whole = width * grid.len() <= CELLS * 2;
    table.rows = grid
        .into_iter()
        .map(|line| {
            let mut line: Vec<Cell> = line.into_iter().map(|c| c.unwrap_or_else(empty)).collect();
            if whole {
                line.resize_with(width, empty);
            }
            line
        })
        .collect();
    ragged
}

/// Takes rows of one cell off: titles and units above, notes below. Returns how many stood above.
fn edges(table: &mut Table, language: Option<&Language>) -> usize {
    let single = |row: &[Cell]| {
        let cell = row.first()?;
        let alone = row.len() >= 2 && cell.colspan == row.len() && cell.rowspan == 1 && cell.origin.is_none();
        (alone && !cell.content.text.is_empty()).then(|| cell.content.clone())
    };
    let mut above = 0;
    while above + 2 < table.rows.len() {
        let Some(text) = single(&table.rows[above]) else {
            break;
        };
        if table.units.is_none() && language.is_some_and(|l| l.is_unit(&fold(&text.text))) {
            table.units = Some(text.text);
        } else if table.caption.is_none() && table.units.is_none() && Printed::read(&text.text).is_none() {
            table.caption = Some(text);
        } else {
            break;
        }
        above += 1;
    }
    table.rows.drain(..above);
    while let [_, .., row] = table.rows.as_slice() {
        match single(row).filter(|t| is_note(&t.text, language)) {
            Some(note) => table.footnotes.insert(0, note),
            None => break,
        }
        table.rows.pop();
    }
    for cell in table.rows.iter_mut().flatten() {
        cell.origin = cell.origin.map(|(y, x)| (y.saturating_sub(above), x));
    }
    above
}

/// Whether a line below a table is one of its notes.
pub(super) fn is_note(text: &str, language: Option<&Language>) -> bool {
    text.starts_with('*') || text.starts_with("(*") || language.is_some_and(|l| l.is_note(&fold(text)))
}

fn header_rows(table: &Table, heads: &[bool], thorough: &[bool]) -> usize {
    let rows = &table.rows;
    let marked = rows
        .iter()
        .zip(heads.iter().zip(thorough))
        .take_while(|(row, (head, thorough))| **head || (**thorough && !row.is_empty()))
        .count();
    let mut count = marked;
    if marked == 0 {
        let is_bold = |row: &Vec<Cell>| {
            let mut cells = row.iter().filter(|c| !c.content.text.is_empty());
            cells.clone().next().is_some() && cells.all(|c| bold(&c.content))
        };
        let bold_rows = rows.iter().take_while(|r| is_bold(r)).count();
        // A table in bold throughout has its header in the first row.
        count = if bold_rows > HEADER.min(rows.len().saturating_sub(1)) {
            bold_rows.min(1)
        } else {
            bold_rows
        };
    }
    // A cell of the header that reaches below it takes its row along.
    let mut y = 0;
    while y < count {
        let deepest = rows[y]
            .iter()
            .filter(|c| c.origin.is_none())
            .map(|c| c.rowspan)
            .max();
        // A label at the side may span groups of rows; it is no header of columns.
        if marked == 0 || rows[y].iter().any(|c| c.colspan > 1) {
            count = count.max(y + deepest.unwrap_or(1)).min(rows.len());
        }
        y += 1;
    }
    // Statistics number their columns below the header: A, B, 1, 2, 3=2/1.
    if count > 0 && rows.len() > count + 1 && rows.get(count).is_some_and(|row| counts_columns(row)) {
        count += 1;
    }
    if count == 0 && heads_numbers(rows) {
        count = 1;
    }
    count
}

/// Whether the first row is words above numbers.
fn heads_numbers(rows: &[Vec<Cell>]) -> bool {
    let [first, rest @ ..] = rows else { return false };
    let is_number = |c: &Cell| Printed::read(&plain(&c.content)).is_some();
    let words = first.iter().all(|c| !c.content.text.is_empty() && !is_number(c));
    words
        && rest.len() > 1
        && (0..first.len()).any(|x| {
            let below = rest
                .iter()
                .filter_map(|row| row.get(x))
                .filter(|c| !c.content.text.is_empty());
            let numbers = below.clone().filter(|c| is_number(c)).count();
            numbers > 1 && numbers * 2 >= below.count()
        })
}

fn counts_columns(row: &[Cell]) -> bool {
    let texts = row.iter().map(|c| c.content.text.trim_matches(['(', ')']));
    let mut next = 1;
    let mut letters = false;
    for text in texts.filter(|t| !t.is_empty()) {
        let first = text.split(['=', ' ']).next().unwrap_or_default();
        if first == next.to_string() {
            next += 1;
        } else if next > 1 || first.len() != 1 || !first.starts_with(|c: char| c.is_ascii_uppercase()) {
            return false;
        } else {
            letters = true;
        }
    }
    next > if letters { 2 } else { 3 }
}

/// The units that headers name, in brackets or alone.
fn column_units(table: &mut Table, language: Option<&Language>) {
    let Some(language) = language else { return };
    let width = table.rows.first().map_or(0, Vec::len);
    let unit = |text: &str| {
        let bracket = text
            .rsplit_once('(')
            .and_then(|(_, t)| t.split_once(')'))
            .map(|(t, _)| t);
        let found = bracket.map(str::trim).filter(|t| language.is_measure(&fold(t)));
        let alone = matches!(text.trim(), "%" | "‰").then_some(text.trim());
        found.or(alone).map(str::to_owned)
    };
    let units: Vec<Option<String>> = (0..width)
        .map(|x| {
            let above = table.rows[..table.header_rows].iter().rev();
            above
                .filter_map(|row| row.get(x))
                .find_map(|c| unit(&c.content.text))
        })
        .collect();
    if units.iter().any(Option::is_some) {
        table.column_units = units;
    }
}

/// Reads the numbers: as the table itself prints them, else as its language does.
fn numbers(table: &mut Table, language: Option<&Language>) {
    let usual = language.map_or(Fraction::Point, |l| l.numbers.fraction);
    let read = |cell: &Cell| {
        (!cell.header)
            .then(|| Printed::read(&plain(&cell.content)))
            .flatten()
    };
    let (mut comma, mut point) = (0, 0);
    for cell in table.rows.iter().flatten().filter(|c| c.origin.is_none()) {
        match read(cell).and_then(|p| p.says()) {
            Some(Fraction::Comma) => comma += 1,
            Some(Fraction::Point) => point += 1,
            None => {}
        }
    }
    let form = match comma.cmp(&point) {
        std::cmp::Ordering::Greater => Fraction::Comma,
        std::cmp::Ordering::Less => Fraction::Point,
        std::cmp::Ordering::Equal => usual,
    };
    let decided = (comma == 0) != (point == 0);
    for cell in table.rows.iter_mut().flatten() {
        let Some(printed) = read(cell) else { continue };
        let other = match form {
            Fraction::Comma => Fraction::Point,
            Fraction::Point => Fraction::Comma,
        };
        let value = printed.value(form).or_else(|| printed.value(other));
        cell.number = value.map(str::to_owned);
        cell.ambiguous = !decided && (printed.is_open() || printed.says() == Some(other));
        cell.unit = printed.unit.map(String::from);
    }
}

/// The text without what is set above the line: marks of notes.
fn plain(content: &Inline) -> String {
    let above = |at: usize| {
        let mut marks = content.marks.iter().filter(|m| m.kind == MarkKind::Sup);
        marks.any(|m| (m.chars.0..m.chars.1).contains(&at))
    };
    let chars = content.text.chars().enumerate();
    chars.filter(|(at, _)| !above(*at)).map(|(_, c)| c).collect()
}

/// Notes what a reader should look at: rows of another length, sums that are none.
fn notes(builder: &mut Builder<'_>, table: &Table, ragged: Option<(usize, usize, usize)>, span: Span) {
    let first: String = builder.page.text.slice(span).chars().take(40).collect();
    let place = crate::lang::spaces(&first);
    let mut note = |id: &str, note: String| {
        builder.notes.push(Gate {
            id: id.into(),
            level: GateLevel::Warn,
            note,
        });
    };
    if let Some((y, has, width)) = ragged {
        note(
            SHAPE,
            format!("table `{place}…`: row {} has {has} of {width} columns", y + 1),
        );
    }
    for wrong in sums::check(table, builder.context.language()) {
        note(SUMS, format!("table `{place}…`: {wrong}"));
    }
}

/// Id of the notes on the shape of tables.
pub(super) const SHAPE: &str = "table-shape";
/// Id of the notes on the sums of tables.
pub(super) const SUMS: &str = "table-sums";

fn bold(content: &Inline) -> bool {
    let length = content.text.chars().count();
    content
        .marks
        .iter()
        .filter(|m| m.kind == MarkKind::Bold)
        .map(|m| m.chars.len())
        .sum::<usize>()
        + content.text.matches('\n').count()
        >= length
}

/// The text of a cell's blocks, one a line; pictures are moved behind the table.
fn content(blocks: Vec<Block>, pictures: &mut Vec<Block>) -> Inline {
    let mut out = Inline::default();
    for block in blocks {
        let (text, marks) = match block {
            Block::Paragraph { text, marks, .. }
            | Block::Heading { text, marks, .. }
            | Block::Quote { text, marks, .. } => (text, marks),
            Block::Image { .. } | Block::Gallery { .. } | Block::Embed { .. } => {
                pictures.push(block);
                continue;
            }
            other => (other.text(), Vec::new()),
        };
        if !out.text.is_empty() {
            out.text.push('\n');
        }
        let shift = out.text.chars().count();
        out.text.push_str(&text);
        out.marks.extend(marks.into_iter().map(|mut m| {
            m.chars.0 += shift;
            m.chars.1 += shift;
            m
        }));
    }
    out
}
/// Two texts as two lines of one.
fn joined(first: Option<Inline>, second: Option<Inline>) -> Option<Inline> {
    let (mut first, second) = match (first, second) {
        (Some(first), Some(second)) => (first, second),
        (first, second) => return first.or(second),
    };
    let from = first.text.chars().count() + 1;
    first.text.push('\n');
    first.text.push_str(&second.text);
    first.marks.extend(second.marks.into_iter().map(|mut mark| {
        mark.chars = Span(mark.chars.0 + from, mark.chars.1 + from);
        mark
    }));
    Some(first)
}
