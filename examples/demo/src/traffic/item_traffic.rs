//! A client that creates items, and reads and removes them.

use reqwest::Method;
use reqwest::header::LOCATION;
use serde_json::json;

use super::demo_client::{DemoClient, open, send};
use super::pause;

pub(super) async fn send_in_loop(demo: DemoClient) {
    loop {
        let items = format!("/api/users/{}/items", fastrand::u32(0..1_000));
        change_items(&demo, &items).await;
        send(demo.get(&items)).await;
        match fastrand::u32(0..10) {
            // Not an item: a 422.
            0 => send(demo.request(Method::POST, &items).json(&json!({}))).await,
            // Longer than the limit of the API: a 413.
            1 => send(demo.post(&items, vec![b' '; 20 << 10])).await,
            _ => {}
        }
        pause(100..400).await;
    }
}

async fn change_items(demo: &DemoClient, items: &str) -> Option<()> {
    for title in ["a wrench", "an oil filter"] {
        let item = json!({"title": title});
        let created = open(demo.request(Method::POST, items).json(&item)).await?;
        let location = created.headers().get(LOCATION)?.to_str().ok()?;
        send(demo.get(location)).await;
        if fastrand::bool() {
            send(demo.request(Method::DELETE, location)).await;
        }
    }
    Some(())
}
