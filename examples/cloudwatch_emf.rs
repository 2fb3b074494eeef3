//! Prints metrics in the embedded metric format of Amazon `CloudWatch`: one line of JSON for each series.
//!
//! AWS Lambda and the `CloudWatch` agent turn such lines into metrics. `CloudWatch` adds up what
//! it gets, so counters and histograms are printed as the increase since the last call.

use std::collections::HashMap;
use std::time::SystemTime;

use serde_json::{Value, json};
use tachometer::Registry;
use tachometer::snapshot::{Kind, Values};

/// The last values of counters and histograms, by name and labels.
type Last = HashMap<String, f64>;

fn print_emf(registry: &Registry, namespace: &str, last: &mut Last) {
    let time = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let millis = time.map_or(0, |time| time.as_millis());
    for block in registry.gather() {
        for (series, labels) in block.labels.iter().enumerate() {
            let values = match &block.values {
                Values::Counter(counts) => vec![("", counts[series].value())],
                Values::Gauge(values) => vec![("", values[series])],
                Values::Histogram(all) => all.get(series).map_or(Vec::new(), |one| {
                    vec![("_count", one.count() as f64), ("_sum", one.totals().sum)]
                }),
                _ => continue,
            };
            let mut line = json!({});
            let mut metrics = Vec::new();
            for (suffix, mut value) in values {
                let name = format!("{}{suffix}", block.desc.exposed_name());
                if block.desc.kind() != Kind::Gauge {
                    let key = format!("{name}{{{}}}", labels.as_str());
                    value -= last.insert(key, value).unwrap_or(0.0);
                }
                if value.is_finite() {
                    metrics.push(json!({"Name": name}));
                    line[name] = value.into();
                }
            }
            let dimensions: Vec<_> = labels.pairs().map(|(name, _)| name).collect();
            let metrics =
                json!({"Namespace": namespace, "Dimensions": [dimensions], "Metrics": metrics});
            line["_aws"] = json!({"Timestamp": millis, "CloudWatchMetrics": [metrics]});
            for (name, value) in labels.pairs() {
                line[&*name] = Value::from(&*value);
            }
            println!("{line}");
        }
    }
}

fn main() -> Result<(), tachometer::Error> {
    let registry = Registry::new();
    let orders = registry.counter_family("orders_total", "Orders.", ["country"])?;
    let seconds = registry.histogram("checkout_seconds", "Time of a checkout, in seconds.")?;
    let mut last = Last::new();
    // At the end of each invocation of a function, or at an interval.
    for invocation in 1..=2 {
        orders.with(["nz"]).inc_by(invocation);
        seconds.observe(0.25);
        print_emf(&registry, "shop", &mut last);
    }
    Ok(())
}
