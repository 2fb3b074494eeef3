//! Uploads: short ones, ones that are too long, and ones that the client aborts.

use std::convert::Infallible;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use reqwest::Body;

use super::demo_client::{DemoClient, send};
use super::pause;

/// More than the demo accepts.
const TOO_LONG: usize = 2 << 20;

pub(super) async fn send_in_loop(demo: DemoClient) {
    loop {
        for _ in 0..5 {
            let bytes = vec![0; fastrand::usize(1_000..500_000)];
            send(demo.post("/uploads", bytes)).await;
            pause(100..500).await;
        }
        send(demo.post("/uploads", vec![0; TOO_LONG])).await;
        // Stops in the middle.
        let part = stream::iter([Ok::<_, Infallible>("the first part")]);
        let body = Body::wrap_stream(part.chain(stream::pending()));
        let client_timeout = Duration::from_millis(200);
        send(demo.post("/uploads", body).timeout(client_timeout)).await;
    }
}
