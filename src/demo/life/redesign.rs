//! The other template: other elements and other classes around the same content.

/// Frame of the page: what a piece becomes.
const FRAME: [(&str, &str); 7] = [
    (
        "<!DOCTYPE HTML PUBLIC \"-//W3C//DTD HTML 4.0 Transitional//EN\">",
        "<!DOCTYPE html>",
    ),
    (
        "<table id=\"khung\" width=\"980\" border=\"0\" cellspacing=\"0\" cellpadding=\"0\">\n<tr><td colspan=\"2\">",
        "<div id=\"trang\">\n<div>",
    ),
    (
        "</td></tr>\n<tr><td colspan=\"2\"><div class=\"menu\">",
        "</div>\n<div><div class=\"menu\">",
    ),
    (
        "</td></tr>\n<tr><td class=\"trai\" width=\"200\" valign=\"top\">",
        "</div>\n<div class=\"trai\">",
    ),
    (
        "</td>\n<td class=\"giua\" valign=\"top\">",
        "</div>\n<div class=\"chinh\">",
    ),
    (
        "</td></tr>\n<tr><td colspan=\"2\"><div class=\"chantrang\">",
        "</div>\n<div><div class=\"chantrang\">",
    ),
    ("</td></tr>\n</table></form>", "</div>\n</div></form>"),
];

/// Classes: old and new.
const CLASSES: [(&str, &str); 15] = [
    ("banner", "dau-trang"),
    ("menu", "thanh-menu"),
    ("thoitiet", "o-thoi-tiet"),
    ("thamdo", "o-tham-do"),
    ("lienket", "o-lien-ket"),
    ("truycap", "o-truy-cap"),
    ("chantrang", "cuoi-trang"),
    ("chuyenmuc", "ten-muc"),
    ("tieude", "ten-bai"),
    ("ngaydang", "thoi-gian"),
    ("chucnang", "cong-cu"),
    ("tomtat", "tom-tat"),
    ("noidung", "than-bai"),
    ("danhsach", "ds-tin"),
    ("tieudetin", "ten-tin"),
];

/// A page of the portal, or a piece of one, in its new dress.
pub(in crate::demo) fn redress(html: &str) -> String {
    let mut out = html.to_owned();
    for (old, new) in FRAME {
        out = out.replace(old, new);
    }
    for (old, new) in CLASSES {
        out = out.replace(&format!("class=\"{old}\""), &format!("class=\"{new}\""));
    }
    out
}
