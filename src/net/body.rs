//! Bodies with a limit.

use futures_util::StreamExt;
use std::time::Instant;

/// Why a body is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncation {
    /// It is larger than allowed.
    Length,
    /// It took longer than allowed.
    Time,
    /// The connection ended before the announced length, or in the middle of a chunk.
    Disconnect,
}

/// Reads the body as it was sent, at most `max_bytes` of it and not beyond `deadline`. Never fails: what came is
/// returned with the reason why it is not all.
pub async fn read_body(
    response: reqwest::Response,
    max_bytes: u64,
    deadline: Instant,
) -> (Vec<u8>, Option<Truncation>) {
    let announced = response
        .headers()
        .get(reqwest::header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    // Answers without a body may announce the length that a GET would have.
    let bodiless = matches!(response.status().as_u16(), 100..=199 | 204 | 304);
    let expected = response.content_length();
    let mut body = Vec::with_capacity(expected.unwrap_or(0).min(max_bytes).min(1 << 20) as usize);
    let mut stream = response.bytes_stream();
    loop {
        let chunk = match tokio::time::timeout_at(deadline.into(), stream.next()).await {
            Err(_) => return (body, Some(Truncation::Time)),
            Ok(None) => break,
            Ok(Some(Err(error))) if error.is_timeout() => return (body, Some(Truncation::Time)),
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, received = body.len(), "the body broke off");
                return (body, Some(Truncation::Disconnect));
            }
            Ok(Some(Ok(chunk))) => chunk,
        };
        let room = usize::try_from(max_bytes).unwrap_or(usize::MAX) - body.len();
        if chunk.len() > room {
            body.extend_from_slice(&chunk[..room]);
            return (body, Some(Truncation::Length));
        }
        body.extend_from_slice(&chunk);
    }
    let short =
        !bodiless && expected != Some(0) && announced.is_some_and(|length| (body.len() as u64) < length);
    (body, short.then_some(Truncation::Disconnect))
}
