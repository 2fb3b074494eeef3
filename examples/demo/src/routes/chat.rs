//! A WebSocket that sends each message back: `/chat`.

use std::pin::pin;

use axum::Router;
use axum::extract::State;
use axum::extract::ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade, close_code};
use axum::response::Response;
use axum::routing::any;
use tachometer::middleware::UpgradeGuard;

use crate::state::AppState;

/// The most bytes of a message.
const MAX_MESSAGE: usize = 4 << 10;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/chat", any(chat))
}

/// The layer does not see the connection after the upgrade. It counts the connection in
/// `http_upgrades_in_flight` until the guard is dropped.
async fn chat(
    guard: UpgradeGuard,
    State(state): State<AppState>,
    upgrade: WebSocketUpgrade,
) -> Response {
    upgrade
        .max_message_size(MAX_MESSAGE)
        .on_upgrade(async move |socket| {
            talk(socket, state).await;
            drop(guard);
        })
}

/// Ends when the client closes the connection, on an error, or when the shutdown starts.
async fn talk(mut socket: WebSocket, state: AppState) {
    let mut stopped = pin!(state.stopped.wait());
    loop {
        let message = tokio::select! {
            message = socket.recv() => message,
            () = &mut stopped => {
                let reason = CloseFrame { code: close_code::AWAY, reason: "shutdown".into() };
                let _ = socket.send(Message::Close(Some(reason))).await;
                return;
            }
        };
        // axum answers pings and close messages.
        let Some(Ok(message)) = message else { return };
        if matches!(message, Message::Text(_) | Message::Binary(_)) {
            state.metrics.chat_messages.inc();
            if socket.send(message).await.is_err() {
                return;
            }
        }
    }
}
