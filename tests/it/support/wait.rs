//! Waits for a condition.

use std::time::Duration;

/// Waits until a condition holds; panics after some seconds.
pub(crate) async fn until(condition: impl Fn() -> bool) {
    until_ready(async || condition()).await;
}

/// Does what [`until`] does, for a condition that takes time to check.
pub(crate) async fn until_ready(condition: impl AsyncFn() -> bool) {
    let holds = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    let limit = Duration::from_secs(30);
    tokio::time::timeout(limit, holds)
        .await
        .expect("it never came to that");
}
