//! Graceful shutdown.

use std::time::Duration;

use axum::http::Request;
use futures_util::{SinkExt, StreamExt};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::support::{Demo, channel_body, text};

#[tokio::test]
async fn open_streams_and_chats_do_not_delay_the_exit_on_either_signal() {
    for signal in ["INT", "TERM"] {
        let mut demo = Demo::start();
        let events = demo.open("/events").await;
        let mut chat = demo.chat().await;
        // The connection is upgraded only after the client has the response.
        chat.send(Message::text("hello")).await.unwrap();
        chat.next().await.unwrap().unwrap();
        demo.signal(signal);
        // Both end properly.
        assert_eq!(text(events).await, "");
        let Message::Close(Some(close)) = chat.next().await.unwrap().unwrap() else {
            panic!("no close message");
        };
        assert_eq!(close.code, CloseCode::Away);
        let (status, errors) = demo.exited().await;
        assert!(status.success(), "{signal}: {status}");
        assert_eq!(errors, "");
    }
}

#[tokio::test]
async fn a_request_in_flight_completes_and_can_be_scraped_during_the_shutdown() {
    let mut demo = Demo::start();
    let (parts, body) = channel_body();
    parts.send("the first part, ").unwrap();
    let upload = Request::post("/uploads").body(body).unwrap();
    let in_flight = r#"http_requests_in_flight{method="POST",route="/uploads"} 1"#;
    let upload = demo.send(upload);
    let finish = async {
        demo.shows(&[in_flight]).await;
        demo.signal("TERM");
        while demo.is_listening().await {
            sleep(Duration::from_millis(10)).await;
        }
        // The listener of the metrics is the last to close.
        demo.shows(&[in_flight]).await;
        parts.send("and the last one").unwrap();
        drop(parts);
    };
    let (response, ()) = tokio::join!(upload, finish);
    assert_eq!(text(response).await, r#"{"bytes":32}"#);
    let (status, errors) = demo.exited().await;
    assert!(status.success(), "{status}");
    assert_eq!(errors, "");
}

#[tokio::test]
async fn a_request_that_never_ends_does_not_prevent_the_exit() {
    let mut demo = Demo::start();
    let (parts, body) = channel_body();
    let upload = Request::post("/uploads").body(body).unwrap();
    let exit = async {
        demo.shows(&[r#"http_requests_in_flight{method="POST",route="/uploads"} 1"#])
            .await;
        demo.signal("TERM");
    };
    let is_cut_off = async { demo.try_send(upload).await.is_err() };
    let (is_cut_off, ()) = tokio::join!(is_cut_off, exit);
    assert!(is_cut_off);
    let (status, errors) = demo.exited().await;
    assert!(status.success(), "{status}");
    assert_eq!(errors, "");
    drop(parts);
}
