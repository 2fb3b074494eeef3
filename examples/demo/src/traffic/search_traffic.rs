//! Bursts of searches. Some are above the rate limit and get a 429.

use tokio::task::JoinSet;

use super::demo_client::{DemoClient, send};
use super::pause;

/// The number of concurrent searches.
const BURST: u32 = 40;

pub(super) async fn send_in_loop(demo: DemoClient) {
    loop {
        let mut burst = JoinSet::new();
        for number in 0..BURST {
            burst.spawn(send(demo.get(&format!("/search?q={number}"))));
        }
        while burst.join_next().await.is_some() {}
        pause(1_000..3_000).await;
    }
}
