//! The journal's only writer: a thread that owns the ledger. What comes in while it syncs is committed together with the
//! next sync.

use crate::ledger::{Done, Entry, Intent, Ledger, LedgerError};
use std::sync::Arc;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, oneshot};

/// Lines that are committed at once.
const GROUP: usize = 64;

type Read = Box<dyn FnOnce(&mut Ledger) + Send>;

enum Ask {
    Write(Entry, oneshot::Sender<Result<i64, Arc<LedgerError>>>),
    Read(Read),
}

/// Why the journal cannot be kept; then nothing more is written anywhere.
#[derive(Clone, Debug, thiserror::Error)]
pub enum JournalError {
    /// What the ledger says.
    #[error("{0}")]
    Ledger(#[source] Arc<LedgerError>),
    /// The thread is gone.
    #[error("the journal has ended")]
    Ended,
}

/// The journal of one run at one target.
#[derive(Clone)]
pub struct Journal {
    asks: mpsc::Sender<Ask>,
}

impl Journal {
    /// Begins to write for `run` at `target`. The ledger comes back from the thread when the last journal is dropped.
    #[must_use]
    pub fn start(mut ledger: Ledger, target: i64, run: i64) -> (Self, JoinHandle<Ledger>) {
        let (asks, mut incoming) = mpsc::channel(256);
        let thread = std::thread::spawn(move || {
            while let Some(first) = incoming.blocking_recv() {
                let (mut entries, mut answers, mut reads) = (Vec::new(), Vec::new(), Vec::new());
                let mut take = |ask| match ask {
                    Ask::Write(entry, answer) => {
                        entries.push(entry);
                        answers.push(answer);
                    }
                    Ask::Read(read) => reads.push(read),
                };
                take(first);
                for _ in 1..GROUP {
                    match incoming.try_recv() {
                        Ok(ask) => take(ask),
                        Err(_) => break,
                    }
                }
                if !entries.is_empty() {
                    let at = crate::ledger::clock::now().as_millisecond();
                    // An answer that nobody waits for any more is no failure.
                    match ledger.journal(target, run, at, &entries) {
                        Ok(lines) => answers.into_iter().zip(lines).for_each(|(answer, line)| {
                            let _ = answer.send(Ok(line));
                        }),
                        Err(error) => {
                            let error = Arc::new(error);
                            for answer in answers {
                                let _ = answer.send(Err(error.clone()));
                            }
                        }
                    }
                }
                reads.into_iter().for_each(|read| read(&mut ledger));
            }
            ledger
        });
        (Self { asks }, thread)
    }

    async fn send(
        &self,
        entry: Entry,
    ) -> Result<oneshot::Receiver<Result<i64, Arc<LedgerError>>>, JournalError> {
        let (answer, line) = oneshot::channel();
        self.asks
            .send(Ask::Write(entry, answer))
            .await
            .map_err(|_| JournalError::Ended)?;
        Ok(line)
    }

    async fn write(&self, entry: Entry) -> Result<i64, JournalError> {
        let line = self.send(entry).await?;
        line.await
            .map_err(|_| JournalError::Ended)?
            .map_err(JournalError::Ledger)
    }

    /// Says what is about to be written; answers its line, which is synced then.
    ///
    /// # Errors
    /// [`JournalError`]: nothing may be written.
    pub async fn intent(&self, intent: Intent) -> Result<i64, JournalError> {
        self.write(Entry::Intent(intent)).await
    }

    /// The same for several writes, in one transaction if the ledger is not busy.
    ///
    /// # Errors
    /// [`JournalError`]: nothing may be written.
    pub async fn intents(&self, intents: Vec<Intent>) -> Result<Vec<i64>, JournalError> {
        let mut waiting = Vec::with_capacity(intents.len());
        for intent in intents {
            waiting.push(self.send(Entry::Intent(intent)).await?);
        }
        let mut lines = Vec::with_capacity(waiting.len());
        for line in waiting {
            lines.push(
                line.await
                    .map_err(|_| JournalError::Ended)?
                    .map_err(JournalError::Ledger)?,
            );
        }
        Ok(lines)
    }

    /// The ends of several writes.
    ///
    /// # Errors
    /// [`JournalError`]
    pub async fn ends(&self, ends: Vec<(i64, Done)>) -> Result<(), JournalError> {
        let mut waiting = Vec::with_capacity(ends.len());
        for (line, done) in ends {
            waiting.push(
                self.send(Entry::Done(line, Box::new(done), "ok".to_owned()))
                    .await?,
            );
        }
        for line in waiting {
            line.await
                .map_err(|_| JournalError::Ended)?
                .map_err(JournalError::Ledger)?;
        }
        Ok(())
    }

    /// Says how it came out.
    ///
    /// # Errors
    /// [`JournalError`]
    pub async fn done(&self, line: i64, done: Done, outcome: &str) -> Result<(), JournalError> {
        self.write(Entry::Done(line, Box::new(done), outcome.to_owned()))
            .await
            .map(|_| ())
    }

    /// Says that nothing came of it; `refused` for good?
    ///
    /// # Errors
    /// [`JournalError`]
    pub async fn failed(&self, line: i64, why: &str, refused: bool) -> Result<(), JournalError> {
        self.write(Entry::Failed(line, why.to_owned(), refused))
            .await
            .map(|_| ())
    }

    /// Reads the ledger.
    ///
    /// # Errors
    /// [`JournalError`]
    pub async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> Result<T, JournalError> {
        let (answer, found) = oneshot::channel();
        let read: Read = Box::new(move |ledger| {
            let _ = answer.send(read(ledger));
        });
        self.asks
            .send(Ask::Read(read))
            .await
            .map_err(|_| JournalError::Ended)?;
        found
            .await
            .map_err(|_| JournalError::Ended)?
            .map_err(|e| JournalError::Ledger(Arc::new(e)))
    }
}
