//! Runs third-party servers as programs.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::support::{client, skipped};

/// Returns the values of environment variables, or `None` if one is not set: then the test is
/// skipped. If the servers are required, a missing one is a failure.
pub(crate) fn variables<const N: usize>(names: [&str; N]) -> Option<[String; N]> {
    let values = names.map(|name| std::env::var(name).ok());
    let missing = names.iter().zip(&values).find(|(_, value)| value.is_none());
    let Some((name, _)) = missing else {
        return Some(values.map(Option::unwrap));
    };
    let required = std::env::var_os("TACHOMETER_REQUIRE_LLM").is_some();
    assert!(!required, "{name} is not set");
    skipped::note(&format!("{name} is not set"));
    None
}

/// A server that is killed when the test ends, even by a panic. It is not stopped by a signal:
/// llama.cpp's server does not end while a client has an open stream.
pub(crate) struct Program {
    child: Child,
    /// Without a path.
    pub(crate) url: String,
}

impl Program {
    /// Starts a server on a port that it chooses and prints, and waits until it responds.
    pub(crate) async fn start(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::null());
        let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let (port_sender, url) = oneshot::channel();
        let port_sender = std::sync::Arc::new(std::sync::Mutex::new(Some(port_sender)));
        let outputs: [Box<dyn Read + Send>; 2] = [
            Box::new(child.stdout.take().unwrap()),
            Box::new(child.stderr.take().unwrap()),
        ];
        for output in outputs {
            let port_sender = std::sync::Arc::clone(&port_sender);
            // To the end, so that the server never waits for a reader.
            thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    if let Some((_, url)) = line.split_once("listening on ")
                        && let Some(port_sender) = port_sender.lock().unwrap().take()
                    {
                        let _ = port_sender.send(url.trim().to_owned());
                    }
                }
            });
        }
        let mut program = Self {
            child,
            url: String::new(),
        };
        let limit = Duration::from_secs(60);
        program.url = timeout(limit, url)
            .await
            .expect("it does not listen")
            .unwrap();
        while !program.is_healthy().await {
            tokio::task::yield_now().await;
        }
        program
    }

    async fn is_healthy(&self) -> bool {
        let answer = client().get(format!("{}/health", self.url)).send().await;
        answer.is_ok_and(|answer| answer.status() == 200)
    }

    /// Returns the values of these metrics of the server.
    pub(crate) async fn metrics<const N: usize>(&self, names: [&str; N]) -> [f64; N] {
        let answer = client().get(format!("{}/metrics", self.url)).send().await;
        let text = answer.unwrap().text().await.unwrap();
        names.map(|name| {
            let mut lines = text.lines();
            let number = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
            number.unwrap_or("0").trim().parse().unwrap()
        })
    }

    /// Returns true while its process runs.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
