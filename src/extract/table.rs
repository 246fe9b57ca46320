//! Data tables as grids; layout tables are read through.

use super::block::Builder;
use crate::document::{Block, Cell, Inline, MarkKind, Table};
use crate::lang::spaces;
use ego_tree::{NodeId, NodeRef};
use scraper::{ElementRef, Node};

/// Most cells of one expanded table.
const CELLS: usize = 200_000;
/// Most columns (HTML: colspan is at most 1000).
const COLUMNS: usize = 1000;

/// A row of the markup: whether it stands in `thead`, and its cells.
pub(super) struct Row {
    head: bool,
    cells: Vec<NodeId>,
}

/// The rows of a data table; `None` for a layout table.
pub(super) fn grid(table: ElementRef<'_>) -> Option<Vec<Row>> {
    let mut rows: Vec<Row> = Vec::new();
    let (mut th, mut blocks) = (false, 0);
    for node in table.descendants().skip(1) {
        let Node::Element(element) = node.value() else {
            continue;
        };
        match element.name() {
            "table" => return None,
            "tr" => {
                let head = node
                    .parent()
                    .is_some_and(|p| p.value().as_element().is_some_and(|e| e.name() == "thead"));
                rows.push(Row {
                    head,
                    cells: Vec::new(),
                });
            }
            name @ ("td" | "th") => {
                th |= name == "th";
                if let Some(row) = rows.last_mut() {
                    row.cells.push(node.id());
                }
            }
            "img" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "hr" => blocks += 1,
            _ => {}
        }
    }
    let columns = rows.iter().map(|r| r.cells.len()).max().unwrap_or(0);
    let value = table.value();
    let border = value.attr("border").is_some_and(|b| b.trim() != "0")
        || value.attr("class").is_some_and(|c| c.contains("MsoTableGrid"))
        || value
            .attr("style")
            .is_some_and(|s| s.contains("border") && !s.contains("border:none"));
    (columns >= 2 && (th || border || (rows.len() >= 2 && blocks == 0))).then_some(rows)
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
        if child.value().as_element().is_some_and(|e| e.name() == "caption") {
            let blocks = builder.blocks(child, depth + 1);
            caption = Some(content(blocks, &mut pictures)).filter(|c: &Inline| !c.text.is_empty());
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
                        number: None,
                        rowspan: if origin.is_some() { 1 } else { rowspan },
                        colspan: if origin.is_some() { 1 } else { colspan },
                        origin,
                    });
                }
            }
            x += colspan;
        }
    }
    let width = grid.iter().map(Vec::len).max().unwrap_or(0);
    let empty = || Cell {
        content: Inline::default(),
        header: false,
        number: None,
        rowspan: 1,
        colspan: 1,
        origin: None,
    };
    let mut rows: Vec<Vec<Cell>> = grid
        .into_iter()
        .map(|line| {
            let mut line: Vec<Cell> = line.into_iter().map(|c| c.unwrap_or_else(empty)).collect();
            if width * height <= CELLS * 2 {
                line.resize_with(width, empty);
            }
            line
        })
        .collect();
    let mut header_rows = (0..height)
        .take_while(|&y| heads[y] || (thorough[y] && !rows[y].is_empty()))
        .count();
    if header_rows == 0
        && let Some(first) = rows.first()
        && first
            .iter()
            .all(|c| c.content.text.is_empty() || bold(&c.content))
        && first.iter().any(|c| !c.content.text.is_empty())
    {
        header_rows = first.iter().map(|c| c.rowspan).max().unwrap_or(1);
    }
    for (y, row) in rows.iter_mut().enumerate() {
        for cell in row {
            cell.header |= y < header_rows;
            cell.number = if cell.header {
                None
            } else {
                number(&cell.content.text)
            };
        }
    }
    let span = builder.page.text.span(node.id()).unwrap_or_default();
    let table = Table {
        caption,
        units: None,
        header_rows,
        rows,
        footnotes: Vec::new(),
    };
    let mut out = vec![Block::Table {
        table,
        src: builder.source(span),
    }];
    out.extend(pictures);
    out
}

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

/// A number as Vietnam prints it: `1.234,5`.
fn number(text: &str) -> Option<String> {
    let text = spaces(text);
    let (sign, digits) = text
        .strip_prefix('-')
        .map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = digits
        .split_once(',')
        .map_or((digits, None), |(w, f)| (w, Some(f)));
    let groups: Vec<&str> = whole.split('.').collect();
    let all_digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let grouped = groups.len() == 1 || (groups[0].len() <= 3 && groups[1..].iter().all(|g| g.len() == 3));
    if !grouped || !groups.iter().all(|g| all_digits(g)) || fraction.is_some_and(|f| !all_digits(f)) {
        return None;
    }
    let whole = groups.concat();
    Some(fraction.map_or_else(|| format!("{sign}{whole}"), |f| format!("{sign}{whole}.{f}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vietnamese_numbers() {
        for (text, value) in [
            ("1.234,5", "1234.5"),
            ("12,5", "12.5"),
            ("2023", "2023"),
            ("-3,1", "-3.1"),
        ] {
            assert_eq!(number(text).as_deref(), Some(value));
        }
        for text in ["-", "...", "", "1.23", "a", "1,2,3"] {
            assert_eq!(number(text), None, "{text}");
        }
    }
}
