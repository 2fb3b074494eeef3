//! Scrapes read by promtool and the official Python parser.

use std::collections::BTreeMap;
use std::process::Command;

use axum::http::{Method, Version};
use serde_json::Value;
use tachometer::Registry;

use crate::formats::sample_service;
use crate::support::loopback::Caller;
use crate::support::program::{filter, is_there, promtool};

/// Prints what the official parser of Prometheus's text format reads.
const PARSE: &str = r"
import json, sys
from prometheus_client.parser import text_string_to_metric_families as parse
text = sys.stdin.buffer.read().decode()
print(json.dumps([
    [family.name, family.documentation, family.type,
     [[sample.name, sample.labels, str(sample.value)] for sample in family.samples]]
    for family in parse(text)]))
";

pub(crate) fn python_parser() -> bool {
    is_there(
        "prometheus_client",
        &["python3", "-c", "import prometheus_client"],
    )
}

fn parse(text: &str) -> Value {
    let printed = filter(Command::new("python3").args(["-c", PARSE]), text);
    serde_json::from_str(&printed).unwrap()
}

/// Values that are hard to write and to read back.
pub(crate) fn awkward_values() -> Vec<String> {
    let mut values: Vec<String> = [
        "plain",
        "\"",
        "\\",
        "\n",
        "\\n",
        "\\\\n",
        "\\\"",
        "\"}",
        "a=\"b\",c=\"d\"",
        "} 1",
        "{}",
        "# HELP x y",
        "\r\n\t",
        " spaces ",
        "Grüße, 世界 🚀",
        "\u{0}\u{7f}\u{feff}",
        "<script>alert(1)</script>",
    ]
    .map(String::from)
    .into();
    let mut random = fastrand::Rng::with_seed(3);
    for _ in 0..300 {
        let length = random.usize(1..12);
        let symbols = [
            '\\', '"', '\n', 'n', 'a', ',', '=', '{', '}', ' ', 'é', '\r',
        ];
        values.push(
            (0..length)
                .map(|_| symbols[random.usize(..symbols.len())])
                .collect(),
        );
    }
    values.sort();
    values.dedup();
    values
}

#[test]
fn any_label_value_and_help_text_comes_back_equal_through_the_official_parser() {
    if !python_parser() {
        return;
    }
    let registry = Registry::new();
    let family = registry
        .gauge_family("awkward", "Values.", ["value", "other"])
        .unwrap();
    let mut helps = BTreeMap::new();
    let mut labels = Vec::new();
    for (number, value) in awkward_values().into_iter().enumerate() {
        family
            .with([&value, "o"])
            .set(i64::try_from(number).unwrap());
        let name = format!("help_{number:03}");
        registry.gauge(&name, &value).unwrap();
        labels.push(value.clone());
        helps.insert(name, value);
    }
    let parsed = parse(&registry.export_prometheus());
    for family in parsed.as_array().unwrap() {
        let name = family[0].as_str().unwrap();
        if name == "awkward" {
            let samples = family[3].as_array().unwrap();
            assert_eq!(samples.len(), labels.len());
            for (number, (sample, label)) in samples.iter().zip(&labels).enumerate() {
                assert_eq!(sample[1]["value"].as_str(), Some(label.as_str()));
                let value: f64 = sample[2].as_str().unwrap().parse().unwrap();
                assert_eq!(value, crate::support::read::to_f64(number));
            }
        } else if let Some(help) = helps.remove(name) {
            // In this format the text begins after a space and ends with the line, so leading
            // and trailing blanks cannot be represented.
            let read = family[1].as_str().unwrap();
            assert_eq!(read.trim(), help.trim(), "{name}");
        }
    }
    assert!(helps.is_empty(), "{helps:?}");
}

#[tokio::test]
async fn a_scrape_of_a_service_passes_promtool_and_the_official_parser() {
    let server = sample_service::start().await;
    let url = format!("http://{}", server.address);
    let caller = Caller::new(Version::HTTP_11);
    for path in ["/", "/users/1", "/users/5000", "/fail", "/nowhere"] {
        caller.get(&format!("{url}{path}")).await.unwrap();
    }
    let home = format!("{url}/");
    caller.call(Method::HEAD, &home).await.unwrap();
    let scrape = caller.get(&format!("{url}/metrics")).await.unwrap().body;
    if promtool() {
        let said = filter(Command::new("promtool").args(["check", "metrics"]), &scrape);
        assert_eq!(said, "");
    }
    if python_parser() {
        let parsed = parse(&scrape);
        let family = |name: &str| {
            let families = parsed.as_array().unwrap();
            families.iter().find(|family| family[0] == name).unwrap()
        };
        // The parser drops the suffix from a counter's family, as OpenMetrics does.
        let requests = family("http_requests");
        assert_eq!(requests[2], "counter");
        assert_eq!(requests[3].as_array().unwrap().len(), 6);
        assert_eq!(family("http_request_duration_seconds")[2], "histogram");
    }
}
