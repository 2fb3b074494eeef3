//! Starts a real Pushgateway.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use axum::http::{StatusCode, Version};
use tokio::time::interval;

use crate::support::loopback::Caller;
use crate::support::program::{Running, is_there};

pub(crate) struct RunningPushgateway {
    /// Host and port.
    pub(crate) address: String,
    caller: Caller,
    running: Running,
}

/// Returns the program that `TACHOMETER_PUSHGATEWAY` names, or else the one on the path.
fn program() -> Option<PathBuf> {
    let named = std::env::var("TACHOMETER_PUSHGATEWAY");
    let program = named.unwrap_or_else(|_| "prometheus-pushgateway".to_owned());
    is_there("Pushgateway", &[&program, "--version"]).then(|| program.into())
}

impl RunningPushgateway {
    /// Starts one, if it is installed.
    pub(crate) async fn start() -> Option<Self> {
        let program = program()?;
        // It needs a port number. A port that is free now may be in use when it starts, so
        // this may take several tries.
        for _ in 0..5 {
            if let Some(running) = Self::run(&program).await {
                return Some(running);
            }
        }
        panic!("the Pushgateway does not start");
    }

    async fn run(program: &PathBuf) -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap().to_string();
        drop(free);
        let child = Command::new(program)
            .arg("--persistence.file=")
            .arg(format!("--web.listen-address={address}"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut pushgateway = Self {
            address,
            caller: Caller::new(Version::HTTP_11),
            running: Running(child),
        };
        let mut often = interval(Duration::from_millis(50));
        for _ in 0..300 {
            often.tick().await;
            let url = format!("{}/-/ready", pushgateway.url());
            let answer = pushgateway.caller.get(&url).await;
            if answer.is_ok_and(|answer| answer.status == StatusCode::OK) {
                return Some(pushgateway);
            }
            if pushgateway.running.0.try_wait().unwrap().is_some() {
                return None;
            }
        }
        None
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns what Prometheus would scrape.
    pub(crate) async fn scrape(&self) -> String {
        let url = format!("{}/metrics", self.url());
        self.caller.get(&url).await.unwrap().body
    }
}
