//! A gateway for clients of the OpenAI API, which counts their calls in one place.
//!
//! ```text
//! cargo run --example llm_gateway [-- ADDRESS]
//! ```
//!
//! It forwards to `OPENAI_BASE_URL`, with `OPENAI_API_KEY`, or to a fake server if these are
//! not set. Every client that can reach it uses that key, so add authentication before it
//! listens on anything but loopback.

#[path = "support/upstream.rs"]
mod upstream;

use std::error::Error;
use std::io::{self, Write};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use reqwest::Url;
use reqwest::redirect::Policy;
use tachometer::llm::LlmService;
use tachometer::{LlmLayer, MetricsLayer, metrics_router};
use tokio::net::TcpListener;

use upstream::Upstream;

/// The largest request body. It is buffered, so that the layer can read the model.
const MOST: usize = 8 * 1024 * 1024;

/// Hop-by-hop headers that are always removed. Those that `Connection` names are removed too.
const HOP_BY_HOP: [HeaderName; 8] = [
    header::CONNECTION,
    HeaderName::from_static("keep-alive"),
    header::PROXY_AUTHENTICATE,
    header::PROXY_AUTHORIZATION,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
];

#[derive(Clone)]
struct Gateway {
    client: LlmService<reqwest::Client>,
    /// Ends with a slash.
    base: String,
    key: String,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // This build of reqwest has no default crypto provider, and uses that of the process.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let upstream = Upstream::find(0).await?;
    let client = reqwest::Client::builder()
        .redirect(Policy::none())
        .build()?;
    let gateway = Gateway {
        client: LlmLayer::new().layer(client),
        base: Url::parse(&format!("{}/", upstream.base))?.into(),
        key: upstream.key,
    };
    let app = Router::new()
        .route("/v1/{*path}", post(forward))
        .with_state(gateway)
        .layer(MetricsLayer::new())
        .nest("/metrics", metrics_router());

    let address = std::env::args().nth(1);
    let address = address.unwrap_or_else(|| "127.0.0.1:3001".into());
    let listener = TcpListener::bind(address).await?;
    let url = format!("http://{}", listener.local_addr()?);
    let model = upstream.model;
    let message = format!(
        "listening on {url}
  curl {url}/v1/chat/completions -H 'content-type: application/json' \\
    -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}'
  curl {url}/metrics
"
    );
    // `println!` would panic if the reader of the output has gone.
    let _ = io::stdout().write_all(message.as_bytes());
    axum::serve(listener, app).await?;
    Ok(())
}

/// Forwards a request, and streams the response back. If the client disconnects, axum drops the
/// response, which cancels the upstream call and counts it as cancelled.
async fn forward(State(gateway): State<Gateway>, request: Request) -> Response {
    let (mut head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, MOST).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    drop_hop_by_hop(&mut head.headers);
    // reqwest sets these itself. The layer could not read a compressed response.
    for name in [
        header::HOST,
        header::CONTENT_LENGTH,
        header::ACCEPT_ENCODING,
        header::AUTHORIZATION,
    ] {
        head.headers.remove(name);
    }
    let path = head.uri.path_and_query().map_or("", |path| path.as_str());
    let path = path.strip_prefix("/v1/").unwrap_or(path);
    let request = gateway
        .client
        .get_ref()
        .post(format!("{}{path}", gateway.base))
        .headers(head.headers)
        .bearer_auth(&gateway.key)
        .body(body)
        .build();
    let Ok(request) = request else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    // `/v1/../` would leave the base path.
    if !request.url().as_str().starts_with(&gateway.base) {
        return StatusCode::NOT_FOUND.into_response();
    }
    match gateway.client.execute(request).await {
        Ok(answer) => {
            let mut answer = axum::http::Response::<reqwest::Body>::from(answer);
            drop_hop_by_hop(answer.headers_mut());
            answer.map(Body::new)
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}

fn drop_hop_by_hop(headers: &mut HeaderMap) {
    let named = headers.get_all(header::CONNECTION).iter();
    let named = named.filter_map(|names| names.to_str().ok());
    let named: Vec<_> = named
        .flat_map(|names| names.split(','))
        .map(|name| name.trim().to_owned())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}
