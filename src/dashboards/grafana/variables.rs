//! What can be chosen on the board.

use serde_json::{Value, json};

use crate::dashboards::promql::Series;
use crate::dashboards::roles::{Found, Roles};
use crate::snapshot::Role;

/// Returns the variables: data source, job and instance, and those of the rows that there
/// are.
pub(super) fn variables(roles: &Roles) -> Vec<Value> {
    let http = roles.get(Role::HttpRequests);
    let llm = roles.get(Role::LlmRequests);
    let process = roles.get(Role::ProcessCpu);
    let mut variables = vec![json!({
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
    })];
    if let Some(metric) = http.or(llm).or(process) {
        variables.push(variable("job", "Job", "job", &Series::of(metric)));
        let of_jobs = of_jobs(metric);
        variables.push(variable("instance", "Instance", "instance", &of_jobs));
    }
    for (name, label, metric) in [("route", "Route", http), ("model", "Model", llm)] {
        if let Some(metric) = metric {
            variables.push(variable(name, label, metric.label(1), &of_jobs(metric)));
        }
    }
    variables
}

fn of_jobs(metric: &Found) -> Series<'_> {
    Series::of(metric).with("job", "=~", "$job")
}

/// Returns a variable of the values that a label has; all of them at first.
fn variable(name: &str, text: &str, label: &str, series: &Series<'_>) -> Value {
    let query = format!("label_values({series}, {label})");
    json!({
        "name": name,
        "label": text,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "definition": query,
        "query": {"query": query, "refId": name},
        // Asked again when the time range changes.
        "refresh": 2,
        "sort": 1,
        "multi": true,
        "includeAll": true,
        // What comes later is in it, and so is what the variable does not list.
        "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
    })
}
