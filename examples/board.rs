//! Writes a Grafana board and Prometheus rules to files.
//!
//! ```text
//! cargo run --example board [-- FOLDER]
//! ```

use std::error::Error;
use std::path::PathBuf;
use std::time::Duration;

use tachometer::dashboards::{AlertRules, GrafanaBoard};
use tachometer::{LlmLayer, MetricsLayer, Registry, SystemMetrics};

fn main() -> Result<(), Box<dyn Error>> {
    // Set up the registry as in the service. It needs no traffic.
    let registry = Registry::new();
    let _layer = MetricsLayer::new().registry(&registry).try_register()?;
    let _llm = LlmLayer::new().registry(&registry).try_register()?;
    SystemMetrics::new().register(&registry)?;

    let board = GrafanaBoard::new().title("Shop").to_json(&registry);
    let rules = AlertRules::new()
        .availability(0.995)?
        .latency(Duration::from_millis(500))
        .cost_per_hour(25.0)?
        .to_yaml(&registry);

    let folder = std::env::args()
        .nth(1)
        .map_or_else(std::env::temp_dir, PathBuf::from);
    for (name, text) in [("shop.json", board), ("shop.rules.yml", rules)] {
        let path = folder.join(name);
        std::fs::write(&path, text)?;
        println!("{}", path.display());
    }
    Ok(())
}
