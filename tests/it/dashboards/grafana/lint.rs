//! A linter for boards: the rules of Grafana's dashboard linter, and more.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use tachometer::Registry;
use tachometer::snapshot::{Desc, Kind};

use crate::support::promql::{Expr, Selector, parse};

const UNITS: [&str; 11] = [
    "celsius",
    "cps",
    "ops",
    "reqps",
    "percentunit",
    "percent",
    "s",
    "short",
    "Bps",
    "bytes",
    "currencyUSD",
];
const SOURCE: &str = "${datasource}";

/// Returns what is wrong with a board of a registry.
pub(super) fn faults(board: &Value, registry: &Registry) -> Vec<String> {
    let mut linter = Linter {
        metrics: metrics(registry),
        variables: BTreeSet::new(),
        used: BTreeSet::new(),
        faults: Vec::new(),
    };
    linter.head(board);
    linter.variables(board);
    linter.panels(board);
    let unused: Vec<_> = linter.variables.difference(&linter.used).cloned().collect();
    linter.check(unused.is_empty(), || format!("{unused:?} are not used"));
    linter.faults
}

/// Returns the names in Prometheus, with the metric of each.
fn metrics(registry: &Registry) -> BTreeMap<String, Kind> {
    let mut metrics = BTreeMap::new();
    for metric in registry.metrics() {
        let kind = metric.kind();
        let desc = Desc::new(metric.name(), "", kind);
        let name = desc.exposed_name();
        if kind == Kind::Histogram {
            for part in ["_bucket", "_sum", "_count"] {
                metrics.insert(format!("{name}{part}"), Kind::Counter);
            }
        }
        metrics.insert(name.to_owned(), kind);
    }
    metrics
}

struct Linter {
    metrics: BTreeMap<String, Kind>,
    /// The variables of the board, and those used in queries.
    variables: BTreeSet<String>,
    used: BTreeSet<String>,
    faults: Vec<String>,
}

impl Linter {
    fn check(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.faults.push(fault());
        }
    }

    fn text<'a>(&mut self, of: &'a Value, key: &str) -> &'a str {
        let text = of[key].as_str().unwrap_or_default();
        self.check(!text.trim().is_empty(), || format!("no {key}: {of}"));
        text
    }

    fn head(&mut self, board: &Value) {
        let uid = self.text(board, "uid").to_owned();
        self.text(board, "title");
        let plain = |char: char| char.is_ascii_alphanumeric() || "-_".contains(char);
        self.check(
            (8..=40).contains(&uid.len()) && uid.chars().all(plain),
            || format!("the uid {uid}"),
        );
        let version = board["schemaVersion"].as_u64();
        self.check(version.is_some_and(|version| version >= 36), || {
            format!("the version {version:?}")
        });
        self.check(board["editable"] == false, || "it can be edited".into());
        self.check(board["id"].is_null(), || "it has an id".into());
        self.check(board.get("__inputs").is_none(), || {
            "it asks for input".into()
        });
        self.text(&board["time"], "from");
        self.text(board, "refresh");
    }

    fn variables(&mut self, board: &Value) {
        let variables = board["templating"]["list"].as_array().unwrap();
        let source = &variables[0];
        let is_source = source["name"] == "datasource"
            && source["type"] == "datasource"
            && source["query"] == "prometheus";
        self.check(is_source, || format!("no data source: {source}"));
        for variable in &variables[1..] {
            let name = self.text(variable, "name").to_owned();
            let label = self.text(variable, "label").to_lowercase();
            self.check(label == name, || format!("{name} is called {label}"));
            let is_good = variable["type"] == "query"
                && variable["datasource"]["uid"] == SOURCE
                && variable["refresh"] == 2
                && variable["multi"] == true
                && variable["includeAll"] == true
                && variable["allValue"] == ".+";
            self.check(is_good, || format!("the variable {variable}"));
            let query = self.text(&variable["query"], "query").to_owned();
            let inner = query.strip_prefix("label_values(");
            let inner = inner.and_then(|query| query.strip_suffix(')'));
            let parts = inner.and_then(|query| query.rsplit_once(", "));
            let Some((series, _)) = parts else {
                self.faults.push(format!("no values of a label: {query}"));
                continue;
            };
            match parse(series) {
                Expr::Series(selector) => {
                    // Each variable except the job is restricted to the selected job.
                    let by: &[_] = if name == "job" { &[] } else { &["job"] };
                    self.series(&selector, by);
                }
                other => self.faults.push(format!("no series: {other:?}")),
            }
            self.check(
                self.variables.is_disjoint(&BTreeSet::from([name.clone()])),
                || format!("{name} is there twice"),
            );
            self.variables.insert(name);
        }
        let shown = board["panels"]
            .as_array()
            .is_some_and(|panels| !panels.is_empty());
        for needed in ["job", "instance"].into_iter().filter(|_| shown) {
            let there = self.variables.contains(needed);
            self.check(there, || format!("no variable {needed}"));
        }
    }

    fn panels(&mut self, board: &Value) {
        let panels = board["panels"].as_array().unwrap();
        let mut ids = BTreeSet::new();
        let mut taken = BTreeSet::new();
        let first = panels.first().is_none_or(|panel| panel["type"] == "row");
        self.check(first, || "a panel before the first row".into());
        for panel in panels {
            let id = panel["id"].as_u64();
            self.check(id.is_some_and(|id| id > 0 && ids.insert(id)), || {
                format!("the id {id:?}")
            });
            let title = self.text(panel, "title").to_owned();
            let place = ["x", "y", "w", "h"].map(|key| panel["gridPos"][key].as_u64());
            let [Some(x), Some(y), Some(w), Some(h)] = place else {
                self.faults.push(format!("{title} has no place"));
                continue;
            };
            self.check(w > 0 && h > 0 && x + w <= 24, || {
                format!("{title} is too wide")
            });
            let tiles = (x..x + w).flat_map(|x| (y..y + h).map(move |y| (y, x)));
            let overlaps = tiles.filter(|tile| !taken.insert(*tile)).count();
            self.check(overlaps == 0, || format!("{title} is over another"));
            if panel["type"] == "row" {
                self.check([x, w, h] == [0, 24, 1], || format!("the row {panel}"));
            } else {
                self.panel(&title, panel);
            }
        }
        let lines: BTreeSet<_> = taken.iter().map(|(y, _)| *y).collect();
        let last = lines.last().copied();
        self.check(
            last.is_none_or(|last| (0..=last).all(|y| lines.contains(&y))),
            || "there is a gap".into(),
        );
    }

    fn panel(&mut self, title: &str, panel: &Value) {
        self.text(panel, "description");
        let kind = panel["type"].as_str();
        self.check(matches!(kind, Some("stat" | "timeseries")), || {
            format!("{kind:?}")
        });
        let unit = panel["fieldConfig"]["defaults"]["unit"].as_str();
        self.check(unit.is_some_and(|unit| UNITS.contains(&unit)), || {
            format!("{title} has the unit {unit:?}")
        });
        self.check(panel["datasource"]["uid"] == SOURCE, || {
            format!("{title} has another source")
        });
        let targets = panel["targets"].as_array().cloned().unwrap_or_default();
        self.check(!targets.is_empty(), || format!("{title} asks nothing"));
        let mut references = BTreeSet::new();
        for target in &targets {
            let reference = self.text(target, "refId").to_owned();
            self.check(references.insert(reference), || format!("{title}: twice"));
            self.check(target["datasource"]["uid"] == SOURCE, || {
                format!("{title} has a query of another source")
            });
            let query = self.text(target, "expr").to_owned();
            let legend = self.text(target, "legendFormat").to_owned();
            self.query(&query, &legend);
        }
    }

    fn query(&mut self, query: &str, legend: &str) {
        if query.contains("vector(") {
            self.faults.push(format!("{query} is padded"));
            return;
        }
        let expr = parse(query);
        expr.each_part(None, &mut |part, function| match part {
            Expr::Series(selector) => {
                self.series(selector, &["job", "instance"]);
                self.window(selector, function);
            }
            Expr::Call(name, arguments) if name == "histogram_quantile" => {
                self.quantile(query, arguments);
            }
            _ => {}
        });
        // Grafana chooses the labels.
        if legend == "__auto" {
            return;
        }
        let kept = result_labels(&expr);
        for label in legend.split("{{").skip(1) {
            let label = label.split("}}").next().unwrap_or_default();
            let there = kept.as_ref().is_none_or(|kept| kept.contains(label));
            let is_known = kept.is_some() || label == "instance";
            self.check(there && is_known, || format!("{legend} of {query}"));
        }
        // Series that differ in a label have names that differ.
        let legend_has_labels = |label: &String| legend.contains(&format!("{{{{{label}}}}}"));
        let legend_has_labels = kept.iter().flatten().all(legend_has_labels);
        self.check(legend_has_labels, || {
            format!("{legend} tells too little of {query}")
        });
    }

    /// Checks series that are selected by these variables.
    fn series(&mut self, selector: &Selector, by: &[&str]) {
        let Selector { name, matchers, .. } = selector;
        let there = name == "up" || self.metrics.contains_key(name);
        self.check(there, || format!("there is no {name}"));
        for variable in by {
            let matcher = (
                (*variable).to_owned(),
                "=~".to_owned(),
                format!("${variable}"),
            );
            let there = matchers.contains(&matcher);
            self.check(there, || format!("{name} is of any {variable}"));
        }
        for (_, _, value) in matchers {
            if let Some(variable) = value.strip_prefix('$') {
                self.used.insert(variable.to_owned());
                let is_known = self.variables.contains(variable);
                self.check(is_known, || format!("there is no variable {variable}"));
            }
        }
    }

    /// Checks that counters are queried by their rate, and nothing else is.
    fn window(&mut self, selector: &Selector, function: Option<&str>) {
        let Selector { name, range, .. } = selector;
        let is_rate = function == Some("rate");
        let kind = self.metrics.get(name).copied();
        let grows = matches!(kind, Some(Kind::Counter | Kind::Histogram));
        self.check(grows == is_rate, || format!("{name} is counted wrong"));
        let expected = is_rate.then_some("$__rate_interval");
        self.check(range.as_deref() == expected, || {
            format!("{name} has the window {range:?}")
        });
    }

    fn quantile(&mut self, query: &str, arguments: &[Expr]) {
        let [Expr::Number(quantile), Expr::Aggregate { labels, of, .. }] = arguments else {
            self.faults.push(format!("no quantile of a sum: {query}"));
            return;
        };
        self.check(*quantile > 0.0 && *quantile < 1.0, || format!("{quantile}"));
        let mut classic = false;
        of.each_selector(&mut |selector| classic |= selector.name.ends_with("_bucket"));
        let by_bound = labels.iter().any(|label| label == "le");
        self.check(classic == by_bound, || {
            format!("the bounds are lost: {query}")
        });
    }
}

/// Returns the labels of a query's results, if the query fixes them.
fn result_labels(expr: &Expr) -> Option<BTreeSet<String>> {
    match expr {
        Expr::Aggregate {
            by: true, labels, ..
        } => Some(labels.iter().cloned().collect()),
        Expr::Call(name, arguments) if name == "histogram_quantile" => {
            let mut kept = result_labels(&arguments[1])?;
            kept.remove("le");
            Some(kept)
        }
        Expr::Binary(_, one, other) => result_labels(one).or_else(|| result_labels(other)),
        _ => None,
    }
}
