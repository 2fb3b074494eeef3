//! Server-sent events and WebSocket connections.

use axum::body::Body;
use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Demo, text};

#[tokio::test]
async fn new_items_are_events_of_a_stream_that_is_in_flight_until_it_ends() {
    let demo = Demo::start();
    let limited = demo.open("/events?limit=2").await;
    assert_eq!(limited.headers()[CONTENT_TYPE], "text/event-stream");
    let unlimited = demo.open("/events").await;
    demo.shows(&[
        r#"http_streams_in_flight{method="GET",route="/events"} 2"#,
        r#"http_requests_in_flight{method="GET",route="/events"} 2"#,
    ])
    .await;
    for title in ["a wrench", "an oil filter"] {
        let request = Request::post("/api/users/7/items").header(CONTENT_TYPE, "application/json");
        let item = format!(r#"{{"title": "{title}"}}"#);
        demo.send(request.body(Body::from(item)).unwrap()).await;
    }
    let events = text(limited).await;
    assert_eq!(events.matches("event: item\n").count(), 2, "{events}");
    assert!(events.contains(r#""title":"an oil filter""#), "{events}");
    // A client that disconnects.
    drop(unlimited);
    demo.shows(&[
        r#"http_requests_total{method="GET",route="/events",status="200",plan="none",outcome="ok"} 1"#,
        r#"http_requests_total{method="GET",route="/events",status="200",plan="none",outcome="cancelled_in_body"} 1"#,
        r#"http_stream_duration_seconds_count{method="GET",route="/events"} 2"#,
    ])
    .await;
    demo.is_idle().await;
}

#[tokio::test]
async fn a_chat_is_in_flight_until_either_side_closes_it() {
    let demo = Demo::start();
    let mut socket = demo.chat().await;
    let dropped = demo.chat().await;
    socket.send(Message::text("hello")).await.unwrap();
    assert_eq!(
        socket.next().await.unwrap().unwrap(),
        Message::text("hello")
    );
    demo.shows(&[
        r#"http_upgrades_in_flight{method="GET",route="/chat"} 2"#,
        r#"http_requests_total{method="GET",route="/chat",status="101",plan="none",outcome="upgraded"} 2"#,
        "demo_chat_messages_total 1",
    ])
    .await;
    socket.close(None).await.unwrap();
    drop(dropped);
    demo.is_idle().await;
    demo.shows(&[r#"http_stream_duration_seconds_count{method="GET",route="/chat"} 2"#])
        .await;
}
