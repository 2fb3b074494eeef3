//! Why a scrape is aborted, and what can be.

use std::fmt;

/// The reason why a scrape's response ends before it is complete.
#[derive(Debug)]
pub(crate) enum ScrapeError {
    /// The scrape took longer than its timeout.
    TimedOut,
    /// Another client got the scrape's permit.
    Evicted,
    /// The runtime has shut down, or encoding panicked.
    Failed,
}

impl fmt::Display for ScrapeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TimedOut => "the scrape was aborted: it took longer than its timeout",
            Self::Evicted => {
                "the scrape was aborted: a client with fewer scrapes needed its permit"
            }
            Self::Failed => "the scrape was aborted: its next part could not be encoded",
        })
    }
}

impl std::error::Error for ScrapeError {}

/// A scrape that can be aborted from another thread.
pub(crate) trait Abort: Send + Sync {
    /// Frees the scrape's memory and permit, and ends its response with this error.
    fn abort(&self, error: ScrapeError);
}
