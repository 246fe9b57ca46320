//! Articles as HTML, in the four skins of mess.

use super::article::{
    Article, Caption, CellModel, Charset, Heads, Href, Node, Picture, PictureSource, Run, Skin, TableModel,
};
use super::legacy::{Hand, Legacy};
use super::{media, urls};
use crate::document::{Align, MarkKind};
use std::fmt::Write as _;
use unicode_normalization::UnicodeNormalization as _;

/// Escapes text for element content and attribute values.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// How a picture with its caption (as HTML) is set.
pub(super) type Frame = fn(&str, Option<&str>) -> String;

/// The body of an article, for a page in `charset`.
pub(super) fn body(article: &Article, charset: Charset) -> String {
    framed(article, charset, None)
}

/// The same with pictures set in `frame`, if the portal has a way of its own.
pub(super) fn framed(article: &Article, charset: Charset, frame: Option<Frame>) -> String {
    let mut writer = Writer {
        skin: article.skin,
        charset,
        frame,
        out: String::new(),
        blocks: 0,
    };
    match article.skin {
        Skin::Layout => writer
            .out
            .push_str("<table width=\"100%\" border=\"0\" cellpadding=\"3\"><tbody>\n"),
        Skin::Word => writer
            .out
            .push_str("<!--[if gte mso 9]><xml><w:WordDocument/></xml><![endif]-->\n"),
        Skin::Clean | Skin::Breaks => {}
    }
    for node in &article.body {
        writer.node(node);
    }
    if article.skin == Skin::Layout {
        writer.out.push_str("</tbody></table>\n");
    }
    writer.out
}

struct Writer {
    skin: Skin,
    charset: Charset,
    frame: Option<Frame>,
    out: String,
    blocks: usize,
}

impl Writer {
    /// How the block that is being written is written.
    fn hand(&self) -> Hand {
        self.charset.hand(self.blocks)
    }

    fn node(&mut self, node: &Node) {
        let hand = self.hand();
        match node {
            Node::Paragraph { runs, align } => self.paragraph(&inline(runs, hand), *align),
            Node::Heading(level, text) => {
                self.block(&format!("<h{level}>{}</h{level}>", self.wrap(&hand.text(text))));
            }
            Node::List {
                pseudo: true, items, ..
            } => items.iter().for_each(|item| self.pseudo_item(item)),
            Node::List { ordered, items, .. } => {
                let tag = if *ordered { "ol" } else { "ul" };
                let items: String = items
                    .iter()
                    .map(|i| format!("<li>{}</li>\n", self.wrap(&hand.text(i))))
                    .collect();
                self.block(&format!("<{tag}>\n{items}</{tag}>"));
            }
            Node::Quote(text) => self.block(&format!("<blockquote>{}</blockquote>", hand.text(text))),
            Node::Pictures { lead, items, table } => {
                if let Some(lead) = lead {
                    self.paragraph(&hand.text(lead), None);
                    self.empty();
                }
                for picture in items {
                    if let Some(frame) = self.frame {
                        let img = img(picture, self.charset);
                        let caption = picture.caption.as_ref().map(|c| hand.text(&c.text));
                        self.block(&frame(&img, caption.as_deref()));
                    } else if *table {
                        self.picture_table(picture);
                    } else {
                        self.picture(picture);
                    }
                }
            }
            Node::Table(model) => {
                if let Some(units) = &model.units {
                    self.paragraph(&hand.text(units), Some(Align::Right));
                }
                self.block(&table(model, hand));
            }
            Node::File(file, label) => {
                self.paragraph(&inline(&[Run::link(label, Href::File(file.clone()))], hand), None)
            }
            Node::Signature(text) => {
                let (html, align) = match self.skin {
                    Skin::Word | Skin::Clean => (format!("<b>{}</b>", hand.text(text)), Some(Align::Right)),
                    Skin::Breaks | Skin::Layout => (hand.text(text), None),
                };
                self.paragraph(&html, align);
            }
            Node::Source(text) => self.paragraph(&hand.text(&format!("Nguồn: {text}")), None),
        }
    }

    /// Text inside the wrappers of the skin.
    fn wrap(&self, html: &str) -> String {
        if self.charset.legacy().is_some_and(Legacy::by_sheet) {
            return html.to_owned();
        }
        match self.skin {
            Skin::Word => format!(
                "<span style=\"font-family:&quot;Times New Roman&quot;\"><font size=\"3\"><font face=\"Arial\">{html}</font></font><o:p></o:p></span>"
            ),
            Skin::Layout => format!("<font face=\"Tahoma\" size=\"2\">{html}</font>"),
            Skin::Clean | Skin::Breaks => html.to_owned(),
        }
    }

    /// A block as the skin sets blocks.
    fn block(&mut self, html: &str) {
        self.blocks += 1;
        let _ = match self.skin {
            Skin::Layout => writeln!(self.out, "<TR>\n<TD vAlign=top>{html}"),
            Skin::Word | Skin::Clean | Skin::Breaks => writeln!(self.out, "{html}"),
        };
        if self.skin == Skin::Word && self.blocks.is_multiple_of(3) {
            self.empty();
        }
    }

    fn paragraph(&mut self, html: &str, align: Option<Align>) {
        let html = self.wrap(html);
        match self.skin {
            Skin::Word => {
                let style = match align {
                    Some(Align::Center) => "text-align:center",
                    Some(Align::Right) => "text-align:right",
                    None => "text-align:justify;margin:0in 0in 0pt",
                };
                self.block(&format!("<p class=\"MsoNormal\" style=\"{style}\">{html}</p>"));
            }
            Skin::Clean => {
                let attr = match align {
                    Some(Align::Center) => " align=\"center\"",
                    Some(Align::Right) => " align=\"right\"",
                    None => "",
                };
                self.block(&format!("<p{attr}>{html}</p>"));
            }
            Skin::Layout => {
                // As editors of Internet Explorer 6 wrote it: upper case, no quotes, nothing closed.
                let attr = match align {
                    Some(Align::Center) => " align=center",
                    Some(Align::Right) => " align=right",
                    None => "",
                };
                self.block(&format!("<P{attr}>{html}"));
            }
            Skin::Breaks => match align {
                Some(Align::Center) => self.block(&format!("<div align=\"center\">{html}</div>")),
                Some(Align::Right) => self.block(&format!("<div style=\"text-align: right;\">{html}</div>")),
                None => self.block(&format!("{html}<br>\n<br />")),
            },
        }
    }

    /// A paragraph of which nobody sees anything.
    fn empty(&mut self) {
        self.out.push_str(match self.skin {
            Skin::Word => "<p class=\"MsoNormal\"><o:p>&nbsp;</o:p></p>\n",
            Skin::Clean => "<p>&nbsp;</p>\n",
            Skin::Breaks => "&nbsp;<br><br>\n",
            Skin::Layout => "<TR>\n<TD>&nbsp;</TD></TR>\n",
        });
    }

    fn pseudo_item(&mut self, item: &str) {
        let text = self.wrap(&self.hand().text(item));
        // Where letters are drawn by a font, the marker is, too.
        let font = if self.charset.legacy().is_some() {
            ";font-family:Symbol"
        } else {
            ""
        };
        self.block(&format!(
            "<p class=\"MsoListParagraph\" style=\"text-indent:-.25in;mso-list:l0 level1 lfo1\"><span style=\"mso-list:Ignore{font}\">·<span style=\"font:7.0pt\">&nbsp;&nbsp; </span></span>{text}</p>"
        ));
    }

    fn picture(&mut self, picture: &Picture) {
        let img = img(picture, self.charset);
        match self.skin {
            Skin::Word => self.block(&format!(
                "<p class=\"MsoNormal\" style=\"text-align:center\">{img}</p>"
            )),
            Skin::Clean | Skin::Layout => self.block(&format!("<p align=\"center\">{img}</p>")),
            // Between the lines of a paragraph: nothing but the picture itself parts them.
            Skin::Breaks if picture.caption.is_none() => self.block(&format!("{img}<br>")),
            Skin::Breaks => self.block(&format!("<div align=\"center\">{img}</div>")),
        }
        if let Some(caption) = &picture.caption {
            self.paragraph(&caption_html(caption, self.hand()), Some(Align::Center));
        }
        self.empty();
    }

    fn picture_table(&mut self, picture: &Picture) {
        let img = img(picture, self.charset);
        let hand = self.hand();
        let caption = picture.caption.as_ref();
        let text = caption.map(|c| caption_html(c, hand)).unwrap_or_default();
        self.block(&format!(
            "<table border=\"0\" align=\"center\"><tr><td align=\"center\">{img}</td></tr><tr><td align=\"center\">{text}</td></tr></table>"
        ));
    }
}

fn caption_html(caption: &Caption, hand: Hand) -> String {
    let text = hand.text(&caption.text);
    if caption.italic {
        format!("<i>{text}</i>")
    } else {
        text
    }
}

fn img(picture: &Picture, charset: Charset) -> String {
    let src = match &picture.source {
        PictureSource::Path(p) | PictureSource::Missing(p) | PictureSource::Html(p) => p.clone(),
        PictureSource::Data => media::data_url(),
    };
    let alt = picture
        .alt
        .as_ref()
        .map(|a| format!(" alt=\"{}\"", charset.bare(a)))
        .unwrap_or_default();
    format!("<img src=\"{src}\"{alt} border=\"0\">")
}

/// Runs as HTML.
fn inline(runs: &[Run], hand: Hand) -> String {
    let mut out = String::new();
    let mut cut = None;
    for (at, run) in runs.iter().enumerate() {
        let text = cut.take().unwrap_or_else(|| {
            let next = runs.get(at + 1).and_then(|next| hand.cut(&run.text, &next.text));
            let (text, next) = next.unzip();
            cut = next;
            text.unwrap_or_else(|| hand.text(&run.text))
        });
        let text = match run.mark {
            None | Some(MarkKind::Link | MarkKind::Anchor) => text,
            Some(MarkKind::Bold) => format!("<strong>{text}</strong>"),
            Some(MarkKind::Italic) => format!("<span style=\"font-style:italic\">{text}</span>"),
            Some(MarkKind::Underline) => format!("<u>{text}</u>"),
            Some(MarkKind::Strike) => format!("<strike>{text}</strike>"),
            Some(MarkKind::Sup) => format!("<sup>{text}</sup>"),
            Some(MarkKind::Sub) => format!("<sub>{text}</sub>"),
            Some(MarkKind::Code) => format!("<code>{text}</code>"),
        };
        match &run.link {
            None => out.push_str(&text),
            Some(link) => {
                let _ = write!(out, "<a href=\"{}\">{text}</a>", escape(&href(link)));
            }
        }
    }
    out
}

/// The attribute of a link, as the page writes it.
pub(super) fn href(link: &Href) -> String {
    match link {
        Href::Article(index, spelling) => urls::href(*index, *spelling),
        Href::File(file) => format!("Download.ashx?id={}", file.id),
        Href::External(u) | Href::Mailto(u) | Href::Script(u) | Href::FileUri(u) => u.clone(),
    }
}

fn table(model: &TableModel, hand: Hand) -> String {
    let mut out = String::from("<table border=\"1\" cellspacing=\"0\" cellpadding=\"2\" width=\"100%\">\n");
    if let Some(caption) = &model.caption {
        let _ = writeln!(out, "<caption>{}</caption>", hand.text(caption));
    }
    for (n, row) in model.rows.iter().enumerate() {
        let cells: String = row
            .iter()
            .map(|c| cell(c, n < model.header_rows, model.heads, hand))
            .collect();
        let _ = writeln!(out, "<tr>{cells}</tr>");
    }
    out.push_str("</table>");
    out
}

fn cell(cell: &CellModel, header: bool, heads: Heads, hand: Hand) -> String {
    let mut spans = String::new();
    if cell.rowspan > 1 {
        let _ = write!(spans, " rowspan=\"{}\"", cell.rowspan);
    }
    if cell.colspan > 1 {
        let _ = write!(spans, " colspan=\"{}\"", cell.colspan);
    }
    let text = hand.text(&cell.text);
    match (header, heads) {
        (true, Heads::Th) => format!("<th{spans}>{text}</th>"),
        (true, Heads::Bold) => format!("<td{spans} align=\"center\"><b>{text}</b></td>"),
        (false, _) => format!("<td{spans}>{text}</td>"),
    }
}

/// A page's text as the bytes of `charset`.
pub(super) fn encode(html: &str, charset: Charset) -> Vec<u8> {
    match charset {
        Charset::Utf8 => html.as_bytes().to_vec(),
        Charset::Utf8Nfd => html.nfd().collect::<String>().into_bytes(),
        Charset::Windows1258 => encoding_rs::WINDOWS_1258
            .encode(&for_windows_1258(html))
            .0
            .into_owned(),
        Charset::Legacy(legacy) if legacy.is_utf8() => html.as_bytes().to_vec(),
        Charset::Legacy(_) => encoding_rs::WINDOWS_1252.encode(html).0.into_owned(),
    }
}

/// Takes tone marks off their letters where windows-1258 has no letter with both. What it still lacks becomes a
/// numeric character reference.
fn for_windows_1258(html: &str) -> String {
    const TONES: [char; 5] = ['\u{300}', '\u{301}', '\u{303}', '\u{309}', '\u{323}'];
    let mut out = String::with_capacity(html.len());
    for c in html.chars() {
        let mut one = [0; 4];
        if c.is_ascii() || !encoding_rs::WINDOWS_1258.encode(c.encode_utf8(&mut one)).2 {
            out.push(c);
            continue;
        }
        let (tones, letter): (Vec<char>, Vec<char>) =
            std::iter::once(c).nfd().partition(|c| TONES.contains(c));
        out.extend(letter.into_iter().nfc());
        out.extend(tones);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_1258_round_trips() {
        let text = "Hội nghị sơ kết – ĐỘNG NGÀNH, ưỡn ẹo, Quỳnh, Ủy ban, ò ĩ ỹ “trích” ệ ở ặ ĐẴ";
        let bytes = encode(text, Charset::Windows1258);
        let (back, _, broken) = encoding_rs::WINDOWS_1258.decode(&bytes);
        assert!(!broken);
        assert_eq!(back.nfc().collect::<String>(), text);
        assert!(bytes.len() < text.len());
    }
}
