//! A board for Grafana.

mod http;
mod llm;
mod panel;
mod process;
mod variables;

use serde_json::{Value, json};

use crate::dashboards::grafana::panel::Row;
use crate::dashboards::promql::Series;
use crate::dashboards::roles::{Found, Roles};
use crate::registry::Registry;

/// The window of every rate, which Grafana fits to what is looked at.
const WINDOW: &str = "$__rate_interval";

/// A board for Grafana: requests, calls of LLMs, and the process.
///
/// It is in the classic model, which every version of Grafana imports and provisions, and
/// asks for no input: the data source is a variable of the board, beside job, instance,
/// route and model.
#[derive(Debug, Clone, Default)]
#[must_use = "call `to_json` for the board"]
pub struct GrafanaBoard {
    title: Option<String>,
}

impl GrafanaBoard {
    /// Begins with a board called `Tachometer`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Calls the board so. Boards of other titles have other identities, and can be in one
    /// Grafana side by side.
    pub fn title(self, title: impl Into<String>) -> Self {
        Self {
            title: Some(title.into()),
        }
    }

    /// Returns the board that fits a registry, as JSON.
    ///
    /// It has a row for each part that the registry has metrics of.
    ///
    /// ```
    /// use tachometer::dashboards::GrafanaBoard;
    /// use tachometer::{MetricsLayer, Registry};
    ///
    /// let registry = Registry::new();
    /// let layer = MetricsLayer::new().registry(&registry).prefix("shop_").try_register()?;
    /// # drop(layer); // the application has it
    /// let board = GrafanaBoard::new().title("Shop").to_json(&registry);
    /// assert!(board.contains("rate(shop_http_requests_total{"));
    /// # Ok::<(), tachometer::Error>(())
    /// ```
    #[must_use]
    pub fn to_json(&self, registry: &Registry) -> String {
        let roles = Roles::of(registry);
        let rows = [http::row(&roles), llm::row(&roles), process::row(&roles)];
        let title = self.title.as_deref().unwrap_or("Tachometer");
        let board = json!({
            "id": null,
            "uid": uid(title),
            "title": title,
            "description": "Made by tachometer for the metrics that the service has.",
            "tags": ["tachometer"],
            "schemaVersion": 39,
            "editable": false,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": "now-1h", "to": "now"},
            "timezone": "browser",
            "annotations": {"list": []},
            "links": [],
            "templating": {"list": variables::variables(&roles)},
            "panels": panels(rows.into_iter().flatten()),
        });
        format!("{board:#}\n")
    }
}

/// Puts rows one below the other.
fn panels(rows: impl Iterator<Item = Row>) -> Vec<Value> {
    let mut panels = Vec::new();
    let mut top = 0;
    for row in rows {
        top = row.place(top, &mut panels);
    }
    panels
}

/// Returns the series of the jobs and instances that are chosen.
fn chosen(metric: &Found) -> Series<'_> {
    Series::of(metric)
        .with("job", "=~", "$job")
        .with("instance", "=~", "$instance")
}

/// Returns an identity that is the same for the same title: letters and digits, as Grafana
/// asks for, and no more than 40 of them.
fn uid(title: &str) -> String {
    // FNV-1a, by which the same title has the same identity on every machine and in every
    // version.
    let hash = title.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("tachometer-{hash:016x}")
}
