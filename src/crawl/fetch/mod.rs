//! Where answers come from.

pub mod http;

use crate::capture::Exchange;
use url::Url;

/// What came of a task: everything that went over the wire, and how it ended.
#[derive(Clone, Debug)]
pub struct Answer {
    /// In order; the last one is the answer unless `end` is a failure.
    pub exchanges: Vec<Exchange>,
    /// Spellings of the same page that redirected to the next one, in order.
    pub chain: Vec<String>,
    /// How it ended.
    pub end: End,
}

/// How a fetch ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With a response.
    Response,
    /// With a redirect to another URL.
    Redirect(Url),
    /// In a loop of redirects, or behind too many; with the class.
    Redirects(&'static str),
    /// Without an answer; with the class and what the network says.
    Network(&'static str, String),
}
