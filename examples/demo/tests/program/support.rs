//! Starts the demo, and calls it.

use std::convert::Infallible;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, Uri};
use futures_util::stream;
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::{WebSocketStream, client_async};

/// The time that a state of the demo has to come about.
const LIMIT: Duration = Duration::from_secs(60);

/// Returns a command that starts the demo with fake models.
pub(crate) fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_demo"));
    for variable in ["OPENAI_BASE_URL", "OPENAI_API_KEY", "OPENAI_MODEL"] {
        command.env_remove(variable);
    }
    // The fake models are on loopback, so no proxy may be used.
    command.env("NO_PROXY", "*");
    command
}

/// A demo on free ports, which is killed when the test ends.
pub(crate) struct Demo {
    process: Child,
    client: Client<HttpConnector, Body>,
    /// The URL of the service, from the first line of output.
    pub(crate) url: String,
    /// The URL of the metrics, from the second line.
    pub(crate) metrics_url: String,
}

impl Demo {
    /// Starts the demo without its own traffic.
    pub(crate) fn start() -> Self {
        Self::start_with(&["--quiet-traffic"])
    }

    /// Starts the demo with other arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let mut command = command();
        command.args(["127.0.0.1:0", "--metrics", "127.0.0.1:0"]);
        command.args(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut next_line = || lines.next().unwrap().unwrap();
        let (first, second) = (next_line(), next_line());
        let url = first.strip_prefix("listening on ").unwrap();
        let dashboard = second.strip_prefix("  dashboard: ").unwrap();
        let metrics_url = dashboard.strip_suffix("/dashboard").unwrap();
        Self {
            process,
            client: Client::builder(TokioExecutor::new()).build_http(),
            url: url.to_owned(),
            metrics_url: metrics_url.to_owned(),
        }
    }

    /// Sends a request, whose URI is a path. Returns the response without reading its body.
    pub(crate) async fn send(&self, request: Request<Body>) -> Response<Body> {
        self.try_send(request).await.unwrap()
    }

    /// Like [`send`](Self::send), for a request that may get no response.
    pub(crate) async fn try_send(
        &self,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, hyper_util::client::legacy::Error> {
        let uri: Uri = format!("{}{}", self.url, request.uri()).parse().unwrap();
        *request.uri_mut() = uri;
        Ok(self.client.request(request).await?.map(Body::new))
    }

    /// Requests a path, and returns the response without reading its body.
    pub(crate) async fn open(&self, path: &str) -> Response<Body> {
        self.send(Request::get(path).body(Body::empty()).unwrap())
            .await
    }

    /// Requests a path, and returns the body of the response.
    pub(crate) async fn get(&self, path: &str) -> String {
        text(self.open(path).await).await
    }

    /// Opens the WebSocket of the chat.
    pub(crate) async fn chat(&self) -> WebSocketStream<TcpStream> {
        let address = self.url.strip_prefix("http://").unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let (socket, _) = client_async(format!("ws://{address}/chat"), stream)
            .await
            .unwrap();
        socket
    }

    /// Returns whether the service accepts connections.
    pub(crate) async fn is_listening(&self) -> bool {
        let address: SocketAddr = self.url.strip_prefix("http://").unwrap().parse().unwrap();
        TcpStream::connect(address).await.is_ok()
    }

    /// Scrapes the metrics.
    pub(crate) async fn scrape(&self) -> String {
        let request = Request::get(&self.metrics_url).body(Body::empty()).unwrap();
        text(self.client.request(request).await.unwrap().map(Body::new)).await
    }

    /// Scrapes until the metrics fulfil a condition, because a request is counted after the client
    /// has its response.
    pub(crate) async fn scrape_until(&self, condition: impl Fn(&str) -> bool) -> String {
        let mut metrics = String::new();
        let fulfilled = timeout(LIMIT, async {
            loop {
                metrics = self.scrape().await;
                if condition(&metrics) {
                    return;
                }
                sleep(Duration::from_millis(20)).await;
            }
        });
        if fulfilled.await.is_err() {
            let mut lines: Vec<_> = metrics.lines().collect();
            lines.retain(|line| !line.starts_with('#') && !line.contains("_bucket"));
            panic!("{}", lines.join("\n"));
        }
        metrics
    }

    /// Waits until the metrics have all of these lines.
    pub(crate) async fn shows(&self, wanted: &[&str]) {
        let missing = |metrics: &str| {
            let has = |line: &str| metrics.lines().any(|other| other == line);
            let missing = wanted.iter().copied().find(|line| !has(line));
            missing.map(str::to_owned)
        };
        self.scrape_until(|metrics| missing(metrics).is_none())
            .await;
    }

    /// Waits until no request, stream or upgraded connection is in flight.
    pub(crate) async fn is_idle(&self) {
        self.scrape_until(|metrics| {
            let mut gauges = metrics
                .lines()
                .filter(|line| line.starts_with("http_") && line.contains("_in_flight{"));
            gauges.all(|line| line.ends_with(" 0"))
        })
        .await;
    }

    /// Sends a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until the process exits. Returns its status, and what it wrote to standard error.
    pub(crate) async fn exited(&mut self) -> (ExitStatus, String) {
        let exits = async {
            loop {
                if let Some(status) = self.process.try_wait().unwrap() {
                    return status;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let status = timeout(LIMIT, exits).await.expect("the demo exits");
        let mut errors = String::new();
        let mut pipe = self.process.stderr.take().unwrap();
        pipe.read_to_string(&mut errors).unwrap();
        (status, errors)
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Reads the body of a response.
pub(crate) async fn text(response: Response<Body>) -> String {
    let body = response.into_body().collect().await.unwrap();
    String::from_utf8(body.to_bytes().to_vec()).unwrap()
}

/// Returns a request body, and a sender of its parts. The body ends when the sender is dropped.
pub(crate) fn channel_body() -> (mpsc::UnboundedSender<&'static str>, Body) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let parts = stream::unfold(receiver, async |mut receiver| {
        let part: &str = receiver.recv().await?;
        Some((Ok::<_, Infallible>(part), receiver))
    });
    (sender, Body::from_stream(parts))
}
