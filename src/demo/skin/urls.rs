//! Addresses of a portal in a skin.

use super::super::gold::slug;
use super::super::text;
use super::{SECTIONS, Skin, list_pages, section};
use std::collections::BTreeMap;

/// What an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Home,
    /// Section and page, both from 1.
    List(usize, usize),
    Article(usize),
    /// The print view of an article.
    Print(usize),
    Login,
    /// An article that is no more; the portal says so with status 200.
    Gone,
}

/// Number of an article in addresses.
pub(super) fn id(index: usize) -> usize {
    3001 + index
}

/// Number of the article that is no more.
const GONE: usize = 2987;

/// Ids of the portlets that show a section's articles.
pub(super) const INSTANCES: [&str; SECTIONS] = ["Ab3dK9xQ2mLz", "pT7vYc04RsNw", "k2JhGf8DsLqW"];

fn section_slug(cat: usize) -> String {
    slug(text::SECTIONS[cat - 1])
}

/// The address of an article, as its portal's own lists spell it; path and query.
pub(super) fn article(skin: Skin, index: usize, title: &str, month: &str) -> String {
    address(skin, id(index), section(index), &slug(title), month)
}

/// The address of the article that is no more.
pub(super) fn gone(skin: Skin) -> String {
    address(skin, GONE, 1, "thong-bao-da-go", "2023/06")
}

fn address(skin: Skin, id: usize, cat: usize, slug: &str, month: &str) -> String {
    let sec = section_slug(cat);
    match skin {
        Skin::Table2004 => format!("/ChiTietTin.aspx?id={id}&cat={cat}"),
        Skin::FrontPage => format!("/tintuc/tin{id}.htm"),
        Skin::DotNetNuke => format!("/TinTuc/tabid/6{cat}/ArticleId/{id}/Default.aspx"),
        Skin::SharePoint => format!("/tintuc/Pages/chi-tiet.aspx?ItemID={id}&CategoryID={cat}"),
        Skin::Liferay => format!("/web/guest/{sec}/-/view_content/{id}-{slug}"),
        Skin::NukeViet => format!("/vi/news/{sec}/{slug}-{id}.html"),
        Skin::Fitc => format!("/TinTuc/XemTin.aspx?Tin={id}&ChuyenMuc={cat}"),
        Skin::WordPaste => format!("/news/detail.aspx?nid={id}"),
        Skin::Joomla => format!(
            "/index.php?option=com_content&view=article&id={id}:{slug}&catid={cat}:{sec}&Itemid=1{cat}"
        ),
        Skin::PhpNuke => format!("/modules.php?name=News&file=article&sid={id}"),
        Skin::WordPress => format!("/{month}/{slug}/"),
        Skin::Modern => format!("/{sec}/{slug}-d{id}"),
    }
}

/// The address of a list page; portals that page by postback have one a section.
pub(super) fn list(skin: Skin, cat: usize, page: usize) -> String {
    let sec = section_slug(cat);
    let first = (page - 1) * super::PER_PAGE;
    let more = |base: String, rest: String| if page == 1 { base } else { base + &rest };
    match skin {
        Skin::Table2004 => format!("/DanhSachTin.aspx?cat={cat}"),
        Skin::FrontPage if page == 1 => format!("/tintuc/muc{cat}.htm"),
        Skin::FrontPage => format!("/tintuc/muc{cat}_trang{page}.htm"),
        Skin::DotNetNuke if page == 1 => format!("/TinTuc/tabid/6{cat}/Default.aspx"),
        Skin::DotNetNuke => format!("/TinTuc/tabid/6{cat}/currentpage/{page}/Default.aspx"),
        Skin::SharePoint => more(
            format!("/tintuc/Pages/danh-sach.aspx?CategoryID={cat}"),
            format!("&Paged=TRUE&PageFirstRow={}", first + 1),
        ),
        Skin::Liferay => {
            let portlet = format!("101_INSTANCE_{}", INSTANCES[cat - 1]);
            more(
                format!("/web/guest/{sec}"),
                format!(
                    "?p_p_id={portlet}&p_p_lifecycle=0&p_p_state=normal&p_p_mode=view&_{portlet}_delta=4&_{portlet}_cur={page}"
                ),
            )
        }
        Skin::NukeViet => more(format!("/vi/news/{sec}/"), format!("page-{page}/")),
        Skin::Fitc => more(
            format!("/TinTuc/ChuyenMuc.aspx?ChuyenMuc={cat}"),
            format!("&Trang={page}"),
        ),
        Skin::WordPaste => format!("/news/list.aspx?mid={cat}"),
        Skin::Joomla => more(
            format!("/index.php?option=com_content&view=category&id={cat}:{sec}&Itemid=1{cat}"),
            format!("&limitstart={first}"),
        ),
        Skin::PhpNuke => more(
            format!("/modules.php?name=News&new_topic={cat}"),
            format!("&pagenum={page}"),
        ),
        Skin::WordPress => more(format!("/category/{sec}/"), format!("page/{page}/")),
        Skin::Modern => more(format!("/{sec}"), format!("?page={page}")),
    }
}

/// Whether a list pages by postback: its address is the same for every page.
pub(super) fn posts(skin: Skin) -> bool {
    matches!(skin, Skin::Table2004 | Skin::WordPaste)
}

/// The print view, where the portal has one of its own.
pub(super) fn print(skin: Skin, index: usize, title: &str) -> Option<String> {
    match skin {
        Skin::NukeViet => Some(format!(
            "/vi/news/print/{}/{}-{}.html",
            section_slug(section(index)),
            slug(title),
            id(index)
        )),
        Skin::PhpNuke => Some(format!("/modules.php?name=News&file=print&sid={}", id(index))),
        _ => None,
    }
}

pub(super) fn login(skin: Skin) -> &'static str {
    match skin {
        Skin::Table2004 => "/Login.aspx",
        Skin::FrontPage => "/noibo/index.htm",
        Skin::DotNetNuke => "/Login/tabid/63/ctl/Login/Default.aspx",
        Skin::SharePoint => "/_layouts/Authenticate.aspx",
        Skin::Liferay => "/c/portal/login",
        Skin::NukeViet => "/vi/users/login/",
        Skin::Fitc => "/QuanTri/DangNhap.aspx",
        Skin::WordPaste => "/admin/login.aspx",
        Skin::Joomla => "/index.php?option=com_user&view=login",
        Skin::PhpNuke => "/modules.php?name=Your_Account",
        Skin::WordPress => "/wp-login.php",
        Skin::Modern => "/dang-nhap",
    }
}

fn folder(skin: Skin) -> &'static str {
    match skin {
        Skin::Table2004 => "/Upload/",
        Skin::FrontPage => "/tintuc/hinhanh/",
        Skin::DotNetNuke => "/Portals/0/Images/",
        Skin::SharePoint => "/tintuc/PublishingImages/",
        Skin::Liferay => "/documents/10184/0/",
        Skin::NukeViet => "/uploads/news/2023_07/",
        Skin::Fitc => "/Images/Dangtai/",
        Skin::WordPaste => "/upload/images/",
        Skin::Joomla => "/images/stories/",
        Skin::PhpNuke => "/images/news/",
        Skin::WordPress => "/wp-content/uploads/2023/07/",
        Skin::Modern => "/media/",
    }
}

/// The picture that the sample portal has at `path`.
pub(super) fn picture(skin: Skin, path: &str) -> String {
    format!("{}{}", folder(skin), path.rsplit('/').next().unwrap_or(path))
}

/// The file with `id`.
pub(super) fn file(skin: Skin, id: usize) -> String {
    format!("{}phu-luc-{id}.pdf", folder(skin))
}

/// What a file's address asks for: name without its folder.
pub(super) fn in_folder(skin: Skin, path: &str) -> Option<&str> {
    path.strip_prefix(folder(skin))
}

/// An address in a form that does not depend on the order of parameters or on their spelling.
pub(super) fn normal(address: &str) -> String {
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let path = percent_encoding::percent_decode_str(path)
        .decode_utf8_lossy()
        .to_ascii_lowercase();
    let mut pairs: Vec<String> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(k, v)| format!("{}={v}", k.to_ascii_lowercase()))
        .collect();
    pairs.sort();
    format!("{path}?{}", pairs.join("&"))
}

/// Every address of the portal but those of files.
pub(super) fn places(skin: Skin, heads: &[(String, String)]) -> BTreeMap<String, Place> {
    let mut out = BTreeMap::new();
    let mut put = |address: &str, place| {
        out.entry(normal(address)).or_insert(place);
    };
    put("/", Place::Home);
    put(login(skin), Place::Login);
    put(&gone(skin), Place::Gone);
    for (index, (title, month)) in heads.iter().enumerate() {
        put(&article(skin, index, title, month), Place::Article(index));
        if let Some(address) = print(skin, index, title) {
            put(&address, Place::Print(index));
        }
    }
    for cat in 1..=SECTIONS {
        for page in 1..=list_pages(heads.len(), cat) {
            put(&list(skin, cat, page), Place::List(cat, page));
        }
    }
    out
}
