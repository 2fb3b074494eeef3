//! Starts the demo, and calls it.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, Uri};
use http_body_util::BodyExt;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{sleep, timeout};

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

/// A demo on a free port, which is killed when the test ends.
pub(crate) struct Demo {
    process: Child,
    client: Client<HttpConnector, Body>,
    /// The URL in the first line of output.
    pub(crate) url: String,
}

impl Demo {
    /// Starts the demo without its own traffic.
    pub(crate) fn start() -> Self {
        Self::start_with(&["--quiet-traffic"])
    }

    /// Starts the demo with other arguments.
    pub(crate) fn start_with(arguments: &[&str]) -> Self {
        let mut command = command();
        command.arg("127.0.0.1:0").args(arguments);
        let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let mut demo = Self {
            process,
            client: Client::builder(TokioExecutor::new()).build_http(),
            url: String::new(),
        };
        let first = lines.next().unwrap().unwrap();
        first
            .strip_prefix("listening on ")
            .unwrap()
            .clone_into(&mut demo.url);
        demo
    }

    /// Requests a path, and returns the response without reading its body.
    pub(crate) async fn open(&self, path: &str) -> Response<Body> {
        let uri: Uri = format!("{}{path}", self.url).parse().unwrap();
        let request = Request::get(uri).body(Body::empty()).unwrap();
        self.client.request(request).await.unwrap().map(Body::new)
    }

    /// Requests a path, and returns the body of the response.
    pub(crate) async fn get(&self, path: &str) -> String {
        let body = self.open(path).await.into_body().collect().await.unwrap();
        String::from_utf8(body.to_bytes().to_vec()).unwrap()
    }

    /// Sends a signal, by its name.
    pub(crate) fn signal(&self, name: &str) {
        let id = self.process.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until the process exits.
    pub(crate) async fn exited(&mut self) -> ExitStatus {
        let exits = async {
            loop {
                if let Some(status) = self.process.try_wait().unwrap() {
                    return status;
                }
                sleep(Duration::from_millis(20)).await;
            }
        };
        let limit = Duration::from_secs(30);
        timeout(limit, exits).await.expect("the demo exits")
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
