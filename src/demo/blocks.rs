//! The semantic body of an article as the blocks, media and links that a document must hold.

use super::article::{Attachment, Caption, Heads, Href, Node, Picture, PictureSource, Run, TableModel};
use super::{SITE, media, render, urls};
use crate::document::{
    Block, CaptureId, Cell, DocumentId, Image, Inline, Link, LinkKind, ListItem, Mark, MarkKind, Media,
    MediaRole, MediaState, Source, Span, Table,
};

fn src() -> Source {
    Source {
        rule: String::new(),
        chars: Span(0, 0),
    }
}

fn plain(text: &str) -> Inline {
    Inline {
        text: text.to_owned(),
        marks: Vec::new(),
    }
}

fn whole(text: &str, kind: MarkKind) -> Inline {
    Inline {
        text: text.to_owned(),
        marks: vec![Mark {
            kind,
            chars: Span(0, text.chars().count()),
            target: None,
        }],
    }
}

/// What the nodes of a body amount to.
#[derive(Default)]
pub(super) struct Maker {
    pub body: Vec<Block>,
    pub media: Vec<Media>,
    pub attachments: Vec<Media>,
    pub links: Vec<Link>,
    pub broken: Vec<String>,
    pub markers: Vec<String>,
    /// Which version of its pictures the article shows.
    pub pictures: u32,
    pub signature: Option<String>,
    pub source: Option<String>,
}

impl Maker {
    /// Adds one node.
    pub(super) fn node(&mut self, node: &Node) {
        let block = match node {
            Node::Paragraph { runs, align } => {
                let Inline { text, marks } = self.inline(runs);
                Block::Paragraph {
                    text,
                    marks,
                    align: *align,
                    src: src(),
                }
            }
            Node::Heading(level, text) => Block::Heading {
                level: *level,
                text: text.clone(),
                marks: Vec::new(),
                src: src(),
            },
            Node::List {
                ordered,
                pseudo,
                items,
            } => {
                if *pseudo {
                    self.markers.extend(items.iter().map(|_| "·".to_owned()));
                }
                let items = items.iter().map(|item| ListItem {
                    content: plain(item),
                    children: Vec::new(),
                });
                Block::List {
                    ordered: *ordered,
                    start: None,
                    counting: None,
                    reversed: false,
                    items: items.collect(),
                    src: src(),
                }
            }
            Node::Quote(text) => Block::Quote {
                text: text.clone(),
                marks: Vec::new(),
                src: src(),
            },
            Node::Pictures { lead, items, table } => {
                let method = if *table { "table-row" } else { "paragraph-after" };
                let mut images: Vec<Image> = items.iter().map(|p| self.picture(p, method)).collect();
                match images.pop() {
                    Some(image) if images.is_empty() => Block::Image { image, src: src() },
                    last => {
                        images.extend(last);
                        Block::Gallery {
                            lead: lead.clone(),
                            items: images,
                            src: src(),
                        }
                    }
                }
            }
            Node::Table(model) => Block::Table {
                table: table(model),
                src: src(),
            },
            Node::File(file, label) => {
                let reference = self.file(file, label);
                Block::File {
                    media: reference,
                    text: label.clone(),
                    src: src(),
                }
            }
            Node::Signature(text) => {
                self.signature = Some(text.clone());
                return;
            }
            Node::Source(text) => {
                self.source = Some(text.clone());
                return;
            }
        };
        self.body.push(block);
    }

    fn inline(&mut self, runs: &[Run]) -> Inline {
        let (mut text, mut marks) = (String::new(), Vec::new());
        for run in runs {
            let start = text.chars().count();
            text.push_str(&run.text);
            let chars = Span(start, text.chars().count());
            if let Some(kind) = run.mark {
                marks.push(Mark {
                    kind,
                    chars,
                    target: None,
                });
            }
            if let Some(target) = run.link.as_ref().and_then(|link| self.link(link, &run.text)) {
                marks.push(Mark {
                    kind: MarkKind::Link,
                    chars,
                    target: Some(target),
                });
            }
        }
        Inline { text, marks }
    }

    /// Notes a link; its mark's target, if it has a mark.
    fn link(&mut self, link: &Href, text: &str) -> Option<String> {
        let (kind, resolved, target, mark) = match link {
            Href::File(file) => return Some(self.file(file, text)),
            Href::Article(index, _) => {
                let key = format!("news:{}", urls::item_id(*index));
                let target = format!("doc:{}", DocumentId::new(SITE, &key));
                (
                    LinkKind::Internal,
                    Some(urls::canonical(*index)),
                    Some(target.clone()),
                    Some(target),
                )
            }
            Href::External(url) => (LinkKind::External, Some(url.clone()), None, Some(url.clone())),
            Href::Mailto(url) => (LinkKind::Mailto, Some(url.clone()), None, Some(url.clone())),
            Href::Script(_) => (LinkKind::Postback, None, None, None),
            Href::FileUri(_) => (LinkKind::FileUri, None, None, None),
        };
        self.links.push(Link {
            raw: render::href(link),
            resolved,
            kind,
            target,
            text: text.to_owned(),
        });
        mark
    }

    /// Notes a file and the link to it; its reference.
    fn file(&mut self, attachment: &Attachment, text: &str) -> String {
        let file = media::file(attachment.id);
        let url = urls::canonical_download(attachment.id);
        let reference = format!("media:{}", CaptureId::of(&file.bytes));
        self.attachments.push(Media {
            reference: reference.clone(),
            source_url: url.clone(),
            role: MediaRole::Attachment,
            alt: None,
            caption: None,
            credit: None,
            mime: Some(file.mime.into()),
            declared_mime: Some(file.declared.into()),
            bytes: Some(file.bytes.len() as u64),
            width: None,
            height: None,
            filename: Some(file.name),
            state: MediaState::Ok,
        });
        self.links.push(Link {
            raw: render::href(&Href::File(attachment.clone())),
            resolved: Some(url),
            kind: LinkKind::Attachment,
            target: Some(reference.clone()),
            text: text.to_owned(),
        });
        reference
    }

    fn picture(&mut self, picture: &Picture, method: &str) -> Image {
        let png = match &picture.source {
            PictureSource::Path(path) => Some(media::version(path, self.pictures)),
            PictureSource::Data => Some(media::data_picture()),
            PictureSource::Missing(_) | PictureSource::Html(_) => None,
        };
        let (source_url, filename) = match &picture.source {
            PictureSource::Path(p) | PictureSource::Missing(p) | PictureSource::Html(p) => (
                urls::canonical_picture(p),
                p.rsplit('/').next().map(str::to_owned),
            ),
            PictureSource::Data => (
                format!("data:{}", CaptureId::of(&media::data_picture().bytes)),
                None,
            ),
        };
        let reference = match &png {
            Some(png) => format!("media:{}", CaptureId::of(&png.bytes)),
            None => {
                self.broken.push(source_url.clone());
                format!("url:{source_url}")
            }
        };
        let caption = picture.caption.as_ref();
        let credit = caption.and_then(|c| c.credit.clone());
        self.media.push(Media {
            reference: reference.clone(),
            source_url,
            role: MediaRole::Body,
            alt: picture.alt.clone(),
            caption: caption.map(|c| c.text.clone()),
            credit: credit.clone(),
            mime: png.as_ref().map(|_| "image/png".into()),
            declared_mime: png.as_ref().map(|_| "image/png".into()),
            bytes: png.as_ref().map(|p| p.bytes.len() as u64),
            width: png.as_ref().map(|p| p.width),
            height: png.as_ref().map(|p| p.height),
            filename,
            state: if png.is_some() {
                MediaState::Ok
            } else {
                MediaState::Missing
            },
        });
        Image {
            media: reference,
            alt: picture.alt.clone(),
            caption: caption.map(caption_inline),
            caption_method: caption.map(|_| method.to_owned()),
            credit,
            original: None,
        }
    }
}

fn caption_inline(caption: &Caption) -> Inline {
    if caption.italic {
        whole(&caption.text, MarkKind::Italic)
    } else {
        plain(&caption.text)
    }
}

/// The written cells as a grid: every cell that a span covers repeats its origin.
fn table(model: &TableModel) -> Table {
    let mut grid: Vec<Vec<Option<Cell>>> = vec![Vec::new(); model.rows.len()];
    for (r, row) in model.rows.iter().enumerate() {
        let mut column = 0;
        for written in row {
            while grid[r].get(column).is_some_and(Option::is_some) {
                column += 1;
            }
            let header = r < model.header_rows;
            let content = if header && model.heads == Heads::Bold {
                whole(&written.text, MarkKind::Bold)
            } else {
                plain(&written.text)
            };
            for dr in 0..written.rowspan {
                for dc in 0..written.colspan {
                    let first = dr == 0 && dc == 0;
                    let Some(cells) = grid.get_mut(r + dr) else {
                        continue;
                    };
                    if cells.len() <= column + dc {
                        cells.resize(column + dc + 1, None);
                    }
                    cells[column + dc] = Some(Cell {
                        content: content.clone(),
                        header,
                        number: if header { None } else { number(&written.text) },
                        rowspan: if first { written.rowspan } else { 1 },
                        colspan: if first { written.colspan } else { 1 },
                        origin: (!first).then_some((r, column)),
                        ..Cell::default()
                    });
                }
            }
            column += written.colspan;
        }
    }
    let rows: Vec<Vec<Cell>> = grid
        .into_iter()
        .map(|row| row.into_iter().flatten().collect())
        .collect();
    let percent = |x: usize| {
        rows[..model.header_rows]
            .iter()
            .any(|r| r[x].content.text.contains("(%)"))
    };
    let column_units: Vec<Option<String>> = (0..rows.first().map_or(0, Vec::len))
        .map(|x| percent(x).then(|| "%".to_owned()))
        .collect();
    Table {
        caption: model.caption.as_deref().map(plain),
        units: model.units.clone(),
        header_rows: model.header_rows,
        rows,
        column_units: if column_units.iter().any(Option::is_some) {
            column_units
        } else {
            Vec::new()
        },
        ..Table::default()
    }
}

/// A number as Vietnamese tables print it.
fn number(text: &str) -> Option<String> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let numeric = digits.starts_with(|c: char| c.is_ascii_digit())
        && digits
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ','));
    numeric.then(|| text.replace('.', "").replace(',', "."))
}

#[cfg(test)]
mod tests {
    use super::super::Portal;
    use super::*;

    #[test]
    fn tables_are_rectangles_and_numbers_are_read() {
        let portal = Portal::new(40, 1);
        let tables = portal
            .gold()
            .flat_map(|g| g.document.body)
            .filter_map(|b| match b {
                Block::Table { table, .. } => Some(table),
                _ => None,
            });
        let mut seen = 0;
        for table in tables {
            seen += 1;
            assert!(table.rows.iter().all(|r| r.len() == 5), "{:?}", table.rows);
            assert_eq!(table.rows[1][0].origin, Some((0, 0)));
            assert_eq!(table.rows[1][2].content.text, "2022");
        }
        assert!(seen > 4);
        assert_eq!(number("1.234,5").as_deref(), Some("1234.5"));
        assert_eq!(number("-3,2").as_deref(), Some("-3.2"));
        assert_eq!(number("-"), None);
        assert_eq!(number("..."), None);
    }
}
