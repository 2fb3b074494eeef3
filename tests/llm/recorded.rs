//! Recorded responses of real servers: llama.cpp (b11669) with a small generated model, and
//! aimock (1.43.0). The expected values were read from the whole body by other means, and for
//! llama.cpp's tokens from the server's counters.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::{Call, Ends, Readings, SIZES};

#[test]
fn every_response_of_llama_cpp_is_understood() {
    assert!(check(include_str!("recorded/llamacpp.json")) > 30);
}

#[test]
fn every_response_of_aimock_is_understood() {
    assert!(check(include_str!("recorded/aimock.json")) > 80);
}

#[test]
fn every_response_of_aimock_in_other_dialects_is_understood() {
    assert!(check(include_str!("recorded/aimock_others.json")) > 250);
}

/// Checks all answers of a server, and returns how many there were.
fn check(recorded: &str) -> usize {
    let recorded: Vec<Value> = serde_json::from_str(recorded).unwrap();
    let mut faults = Vec::new();
    for case in &recorded {
        let text = |name: &str| case[name].as_str().unwrap();
        let headers = case["headers"].as_object().unwrap();
        let headers = headers
            .iter()
            .map(|(name, value)| (&**name, value.as_str().unwrap()));
        let body = body(case);
        let call = Call {
            path: text("path"),
            request: text("request"),
            status: case["status"].as_u64().unwrap().try_into().unwrap(),
            headers: headers.collect(),
            body: &body,
            ends: match text("ends") {
                "whole" => Ends::Whole,
                _ => Ends::Broken,
            },
        };
        for size in SIZES {
            let readings = call.readings(size);
            let (found, mut truth) = (measured_facts(&readings), expected(&case["truth"]));
            if !(200..300).contains(&call.status) {
                // No response has confirmed that this model exists.
                if let Some(model) = truth.get_mut("model").filter(|model| *model != "unknown") {
                    *model = "_unconfirmed".into();
                }
            }
            if found != truth {
                let name = text("name");
                faults.push(format!(
                    "{name}, in pieces of {size}: {found:?}, not {truth:?}"
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    recorded.len()
}

/// Returns the bytes of a response; binary ones are stored in base64.
fn body(case: &Value) -> Vec<u8> {
    match case["body64"].as_str() {
        Some(body) => STANDARD.decode(body).unwrap(),
        None => case["body"].as_str().unwrap().into(),
    }
}

/// Returns what the layer measured, in the form of the recorded truth.
fn measured_facts(readings: &Readings) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |name: &str, values: Vec<&str>| {
        if !values.is_empty() {
            found.insert(name.to_owned(), values.join(" "));
        }
    };
    add("outcome", readings.label_values("llm_requests_total"));
    add("error_type", readings.label_values("llm_requests_error"));
    add(
        "finishes",
        readings.label_values("llm_finish_reasons_total"),
    );
    add("missing", readings.label_values("llm_usage_missing_total"));
    if !readings.model.is_empty() {
        add("model", vec![&readings.model]);
    }
    for (name, metric, by) in [
        ("input", "llm_tokens_total", "input"),
        ("output", "llm_tokens_total", "output"),
        ("cache_read", "llm_token_details_total", "cache_read"),
        ("reasoning", "llm_token_details_total", "reasoning"),
        ("tool_calls", "llm_tool_calls_total", ""),
    ] {
        if let Some(count) = readings.count(metric, by) {
            found.insert(name.to_owned(), count.to_string());
        }
    }
    found
}

/// Returns the recorded truth, which is empty for requests that are no calls.
fn expected(truth: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => {
            let values = values.iter().map(|value| value.as_str().unwrap());
            values.collect::<Vec<_>>().join(" ")
        }
        other => other.to_string(),
    };
    let truth = truth.as_object().unwrap().iter();
    truth
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}
