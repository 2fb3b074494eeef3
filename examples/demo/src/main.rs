//! A small measured service that calls LLMs, with generated traffic.
//!
//! ```text
//! cargo run --release -p demo [-- [ADDRESS] [--quiet-traffic]]
//! ```
//!
//! The LLMs are fake, unless `OPENAI_BASE_URL` and `OPENAI_API_KEY` are set.

mod llm;
mod options;
mod routes;
mod traffic;

use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use tachometer::{MetricsLayer, metrics_router};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;

use llm::Llm;
use options::Options;

/// The time that open responses have to finish at shutdown.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    let options = match Options::parse(std::env::args().skip(1)) {
        Ok(Some(options)) => options,
        Ok(None) => {
            print!("{}", options::HELP);
            return ExitCode::SUCCESS;
        }
        Err(message) => return fail(&message),
    };
    let runtime = match Runtime::new() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.to_string()),
    };
    let result = runtime.block_on(run(options));
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

async fn run(options: Options) -> Result<(), String> {
    let address = &options.address;
    let listener = TcpListener::bind(address).await.map_err(|error| {
        format!("cannot listen on {address}: {error}; try another address, such as 127.0.0.1:0")
    })?;
    let bound = listener.local_addr().map_err(|error| error.to_string())?;
    let llm = Llm::from_env().await?;
    // Before the first line of output, so that its reader can stop the demo at once.
    let stop = stop_signal().map_err(|error| format!("cannot wait for signals: {error}"))?;
    // `println!` would panic if the reader of the output has gone.
    let _ = write!(
        io::stdout(),
        "listening on http://{bound}
  dashboard: http://{bound}/metrics/dashboard
  metrics: http://{bound}/metrics and http://{bound}/metrics/json
  model: {}
",
        llm.description()
    );

    let (stopping, stopped) = watch::channel(false);
    let app: Router = routes::router(stopped.clone())
        .merge(llm::router(llm.clone(), stopped.clone()))
        .layer(MetricsLayer::new())
        .nest("/metrics", metrics_router());
    if options.traffic {
        traffic::start(bound);
        llm::start(&llm, bound);
    }

    let mut until_stopped = stopped.clone();
    let server = axum::serve(listener, app).with_graceful_shutdown(async move {
        let _ = until_stopped.wait_for(|stopped| *stopped).await;
    });
    let server = tokio::spawn(server.into_future());
    stop.await;
    let _ = stopping.send(true);
    match tokio::time::timeout(SHUTDOWN_TIMEOUT, server).await {
        Ok(Ok(result)) => result.map_err(|error| error.to_string()),
        Ok(Err(panicked)) => Err(panicked.to_string()),
        // A client still holds its connection open after the timeout.
        Err(_) => Ok(()),
    }
}

/// Returns a future that completes on SIGINT or SIGTERM. Both are caught from now on.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Returns a future that completes on Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
