//! hyper-util's client, and its request bodies.

use bytes::Bytes;
use http::{Method, Request};
use http_body::Body;
use http_body_util::{BodyExt, Collected, Full, StreamBody};
use hyper_util::client::legacy::connect::{HttpConnector, HttpInfo};
use hyper_util::client::legacy::{Client, Error};
use hyper_util::rt::TokioExecutor;
use tachometer::llm::{LlmService, RequestModel};
use tower::{Service, ServiceExt};

use crate::support::read::{series, sum};
use crate::support::responses::{CHAT, chat, chunks, question};
use crate::support::upstream::{Answer, End, Upstream, nowhere};
use crate::support::{ERROR, SUCCESS, TRUNCATED, layer, outcomes, tokens};

type Hyper<B> = Client<HttpConnector, B>;

fn client<B: Body<Data: Send> + Send>() -> Hyper<B> {
    Client::builder(TokioExecutor::new()).build_http()
}

fn post<B>(url: &str, body: B) -> Request<B> {
    Request::post(url).body(body).unwrap()
}

/// Sends a request and reads the answer to its end.
async fn send<B>(llm: &LlmService<Hyper<B>>, request: Request<B>) -> Result<String, String>
where
    B: Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>>
        + Send
        + Unpin
        + 'static,
{
    let mut llm = llm.clone();
    let response = llm.ready().await.unwrap().call(request).await;
    let body = response.map_err(|error| text(&error))?.into_body();
    let body = body.collect().await.map_err(|error| error.to_string())?;
    Ok(String::from_utf8(body.to_bytes().to_vec()).unwrap())
}

fn text(error: &Error) -> String {
    format!("{error} {} {:?}", error.is_connect(), error.connect_info())
}

#[tokio::test]
async fn the_model_and_parameters_are_read_from_a_body_in_memory() {
    let upstream = Upstream::with(Answer::events(chunks("answered", 7, 2))).await;
    let url = upstream.url(CHAT);
    let (layer, registry) = layer();
    let body = question("asked", true);
    let read = send(&layer.layer(client()), post(&url, body.clone())).await;
    assert!(read.unwrap().ends_with("data: [DONE]\n\n"));
    let full = Full::new(Bytes::from(body.clone()));
    send(&layer.layer(client()), post(&url, full))
        .await
        .unwrap();
    let labels = [("model", "asked"), ("outcome", "success")];
    assert_eq!(sum(&registry, "llm_requests_total", &labels), 2.0);
    assert_eq!(tokens(&registry), [14.0, 4.0]);
    assert!(
        upstream
            .received()
            .iter()
            .all(|received| received.body == body)
    );
}

/// A body of unknown length and content.
fn streamed(text: String) -> impl Body<Data = Bytes, Error = std::io::Error> + Send + Unpin {
    let frame = http_body::Frame::data(Bytes::from(text));
    StreamBody::new(futures_util::stream::iter([Ok(frame)]))
}

#[tokio::test]
async fn the_model_of_a_streamed_body_is_taken_from_the_extension_or_the_response() {
    let upstream = Upstream::with(Answer::json(200, chat("answered", 7, 2).to_string())).await;
    let (layer, registry) = layer();
    let llm = layer.layer(client());
    let body = question("asked", false);
    let mut named = post(&upstream.url(CHAT), streamed(body.clone()));
    named.extensions_mut().insert(RequestModel::new("named"));
    send(&llm, named).await.unwrap();
    let unnamed = post(&upstream.url(CHAT), streamed(body.clone()));
    send(&llm, unnamed).await.unwrap();
    for model in ["named", "answered"] {
        let calls = sum(&registry, "llm_requests_total", &[("model", model)]);
        assert_eq!(calls, 1.0, "{model}");
    }
    assert_eq!(outcomes(&registry), [0.0, 0.0, 2.0, 0.0]);
    assert!(
        upstream
            .received()
            .iter()
            .all(|received| received.body == body)
    );
}

#[tokio::test]
async fn the_model_in_the_body_takes_precedence_over_the_extension() {
    let upstream = Upstream::with(Answer::json(200, chat("answered", 7, 2).to_string())).await;
    let (layer, registry) = layer();
    let mut request = post(&upstream.url(CHAT), question("asked", false));
    request.extensions_mut().insert(RequestModel::new("named"));
    send(&layer.layer(client()), request).await.unwrap();
    let labels = [("model", "asked")];
    assert_eq!(sum(&registry, "llm_requests_total", &labels), 1.0);
}

#[tokio::test]
async fn heads_frames_and_errors_are_those_of_the_client() {
    let whole = Answer::json(200, chat("gpt-x", 7, 2).to_string()).header("x-one", "1");
    let cut = Answer::events(&chunks("gpt-x", 7, 2)[..3]).end(End::Breaks);
    for (answer, expected) in [(whole, SUCCESS), (cut, TRUNCATED)] {
        let upstream = Upstream::with(answer).await;
        let url = upstream.url(CHAT);
        let (layer, registry) = layer();
        let client: Hyper<String> = client();
        let plain = client.request(post(&url, question("gpt-x", true))).await;
        let mut llm = layer.layer(client);
        let request = post(&url, question("gpt-x", true));
        let measured = llm.ready().await.unwrap().call(request).await;
        let (plain, measured) = (plain.unwrap(), measured.unwrap());
        assert_eq!(measured.status(), plain.status());
        assert_eq!(measured.version(), plain.version());
        assert_eq!(measured.headers().len(), plain.headers().len());
        assert_eq!(
            measured.headers().get("x-one"),
            plain.headers().get("x-one")
        );
        let [info, remote] = [&measured.extensions(), &plain.extensions()]
            .map(|extensions| extensions.get::<HttpInfo>().unwrap().remote_addr());
        assert_eq!(info, remote);
        let hints = [measured.body().size_hint(), plain.body().size_hint()];
        let [hint, other] = hints.map(|hint| (hint.lower(), hint.upper()));
        assert_eq!(hint, other);
        let plain = plain.into_body().collect().await.map(Collected::to_bytes);
        let measured = measured.into_body().collect().await;
        match (measured.map(Collected::to_bytes), plain) {
            (Ok(measured), Ok(plain)) => assert_eq!(measured, plain),
            (Err(measured), Err(plain)) => {
                assert_eq!(format!("{measured:?}"), format!("{plain:?}"));
            }
            differ => panic!("{differ:?}"),
        }
        assert_eq!(outcomes(&registry), expected);
    }
}

#[tokio::test]
async fn a_failed_connection_is_the_error_of_the_client() {
    // Nobody listens there, and this connector speaks no TLS.
    let urls = [nowhere().await, "https://localhost".to_owned()];
    for url in urls.map(|url| format!("{url}{CHAT}")) {
        let (layer, registry) = layer();
        let client: Hyper<String> = client();
        let plain = client.request(post(&url, question("gpt-x", false))).await;
        let measured = send(&layer.layer(client), post(&url, question("gpt-x", false))).await;
        assert_eq!(measured.unwrap_err(), text(&plain.unwrap_err()));
        assert_eq!(outcomes(&registry), ERROR);
        let connect = [("error_type", "connect")];
        assert_eq!(sum(&registry, "llm_requests_error", &connect), 1.0);
    }
}

#[tokio::test]
async fn requests_that_are_no_llm_calls_are_not_counted() {
    let upstream = Upstream::with(Answer::json(200, "{}")).await;
    let (layer, registry) = layer();
    let llm = layer.layer(client());
    for (method, path) in [(Method::GET, CHAT), (Method::POST, "/v1/files")] {
        let mut request = post(&upstream.url(path), question("gpt-x", false));
        *request.method_mut() = method;
        assert_eq!(send(&llm, request).await.unwrap(), "{}");
    }
    assert_eq!(series(&registry), 0);
}
