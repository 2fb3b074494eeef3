//! An axum service with the middleware of a real one, measured by tachometer. It calls LLMs, and
//! generates its own traffic.
//!
//! ```text
//! cargo run --release -p demo [-- --help]
//! ```
//!
//! Start to read in `app.rs`, which has the routes and the middleware around them. `metrics.rs` has
//! the settings of the metrics.

mod app;
mod auth;
mod llm;
mod metrics;
mod options;
mod routes;
mod shutdown;
mod state;
mod store;
mod traffic;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::time::timeout;

use llm::Llm;
use metrics::AppMetrics;
use options::Options;
use state::AppState;
use store::Store;

/// The time that open requests have to finish at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(10);

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => return fail(&message),
    };
    tracing_subscriber::fmt()
        .with_max_level(options.log)
        .with_writer(io::stderr)
        .init();
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let result = runtime.block_on(run(&options));
    // Does not wait for a DNS lookup of an LLM call.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => fail(&message),
    }
}

fn fail(message: &str) -> ExitCode {
    eprintln!("demo: {message}");
    ExitCode::FAILURE
}

async fn run(options: &Options) -> Result<(), String> {
    let listener = TcpListener::bind(&options.address).await;
    let listener = listener.map_err(|error| cannot_listen("", &options.address, &error))?;
    let address = listener.local_addr().map_err(|error| error.to_string())?;
    let metrics = metrics::serve(&options.metrics).await;
    let metrics = metrics.map_err(|error| cannot_listen("--metrics ", &options.metrics, &error))?;
    let llm = Llm::from_env().await?;
    // Before the first line of output, so that its reader can stop the demo at once.
    let signal = shutdown::signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    // `println!` would panic if the reader of the output has gone.
    let _ = write!(
        io::stdout(),
        "listening on http://{address}
  dashboard: http://{metrics}/metrics/dashboard
  metrics: http://{metrics}/metrics and http://{metrics}/metrics/json
  model: {}
",
        llm.description(),
        metrics = metrics.local_addr(),
    );

    let (shutdown, stopped) = shutdown::channel();
    let app = app::app(AppState {
        store: Store::new(),
        llm: llm.clone(),
        metrics: AppMetrics::new(),
        stopped: stopped.clone(),
    });
    let server = axum::serve(listener, app).with_graceful_shutdown(stopped.wait());
    let server = tokio::spawn(server.into_future());
    let clients = options.traffic.then(|| traffic::start(address, &llm));
    let clients = clients.transpose().map_err(|error| error.to_string())?;
    signal.await;

    // The clients first, so that there are no new requests. Dropping them disconnects them.
    drop(clients);
    // Closes the listener, ends streams and WebSockets, and waits for the other requests.
    let finished = timeout(SHUTDOWN_TIMEOUT, shutdown.finish(server)).await;
    // Last, so that Prometheus can scrape the requests that finish during the shutdown.
    metrics.shutdown().await;
    match finished {
        Ok(result) => result.map_err(|error| error.to_string()),
        // A client still holds its request open after the timeout.
        Err(_) => Ok(()),
    }
}

fn cannot_listen(option: &str, address: &str, error: &io::Error) -> String {
    format!("cannot listen on {address}: {error}; try another address, such as {option}127.0.0.1:0")
}
