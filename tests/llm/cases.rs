//! Small responses that were misread once, or might be, with the expected values: one file each
//! in `cases/`. `null` means that no series has a value above 0.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::{Call, Ends, Readings, SIZES};

#[test]
fn every_case_has_the_right_values_in_chunks_of_any_size() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/llm/cases");
    let mut faults = Vec::new();
    let mut count = 0;
    for file in fs::read_dir(folder).unwrap() {
        let text = fs::read_to_string(file.unwrap().path()).unwrap();
        let case: Value = serde_json::from_str(&text).unwrap();
        faults.extend(check(&case));
        count += 1;
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert!(count >= 29, "{count} cases");
}

fn check(case: &Value) -> Vec<String> {
    let text = |name: &str| case[name].as_str().unwrap();
    let headers = case["headers"].as_object().unwrap().iter();
    let headers = headers.map(|(name, value)| (&**name, value.as_str().unwrap()));
    let body = match case["body_base64"].as_str() {
        Some(body) => STANDARD.decode(body).unwrap(),
        None => text("body").into(),
    };
    let path = format!("{} {}", text("method"), text("url"));
    let call = Call {
        path: &path,
        request: text("request_body"),
        status: case["status"].as_u64().unwrap().try_into().unwrap(),
        headers: headers.collect(),
        body: &body,
        ends: Ends::Whole,
    };
    let mut faults = Vec::new();
    for size in SIZES {
        let readings = call.readings(size);
        for (name, expected) in case["expect"].as_object().unwrap() {
            let found = measured_value(&readings, name, expected);
            if found != *expected {
                let case = text("name");
                faults.push(format!(
                    "{case}, in pieces of {size}: {name} is {found}, not {expected}"
                ));
            }
        }
    }
    faults
}

/// Returns the measured values in the form of the expected ones.
fn measured_value(readings: &Readings, name: &str, expected: &Value) -> Value {
    let one = |metric| match readings.label_values(metric)[..] {
        [] => Value::Null,
        [value] => value.into(),
        ref values => values.into(),
    };
    let tokens = |metric, by| readings.count(metric, by).map_or(Value::Null, Value::from);
    match name {
        "outcome" => one("llm_requests_total"),
        "error_type" => one("llm_requests_error"),
        "finishes" => readings.label_values("llm_finish_reasons_total").into(),
        "missing" => readings.label_values("llm_usage_missing_total").into(),
        "input" | "output" => tokens("llm_tokens_total", name),
        "cache_read" | "reasoning" => tokens("llm_token_details_total", name),
        "tool_calls" => readings
            .count("llm_tool_calls_total", "")
            .unwrap_or(0)
            .into(),
        "audio_seconds" => {
            let seconds = tokens("llm_billed_units_total", name);
            if seconds.is_null() { 0.into() } else { seconds }
        }
        "cost" => {
            let cost = readings.amount("llm_cost_usd_total", "reported");
            let expected = expected.as_f64().unwrap();
            let is_near = cost.is_some_and(|cost| (cost / expected - 1.0).abs() < 1e-9);
            if is_near {
                expected.into()
            } else {
                cost.into()
            }
        }
        "tokens_by_model" => {
            let models = expected.as_object().unwrap().keys();
            let of = |model: &String| {
                let tokens = ["input", "output"].map(|by| readings.tokens_of(model, by));
                (model.clone(), Value::from(&tokens[..]))
            };
            Value::Object(models.map(of).collect())
        }
        other => panic!("no such value: {other}"),
    }
}
