//! Answers of real servers, byte by byte as they came: llama.cpp's (b11669) on a small
//! generated model, and aimock's (1.43.0). What is true of each was read from its whole
//! body by other means, and, of llama.cpp's tokens, from the server's own counters.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::support::{Call, Ends, SIZES, Told};

#[test]
fn every_answer_of_llama_cpp_is_understood() {
    assert!(check(include_str!("recorded/llamacpp.json")) > 30);
}

#[test]
fn every_answer_of_aimock_is_understood() {
    assert!(check(include_str!("recorded/aimock.json")) > 80);
}

#[test]
fn every_answer_of_aimock_in_the_other_dialects_is_understood() {
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
            let told = call.told(size);
            let (found, mut truth) = (found(&told), expected(&case["truth"]));
            if !(200..300).contains(&call.status) {
                // No answer has proven that there is such a model.
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

/// Returns the bytes of an answer, of which those that are no text are in base64.
fn body(case: &Value) -> Vec<u8> {
    match case["body64"].as_str() {
        Some(body) => STANDARD.decode(body).unwrap(),
        None => case["body"].as_str().unwrap().into(),
    }
}

/// Returns what the layer found, as the truth is told.
fn found(told: &Told) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut add = |name: &str, values: Vec<&str>| {
        if !values.is_empty() {
            found.insert(name.to_owned(), values.join(" "));
        }
    };
    add("outcome", told.all("llm_requests_total"));
    add("error_type", told.all("llm_requests_error"));
    add("finishes", told.all("llm_finish_reasons_total"));
    add("missing", told.all("llm_usage_missing_total"));
    if !told.model.is_empty() {
        add("model", vec![&told.model]);
    }
    for (name, metric, by) in [
        ("input", "llm_tokens_total", "input"),
        ("output", "llm_tokens_total", "output"),
        ("cache_read", "llm_token_details_total", "cache_read"),
        ("reasoning", "llm_token_details_total", "reasoning"),
        ("tool_calls", "llm_tool_calls_total", ""),
    ] {
        if let Some(count) = told.count(metric, by) {
            found.insert(name.to_owned(), count.to_string());
        }
    }
    found
}

/// Returns the truth, which is empty of what is no call.
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
