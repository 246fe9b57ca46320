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

#[cfg(test)]
mod tests {
    use super::super::{ACCEPT_ENCODING, NetError, Options, client};
    use super::*;
    use std::time::Duration;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    /// Answers every connection with `answer` and closes it (or holds it open); gives the port and the requests.
    async fn serve(answer: &'static [u8], hold: bool) -> (u16, tokio::sync::mpsc::UnboundedReceiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, told) = tokio::sync::mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut held = Vec::new();
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && socket.read(&mut byte).await.is_ok_and(|n| n > 0) {
                    request.push(byte[0]);
                }
                let _ = tell.send(String::from_utf8_lossy(&request).into_owned());
                let _ = socket.write_all(answer).await;
                if hold {
                    held.push(socket);
                } else {
                    let _ = socket.shutdown().await;
                }
            }
        });
        (port, told)
    }

    fn options(port: u16) -> Options {
        Options {
            connect_to: vec![format!("ctk.example:80:127.0.0.1:{port}").parse().unwrap()],
            ..Options::default()
        }
    }

    async fn fetch(
        answer: &'static [u8],
        hold: bool,
        max: u64,
        wait: Duration,
    ) -> (Vec<u8>, Option<Truncation>) {
        let (port, _told) = serve(answer, hold).await;
        let client = client(&options(port)).unwrap();
        let response = client.get("http://ctk.example/a").send().await.unwrap();
        read_body(response, max, Instant::now() + wait).await
    }

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn whole_bodies_are_whole_and_coded_bodies_stay_coded() {
        let whole = fetch(
            b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc",
            false,
            10,
            LONG,
        )
        .await;
        assert_eq!(whole, (b"abc".to_vec(), None));
        let coded = fetch(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8bx",
            false,
            10,
            LONG,
        )
        .await;
        assert_eq!(coded, (b"\x1f\x8bx".to_vec(), None));
        let chunked = fetch(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            false,
            3,
            LONG,
        )
        .await;
        assert_eq!(chunked, (b"abc".to_vec(), None));
        let none = fetch(
            b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n",
            false,
            10,
            LONG,
        )
        .await;
        assert_eq!(none, (vec![], None));
    }

    #[tokio::test]
    async fn bodies_that_are_not_whole_say_why() {
        let short = fetch(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            false,
            10,
            LONG,
        )
        .await;
        assert_eq!(short, (b"abc".to_vec(), Some(Truncation::Disconnect)));
        let chunk = fetch(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
            false,
            10,
            LONG,
        )
        .await;
        assert_eq!(chunk.1, Some(Truncation::Disconnect));
        let large = fetch(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabcdefghi",
            false,
            4,
            LONG,
        )
        .await;
        assert_eq!(large, (b"abcd".to_vec(), Some(Truncation::Length)));
        let slow = fetch(
            b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
            true,
            10,
            Duration::from_millis(100),
        )
        .await;
        assert_eq!(slow, (b"abc".to_vec(), Some(Truncation::Time)));
    }

    #[tokio::test]
    async fn the_url_stays_and_cookies_and_redirects_are_as_promised() {
        let answer = b"HTTP/1.1 302 Found\r\nLocation: /b\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n";
        let (port, mut told) = serve(answer, false).await;
        let client = client(&options(port)).unwrap();
        let response = client.get("http://ctk.example/a").send().await.unwrap();
        assert_eq!(response.status(), 302);
        assert_eq!(response.url().as_str(), "http://ctk.example/a");
        let first = told.recv().await.unwrap().to_ascii_lowercase();
        assert!(first.contains("host: ctk.example\r\n"), "{first}");
        assert!(!first.contains("accept-encoding"), "{first}");
        client
            .get("http://ctk.example/b")
            .header("accept-encoding", ACCEPT_ENCODING)
            .send()
            .await
            .unwrap();
        let second = told.recv().await.unwrap().to_ascii_lowercase();
        assert!(
            second.contains("cookie: s=1\r\n") && second.contains(ACCEPT_ENCODING),
            "{second}"
        );
    }

    #[test]
    fn rules_that_cannot_be_obeyed_are_refused() {
        let rule = vec!["a.example:8080:127.0.0.1:9".parse().unwrap()];
        let refused = client(&Options {
            connect_to: rule,
            ..Options::default()
        });
        assert!(matches!(refused, Err(NetError::ExplicitPort { port: 8080, .. })));
        let agent = Options {
            user_agent: "a\nb".into(),
            ..Options::default()
        };
        assert!(matches!(client(&agent), Err(NetError::Client(_))));
    }
}
