//! Commands to the exporter task.

use std::{future, mem};

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::error::Error;

/// Gets the result of an export.
type Reply = oneshot::Sender<Result<(), Error>>;

/// A flush, or a shutdown.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) reply: Reply,
    /// When the last export ends, if it is a shutdown.
    pub(super) deadline: Option<Instant>,
}

/// Why an export was started. It decides which commands end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    Timer,
    Flush,
    Shutdown,
}

/// Received commands that no export has answered yet.
#[derive(Debug)]
pub(super) struct Commands {
    receiver: UnboundedReceiver<Command>,
    waiting: Waiting,
    shutdown: Option<Shutdown>,
}

/// The earliest times of all shutdowns.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shutdown {
    /// When an earlier export is aborted, so that time remains for the last.
    pub(super) abort_at: Instant,
    pub(super) deadline: Instant,
}

/// The callers that wait for one export.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    flushes: Vec<Reply>,
    shutdowns: Vec<Reply>,
}

impl Commands {
    pub(super) fn new(receiver: UnboundedReceiver<Command>) -> Self {
        Self {
            receiver,
            waiting: Waiting::default(),
            shutdown: None,
        }
    }

    /// Waits until there is a command. It can be cancelled without losing one.
    pub(super) async fn wait(&mut self) {
        if self.waiting.is_empty() {
            self.receive().await;
        }
    }

    /// Returns what the next export is for, and who waits for it.
    pub(super) fn take(&mut self) -> (Trigger, Waiting) {
        while let Ok(command) = self.receiver.try_recv() {
            self.add(command);
        }
        let trigger = match self.shutdown {
            Some(_) => Trigger::Shutdown,
            None if self.waiting.is_empty() => Trigger::Timer,
            None => Trigger::Flush,
        };
        (trigger, mem::take(&mut self.waiting))
    }

    /// Lets those who waited for an export wait for the next.
    pub(super) fn put_back(&mut self, waiting: Waiting) {
        self.waiting.flushes.extend(waiting.flushes);
        self.waiting.shutdowns.extend(waiting.shutdowns);
    }

    /// Ends the commands after the last export, which had this result.
    ///
    /// Shutdowns that arrived during the export get its result. Flushes do not, since their values
    /// may have been recorded after the registry was read. Their replies are dropped, so that they
    /// return that the exporter was shut down.
    pub(super) fn close(mut self, result: &Result<(), Error>) {
        self.receiver.close();
        let (_, mut waiting) = self.take();
        waiting.flushes.clear();
        waiting.reply(result);
    }

    /// Returns true if a caller waits for the next export.
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    pub(super) fn shutdown(&self) -> Option<Shutdown> {
        self.shutdown
    }

    /// Waits for one command. It can be cancelled without losing one.
    pub(super) async fn receive(&mut self) {
        match self.receiver.recv().await {
            Some(command) => self.add(command),
            // The task is aborted together with the last sender.
            None => future::pending().await,
        }
    }

    fn add(&mut self, command: Command) {
        let Some(deadline) = command.deadline else {
            self.waiting.flushes.push(command.reply);
            return;
        };
        self.waiting.shutdowns.push(command.reply);
        let now = Instant::now();
        let abort_at = now + deadline.saturating_duration_since(now) / 2;
        let shutdown = self.shutdown.get_or_insert(Shutdown { abort_at, deadline });
        shutdown.abort_at = shutdown.abort_at.min(abort_at);
        shutdown.deadline = shutdown.deadline.min(deadline);
    }
}

impl Waiting {
    pub(super) fn reply(self, result: &Result<(), Error>) {
        for reply in self.flushes.into_iter().chain(self.shutdowns) {
            // The caller may have stopped waiting.
            let _ = reply.send(result.clone());
        }
    }

    fn is_empty(&self) -> bool {
        self.flushes.is_empty() && self.shutdowns.is_empty()
    }
}
