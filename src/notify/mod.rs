//! Telling people that a sync needs them: what is told when (pure), and how it is sent. Knows nothing of crawls and ledgers; what
//! happened is said by the desk. Nothing here may keep a sync from going on: everything is bounded in time, and what could not
//! be sent waits for the next sync.

mod digest;
mod mail;
mod outbox;
mod webhook;

pub use digest::{Class, Memory, Notice, NoticeKind, Problem, Told};
pub use mail::{MailTo, Protection};
pub use outbox::{Channels, NotifyError, Sent, tell};
pub use webhook::{WebhookTo, signature};
