//! The variables of the dashboard.

use serde_json::{Value, json};

use crate::dashboards::promql::Selector;
use crate::dashboards::roles::{PromMetric, Roles};
use crate::snapshot::Role;

/// Returns the variables: data source, job and instance if there are panels, and route and model if
/// there are such rows.
pub(super) fn variables(roles: &Roles, has_other_metrics: bool) -> Vec<Value> {
    let http = roles.get(Role::HttpRequests);
    let llm = roles.get(Role::LlmRequests);
    let other = [Role::ProcessCpu, Role::OtlpExports]
        .into_iter()
        .find_map(|role| roles.get(role));
    let mut variables = vec![json!({
        "name": "datasource",
        "label": "Data source",
        "type": "datasource",
        "query": "prometheus",
        "refresh": 1,
        "hide": 0,
    })];
    // Other metrics may have no series.
    let up = has_other_metrics.then(PromMetric::up);
    if let Some(metric) = http.or(llm).or(other).or(up.as_ref()) {
        variables.push(variable("job", "Job", "job", &Selector::new(metric)));
        let selector = for_selected_jobs(metric);
        variables.push(variable("instance", "Instance", "instance", &selector));
    }
    for (name, label, metric) in [("route", "Route", http), ("model", "Model", llm)] {
        if let Some(metric) = metric {
            variables.push(variable(
                name,
                label,
                metric.label(1),
                &for_selected_jobs(metric),
            ));
        }
    }
    variables
}

fn for_selected_jobs(metric: &PromMetric) -> Selector<'_> {
    Selector::new(metric).match_label("job", "=~", "$job")
}

/// Returns a variable of the values of a label. All values are selected by default.
fn variable(name: &str, text: &str, label: &str, series: &Selector<'_>) -> Value {
    let query = format!("label_values({series}, {label})");
    json!({
        "name": name,
        "label": text,
        "type": "query",
        "datasource": {"type": "prometheus", "uid": "${datasource}"},
        "definition": query,
        "query": {"query": query, "refId": name},
        // Queried again if the time range changes.
        "refresh": 2,
        "sort": 1,
        "multi": true,
        "includeAll": true,
        // Matches values that appear later, too, and values that the variable does not list.
        "allValue": ".+",
        "current": {"text": ["All"], "value": ["$__all"]},
        "hide": 0,
    })
}
