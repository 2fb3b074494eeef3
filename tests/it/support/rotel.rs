//! Starts rotel, a receiver of OTLP that prints what it receives.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::interval;

use crate::support::program::{Folder, Running, is_there};

/// A running rotel.
pub(crate) struct Rotel {
    /// The base URL for OTLP.
    pub(crate) url: String,
    log: PathBuf,
    _running: Running,
    _folder: Folder,
}

impl Rotel {
    /// Starts the program that `TACHOMETER_ROTEL` names, or the one on the path, if there is one.
    pub(crate) async fn start() -> Option<Self> {
        let program = std::env::var_os("TACHOMETER_ROTEL");
        let program = program.map_or_else(|| "rotel-agent".into(), PathBuf::from);
        if !is_there("rotel", &[program.to_str()?, "--version"]) {
            return None;
        }
        // A port that is free now may be in use when it starts, so this may take several tries.
        for _ in 0..5 {
            if let Some(running) = Self::run(&program).await {
                return Some(running);
            }
        }
        panic!("{} does not start", program.display());
    }

    /// Starts the program on free ports, and returns it once it accepts connections.
    async fn run(program: &Path) -> Option<Self> {
        let folder = Folder::new();
        let log = folder.0.join("log");
        let [http, grpc] = [0; 2].map(|_| TcpListener::bind("127.0.0.1:0").unwrap());
        let [http, grpc] = [http, grpc].map(|listener| listener.local_addr().unwrap());
        let child = Command::new(program)
            .arg("start")
            .args(["--otlp-http-endpoint", &http.to_string()])
            .args(["--otlp-grpc-endpoint", &grpc.to_string()])
            .args(["--exporter", "blackhole", "--disable-batching"])
            .args(["--debug-log", "metrics"])
            .args(["--debug-log-verbosity", "detailed"])
            .arg("--pid-file")
            .arg(folder.0.join("pid"))
            .stdout(File::create(&log).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut running = Running(child);
        let mut often = interval(Duration::from_millis(50));
        for _ in 0..600 {
            often.tick().await;
            if running.0.try_wait().unwrap().is_some() {
                return None;
            }
            if TcpStream::connect(http).await.is_ok() {
                return Some(Self {
                    url: format!("http://{http}"),
                    log,
                    _running: running,
                    _folder: folder,
                });
            }
        }
        None
    }

    /// Returns what it has printed.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }
}
