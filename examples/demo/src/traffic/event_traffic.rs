//! Readers of server-sent events. Some disconnect before the stream ends.

use std::time::Duration;

use super::demo_client::{DemoClient, send};
use super::pause;

pub(super) async fn read_in_loop(demo: DemoClient) {
    loop {
        send(demo.get("/events?limit=5")).await;
        // Never ends by itself.
        send(demo.get("/events").timeout(Duration::from_secs(2))).await;
        pause(100..1_000).await;
    }
}
