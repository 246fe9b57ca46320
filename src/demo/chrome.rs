//! Everything around an article: header, menu, weather, poll, links, counter, tools, related list, pager, footer.
//! Each part is text first; its HTML and what a mapping's rule must drop are both made from that.

use super::article::{Article, Charset, Stamp};
use super::legacy::Legacy;
use super::render::{self, escape};
use super::text::SECTIONS;
use super::urls::{Spelling, href};
use super::{Portal, faults, lists};
use jiff::civil::{Date, DateTime};
use std::fmt::Write as _;

/// A part of the page's frame.
pub(super) struct Part {
    /// Id of the mapping's rule that drops it.
    pub rule: &'static str,
    class: &'static str,
    lines: Vec<Line>,
}

struct Line {
    before: &'static str,
    text: String,
    href: Option<String>,
}

impl Part {
    fn new(rule: &'static str, class: &'static str) -> Self {
        Self {
            rule,
            class,
            lines: Vec::new(),
        }
    }

    fn line(mut self, text: impl Into<String>) -> Self {
        self.lines.push(Line {
            before: "",
            text: text.into(),
            href: None,
        });
        self
    }

    fn link(mut self, text: impl Into<String>, href: impl Into<String>) -> Self {
        self.lines.push(Line {
            before: "",
            text: text.into(),
            href: Some(href.into()),
        });
        self
    }

    fn radio(mut self, text: &str) -> Self {
        self.lines.push(Line {
            before: "<input type=\"radio\" name=\"poll\"> ",
            text: text.into(),
            href: None,
        });
        self
    }

    /// What a reader sees, white space folded.
    pub(super) fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|l| l.text.as_str()).collect();
        lines.join(" ")
    }

    fn html(&self, charset: Charset) -> String {
        let mut out = format!("<div class=\"{}\">", self.class);
        for Line { before, text, href } in &self.lines {
            let text = charset.framed(text);
            let _ = match href {
                Some(href) => write!(out, "<div>{before}<a href=\"{}\">{text}</a></div>", escape(href)),
                None => write!(out, "<div>{before}{text}</div>"),
            };
        }
        out.push_str("</div>\n");
        out
    }
}

/// The parts above and left of the content.
pub(super) fn before() -> [Part; 6] {
    let mut menu = Part::new("menu", "menu").link("Trang chủ", "Default.aspx");
    for (n, label) in SECTIONS.iter().enumerate() {
        menu = menu.link(*label, format!("Default.aspx?CatID={}", n + 1));
    }
    [
        Part::new("header", "banner")
            .line("CỤC THỐNG KÊ TỈNH BÌNH THUẬN")
            .line("Trang thông tin điện tử")
            .line("Thứ hai, 17/07/2023"),
        menu.link("Sơ đồ cổng", "/Default.aspx#sodo"),
        Part::new("weather", "thoitiet")
            .line("Thời tiết")
            .line("Phan Thiết: 31°C, có mưa rào"),
        Part::new("poll", "thamdo")
            .line("Thăm dò ý kiến")
            .line("Bạn đánh giá thế nào về trang thông tin này?")
            .radio("Tốt")
            .radio("Trung bình"),
        Part::new("weblinks", "lienket")
            .line("Liên kết website")
            .link("Tổng cục Thống kê", "http://www.gso.gov.vn/")
            .link("Cổng thông tin điện tử tỉnh", "http://www.binhthuan.gov.vn/"),
        Part::new("counter", "truycap")
            .line("Lượt truy cập: 1.204.731")
            .line("Đang online: 17"),
    ]
}

/// The part below the content.
pub(super) fn footer() -> Part {
    Part::new("footer", "chantrang")
        .line("Bản quyền thuộc về Cục Thống kê tỉnh Bình Thuận")
        .line("Địa chỉ: 20 Võ Văn Kiệt, thành phố Phan Thiết")
        .link("Đăng nhập", "/admin/Login.aspx")
}

/// Print and e-mail links of an article.
pub(super) fn tools(index: usize) -> Part {
    Part::new("tools", "chucnang")
        .link("In trang", href(index, Spelling::Print))
        .link("Gửi email", "javascript:guiEmail()")
        .line(format!("Lượt xem: {}", 40 + index * 7 % 900))
}

/// The head line of the list of related articles.
pub(super) const RELATED: &str = "TIN TỨC CÙNG LOẠI KHÁC:";

/// The pager that a script should fill.
pub(super) const PAGER: &str = "Trang: /";

/// One line of the related list: title and date.
fn related(portal: &Portal, index: usize) -> (String, String) {
    let head = portal.head(index);
    (head.title, format!("({})", day(head.published.date())))
}

/// What a reader sees of the related list.
pub(super) fn related_text(portal: &Portal, article: &Article) -> String {
    let mut out = RELATED.to_owned();
    for &index in &article.related {
        let (title, date) = related(portal, index);
        let _ = write!(out, " {title} {date}");
    }
    out
}

/// `14/07/2023`
pub(super) fn day(date: Date) -> String {
    format!("{:02}/{:02}/{}", date.day(), date.month(), date.year())
}

/// `14/07/2023 15:30`
pub(super) fn minute(at: DateTime) -> String {
    format!("{} {:02}:{:02}", day(at.date()), at.hour(), at.minute())
}

/// A page without its content.
pub(super) struct Frame<'a> {
    pub title: &'a str,
    pub description: Option<&'a str>,
    pub charset: Charset,
    pub action: &'a str,
    /// Hidden fields of its form.
    pub hidden: &'a str,
}

/// A page in UTF-8 around `content`.
pub(super) fn page(title: &str, action: &str, hidden: &str, content: &str) -> String {
    framed(
        &Frame {
            title,
            description: None,
            charset: Charset::Utf8,
            action,
            hidden,
        },
        content,
    )
}

/// A whole page around `content`.
fn framed(frame: &Frame<'_>, content: &str) -> String {
    let charset = frame.charset;
    let label = match charset {
        Charset::Utf8 | Charset::Utf8Nfd => Some("utf-8"),
        Charset::Windows1258 => Some("windows-1258"),
        Charset::Legacy(legacy) => legacy.label(),
    };
    let label = label.map(|l| format!("; charset={l}")).unwrap_or_default();
    let description = frame
        .description
        .map(|d| format!("<meta name=\"description\" content=\"{}\">\n", charset.bare(d)));
    let [header, menu, left @ ..] = before();
    let left: String = left.iter().map(|part| part.html(charset)).collect();
    format!(
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.0 Transitional//EN\">
<html><head><meta http-equiv=\"Content-Type\" content=\"text/html{label}\">
<title>{title}</title>
{description}<style type=\"text/css\">.tieude {{ font-weight: bold }}{sheet}</style>
<script type=\"text/javascript\">function __doPostBack(t, a) {{ var f = document.forms[0]; f.__EVENTTARGET.value = t; f.__EVENTARGUMENT.value = a; f.submit(); }}</script>
</head><body>
<form name=\"aspnetForm\" method=\"post\" action=\"{action}\" id=\"aspnetForm\">
{hidden}<table id=\"khung\" width=\"980\" border=\"0\" cellspacing=\"0\" cellpadding=\"0\">
<tr><td colspan=\"2\">{header}</td></tr>
<tr><td colspan=\"2\">{menu}</td></tr>
<tr><td class=\"trai\" width=\"200\" valign=\"top\">{left}</td>
<td class=\"giua\" valign=\"top\">
{content}</td></tr>
<tr><td colspan=\"2\">{footer}</td></tr>
</table></form>
</body></html>
",
        title = charset.bare(frame.title),
        description = description.unwrap_or_default(),
        sheet = charset.legacy().map_or("", Legacy::sheet),
        action = escape(frame.action),
        hidden = frame.hidden,
        header = header.html(charset),
        menu = menu.html(charset),
        footer = footer().html(charset),
    )
}

/// The page of an article.
pub(super) fn view(portal: &Portal, article: &Article) -> String {
    let charset = article.charset;
    let mut out = format!(
        "<div class=\"chuyenmuc\">{}</div>\n",
        charset.framed(SECTIONS[portal.section(article.index) - 1])
    );
    let title = charset.hand(0).text(&article.title);
    let _ = writeln!(out, "<div class=\"tieude\">{title}</div>");
    let stamp = match article.stamp {
        Stamp::Minute => Some(minute(article.published)),
        Stamp::Day => Some(day(article.published.date())),
        Stamp::ListOnly => None,
    };
    if let Some(stamp) = stamp {
        let _ = writeln!(out, "<div class=\"ngaydang\">({stamp})</div>");
    }
    out.push_str(&tools(article.index).html(charset));
    if let Some(summary) = &article.summary {
        let summary = charset.hand(1).text(summary);
        let _ = writeln!(out, "<div class=\"tomtat\">{summary}</div>");
    }
    let _ = write!(
        out,
        "<div class=\"noidung\">\n{}</div>\n<br>\n",
        render::body(article, charset)
    );
    let _ = writeln!(out, "<div><b>{}</b></div>", charset.framed(RELATED));
    if article.related.is_empty() {
        out.push_str(&"<p>&nbsp;</p>\n".repeat(6));
    } else {
        out.push_str("<ul>\n");
        for (at, &index) in article.related.iter().enumerate() {
            let (title, date) = related(portal, index);
            let href = escape(&href(index, Spelling::Lower));
            let _ = writeln!(
                out,
                "<li><a href=\"{href}\">{}</a> <span>{date}</span></li>",
                charset.hand(at).text(&title)
            );
        }
        out.push_str("</ul>\n");
    }
    out.push_str("<div>Trang: <span id=\"cur\"></span>/<span id=\"tot\"></span></div>\n<script>LoadOther();</script>\n");
    let action = href(article.index, Spelling::Usual);
    framed(
        &Frame {
            title: &article.title,
            description: article.description.as_deref(),
            charset,
            action: &action,
            hidden: "",
        },
        &out,
    )
}

/// The print view of an article.
pub(super) fn print(article: &Article) -> String {
    format!(
        "<html><head><title>{0}</title></head><body onload=\"window.print()\"><h2>{0}</h2>\n{1}</body></html>\n",
        escape(&article.title),
        render::body(article, Charset::Utf8)
    )
}

/// What the portal says, with status 200, when there is no such article.
pub(super) fn not_found() -> String {
    let content = "<div class=\"thongbao\">Không tìm thấy bài viết</div>\n<p>Bài viết đã bị xóa hoặc không tồn tại.</p>\n";
    page("Thông báo", "View.aspx", "", content)
}

/// The same in other words, which no rule knows.
pub(super) fn unheard_of() -> String {
    let content = "<p>Nội dung đang được cập nhật, mời quý vị quay lại sau.</p>\n";
    page("Trang thông tin", "View.aspx", "", content)
}

/// An id that no article has.
const GONE: usize = 90_000_001;

/// Articles in the home page's box of much-read articles, each under another spelling of its address.
pub(super) const MUCH_READ: usize = 24;

/// The home page.
pub(super) fn home(portal: &Portal) -> String {
    let mut out = String::new();
    for cat in 1..=SECTIONS.len() {
        let _ = writeln!(
            out,
            "<div class=\"khoi\"><a href=\"Default.aspx?CatID={cat}\"><b>{}</b></a></div>\n<ul>",
            SECTIONS[cat - 1]
        );
        for index in lists::items(portal, cat, 1).into_iter().take(3) {
            link(&mut out, portal, index, Spelling::Usual);
        }
        out.push_str("</ul>\n");
    }
    if portal.faults.is_some() {
        faults::links(&mut out);
    }
    out.push_str("<div class=\"khoi\"><b>TIN ĐỌC NHIỀU</b></div>\n<ul>\n");
    for index in (0..MUCH_READ.min(portal.articles)).filter(|index| portal.has(*index)) {
        link(&mut out, portal, index, super::urls::box_spelling(index));
    }
    let _ = writeln!(
        out,
        "<li><a href=\"View.aspx?ItemID={GONE}&amp;CatID=1\">Bài viết đã gỡ xuống</a></li></ul>"
    );
    page("Cục Thống kê tỉnh Bình Thuận", "Default.aspx", "", &out)
}

fn link(out: &mut String, portal: &Portal, index: usize, spelling: Spelling) {
    let href = escape(&href(index, spelling));
    let _ = writeln!(
        out,
        "<li><a href=\"{href}\">{}</a></li>",
        escape(&portal.head(index).title)
    );
}

/// The sitemap: an index of parts, or the part with `number` (from 1).
pub(super) fn sitemap(portal: &Portal, number: Option<usize>) -> Option<String> {
    /// Most addresses of one part.
    const PART: usize = 5_000;
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    const NS: &str = "http://www.sitemaps.org/schemas/sitemap/0.9";
    let parts = portal.articles.div_ceil(PART);
    match number {
        None => {
            let _ = writeln!(out, "<sitemapindex xmlns=\"{NS}\">");
            for n in 1..=parts {
                let _ = writeln!(
                    out,
                    "<sitemap><loc>{}sitemap-{n}.xml</loc></sitemap>",
                    super::BASE
                );
            }
            out.push_str("</sitemapindex>\n");
        }
        Some(n) => {
            let start = n.checked_sub(1).filter(|s| *s < parts)? * PART;
            let _ = writeln!(out, "<urlset xmlns=\"{NS}\">");
            for index in (start..(start + PART).min(portal.articles)).filter(|index| portal.has(*index)) {
                let loc = escape(&href(index, Spelling::Absolute));
                let published = portal.head(index).published.date();
                let changed = portal.today.as_ref().and_then(|today| today.changed(index));
                let date = changed.unwrap_or(published);
                let _ = writeln!(out, "<url><loc>{loc}</loc><lastmod>{date}</lastmod></url>");
            }
            out.push_str("</urlset>\n");
        }
    }
    Some(out)
}
