//! The sample portal's articles in twelve other portals: pages, addresses, lists, pagers and oddities as systems of
//! 2002-2023 make them. What is served and what it must become are made from the same article.
//!
//! The pages are templates in `pages/`, one a skin, for all kinds of page that it has.

mod gold;
mod page;
mod piece;
mod urls;

pub use gold::Expected;
pub use page::Served;

pub(super) use gold::expected;
pub(super) use page::answer;

use super::article::{Charset, Skin as Editor};
use super::render::Frame;

/// A portal's look and habits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Skin {
    /// Nested tables and font tags of ASP.NET 1.1; a list that pages by postback.
    Table2004,
    /// Static pages of FrontPage in windows-1258, without a class anywhere; "next" and "previous".
    FrontPage,
    /// DotNetNuke: ids with the number of a module, addresses with a tab.
    DotNetNuke,
    /// SharePoint 2010: web parts with a GUID in their ids; arrows that page.
    SharePoint,
    /// Liferay 6: portlets with an instance in their ids and in the parameters of their pager.
    Liferay,
    /// NukeViet 4.
    NukeViet,
    /// The ASP.NET portal that brackets its articles with comments.
    Fitc,
    /// A portal whose editors paste from Word; a `GridView` that pages by postback.
    WordPaste,
    /// Joomla 1.5.
    Joomla,
    /// PHP-Nuke.
    PhpNuke,
    /// A WordPress theme of 2012.
    WordPress,
    /// `div`s with JSON-LD.
    Modern,
}

/// Where an article says who wrote it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Signed {
    /// At the end of its text.
    Text,
    /// In a field of the page.
    Field,
}

/// Habits of a skin that its template does not know.
struct Habits {
    name: &'static str,
    /// Name of the portal, on every page.
    site: &'static str,
    template: &'static str,
    editors: &'static [Editor],
    frame: Option<Frame>,
    signed: Signed,
    /// The source stands in a field of the page.
    source_field: bool,
    /// The page prints the time beside the day.
    time: bool,
    /// The list does.
    list_time: bool,
    charset: Charset,
    /// Content-Type of its pages.
    content_type: &'static str,
}

const UTF8: &str = "text/html; charset=utf-8";
const UNSAID: &str = "text/html";

fn figure(img: &str, caption: Option<&str>) -> String {
    let caption = caption
        .map(|c| format!("<figcaption>{c}</figcaption>"))
        .unwrap_or_default();
    format!("<figure class=\"cms-figure\">{img}{caption}</figure>")
}

fn wordpress(img: &str, caption: Option<&str>) -> String {
    match caption {
        Some(c) => format!(
            "<div class=\"wp-caption aligncenter\" style=\"width: 310px\">{img}<p class=\"wp-caption-text\">{c}</p></div>"
        ),
        None => format!(
            "<p><img class=\"aligncenter\" {}</p>",
            img.trim_start_matches("<img ")
        ),
    }
}

fn fitc(img: &str, caption: Option<&str>) -> String {
    let caption = caption
        .map(|c| format!("<div class=\"TT_TinChiTiet_MoTaAnh\">{c}</div>"))
        .unwrap_or_default();
    format!("<div class=\"TT_TinChiTiet_Anh\">{img}</div>{caption}")
}

fn rows(img: &str, caption: Option<&str>) -> String {
    let caption = caption
        .map(|c| format!("<tr><td align=\"center\"><font size=\"1\">{c}</font></td></tr>"))
        .unwrap_or_default();
    format!("<table border=\"0\" cellpadding=\"3\" align=\"center\"><tr><td>{img}</td></tr>{caption}</table>")
}

fn italic(img: &str, caption: Option<&str>) -> String {
    let caption = caption
        .map(|c| format!("<p style=\"text-align: center;\"><em>{c}</em></p>"))
        .unwrap_or_default();
    format!("<p style=\"text-align: center;\">{img}</p>{caption}")
}

fn nukeviet(img: &str, caption: Option<&str>) -> String {
    let caption = caption
        .map(|c| format!("<figcaption class=\"text-center\">{c}</figcaption>"))
        .unwrap_or_default();
    format!(
        "<div style=\"text-align:center\"><figure class=\"image\" style=\"display:inline-block\">{img}{caption}</figure></div>"
    )
}

impl Skin {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Table2004,
        Self::FrontPage,
        Self::DotNetNuke,
        Self::SharePoint,
        Self::Liferay,
        Self::NukeViet,
        Self::Fitc,
        Self::WordPaste,
        Self::Joomla,
        Self::PhpNuke,
        Self::WordPress,
        Self::Modern,
    ];

    fn habits(self) -> Habits {
        let usual = Habits {
            name: "",
            site: "Cục Thống kê tỉnh Bình Thuận",
            template: "",
            editors: &[Editor::Clean],
            frame: None,
            signed: Signed::Text,
            source_field: false,
            time: true,
            list_time: false,
            charset: Charset::Utf8,
            content_type: UTF8,
        };
        match self {
            Self::Table2004 => Habits {
                name: "table2004",
                template: include_str!("pages/table2004.html"),
                editors: &[Editor::Layout, Editor::Breaks],
                time: false,
                ..usual
            },
            Self::FrontPage => Habits {
                name: "frontpage",
                site: "Phòng Thống kê thị xã La Gi",
                template: include_str!("pages/frontpage.html"),
                editors: &[Editor::Breaks, Editor::Clean],
                frame: Some(rows),
                time: false,
                charset: Charset::Windows1258,
                content_type: UNSAID,
                ..usual
            },
            Self::DotNetNuke => Habits {
                name: "dotnetnuke",
                site: "Sở Kế hoạch tỉnh Bình Thuận",
                template: include_str!("pages/dotnetnuke.html"),
                editors: &[Editor::Clean, Editor::Word],
                frame: Some(italic),
                signed: Signed::Field,
                source_field: true,
                ..usual
            },
            Self::SharePoint => Habits {
                name: "sharepoint",
                site: "Bộ Phát triển nông thôn",
                template: include_str!("pages/sharepoint.html"),
                editors: &[Editor::Clean, Editor::Breaks],
                frame: Some(rows),
                source_field: true,
                ..usual
            },
            Self::Liferay => Habits {
                name: "liferay",
                site: "Cổng thông tin điện tử tỉnh Bình Thuận",
                template: include_str!("pages/liferay.html"),
                frame: Some(italic),
                signed: Signed::Field,
                ..usual
            },
            Self::NukeViet => Habits {
                name: "nukeviet",
                site: "Huyện Tánh Linh",
                template: include_str!("pages/nukeviet.html"),
                frame: Some(nukeviet),
                signed: Signed::Field,
                source_field: true,
                list_time: true,
                ..usual
            },
            Self::Fitc => Habits {
                name: "fitc",
                site: "Sở Nội vụ tỉnh Bình Thuận",
                template: include_str!("pages/fitc.html"),
                editors: &[Editor::Breaks, Editor::Word],
                frame: Some(fitc),
                time: false,
                ..usual
            },
            Self::WordPaste => Habits {
                name: "wordpaste",
                site: "Chi cục Thống kê huyện Đức Linh",
                template: include_str!("pages/wordpaste.html"),
                editors: &[Editor::Word],
                ..usual
            },
            Self::Joomla => Habits {
                name: "joomla",
                site: "Trường Chính trị tỉnh Bình Thuận",
                template: include_str!("pages/joomla.html"),
                editors: &[Editor::Clean, Editor::Word],
                frame: Some(italic),
                signed: Signed::Field,
                ..usual
            },
            Self::PhpNuke => Habits {
                name: "phpnuke",
                site: "Hội Nông dân tỉnh Bình Thuận",
                template: include_str!("pages/phpnuke.html"),
                editors: &[Editor::Breaks],
                frame: Some(rows),
                signed: Signed::Field,
                content_type: UNSAID,
                ..usual
            },
            Self::WordPress => Habits {
                name: "wordpress",
                site: "Trung tâm Khuyến nông",
                template: include_str!("pages/wordpress.html"),
                frame: Some(wordpress),
                signed: Signed::Field,
                ..usual
            },
            Self::Modern => Habits {
                name: "modern",
                site: "Báo Thống kê điện tử",
                template: include_str!("pages/modern.html"),
                frame: Some(figure),
                signed: Signed::Field,
                ..usual
            },
        }
    }

    /// Its name: `table2004`, `frontpage`, …
    #[must_use]
    pub fn name(self) -> &'static str {
        self.habits().name
    }

    /// Base URL of the portal, wherever it really listens.
    #[must_use]
    pub fn base(self) -> String {
        format!("http://{}.example/", self.name())
    }
}

impl std::str::FromStr for Skin {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|s| s.name() == name);
        known.ok_or_else(|| format!("no such skin; there are {}", Self::ALL.map(Self::name).join(", ")))
    }
}

/// Sections of a portal in a skin: the first of those that the sample portal has.
const SECTIONS: usize = 3;

/// Entries of one list page.
const PER_PAGE: usize = 4;

/// Section of an article, from 1.
fn section(index: usize) -> usize {
    index % SECTIONS + 1
}

/// Articles of a section, newest first.
fn of_section(total: usize, cat: usize) -> impl Iterator<Item = usize> {
    (cat - 1..total).step_by(SECTIONS)
}

/// Pages of a section's list; an empty one has one.
fn list_pages(total: usize, cat: usize) -> usize {
    of_section(total, cat).count().div_ceil(PER_PAGE).max(1)
}

#[cfg(test)]
mod tests;
