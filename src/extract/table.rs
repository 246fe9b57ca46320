//! Data tables as grids; layout tables are read through.

use super::block::Builder;
use super::{amount, header, sums};
use crate::document::{Block, Cell, Gate, GateLevel, Inline, Span, Table};
use crate::lang::number::Printed;
use crate::lang::{Language, fold};
use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node};

/// Cells that spans and short rows may add to a table, beside [`ADDED`] times those that it has. Statistics stay far below;
/// pages that say `colspan=1000` in each row do not.
const CELLS: usize = 10_000;
/// See [`CELLS`].
const ADDED: usize = 4;
/// Bytes of text that spans may repeat, beside [`ADDED`] times the table's own.
const REPEATED: usize = 1 << 20;
/// Most columns (HTML: colspan is at most 1000).
const COLUMNS: usize = 1000;
/// Longest text of a cell in a table that nothing but its shape calls one, in characters.
const CELL: usize = 300;

/// A row of the markup.
pub(super) struct Row {
    /// Whether it stands in `thead`.
    head: bool,
    /// `thead`, `tbody` or `tfoot`: no span goes beyond it.
    group: Option<NodeId>,
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
    let (mut first_head, mut first_foot) = (None, None);
    // Hidden rows have no place on a screen: Excel ends its tables with one, and filters hide others.
    let (mut hidden_group, mut hidden_row) = (false, false);
    for node in table.descendants().skip(1) {
        let Node::Element(element) = node.value() else {
            continue;
        };
        match element.name() {
            "thead" | "tbody" | "tfoot" => {
                hidden_group = text.hides(node.id());
                hidden_row = hidden_group;
                if element.name() == "thead" {
                    first_head.get_or_insert(node.id());
                } else if element.name() == "tfoot" {
                    first_foot.get_or_insert(node.id());
                }
            }
            "tr" => {
                hidden_row = hidden_group || text.hides(node.id());
                if !hidden_row {
                    rows.push(Row {
                        head: node.parent().is_some_and(|p| is_named(p, "thead")),
                        group: node.parent().map(|p| p.id()),
                        cells: Vec::new(),
                    });
                }
            }
            _ if hidden_row => {}
            "table" => return None,
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
    // The head stands above and the foot below, wherever the markup has them (HTML 4 had the foot before the rows).
    rows.sort_by_key(|row| match row.group {
        group if group.is_some() && group == first_head => 0,
        group if group.is_some() && group == first_foot => 2,
        _ => 1,
    });
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
    let groups: Vec<Option<NodeId>> = rows.iter().map(|r| r.group).collect();
    let mut lines: Vec<Vec<Cell>> = Vec::with_capacity(rows.len());
    for (y, row) in rows.into_iter().enumerate() {
        let left = groups[y..].iter().take_while(|g| **g == groups[y]).count();
        let mut line = Vec::with_capacity(row.cells.len());
        for id in row.cells {
            let Some(found) = tree.get(id) else { continue };
            let Some(element) = found.value().as_element() else {
                continue;
            };
            let number = |name| {
                let value = element.attr(name).and_then(|v| v.trim().parse::<usize>().ok());
                value.unwrap_or(1)
            };
            let blocks = builder.blocks(found, depth + 1);
            line.push(Cell {
                content: content(blocks, &mut pictures),
                header: element.name() == "th",
                colspan: number("colspan").clamp(1, COLUMNS),
                // None at all means: to the end of the group (HTML, 4.9.12.1).
                rowspan: match number("rowspan") {
                    0 => left,
                    rows => rows.min(left),
                },
                ..Cell::default()
            });
        }
        lines.push(line);
    }
    let thorough: Vec<bool> = lines.iter().map(|l| l.iter().all(|c| c.header)).collect();
    let most = Most::of(&lines);
    let (grid, spread) = match placed(&lines, &most) {
        Some(grid) => (grid, true),
        None => (
            lines
                .into_iter()
                .map(|line| line.into_iter().map(alone).map(Some).collect())
                .collect(),
            false,
        ),
    };
    let language = builder.context.language();
    let span = builder.page.text.span(node.id()).unwrap_or_default();
    let mut table = Table {
        caption,
        caption_method: awaits_caption(builder, node).then(|| "figcaption".to_owned()),
        ..Table::default()
    };
    let ragged = square(&mut table, grid, &most);
    let title = edges(&mut table, language);
    table.header_rows =
        header::header_rows(&table, heads.get(title..).unwrap_or_default(), &thorough[title..]);
    for (y, row) in table.rows.iter_mut().enumerate() {
        for cell in row {
            cell.header |= y < table.header_rows;
        }
    }
    amount::column_units(&mut table, language);
    amount::numbers(&mut table, language);
    notes(builder, &table, ragged, span);
    if !spread {
        let note = format!(
            "a table with spans over more than {} cells: its spans are not followed",
            most.cells
        );
        builder.notes.push(Gate {
            id: SHAPE.into(),
            level: GateLevel::Warn,
            note,
        });
    }
    let mut out = vec![Block::Table {
        table,
        src: builder.source(span),
    }];
    out.extend(pictures);
    out
}

/// Whether a table stands in a figure that names it.
fn awaits_caption(builder: &Builder<'_>, table: NodeRef<'_, Node>) -> bool {
    let figure = table.ancestors().take(3).find(|n| is_named(*n, "figure"));
    figure.is_some_and(|figure| {
        figure.descendants().any(|n| {
            let span = builder.page.text.span(n.id());
            is_named(n, "figcaption") && span.is_some_and(|s| !s.is_empty())
        })
    })
}

/// How large a table may become by its spans.
struct Most {
    cells: usize,
    bytes: usize,
}

impl Most {
    fn of(lines: &[Vec<Cell>]) -> Self {
        let cells = lines.iter().flatten();
        let bytes: usize = cells.clone().map(|c| c.content.text.len()).sum();
        Self {
            cells: cells.count() * (1 + ADDED) + CELLS,
            bytes: bytes * (1 + ADDED) + REPEATED,
        }
    }
}

/// The cell as one that covers no other.
fn alone(cell: Cell) -> Cell {
    Cell {
        rowspan: 1,
        colspan: 1,
        ..cell
    }
}

/// The cells in their columns, spans written out; `None` if they would become too many.
fn placed(lines: &[Vec<Cell>], most: &Most) -> Option<Vec<Vec<Option<Cell>>>> {
    let mut grid: Vec<Vec<Option<Cell>>> = vec![Vec::new(); lines.len()];
    let (mut cells, mut bytes) = (0, 0);
    for (y, line) in lines.iter().enumerate() {
        let mut x = 0;
        for cell in line {
            while grid[y].get(x).is_some_and(Option::is_some) {
                x += 1;
            }
            let colspan = cell.colspan.min(COLUMNS.saturating_sub(x).max(1));
            bytes += cell.content.text.len() * colspan * cell.rowspan;
            for dy in 0..cell.rowspan {
                let row = &mut grid[y + dy];
                let missing = (x + colspan).saturating_sub(row.len());
                cells += missing;
                if cells > most.cells || bytes > most.bytes {
                    return None;
                }
                row.resize(row.len() + missing, None);
                for dx in 0..colspan {
                    let origin = ((dy, dx) != (0, 0)).then_some((y, x));
                    row[x + dx] = Some(match origin {
                        Some(_) => Cell {
                            origin,
                            ..alone(cell.clone())
                        },
                        None => Cell {
                            colspan,
                            ..cell.clone()
                        },
                    });
                }
            }
            x += colspan;
        }
    }
    Some(grid)
}

/// Makes rows of equal length; the first row that had fewer cells than the longest, and how many.
fn square(table: &mut Table, grid: Vec<Vec<Option<Cell>>>, most: &Most) -> Option<(usize, usize, usize)> {
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
    let whole = width * grid.len() <= most.cells;
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
    // Sheets print such a line in one cell beside empty ones; there its words must say what it is.
    let beside = |row: &[Cell], y: usize| {
        let own = row.iter().filter(|c| c.origin.is_none());
        let mut told = own.filter(|c| !c.content.text.is_empty());
        let whole = row.len() >= 2
            && row
                .iter()
                .all(|c| c.rowspan == 1 && c.origin.is_none_or(|o| o.0 == y));
        match (told.next(), told.next()) {
            (Some(cell), None) if whole => Some(cell.content.clone()),
            _ => None,
        }
    };
    let is_unit = |text: &str| language.is_some_and(|l| l.is_unit(&fold(text)));
    let mut above = 0;
    while above + 2 < table.rows.len() {
        let row = &table.rows[above];
        let merged = single(row);
        let says =
            |text: &Inline| is_unit(&text.text) || language.is_some_and(|l| l.is_table_title(&text.text));
        let Some(text) = merged.or_else(|| beside(row, above).filter(says)) else {
            break;
        };
        if table.units.is_none() && is_unit(&text.text) {
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
        let y = above + table.rows.len() - 1;
        match single(row)
            .or_else(|| beside(row, y))
            .filter(|t| is_note(&t.text, language))
        {
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
pub(super) fn joined(first: Option<Inline>, second: Option<Inline>) -> Option<Inline> {
    let (mut first, second) = match (first, second) {
        (Some(first), Some(second)) => (first, second),
        (first, second) => return first.or(second),
    };
    let from = first.text.chars().count() + 1;
    first.text.push('\n');
    first.text.push_str(&second.text);
    for mut mark in second.marks {
        mark.chars = Span(mark.chars.0 + from, mark.chars.1 + from);
        // What goes on over the line break is one mark.
        let goes_on = |m: &&mut crate::document::Mark| {
            let meets = mark.chars.0 == from && m.chars.1 + 1 == from;
            meets && m.kind == mark.kind && m.target == mark.target
        };
        match first.marks.iter_mut().find(goes_on) {
            Some(before) => before.chars.1 = mark.chars.1,
            None => first.marks.push(mark),
        }
    }
    first
        .marks
        .sort_by_key(|m| (m.chars.0, std::cmp::Reverse(m.chars.1), m.kind));
    Some(first)
}
