//! Bodies with a limit.

use super::client::Response;
use http_body_util::BodyExt as _;
use hyper::body::Body as _;
use std::time::{Duration, Instant};

/// Why a body is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Truncation {
    /// It is larger than allowed.
    Length,
    /// It took longer than allowed.
    Time,
    /// It came slower than allowed.
    Rate,
    /// The connection ended before the announced length, or in the middle of a chunk.
    Disconnect,
}

/// How much of a body is waited for.
#[derive(Clone, Copy, Debug)]
pub struct BodyLimits {
    /// Most bytes.
    pub bytes: u64,
    /// Until when.
    pub deadline: Instant,
    /// Fewest bytes in any such time; 0: no limit. What drips keeps a slot that others could use.
    pub rate: (u64, Duration),
}

/// Reads the body as it was sent, as far as the limits go. Never fails: what came is returned with the reason why it is
/// not all.
pub async fn read_body(response: Response, limits: BodyLimits) -> (Vec<u8>, Option<Truncation>) {
    let announced = response
        .headers
        .get(http::header::CONTENT_LENGTH)
        .and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    // Answers without a body may announce the length that a GET would have.
    let bodiless = matches!(response.status.as_u16(), 100..=199 | 204 | 304);
    let mut stream = response.body;
    let expected = stream.size_hint().exact();
    let mut body = Vec::with_capacity(expected.unwrap_or(0).min(limits.bytes).min(1 << 20) as usize);
    let (least, window) = limits.rate;
    let (mut until, mut had) = (Instant::now() + window, 0);
    loop {
        let stop = if least > 0 {
            until.min(limits.deadline)
        } else {
            limits.deadline
        };
        let frame = match tokio::time::timeout_at(stop.into(), stream.frame()).await {
            Err(_) if stop == limits.deadline => return (body, Some(Truncation::Time)),
            Err(_) => {
                if ((body.len() - had) as u64) < least {
                    return (body, Some(Truncation::Rate));
                }
                (until, had) = (Instant::now() + window, body.len());
                continue;
            }
            Ok(None) => break,
            Ok(Some(Err(error))) => {
                tracing::debug!(%error, received = body.len(), "the body broke off");
                return (body, Some(Truncation::Disconnect));
            }
            Ok(Some(Ok(frame))) => frame,
        };
        // What drips in without a pause is seen here, not above.
        if least > 0 && Instant::now() >= until {
            if ((body.len() - had) as u64) < least {
                return (body, Some(Truncation::Rate));
            }
            (until, had) = (Instant::now() + window, body.len());
        }
        let Ok(chunk) = frame.into_data() else { continue };
        let room = usize::try_from(limits.bytes).unwrap_or(usize::MAX) - body.len();
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
    use super::super::{ACCEPT_ENCODING, Client, NetError, Options, client};
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

    async fn get(client: &Client, url: &str, headers: &[(&'static str, &'static str)]) -> Response {
        let headers = headers
            .iter()
            .map(|(n, v)| (n.parse().unwrap(), http::HeaderValue::from_static(v)))
            .collect();
        let url = url.parse().unwrap();
        let asked = client.request(http::Method::GET, &url, headers, bytes::Bytes::new());
        asked.await.unwrap()
    }

    async fn fetch(
        answer: &'static [u8],
        hold: bool,
        max: u64,
        wait: Duration,
    ) -> (Vec<u8>, Option<Truncation>) {
        fetch_at_rate(answer, hold, max, wait, (0, Duration::ZERO)).await
    }

    async fn fetch_at_rate(
        answer: &'static [u8],
        hold: bool,
        bytes: u64,
        wait: Duration,
        rate: (u64, Duration),
    ) -> (Vec<u8>, Option<Truncation>) {
        let (port, _told) = serve(answer, hold).await;
        let client = client(&options(port)).unwrap();
        let response = get(&client, "http://ctk.example/a", &[]).await;
        let limits = BodyLimits {
            bytes,
            deadline: Instant::now() + wait,
            rate,
        };
        read_body(response, limits).await
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
    async fn what_drips_is_given_up() {
        let announced = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc";
        let rate = (100, Duration::from_millis(50));
        let drip = fetch_at_rate(announced, true, 10, LONG, rate).await;
        assert_eq!(drip, (b"abc".to_vec(), Some(Truncation::Rate)));
    }

    #[tokio::test]
    async fn the_url_stays_and_redirects_are_as_promised() {
        let answer =
            b"HTTP/1.1 302 Moved, they say\r\nLocation: /b\r\nSet-Cookie: s=1\r\nContent-Length: 0\r\n\r\n";
        let (port, mut told) = serve(answer, false).await;
        let client = client(&options(port)).unwrap();
        let response = get(&client, "http://ctk.example/a", &[]).await;
        assert_eq!(response.status, 302);
        assert_eq!(response.reason, "Moved, they say");
        assert_eq!(response.connection.peer.unwrap().port(), port);
        let first = told.recv().await.unwrap().to_ascii_lowercase();
        assert!(first.starts_with("get /a http/1.1\r\n"), "{first}");
        assert!(first.contains("host: ctk.example\r\n"), "{first}");
        assert!(first.contains("user-agent: sangtrang/"), "{first}");
        assert!(!first.contains("accept-encoding"), "{first}");
        let asked = [("accept-encoding", ACCEPT_ENCODING)];
        get(&client, "http://ctk.example/b?x=1#part", &asked).await;
        let second = told.recv().await.unwrap().to_ascii_lowercase();
        assert!(second.starts_with("get /b?x=1 http/1.1\r\n"), "{second}");
        assert!(
            second.contains(ACCEPT_ENCODING) && !second.contains("cookie"),
            "{second}"
        );
    }

    #[test]
    fn rules_that_cannot_be_obeyed_are_refused() {
        let proxy = Options {
            proxy: Some("ftp://user:secret@proxy.example".into()),
            ..Options::default()
        };
        let Err(NetError::Proxy { value }) = client(&proxy) else {
            panic!()
        };
        assert_eq!(value, "proxy.example");
        let agent = Options {
            user_agent: "a\nb".into(),
            ..Options::default()
        };
        assert!(matches!(client(&agent), Err(NetError::UserAgent(_))));
    }
}
