//! Clients that call the demo's routes over loopback, so that there is traffic to see.

mod ask_traffic;
mod chat_traffic;
mod demo_client;
mod event_traffic;
mod item_traffic;
mod search_traffic;
mod upload_traffic;
mod visits;

use std::net::SocketAddr;
use std::ops::Range;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use demo_client::DemoClient;

use crate::llm::{self, Llm};

/// The number of clients that send random requests.
const VISITORS: u64 = 4;

/// Starts the clients. They stop when the set is dropped.
pub(crate) fn start(address: SocketAddr, llm: &Llm) -> reqwest::Result<JoinSet<()>> {
    let demo = DemoClient::new(address)?;
    let mut clients = JoinSet::new();
    for seed in 0..VISITORS {
        clients.spawn(visits::send_in_loop(demo.clone(), seed));
    }
    clients.spawn(item_traffic::send_in_loop(demo.clone()));
    clients.spawn(search_traffic::send_in_loop(demo.clone()));
    clients.spawn(upload_traffic::send_in_loop(demo.clone()));
    clients.spawn(event_traffic::read_in_loop(demo.clone()));
    clients.spawn(ask_traffic::send_in_loop(demo, llm.interval()));
    clients.spawn(chat_traffic::talk_in_loop(address));
    llm::start_traffic(llm, &mut clients);
    Ok(clients)
}

/// Waits for a random number of milliseconds.
async fn pause(milliseconds: Range<u64>) {
    sleep(Duration::from_millis(fastrand::u64(milliseconds))).await;
}
