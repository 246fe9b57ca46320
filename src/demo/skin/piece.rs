//! An article as the portal of a skin has it: which text it holds, and where its parts stand.

use super::super::article::{Article, Attachment, Charset, Href, Node, Picture, PictureSource, Run};
use super::super::{Portal, generate, seed, text};
use super::{Signed, Skin, urls};
use crate::document::MarkKind;

/// An article of a skin.
pub(super) struct Piece {
    pub article: Article,
    /// The page says when it was published.
    pub dated: bool,
    /// Said in a field of the page, not in the text.
    pub author: Option<String>,
    /// Said in a field of the page, not in the text.
    pub source: Option<String>,
    /// Articles of the list of other news.
    pub related: Vec<usize>,
}

/// Title and month of an article, for its address.
pub(super) fn head(portal: &Portal, index: usize) -> (String, String) {
    let head = portal.head(index);
    (head.title, head.published.strftime("%Y/%m").to_string())
}

/// The article with `index`. Every fifteenth is nothing but a file, every fifth a notice of two sentences, every seventh
/// a gallery; every twelfth does not say when it was published.
pub(super) fn piece(portal: &Portal, skin: Skin, index: usize) -> Piece {
    let habits = skin.habits();
    let mut article = match index {
        0 => seed::article(),
        _ => generate::unaged(portal.seed, index, portal.articles),
    };
    article.charset = habits.charset;
    article.skin = habits.editors[index % habits.editors.len()];
    article.description = None;
    let mut rng = generate::rng(portal.seed ^ 0x5c1, index);
    if index % 15 == 11 {
        let label = format!("Tải về văn bản số {index}");
        article.body = vec![Node::File(Attachment { id: index * 10 + 1 }, label)];
        article.summary = None;
    } else if index % 5 == 3 {
        article.body = vec![Node::text(text::sentences(&mut rng, 2))];
        article.summary = None;
    } else if index % 7 == 4 {
        let items = (1..=4).map(|n| Picture {
            source: PictureSource::Path(format!("/hinhanh/2023/{}-{n}.png", index + 1)),
            alt: None,
            caption: Some(generate::caption(&mut rng, index + n)),
        });
        let items = items.collect();
        let lead = Some("Một số hình ảnh tại buổi làm việc:".into());
        article.body = vec![
            Node::text(text::sentences(&mut rng, 1)),
            Node::Pictures {
                lead,
                items,
                table: false,
            },
        ];
    }
    let mut author = None;
    let mut source = None;
    article.body.retain(|node| match node {
        Node::Signature(name) if habits.signed == Signed::Field => {
            author = Some(name.clone());
            false
        }
        Node::Source(name) if habits.source_field => {
            source = Some(name.clone());
            false
        }
        _ => true,
    });
    if skin == Skin::PhpNuke
        && let Some(summary) = article.summary.take()
    {
        // It has no place of its own: the text begins with it.
        let runs = vec![Run::marked(summary, MarkKind::Italic)];
        article.body.insert(0, Node::Paragraph { runs, align: None });
    }
    for node in &mut article.body {
        dress(portal, skin, node);
    }
    let total = portal.articles;
    let related = (1..=3)
        .map(|k| index + k * super::SECTIONS)
        .filter(|i| *i < total && !index.is_multiple_of(5));
    Piece {
        dated: index % 12 != 5,
        author,
        source,
        related: related.collect(),
        article,
    }
}

/// Gives links and pictures the addresses of the skin, and every picture bytes.
fn dress(portal: &Portal, skin: Skin, node: &mut Node) {
    match node {
        Node::Paragraph { runs, .. } => {
            for run in runs {
                run.link = match run.link.take() {
                    Some(Href::Article(to, _)) => {
                        let (title, month) = head(portal, to);
                        Some(Href::External(urls::article(skin, to, &title, &month)))
                    }
                    Some(Href::File(file)) => Some(Href::External(urls::file(skin, file.id))),
                    link => link,
                };
            }
        }
        Node::Pictures { items, .. } => {
            for picture in items {
                let (PictureSource::Path(path) | PictureSource::Missing(path) | PictureSource::Html(path)) =
                    &picture.source
                else {
                    continue;
                };
                picture.source = PictureSource::Path(urls::picture(skin, path));
            }
        }
        _ => {}
    }
}

/// The article as it is written: a file that stands alone is a link in a paragraph.
pub(super) fn written(skin: Skin, article: &Article) -> Article {
    let mut article = article.clone();
    for node in &mut article.body {
        if let Node::File(file, label) = node {
            let link = Href::External(urls::file(skin, file.id));
            *node = Node::Paragraph {
                runs: vec![Run::link(label.clone(), link)],
                align: None,
            };
        }
    }
    if matches!(article.charset, Charset::Utf8Nfd | Charset::Legacy(_)) {
        article.charset = Charset::Utf8;
    }
    article
}
