//! New items as server-sent events: `/events`, or `/events?limit=..` for that many.

use std::convert::Infallible;

use axum::Router;
use axum::extract::{Query, State};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::routing::get;
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::state::AppState;
use crate::store::Item;

pub(super) fn router() -> Router<AppState> {
    Router::new().route("/events", get(events))
}

#[derive(Debug, Deserialize)]
struct Params {
    limit: Option<usize>,
}

/// The layer detects the stream by its content type, and counts it in `http_streams_in_flight`.
async fn events(
    State(state): State<AppState>,
    Query(params): Query<Params>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let items = stream::unfold(state.store.subscribe(), async |mut receiver| {
        let item = next_item(&mut receiver).await?;
        Some((item, receiver))
    });
    let events = items
        .map(|item| {
            Ok(Event::default()
                .event("item")
                .json_data(item)
                .unwrap_or_default())
        })
        .take(params.limit.unwrap_or(usize::MAX))
        // An open stream would delay the shutdown.
        .take_until(state.stopped.wait());
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Returns the next item. A reader that is too slow misses the oldest ones.
async fn next_item(receiver: &mut Receiver<Item>) -> Option<Item> {
    loop {
        match receiver.recv().await {
            Ok(item) => return Some(item),
            Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return None,
        }
    }
}
