//! A client of the routes that call a model.

use std::time::Duration;

use tokio::time::sleep;

use super::demo_client::{DemoClient, send};

pub(super) async fn send_in_loop(demo: DemoClient, interval: Duration) {
    loop {
        sleep(interval).await;
        for path in ["/ask?q=How+fast+does+it+turn", "/api/users/7/summary"] {
            send(demo.get(path)).await;
        }
    }
}
