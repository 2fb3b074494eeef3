//! Panels, and the rows that they stand in.

use serde_json::{Value, json};

/// A row and what is below it: figures in one line, charts two abreast.
#[derive(Debug)]
pub(super) struct Row {
    title: &'static str,
    panels: Vec<Panel>,
}

/// One question to Prometheus, or several, and how the answer is shown.
#[derive(Debug)]
pub(super) struct Panel {
    title: &'static str,
    description: &'static str,
    unit: &'static str,
    is_figure: bool,
    stacked: bool,
    queries: Vec<(String, String)>,
}

/// So many columns there are.
const WIDTH: usize = 24;

impl Panel {
    /// Begins a figure; `unit` is one of Grafana's.
    pub(super) fn figure(
        title: &'static str,
        unit: &'static str,
        description: &'static str,
    ) -> Self {
        Self {
            title,
            description,
            unit,
            is_figure: true,
            stacked: false,
            queries: Vec::new(),
        }
    }

    /// Begins a chart over time.
    pub(super) fn chart(
        title: &'static str,
        unit: &'static str,
        description: &'static str,
    ) -> Self {
        Self {
            is_figure: false,
            ..Self::figure(title, unit, description)
        }
    }

    /// Shows the series of a chart on top of each other, since their sum means something.
    pub(super) fn stacked(self) -> Self {
        Self {
            stacked: true,
            ..self
        }
    }

    /// Adds a query; its series are called by the legend, which may have `{{label}}` in it.
    pub(super) fn query(mut self, query: String, legend: impl Into<String>) -> Self {
        self.queries.push((query, legend.into()));
        self
    }

    fn place(&self, id: usize, [x, y, w, h]: [usize; 4]) -> Value {
        let source = json!({"type": "prometheus", "uid": "${datasource}"});
        let references = ('A'..='Z').map(String::from);
        let targets: Vec<_> = references
            .zip(&self.queries)
            .map(|(reference, (query, legend))| {
                json!({
                    "refId": reference,
                    "datasource": source,
                    "expr": query,
                    "legendFormat": legend,
                    // A figure is the last value of what its line shows.
                    "range": true,
                })
            })
            .collect();
        let custom = if self.is_figure {
            json!({})
        } else {
            json!({
                "drawStyle": "line",
                "lineWidth": 1,
                "fillOpacity": if self.stacked { 30 } else { 0 },
                "showPoints": "never",
                "stacking": {"mode": if self.stacked { "normal" } else { "none" }},
            })
        };
        let options = if self.is_figure {
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
        json!({
            "id": id,
            "type": if self.is_figure { "stat" } else { "timeseries" },
            "title": self.title,
            "description": self.description,
            "datasource": source,
            "gridPos": {"x": x, "y": y, "w": w, "h": h},
            "fieldConfig": {
                "defaults": {"unit": self.unit, "min": 0, "custom": custom},
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

    /// Adds a panel, if there is one.
    pub(super) fn panel_if(self, panel: Option<Panel>) -> Self {
        match panel {
            Some(panel) => self.panel(panel),
            None => self,
        }
    }

    /// Appends the row and its panels, and returns how far down they reach.
    pub(super) fn place(&self, top: usize, panels: &mut Vec<Value>) -> usize {
        panels.push(json!({
            "id": panels.len() + 1,
            "type": "row",
            "title": self.title,
            "collapsed": false,
            "gridPos": {"x": 0, "y": top, "w": WIDTH, "h": 1},
            "panels": [],
        }));
        let mut below = top + 1;
        let figures: Vec<_> = self.panels.iter().filter(|panel| panel.is_figure).collect();
        let width = WIDTH / figures.len().max(1);
        for (position, figure) in figures.iter().enumerate() {
            let place = [position * width, below, width, 4];
            panels.push(figure.place(panels.len() + 1, place));
        }
        if !figures.is_empty() {
            below += 4;
        }
        let charts = self.panels.iter().filter(|panel| !panel.is_figure);
        let (width, height) = (WIDTH / 2, 8);
        let mut column = 0;
        for chart in charts {
            panels.push(chart.place(panels.len() + 1, [column, below, width, height]));
            column += width;
            if column == WIDTH {
                (column, below) = (0, below + height);
            }
        }
        if column > 0 {
            below += height;
        }
        below
    }
}
