//! The request that brings the next page of a list, as the ledger keeps it. Pure.

/// Largest request that is kept and sent.
pub const MAX_REQUEST: usize = 8 << 20;
/// First word of a stored request; ledgers before it hold the URL, a line end and the form body.
const MAGIC: &str = "sangtrang-request/1";

/// A request that is not told by its URL alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Id of the list rule that reads the answer; empty in old ledgers.
    pub rule: String,
    /// `GET` or `POST`.
    pub method: String,
    /// Where it goes, absolute.
    pub url: String,
    /// Headers beyond those of every request.
    pub headers: Vec<(String, String)>,
    /// Body; empty for GET.
    pub body: String,
}

impl Request {
    /// For the ledger; `None` if it is too large or holds what no request may.
    #[must_use]
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        let mut out = format!("{MAGIC}\t{}\t{}\t{}\n", self.rule, self.method, self.url);
        for (name, value) in &self.headers {
            if [name, value].iter().any(|t| t.contains(['\r', '\n'])) {
                return None;
            }
            out.push_str(&format!("{name}: {value}\n"));
        }
        out.push('\n');
        out.push_str(&self.body);
        (out.len() <= MAX_REQUEST).then(|| out.into_bytes())
    }

    /// From the ledger.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (first, rest) = text.split_once('\n')?;
        let Some(words) = first.strip_prefix(MAGIC) else {
            return Some(Self {
                rule: String::new(),
                method: "POST".into(),
                url: first.to_owned(),
                headers: vec![form_type()],
                body: rest.to_owned(),
            });
        };
        let mut words = words.trim_start_matches('\t').splitn(3, '\t');
        let (rule, method, url) = (words.next()?, words.next()?, words.next()?);
        let mut headers = Vec::new();
        let mut rest = rest;
        loop {
            let (line, more) = rest.split_once('\n')?;
            rest = more;
            if line.is_empty() {
                break;
            }
            let (name, value) = line.split_once(": ")?;
            headers.push((name.to_owned(), value.to_owned()));
        }
        Some(Self {
            rule: rule.to_owned(),
            method: method.to_owned(),
            url: url.to_owned(),
            headers,
            body: rest.to_owned(),
        })
    }

    /// Does a saved exchange answer it?
    #[must_use]
    pub fn is_asked_by(&self, method: &str, url: &str, body: &[u8]) -> bool {
        self.method == method && self.url == url && self.body.as_bytes() == body
    }
}

/// The header of a form's body.
#[must_use]
pub fn form_type() -> (String, String) {
    (
        "content-type".into(),
        "application/x-www-form-urlencoded; charset=utf-8".into(),
    )
}

/// The next page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextRequest {
    /// What is sent.
    pub request: Request,
    /// Number of the page that it brings.
    pub page: u32,
    /// What tells it apart within its list: never the state of a form, which is new in each answer.
    pub identity: String,
}

impl NextRequest {
    /// Identity across lists: list, what tells it apart, page and walk.
    #[must_use]
    pub fn key(&self, list: &str, generation: u32) -> [u8; 16] {
        let text = format!("postback\n{list}\n{}\n{}\n{generation}", self.identity, self.page);
        let mut key = [0; 16];
        key.copy_from_slice(&blake3::hash(text.as_bytes()).as_bytes()[..16]);
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_back_from_the_ledger() {
        let request = Request {
            rule: "list".into(),
            method: "POST".into(),
            url: "http://h/l?a=1".into(),
            headers: vec![form_type(), ("X-MicrosoftAjax".into(), "Delta=true".into())],
            body: "a=1\n\nb=2".into(),
        };
        let bytes = request.to_bytes().unwrap();
        assert_eq!(Request::from_bytes(&bytes), Some(request.clone()));
        let old = Request::from_bytes(b"http://h/l\na=1").unwrap();
        assert_eq!(
            (old.url.as_str(), old.body.as_str(), old.rule.as_str()),
            ("http://h/l", "a=1", "")
        );
        assert!(old.is_asked_by("POST", "http://h/l", b"a=1"));
        let split = Request {
            headers: vec![("a".into(), "b\r\nc: d".into())],
            ..request
        };
        assert_eq!(split.to_bytes(), None);
        assert_eq!(Request::from_bytes(b"sangtrang-request/1\tx\tGET\n"), None);
    }
}
