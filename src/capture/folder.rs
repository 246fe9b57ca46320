//! A folder of saved pages (HTTrack or Wget mirror, or just files) as a source.

use super::{CaptureError, Exchange};
use std::path::{Path, PathBuf};
use url::Url;

/// Deepest folder that is entered, counted from the root.
const MAX_DEPTH: usize = 64;
/// Largest file that is read, in bytes; larger ones are an error of their own.
const MAX_FILE: u64 = 256 << 20;
/// HTTrack writes its comment behind `<html>`; it is not searched further than this.
const COMMENT_WITHIN: usize = 16 * 1024;

/// How the URL of a saved file is known: the note's name, and its values.
pub const URL_FROM: &str = "url-from";
const BY_RULE: &str = "rule";
const BY_COMMENT: &str = "comment";
/// A guess: the file's path.
const BY_PATH: &str = "path, a guess";

/// Rules that say which URL a path stands for: the first pattern that matches the path below the root (with `/`), and the
/// URL with `$1` for its first group, relative to the root's URL.
pub type UrlRules = Vec<(regex::Regex, String)>;

/// All files under `root` in the order of their paths, each as an answer 200 to a GET. The URL is that of the first rule
/// that matches, else the one in the comment of HTTrack, a browser or SingleFile, else the path under `root_url`; which of
/// them it was is noted. A file that cannot be read gives an error and the walk goes on. Symbolic links are not followed.
///
/// # Errors
/// [`CaptureError::Io`] if `root` is no folder that can be listed.
pub fn walk(root: &Path, root_url: &Url, rules: UrlRules) -> Result<Walk, CaptureError> {
    let mut walk = Walk {
        root: root.to_owned(),
        root_url: root_url.clone(),
        rules,
        stack: Vec::new(),
        skipped: 0,
    };
    walk.enter(root, 0)?;
    Ok(walk)
}

/// The files of a folder; see [`walk`].
#[derive(Debug)]
pub struct Walk {
    root: PathBuf,
    root_url: Url,
    rules: UrlRules,
    /// Paths still to visit, the next one last.
    stack: Vec<(PathBuf, usize)>,
    skipped: usize,
}

impl Walk {
    /// How many entries were passed over so far: symbolic links, devices, folders that are too deep, HTTrack's own
    /// files.
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    fn enter(&mut self, dir: &Path, depth: usize) -> Result<(), CaptureError> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(dir).map_err(CaptureError::io("list", dir))? {
            found.push(entry.map_err(CaptureError::io("list", dir))?.path());
        }
        found.sort();
        self.stack
            .extend(found.into_iter().rev().map(|path| (path, depth)));
        Ok(())
    }

    fn by_rule(&self, relative: &Path) -> Option<Url> {
        let parts: Vec<_> = relative.iter().map(|part| part.to_string_lossy()).collect();
        let path = parts.join("/");
        let (groups, to) = self
            .rules
            .iter()
            .find_map(|(regex, to)| Some((regex.captures(&path)?, to)))?;
        let mut url = String::new();
        groups.expand(to, &mut url);
        self.root_url.join(&url).ok()
    }

    fn file(&self, path: &Path, meta: &std::fs::Metadata) -> Result<Exchange, CaptureError> {
        if meta.len() > MAX_FILE {
            return Err(CaptureError::TooLarge { max: MAX_FILE });
        }
        let body = std::fs::read(path).map_err(CaptureError::io("read", path))?;
        let comment = Comment::find(&body[..body.len().min(COMMENT_WITHIN)]);
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        let commented = || original(comment.url.as_deref()?, self.root_url.scheme());
        let (url, known_by) = match (self.by_rule(relative), commented()) {
            (Some(url), _) => (url, BY_RULE),
            (None, Some(url)) => (url, BY_COMMENT),
            (None, None) => (from_path(relative, &self.root_url), BY_PATH),
        };
        let mut content_type = content_type(path, &body);
        if content_type.starts_with("text/")
            && let Some(charset) = comment.charset
        {
            content_type = format!("{content_type}; charset={charset}");
        }
        let modified = || {
            meta.modified()
                .ok()
                .and_then(|time| jiff::Timestamp::try_from(time).ok())
        };
        Ok(Exchange {
            notes: vec![(URL_FROM.to_owned(), known_by.to_owned())],
            url: url.into(),
            method: "GET".to_owned(),
            request_headers: Vec::new(),
            request_body: Vec::new(),
            status: 200,
            reason: "OK".to_owned(),
            headers: vec![("Content-Type".to_owned(), content_type.into_bytes())],
            body,
            at: comment
                .at
                .or_else(modified)
                .unwrap_or(jiff::Timestamp::UNIX_EPOCH),
            ip: None,
            truncated: None,
        })
    }
}

impl Iterator for Walk {
    type Item = Result<Exchange, CaptureError>;

    fn next(&mut self) -> Option<Self::Item> {
        while let Some((path, depth)) = self.stack.pop() {
            let meta = match std::fs::symlink_metadata(&path) {
                Ok(meta) => meta,
                Err(error) => return Some(Err(CaptureError::io("read", &path)(error))),
            };
            let name = path
                .file_name()
                .map(|n| n.to_string_lossy().into_owned())
                .unwrap_or_default();
            if meta.is_file() {
                return Some(self.file(&path, &meta));
            }
            if meta.is_dir() && depth < MAX_DEPTH && name != "hts-cache" {
                if let Err(error) = self.enter(&path, depth + 1) {
                    return Some(Err(error));
                }
            } else {
                self.skipped += 1;
            }
        }
        None
    }
}

/// Where a page was saved from, as the program that saved it wrote into its beginning. HTTrack leaves the scheme out: `http`.
#[must_use]
pub fn saved_from(head: &[u8]) -> Option<Url> {
    original(&Comment::find(head).url?, "http")
}

/// What the program that saved it wrote into the page.
#[derive(Debug, Default, PartialEq)]
struct Comment {
    /// Address without scheme.
    url: Option<String>,
    at: Option<jiff::Timestamp>,
    charset: Option<String>,
}

impl Comment {
    fn find(head: &[u8]) -> Self {
        let text = String::from_utf8_lossy(head);
        let mut comment = Self::default();
        // The file date stands behind the last comma but one: `…, Sat, 27 Aug 2022 03:53:11 GMT`.
        if let Some(inside) = between(&text, "<!-- Mirrored from ", "-->")
            && let Some((address, by)) = inside.split_once(" by HTTrack")
        {
            comment.url = Some(address.trim().to_owned());
            comment.at = by.split_once("], ").and_then(|(_, date)| {
                let time = httpdate::parse_http_date(date.trim()).ok()?;
                jiff::Timestamp::try_from(time).ok()
            });
        }
        // Browsers: `<!-- saved from url=(0023)http://www.contoso.com/ -->`, with the length of the address.
        if comment.url.is_none()
            && let Some(inside) = between(&text, "<!-- saved from url=(", "-->")
            && let Some((length, address)) = inside.split_once(')')
            && length.bytes().all(|b| b.is_ascii_digit())
        {
            comment.url = Some(address.trim().to_owned());
        }
        if comment.url.is_none()
            && let Some(inside) = between(&text, "Page saved with SingleFile", "-->")
        {
            let line = |name: &str| inside.lines().find_map(|l| l.trim().strip_prefix(name));
            comment.url = line("url:").map(|url| url.trim().to_owned());
        }
        if let Some(added) = between(&text, "<!-- Added by HTTrack -->", "<!-- /Added by HTTrack -->")
            && let Some(charset) = between(added, "charset=", "\"")
        {
            let charset = charset.trim();
            if !charset.is_empty()
                && charset
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"-_:.".contains(&b))
            {
                comment.charset = Some(charset.to_owned());
            }
        }
        comment
    }
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(start)?;
    rest.split_once(end).map(|(inside, _)| inside)
}

/// HTTrack leaves the scheme out; it is that of the site.
fn original(address: &str, scheme: &str) -> Option<Url> {
    let text = match address.contains("://") {
        true => address.to_owned(),
        false => format!("{scheme}://{address}"),
    };
    Url::parse(&text)
        .ok()
        .filter(|url| url.has_host() && matches!(url.scheme(), "http" | "https"))
}

/// `news/view.aspx@id=1.html` under `http://a/` is `http://a/news/view.aspx?id=1`; a folder's `index.html` is the
/// folder.
fn from_path(relative: &Path, root: &Url) -> Url {
    let parts: Vec<String> = relative
        .iter()
        .map(|part| part.to_string_lossy().into_owned())
        .collect();
    let mut url = root.clone();
    url.set_query(None);
    url.set_fragment(None);
    let (name, folders) = parts
        .split_last()
        .map_or(("", &[][..]), |(name, rest)| (name.as_str(), rest));
    let (file, query) = match name.split_once(['@', '?']) {
        Some((file, query)) if query.contains('=') => {
            // Wget's --adjust-extension adds a second ending to names with a query.
            let query = query.strip_suffix(".html").unwrap_or(query);
            (file, Some(query))
        }
        _ => (name, None),
    };
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty();
        segments.extend(folders);
        segments.push(if matches!(file, "index.html" | "index.htm") {
            ""
        } else {
            file
        });
    }
    url.set_query(query);
    url
}

fn content_type(path: &Path, body: &[u8]) -> String {
    let name = path
        .file_name()
        .map(|n| n.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default();
    let extension = name
        .rsplit_once('.')
        .map(|(_, e)| e.to_owned())
        .unwrap_or_default();
    let by_name = match extension.as_str() {
        "html" | "htm" | "xhtml" | "shtml" | "aspx" | "asp" | "php" | "jsp" | "ashx" => Some("text/html"),
        "css" => Some("text/css"),
        "js" => Some("text/javascript"),
        "txt" => Some("text/plain"),
        "xml" | "rss" => Some("application/xml"),
        "json" => Some("application/json"),
        "svg" => Some("image/svg+xml"),
        "doc" => Some("application/msword"),
        "xls" => Some("application/vnd.ms-excel"),
        "ppt" => Some("application/vnd.ms-powerpoint"),
        _ => None,
    };
    // What the bytes say counts more: mirrors save pictures and attachments under names of scripts.
    let sniffed = infer::get(body).map(|kind| kind.mime_type());
    match (by_name, sniffed) {
        (Some(name), Some(seen)) if name == "text/html" && !seen.starts_with("text/") => seen.to_owned(),
        (Some(name), _) => name.to_owned(),
        (None, Some(seen)) => seen.to_owned(),
        (None, None) if looks_like_html(body) => "text/html".to_owned(),
        (None, None) => "application/octet-stream".to_owned(),
    }
}

fn looks_like_html(body: &[u8]) -> bool {
    let head = String::from_utf8_lossy(&body[..body.len().min(1024)]).to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body", "<table", "<div"]
        .iter()
        .any(|mark| head.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrors_tell_their_addresses() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &[u8]| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("a.html", b"<html>\n<!-- Mirrored from x.example/View?id=1 by HTTrack Website Copier/3.x [XR&CO'2014], Sat, 27 Aug 2022 03:53:11 GMT -->\n<!-- Added by HTTrack --><meta http-equiv=\"content-type\" content=\"text/html;charset=utf-8\" /><!-- /Added by HTTrack -->");
        put("news/index.html", b"<p>x");
        put("news/View.aspx@ItemID=1&CatID=2.html", b"<p>x");
        put(
            "b.htm",
            b"<!-- saved from url=(0030)http://x.example/View.aspx?b=2 -->\r\n<html>",
        );
        put("c.html", b"<!DOCTYPE html> <html><!--\n Page saved with SingleFile \n url: http://x.example/c?c=3 \n saved date: Thu\n-->");
        put("tin-17.html", b"<p>x");
        put("pic.aspx", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
        put("plain", b"<!DOCTYPE html><p>x");
        put("hts-cache/new.txt", b"x");
        #[cfg(unix)]
        std::os::unix::fs::symlink("/etc/passwd", dir.path().join("z.html")).unwrap();
        let rules = vec![(
            regex::Regex::new(r"^tin-(\d+)\.html$").unwrap(),
            "/View.aspx?ItemID=$1".to_owned(),
        )];
        let mut walk = walk(dir.path(), &Url::parse("http://x.example/").unwrap(), rules).unwrap();
        let all: Vec<Exchange> = walk.by_ref().map(Result::unwrap).collect();
        let seen: Vec<(&str, String)> = all
            .iter()
            .map(|e| (e.url.as_str(), String::from_utf8(e.headers[0].1.clone()).unwrap()))
            .collect();
        assert_eq!(
            seen,
            [
                (
                    "http://x.example/View?id=1",
                    "text/html; charset=utf-8".to_owned()
                ),
                ("http://x.example/View.aspx?b=2", "text/html".to_owned()),
                ("http://x.example/c?c=3", "text/html".to_owned()),
                (
                    "http://x.example/news/View.aspx?ItemID=1&CatID=2",
                    "text/html".to_owned()
                ),
                ("http://x.example/news/", "text/html".to_owned()),
                ("http://x.example/pic.aspx", "image/png".to_owned()),
                ("http://x.example/plain", "text/html".to_owned()),
                ("http://x.example/View.aspx?ItemID=17", "text/html".to_owned()),
            ]
        );
        let by: Vec<&str> = all.iter().map(|e| e.notes[0].1.as_str()).collect();
        assert_eq!(by[..4], [BY_COMMENT, BY_COMMENT, BY_COMMENT, BY_PATH]);
        assert_eq!(by[by.len() - 1], BY_RULE);
        assert_eq!(all[0].at.to_string(), "2022-08-27T03:53:11Z");
        assert_eq!(walk.skipped(), if cfg!(unix) { 2 } else { 1 });
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        let url = Url::parse("http://x.example/").unwrap();
        let error = walk(Path::new("/nowhere/at/all"), &url, Vec::new()).unwrap_err();
        assert!(error.to_string().contains("/nowhere/at/all"));
    }
}
