//! Graceful shutdown.

use std::io;

use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Starts the shutdown.
#[derive(Debug)]
pub(crate) struct Shutdown(watch::Sender<bool>);

/// Waits for the start of the shutdown. The shutdown waits until all of these are dropped.
#[derive(Debug, Clone)]
pub(crate) struct Stopped(watch::Receiver<bool>);

pub(crate) fn channel() -> (Shutdown, Stopped) {
    let (sender, receiver) = watch::channel(false);
    (Shutdown(sender), Stopped(receiver))
}

impl Shutdown {
    /// Starts the shutdown, and waits for the server and for all WebSocket connections.
    pub(crate) async fn finish(self, server: JoinHandle<io::Result<()>>) -> io::Result<()> {
        let _ = self.0.send(true);
        server.await??;
        // The server does not wait for upgraded connections. Each of them holds a `Stopped`.
        self.0.closed().await;
        Ok(())
    }
}

impl Stopped {
    /// Completes when the shutdown starts.
    pub(crate) async fn wait(mut self) {
        // An error means that the sender was dropped, which is later than the shutdown.
        let _ = self.0.wait_for(|stopped| *stopped).await;
    }
}

/// Returns a future that completes on SIGINT or SIGTERM. Both are caught from now on.
#[cfg(unix)]
pub(crate) fn signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns a future that completes on Ctrl-C.
#[cfg(not(unix))]
pub(crate) fn signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
