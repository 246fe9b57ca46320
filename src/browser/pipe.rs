//! The wire to Chromium: Chrome DevTools Protocol messages (JSON, each ended by NUL) over two pipes that the browser
//! knows as descriptors 3 and 4 (`--remote-debugging-pipe`).

use serde_json::{Value, json};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::unix::pipe::{Receiver, Sender};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio_util::task::AbortOnDropHandle;

/// Largest single message, in bytes: a page's text in JSON escapes fits, a flood does not.
const MAX_MESSAGE: u64 = 256 << 20;
/// Messages that wait to be read, in bytes together.
const MAX_WAITING: usize = 384 << 20;

/// Both directions.
pub struct Pipe {
    out: Sender,
    messages: UnboundedReceiver<(Value, usize)>,
    waiting: Arc<AtomicUsize>,
    next_id: u64,
    _reader: AbortOnDropHandle<()>,
}

impl Pipe {
    /// Takes our ends: we write to `out`, the browser writes to `inward`.
    pub(super) fn new(out: io::PipeWriter, inward: io::PipeReader) -> io::Result<Self> {
        let out = Sender::from_owned_fd(out.into())?;
        let inward = Receiver::from_owned_fd(inward.into())?;
        let (tell, messages) = unbounded_channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let count = waiting.clone();
        // The reader never waits for us: a browser that cannot write would not read either.
        let reader = tokio::spawn(async move {
            let mut inward = BufReader::with_capacity(1 << 16, inward);
            loop {
                let mut message = Vec::new();
                let read = (&mut inward).take(MAX_MESSAGE).read_until(0, &mut message).await;
                if !matches!(read, Ok(n) if n > 0) || message.pop() != Some(0) {
                    return;
                }
                let Ok(value) = serde_json::from_slice::<Value>(&message) else {
                    return;
                };
                let length = message.len();
                if count.fetch_add(length, Ordering::Relaxed) + length > MAX_WAITING
                    || tell.send((value, length)).is_err()
                {
                    return;
                }
            }
        });
        Ok(Self {
            out,
            messages,
            waiting,
            next_id: 0,
            _reader: AbortOnDropHandle::new(reader),
        })
    }

    /// Sends a command; gives the id of its answer. `session` is the page's, empty for the browser itself.
    ///
    /// # Errors
    /// When the browser does not read any more.
    pub async fn send(&mut self, session: &str, method: &str, params: Value) -> io::Result<u64> {
        self.next_id += 1;
        let mut message = json!({ "id": self.next_id, "method": method, "params": params });
        if !session.is_empty() {
            message["sessionId"] = session.into();
        }
        let mut bytes = serde_json::to_vec(&message)?;
        bytes.push(0);
        self.out.write_all(&bytes).await?;
        Ok(self.next_id)
    }

    /// The next message. `None`: the browser has gone.
    pub async fn receive(&mut self) -> Option<Value> {
        let (value, length) = self.messages.recv().await?;
        self.waiting.fetch_sub(length, Ordering::Relaxed);
        Some(value)
    }

    /// Sends a command and waits for its answer; what comes before it is dropped, so this is for the time before a
    /// page's traffic begins.
    ///
    /// # Errors
    /// When the browser says that it failed, or has gone.
    pub async fn call(&mut self, session: &str, method: &str, params: Value) -> io::Result<Value> {
        let id = self.send(session, method, params).await?;
        while let Some(mut message) = self.receive().await {
            if message["id"] == id {
                if let Some(text) = message["error"]["message"].as_str() {
                    return Err(io::Error::other(format!("{method}: {text}")));
                }
                return Ok(message["result"].take());
            }
        }
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}
