//! Access logs in the common and combined formats of Apache and nginx, and the W3C format of IIS.

use std::collections::BTreeMap;

/// Most different addresses that are counted.
const MAX: usize = 1_000_000;
/// Longest address that is counted, in bytes.
const LONGEST: usize = 2048;

/// Requests by address.
#[derive(Clone, Debug, Default)]
pub struct Hits {
    by_key: BTreeMap<String, (String, u64)>,
    /// W3C: the fields of the lines that follow.
    fields: Vec<String>,
    /// Lines that could not be read.
    pub unread: u64,
}

impl Hits {
    /// Begins another file: it says itself which fields it has.
    pub fn begin(&mut self) {
        self.fields.clear();
    }

    /// Counts one line. Only what was answered with content or a redirect is somebody's address; errors and other methods than
    /// GET are left out.
    pub fn line(&mut self, line: &str) {
        if let Some(fields) = line.strip_prefix("#Fields:") {
            self.fields = fields.split_whitespace().map(str::to_owned).collect();
            return;
        }
        if line.starts_with('#') || line.trim().is_empty() {
            return;
        }
        let found = if self.fields.is_empty() {
            common(line)
        } else {
            self.w3c(line)
        };
        let Some((method, address, status)) = found else {
            self.unread += 1;
            return;
        };
        if method != "GET"
            || !(200..400).contains(&status)
            || address.len() > LONGEST
            || !address.starts_with('/')
        {
            return;
        }
        let Some(key) = super::key(&address) else { return };
        if let Some((_, count)) = self.by_key.get_mut(&key) {
            *count += 1;
        } else if self.by_key.len() < MAX {
            self.by_key.insert(key, (address, 1));
        }
    }

    fn w3c(&self, line: &str) -> Option<(String, String, u16)> {
        let values: Vec<&str> = line.split_whitespace().collect();
        let get = |name: &str| {
            let at = self.fields.iter().position(|f| f == name)?;
            values.get(at).copied()
        };
        let query = get("cs-uri-query").filter(|q| *q != "-");
        let path = get("cs-uri-stem")?;
        let address = match query {
            Some(query) => format!("{path}?{query}"),
            None => path.to_owned(),
        };
        Some((
            get("cs-method")?.to_owned(),
            address,
            get("sc-status")?.parse().ok()?,
        ))
    }

    /// How many addresses were asked for.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Was nothing asked for?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_key.is_empty()
    }

    /// Keeps the addresses for which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.by_key.retain(|_, (address, _)| keep(address));
    }

    /// Takes out an address, in any spelling: as it was asked for, and how often.
    pub fn take(&mut self, url: &str) -> Option<(String, u64)> {
        self.by_key.remove(&super::key(url)?)
    }

    /// What is left: addresses and their number.
    pub fn rest(self) -> impl Iterator<Item = (String, u64)> {
        self.by_key.into_values()
    }

    /// All addresses with a spelling and their number.
    pub(super) fn all(&self) -> impl Iterator<Item = (&String, &(String, u64))> {
        self.by_key.iter()
    }
}

/// `… "GET /path HTTP/1.1" 200 …`
fn common(line: &str) -> Option<(String, String, u16)> {
    let (_, rest) = line.split_once('"')?;
    let (request, rest) = rest.split_once('"')?;
    let mut parts = request.split(' ');
    let (method, address) = (parts.next()?, parts.next()?);
    let status = rest.split_whitespace().next()?.parse().ok()?;
    Some((method.to_owned(), address.to_owned(), status))
}
