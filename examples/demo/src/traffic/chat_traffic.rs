//! A WebSocket client.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio_tungstenite::client_async;
use tokio_tungstenite::tungstenite::{self, Message};

use super::pause;

pub(super) async fn talk_in_loop(demo: SocketAddr) {
    loop {
        // Errors are part of the traffic.
        let _ = talk(demo).await;
        pause(200..1_000).await;
    }
}

/// Opens a connection, sends some messages, and waits for the answer to each.
async fn talk(demo: SocketAddr) -> tungstenite::Result<()> {
    let stream = TcpStream::connect(demo).await?;
    let (mut socket, _) = client_async(format!("ws://{demo}/chat"), stream).await?;
    for _ in 0..fastrand::u32(1..10) {
        socket.send(Message::text("hello")).await?;
        socket.next().await.transpose()?;
        pause(100..500).await;
    }
    // Otherwise the client disconnects without a close message.
    if fastrand::bool() {
        socket.close(None).await?;
    }
    Ok(())
}
