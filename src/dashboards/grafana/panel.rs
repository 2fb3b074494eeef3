//! Panels of a Grafana board, and rows of panels.

use serde_json::{Value, json};

/// A row of the dashboard: stat panels side by side, then charts in two columns.
#[derive(Debug)]
pub(super) struct Row {
    title: &'static str,
    panels: Vec<Panel>,
}

/// A panel with its queries.
#[derive(Debug)]
pub(super) struct Panel {
    title: String,
    description: String,
    unit: &'static str,
    is_stat: bool,
    is_stacked: bool,
    may_be_negative: bool,
    queries: Vec<(String, String)>,
}

/// The width of the dashboard in grid columns.
const GRID_WIDTH: usize = 24;

impl Panel {
    /// Creates a stat panel. `unit` is a unit id of Grafana.
    pub(super) fn stat(title: &str, unit: &'static str, description: &str) -> Self {
        Self {
            title: title.to_owned(),
            description: description.to_owned(),
            unit,
            is_stat: true,
            is_stacked: false,
            may_be_negative: false,
            queries: Vec::new(),
        }
    }

    /// Creates a time series panel.
    pub(super) fn chart(title: &str, unit: &'static str, description: &str) -> Self {
        Self {
            is_stat: false,
            ..Self::stat(title, unit, description)
        }
    }

    /// Stacks the series of a chart, whose sum is meaningful.
    pub(super) fn stacked(self) -> Self {
        Self {
            is_stacked: true,
            ..self
        }
    }

    /// Lets the axis of a chart begin below 0.
    pub(super) fn with_negative_values(self) -> Self {
        Self {
            may_be_negative: true,
            ..self
        }
    }

    /// Adds a query. The legend of its series may contain `{{label}}`.
    pub(super) fn query(mut self, query: String, legend: impl Into<String>) -> Self {
        self.queries.push((query, legend.into()));
        self
    }

    fn to_json(&self, id: usize, [x, y, w, h]: [usize; 4]) -> Value {
        let datasource = json!({"type": "prometheus", "uid": "${datasource}"});
        let references = ('A'..='Z').map(String::from);
        let targets: Vec<_> = references
            .zip(&self.queries)
            .map(|(reference, (query, legend))| {
                json!({
                    "refId": reference,
                    "datasource": datasource,
                    "expr": query,
                    "legendFormat": legend,
                    // A stat panel shows the last value and a sparkline.
                    "range": true,
                })
            })
            .collect();
        let custom = if self.is_stat {
            json!({})
        } else {
            json!({
                "drawStyle": "line",
                "lineWidth": 1,
                "fillOpacity": if self.is_stacked { 30 } else { 0 },
                "showPoints": "never",
                "stacking": {"mode": if self.is_stacked { "normal" } else { "none" }},
            })
        };
        let options = if self.is_stat {
            json!({
                "graphMode": "area",
                "colorMode": "none",
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": false},
            })
        } else {
            json!({
                "legend": {"displayMode": "table", "placement": "bottom", "calcs": ["lastNotNull", "max"]},
                "tooltip": {"mode": "multi", "sort": "desc"},
            })
        };
        let min = if self.may_be_negative {
            Value::Null
        } else {
            json!(0)
        };
        json!({
            "id": id,
            "type": if self.is_stat { "stat" } else { "timeseries" },
            "title": self.title,
            "description": self.description,
            "datasource": datasource,
            "gridPos": {"x": x, "y": y, "w": w, "h": h},
            "fieldConfig": {
                "defaults": {"unit": self.unit, "min": min, "custom": custom},
                "overrides": [],
            },
            "options": options,
            "targets": targets,
        })
    }
}

impl Row {
    pub(super) fn new(title: &'static str) -> Self {
        Self {
            title,
            panels: Vec::new(),
        }
    }

    pub(super) fn panel(mut self, panel: Panel) -> Self {
        self.panels.push(panel);
        self
    }

    /// Adds a panel, if it is `Some`.
    pub(super) fn panel_if(self, panel: Option<Panel>) -> Self {
        match panel {
            Some(panel) => self.panel(panel),
            None => self,
        }
    }

    /// Appends the row and its panels, and returns the y position below them.
    pub(super) fn lay_out(&self, top: usize, panels: &mut Vec<Value>) -> usize {
        panels.push(json!({
            "id": panels.len() + 1,
            "type": "row",
            "title": self.title,
            "collapsed": false,
            "gridPos": {"x": 0, "y": top, "w": GRID_WIDTH, "h": 1},
            "panels": [],
        }));
        let mut below = top + 1;
        let stats: Vec<_> = self.panels.iter().filter(|panel| panel.is_stat).collect();
        let width = GRID_WIDTH / stats.len().max(1);
        for (position, stat) in stats.iter().enumerate() {
            let grid_position = [position * width, below, width, 4];
            panels.push(stat.to_json(panels.len() + 1, grid_position));
        }
        if !stats.is_empty() {
            below += 4;
        }
        let charts = self.panels.iter().filter(|panel| !panel.is_stat);
        let (width, height) = (GRID_WIDTH / 2, 8);
        let mut column = 0;
        for chart in charts {
            panels.push(chart.to_json(panels.len() + 1, [column, below, width, height]));
            column += width;
            if column == GRID_WIDTH {
                (column, below) = (0, below + height);
            }
        }
        if column > 0 {
            below += height;
        }
        below
    }
}
