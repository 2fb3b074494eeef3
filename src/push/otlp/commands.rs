//! What callers ask of the task that exports.

use std::future;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use crate::error::Error;

/// A flush, or a shutdown.
#[derive(Debug)]
pub(super) struct Command {
    /// Gets the result of the export.
    pub(super) reply: oneshot::Sender<Result<(), Error>>,
    /// When the last export ends, if it is a shutdown.
    pub(super) deadline: Option<Instant>,
}

/// Why an export was started. It decides which commands end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trigger {
    Timer,
    Flush,
    Shutdown { deadline: Instant },
}

/// Received commands that no export has answered yet.
#[derive(Debug)]
pub(super) struct Commands {
    receiver: UnboundedReceiver<Command>,
    waiting: Vec<oneshot::Sender<Result<(), Error>>>,
    shutdown: Option<Shutdown>,
}

#[derive(Debug, Clone, Copy)]
struct Shutdown {
    /// When an earlier export is aborted, so that time remains for the last.
    abort_at: Instant,
    deadline: Instant,
}

impl Commands {
    pub(super) fn new(receiver: UnboundedReceiver<Command>) -> Self {
        Self {
            receiver,
            waiting: Vec::new(),
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
            Some(Shutdown { deadline, .. }) => Trigger::Shutdown { deadline },
            None if self.waiting.is_empty() => Trigger::Timer,
            None => Trigger::Flush,
        };
        (trigger, Waiting(std::mem::take(&mut self.waiting)))
    }

    /// Lets those who waited for an export wait for the next.
    pub(super) fn put_back(&mut self, waiting: Waiting) {
        self.waiting.extend(waiting.0);
    }

    /// Answers the commands that arrived during the last export, and accepts no others.
    pub(super) fn close(mut self, result: &Result<(), Error>) {
        self.receiver.close();
        let (_, waiting) = self.take();
        waiting.reply(result);
    }

    /// Waits until a command ends the delay before a retry.
    pub(super) async fn end_delay(&mut self, trigger: Trigger) {
        while !self.ends_delay(trigger) {
            self.receive().await;
        }
    }

    /// Waits until a shutdown ends an export that is not the last.
    pub(super) async fn end_export(&mut self, trigger: Trigger) {
        loop {
            match self.shutdown {
                Some(Shutdown { abort_at, .. }) if !trigger.is_shutdown() => {
                    return sleep_until(abort_at).await;
                }
                _ => self.receive().await,
            }
        }
    }

    fn ends_delay(&self, trigger: Trigger) -> bool {
        match trigger {
            Trigger::Timer => !self.waiting.is_empty(),
            Trigger::Flush => self.shutdown.is_some(),
            Trigger::Shutdown { .. } => false,
        }
    }

    async fn receive(&mut self) {
        match self.receiver.recv().await {
            Some(command) => self.add(command),
            // The task is aborted together with the last sender.
            None => future::pending().await,
        }
    }

    fn add(&mut self, command: Command) {
        self.waiting.push(command.reply);
        if let Some(deadline) = command.deadline {
            let now = Instant::now();
            let abort_at = now + deadline.saturating_duration_since(now) / 2;
            self.shutdown.get_or_insert(Shutdown { abort_at, deadline });
        }
    }
}

impl Trigger {
    fn is_shutdown(self) -> bool {
        matches!(self, Self::Shutdown { .. })
    }
}

/// The callers that wait for one export.
#[derive(Debug)]
pub(super) struct Waiting(Vec<oneshot::Sender<Result<(), Error>>>);

impl Waiting {
    pub(super) fn reply(self, result: &Result<(), Error>) {
        for reply in self.0 {
            // The caller may have stopped waiting.
            let _ = reply.send(result.clone());
        }
    }
}
