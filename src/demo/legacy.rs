//! Articles from before Unicode: bytes whose letters exist only in a font, and what later migrations did to such text.
//!
//! A legacy text is written as its windows-1252 surface, so that a page stays a string until the end: the surface of a
//! byte becomes that byte, and what windows-1252 has not becomes a numeric character reference, as editors did it.

use super::article::{Article, Node, Run};
use super::render::escape;
use super::text;
use crate::document::MarkKind;
use crate::lang::vietnamese::{Charset, surface};
use fastrand::Rng;
use std::fmt::Write as _;

/// One article in so many is from before Unicode (some 6 %). A prime, so that they meet all other features.
const STRIDE: usize = 17;
/// The first of them.
const FIRST: usize = 3;

/// How a page from before Unicode came to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Legacy {
    /// TCVN3 in `<font face=".VnTime">`, its capitals in `.VnTimeH`; declared as ISO 8859-1.
    Tcvn3Font,
    /// VNI in `<font face="VNI-Times">`, letters cut from their marks; declared as `x-user-defined`.
    Vni,
    /// VISCII, which needs no font; declared.
    VisciiDeclared,
    /// Paragraphs in numeric references, TCVN3 and VNI, and one whose font lies; declared as windows-1252.
    Mixed,
    /// TCVN3 by classes of a style sheet; declares nothing.
    Tcvn3Css,
    /// TCVN3 of which an editor made named entities (`Ng&shy;&ecirc;i`).
    Tcvn3Entities,
    /// Article in UTF-8 that was read as windows-1252 and written as UTF-8 again, in a right page.
    Twice,
    /// TCVN3 by inline styles, some of them Word's; the template of a later time declares UTF-8.
    Tcvn3Inline,
    /// VISCII; declares nothing.
    Viscii,
    /// UTF-8 whose entity names lost their ampersand.
    LostAmpersands,
    /// The surface of TCVN3 as characters of UTF-8: the database was moved, its text was not.
    Tcvn3InUtf8,
}

use Legacy::{
    LostAmpersands, Mixed, Tcvn3Css, Tcvn3Entities, Tcvn3Font, Tcvn3InUtf8, Tcvn3Inline, Twice, Viscii,
    VisciiDeclared, Vni,
};

impl Legacy {
    /// All of them, in the order in which the portal has them.
    pub(super) const ALL: [Self; 11] = [
        Tcvn3Font,
        Vni,
        VisciiDeclared,
        Mixed,
        Tcvn3Css,
        Tcvn3Entities,
        Twice,
        Tcvn3Inline,
        Viscii,
        LostAmpersands,
        Tcvn3InUtf8,
    ];

    /// What the article with `index` is, if it is from before Unicode.
    pub(super) fn of(index: usize) -> Option<Self> {
        (index % STRIDE == FIRST).then(|| Self::ALL[index / STRIDE % Self::ALL.len()])
    }

    /// The label in the page's `meta`.
    pub(super) fn label(self) -> Option<&'static str> {
        match self {
            Tcvn3Font | Tcvn3Entities => Some("iso-8859-1"),
            Vni => Some("x-user-defined"),
            VisciiDeclared => Some("viscii"),
            Mixed => Some("windows-1252"),
            Tcvn3Inline | Twice | LostAmpersands | Tcvn3InUtf8 => Some("utf-8"),
            Tcvn3Css | Viscii => None,
        }
    }

    /// Whether the page itself is in UTF-8, whatever its article is in.
    pub(super) fn is_utf8(self) -> bool {
        matches!(self, Twice | LostAmpersands | Tcvn3InUtf8)
    }

    /// What most of the page's text is in, as the record of a document names it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Tcvn3Font | Tcvn3Css | Tcvn3Entities | Tcvn3Inline => Charset::Tcvn3.name(),
            Vni => Charset::Vni.name(),
            VisciiDeclared | Viscii => Charset::Viscii.name(),
            Mixed => "windows-1252",
            Twice | LostAmpersands | Tcvn3InUtf8 => "UTF-8",
        }
    }

    /// Whether headings are set in a font that draws small letters as capitals.
    pub(super) fn draws_capitals(self) -> bool {
        matches!(
            self,
            Tcvn3Font | Tcvn3Css | Tcvn3Entities | Tcvn3Inline | Tcvn3InUtf8
        )
    }

    /// Whether the fonts come from a style sheet, so that the text itself must set none.
    pub(super) fn by_sheet(self) -> bool {
        self == Tcvn3Css
    }

    /// What the page's style sheet adds.
    pub(super) fn sheet(self) -> &'static str {
        if self.by_sheet() {
            " body, td { font-family: \".VnArial\" } .noidung { font-family:\".VnTime\" } .hoa { font-family: \".VnTimeH\", \".VnTime\" }"
        } else {
            ""
        }
    }

    /// What the author wrote for want of a letter: VISCII has Vietnamese ones where others have quotes and dashes.
    pub(super) fn writable(self, text: &str) -> String {
        match self {
            VisciiDeclared | Viscii => text
                .replace(['\u{201c}', '\u{201d}'], "\"")
                .replace('\u{2013}', "-")
                .replace('°', " độ "),
            _ => text.to_owned(),
        }
    }

    /// Makes of an article one that was written before Unicode.
    pub(super) fn age(self, rng: &mut Rng, article: &mut Article) {
        article.description = article.summary.is_none().then(|| text::sentences(rng, 1));
        let clause = text::clause(rng);
        let runs = match self {
            // Marks begin inside a word.
            Vni => vec![
                Run::plain("Thông báo HOẠ"),
                Run::marked("T ĐỘNG", MarkKind::Bold),
                Run::plain(format!(": {clause}.")),
            ],
            LostAmpersands => vec![Run::plain(format!(
                "Phòng CNTT&TT mở khóa \u{201c}Đào tạo\u{201d} – {clause}."
            ))],
            _ => vec![Run::plain(format!("Ủy ban và Ảnh hưởng: {clause}."))],
        };
        article.body.insert(1, Node::Paragraph { runs, align: None });
        for node in &mut article.body {
            if let Node::Heading(_, text) = node
                && self.draws_capitals()
            {
                *text = text.to_uppercase();
            }
            for text in node.texts() {
                *text = self.writable(text);
            }
        }
        for text in article.summary.iter_mut().chain(&mut article.description) {
            *text = self.writable(text);
        }
    }

    /// How the block with a number is written.
    pub(super) fn hand(self, block: usize) -> Hand {
        match self {
            Tcvn3Font => Hand::Tcvn3(Face::Font),
            Tcvn3Css => Hand::Tcvn3(Face::Class),
            Tcvn3Inline => Hand::Tcvn3(Face::Style),
            Tcvn3Entities => Hand::Named(Face::Font),
            Tcvn3InUtf8 => Hand::Tcvn3(Face::Font),
            Vni => Hand::Vni,
            VisciiDeclared | Viscii => Hand::Viscii,
            Twice => Hand::Twice,
            LostAmpersands => Hand::LostAmpersands,
            Mixed => match block % 4 {
                0 => Hand::Numeric,
                1 => Hand::Tcvn3(Face::Font),
                2 => Hand::Vni,
                _ => Hand::Lying,
            },
        }
    }

    /// How the frame of the page is written.
    fn frame(self) -> Hand {
        match self {
            Mixed => Hand::Numeric,
            _ if self.is_utf8() => Hand::Unicode,
            _ => self.hand(0),
        }
    }

    /// Text of the page's frame. It sets no font but that of capitals.
    pub(super) fn framed(self, text: &str) -> String {
        let text = &*self.writable(text);
        match self.frame() {
            hand @ (Hand::Tcvn3(face) | Hand::Named(face)) if is_capitals(text) => {
                face.capitals(&hand.letters(&text.to_lowercase()))
            }
            hand => hand.letters(text),
        }
    }

    /// Text where no font can be: a title, an alternative, a description.
    pub(super) fn bare(self, text: &str) -> String {
        self.hand(0).letters(&self.writable(text))
    }
}

/// How an element says that its text is in a font.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// `<font face>`
    Font,
    /// A class of the style sheet.
    Class,
    /// `style`
    Style,
}

impl Face {
    fn capitals(self, html: &str) -> String {
        match self {
            Self::Font => format!("<font face=\".VnTimeH\">{html}</font>"),
            Self::Class => format!("<span class=\"hoa\">{html}</span>"),
            Self::Style => format!("<span style=\"font-family:.VnTimeH\">{html}</span>"),
        }
    }

    fn text(self, html: &str) -> String {
        match self {
            Self::Font => format!("<font face=\".VnTime\">{html}</font>"),
            Self::Class => html.to_owned(),
            // Word names a font for each kind of letters; a converter put another one in front of them.
            Self::Style if html.len().is_multiple_of(2) => format!(
                "<span style=\"font-size:13.0pt;font-family:&quot;Times New Roman&quot;;mso-ascii-font-family:.VnTime;mso-hansi-font-family:.VnTime\">{html}</span>"
            ),
            Self::Style => format!("<span style='font-family:\".VnTime\"'>{html}</span>"),
        }
    }
}

/// How a stretch of text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hand {
    Unicode,
    /// Unicode as `&#7897;`.
    Numeric,
    /// The same in a font that says TCVN3.
    Lying,
    Tcvn3(Face),
    /// TCVN3 as `&eacute;`.
    Named(Face),
    Vni,
    Viscii,
    Twice,
    LostAmpersands,
}

impl Hand {
    /// Text of an article, in its font. `\n` is a line break.
    pub(super) fn text(self, text: &str) -> String {
        let lines: Vec<String> = text.split('\n').map(|line| self.line(line)).collect();
        lines.join("<br>")
    }

    fn line(self, text: &str) -> String {
        match self {
            Self::Lying => format!("<font face=\".VnTime\">{}</font>", self.letters(text)),
            Self::Tcvn3(face) | Self::Named(face) if is_capitals(text) => {
                face.capitals(&self.letters(&text.to_lowercase()))
            }
            Self::Tcvn3(face) | Self::Named(face) => face.text(&self.initials(face, text)),
            Self::Vni => vni(&self.letters(text), text.len().is_multiple_of(3)),
            _ => self.letters(text),
        }
    }

    /// Two neighbours with different marks, of which the second begins inside a word. In VNI the tag stands between
    /// the last letter of the first and its own mark.
    pub(super) fn cut(self, first: &str, second: &str) -> Option<(String, String)> {
        let inside = |c: char| c.is_alphabetic();
        if self != Self::Vni || !first.ends_with(inside) || !second.starts_with(inside) {
            return None;
        }
        let mut letters = self.letters(first);
        let mark = letters.pop().filter(|c| !c.is_ascii())?;
        let second = format!("{mark}{}", self.letters(second));
        Some((vni(&letters, false), vni(&second, false)))
    }

    /// Capitals with a tone have no byte in TCVN3: some authors changed the font for one letter.
    fn initials(self, face: Face, text: &str) -> String {
        if !text.len().is_multiple_of(2) {
            return self.letters(text);
        }
        let mut out = String::new();
        for c in text.chars() {
            let letter = c.to_string();
            let drawn = c.is_uppercase() && Charset::Tcvn3.encode(&letter).is_some_and(|b| b.len() > 1);
            if drawn {
                out.push_str(&face.capitals(&self.letters(&letter.to_lowercase())));
            } else {
                out.push_str(&self.letters(&letter));
            }
        }
        out
    }

    /// Text as characters of HTML, without a font.
    fn letters(self, text: &str) -> String {
        match self {
            Self::Unicode => escape(text),
            Self::Numeric | Self::Lying => references(&escape(text), |c| format!("&#{};", u32::from(c))),
            Self::Tcvn3(_) => escape(&written(Charset::Tcvn3, text)),
            Self::Named(_) => references(&escape(&written(Charset::Tcvn3, text)), named),
            Self::Vni => escape(&written(Charset::Vni, text)),
            Self::Viscii => escape(&written(Charset::Viscii, text)),
            Self::Twice => escape(&surface(text.as_bytes())),
            Self::LostAmpersands => escape(text)
                .replace("&amp;", "amp;")
                .replace('\u{201c}', "ldquo;")
                .replace('\u{201d}', "rdquo;")
                .replace('\u{2013}', "ndash;"),
        }
    }
}

/// The surface of a text in a set. The portal's texts hold nothing that the sets lack.
fn written(charset: Charset, text: &str) -> String {
    charset
        .encode(text)
        .map_or_else(|| text.to_owned(), |bytes| surface(&bytes).into_owned())
}

/// Whether a text is one that a portal would set in a font of capitals.
fn is_capitals(text: &str) -> bool {
    !text.is_ascii() && !text.chars().any(char::is_lowercase)
}

/// VNI in its font, in two pieces if `cut`, the second of which begins with the mark of a letter.
fn vni(letters: &str, cut: bool) -> String {
    const MARKS: &str = "ùøûõïâáàåãäêéèúüëÙØÛÕÏÂÁÀÅÃÄÊÉÈÚÜË";
    let tag = "<font face=\"VNI-Times\">";
    let mut out = tag.to_owned();
    let at = letters.find(|c| MARKS.contains(c)).filter(|at| cut && *at > 0);
    let (head, tail) = letters.split_at(at.unwrap_or(0));
    if at.is_some() {
        let _ = write!(out, "{head}</font>{tag}");
    }
    out.push_str(tail);
    out.push_str("</font>");
    out
}

fn references(html: &str, reference: impl Fn(char) -> String) -> String {
    let mut out = String::with_capacity(html.len() * 2);
    for c in html.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.push_str(&reference(c));
        }
    }
    out
}

/// The entity of a character of Latin-1 (HTML 4, 24.2.1); numbers are for the others.
fn named(c: char) -> String {
    const NAMES: &str = "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg plusmn sup2 sup3 \
        acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 iquest Agrave Aacute Acirc Atilde Auml Aring AElig \
        Ccedil Egrave Eacute Ecirc Euml Igrave Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash \
        Ugrave Uacute Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave eacute ecirc \
        euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml divide oslash ugrave uacute ucirc uuml \
        yacute thorn yuml";
    let code = u32::from(c);
    let name = usize::try_from(code)
        .ok()
        .and_then(|n| NAMES.split_whitespace().nth(n.checked_sub(0xa0)?));
    name.map_or_else(|| format!("&#{code};"), |name| format!("&{name};"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const TEXT: &str = "Ủy ban HOẠT ĐỘNG: hội nghị, Ảnh";

    #[test]
    fn a_sixteenth_of_all_articles_and_every_kind_among_them() {
        let kinds: Vec<Legacy> = (0..2000).filter_map(Legacy::of).collect();
        assert!((100..=125).contains(&kinds.len()), "{}", kinds.len());
        for kind in Legacy::ALL {
            assert!((0..190).any(|i| Legacy::of(i) == Some(kind)), "{kind:?}");
        }
        // Most features are dealt out by such remainders: each kind meets each of them.
        for kind in Legacy::ALL {
            let met: BTreeSet<usize> = (0..STRIDE * 11 * 12)
                .filter(|i| Legacy::of(*i) == Some(kind))
                .map(|i| i % 12)
                .collect();
            assert_eq!(met.len(), 12, "{kind:?}");
        }
    }

    #[test]
    fn letters_of_a_set_can_be_read_back() {
        for (hand, charset) in [
            (Hand::Tcvn3(Face::Font), Charset::Tcvn3),
            (Hand::Vni, Charset::Vni),
            (Hand::Viscii, Charset::Viscii),
        ] {
            let letters = hand.letters(TEXT);
            assert_ne!(letters, TEXT);
            assert_eq!(charset.decode(&letters), TEXT, "{hand:?}");
        }
        assert_eq!(Hand::Named(Face::Font).letters("Người"), "Ng&shy;&ecirc;i");
        assert_eq!(Hand::Numeric.letters("ộ&"), "&#7897;&amp;");
        assert_eq!(Hand::Twice.letters("à"), "Ã\u{a0}");
        assert_eq!(
            Hand::LostAmpersands.letters("T&T “a” – b"),
            "Tamp;T ldquo;ardquo; ndash; b"
        );
    }

    #[test]
    fn capitals_exist_only_in_the_font() {
        let html = Hand::Tcvn3(Face::Font).text("HỘI NGHỊ");
        assert_eq!(html, "<font face=\".VnTimeH\">héi nghÞ</font>");
        assert_eq!(Legacy::Tcvn3Css.framed("TỈNH"), "<span class=\"hoa\">tØnh</span>");
    }

    #[test]
    fn a_tag_cuts_a_letter_from_its_mark() {
        let (first, second) = Hand::Vni.cut("HOẠ", "T").unwrap();
        assert_eq!(
            first + &second,
            "<font face=\"VNI-Times\">HOA</font><font face=\"VNI-Times\">ÏT</font>"
        );
        assert!(Hand::Vni.cut("HOẠT ", "x").is_none());
        assert!(Hand::Viscii.cut("HOẠ", "T").is_none());
    }

    /// What no set can write would become Unicode among legacy letters, which no page ever held.
    #[test]
    fn the_portals_texts_can_be_written_in_their_sets() {
        for seed in 1..4 {
            let portal = super::super::Portal::new(400, seed);
            for (index, kind) in (0..400).filter_map(|i| Some((i, Legacy::of(i)?))) {
                let Some(charset) = Charset::ALL.into_iter().find(|c| c.name() == kind.name()) else {
                    continue;
                };
                let mut article = portal.article(index);
                let texts = article.body.iter_mut().flat_map(Node::texts);
                let texts = texts.chain(&mut article.summary).chain(&mut article.description);
                for text in texts {
                    assert!(charset.encode(text).is_some(), "{kind:?}: {text}");
                }
            }
        }
    }
}
