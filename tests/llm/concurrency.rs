//! Many threads that use the same new model or response at once.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use serde_json::Value;
use tachometer::{LlmLayer, Registry};

use crate::response_formats::{CHAT, JSON};
use crate::support::{Call, Ends, readings};

const THREADS: u32 = 16;
/// The number of attempts, since a race fails only now and then.
const ROUNDS: u32 = 20;

fn call<'a>(path: &'a str, request: &'a str, body: &'a str) -> Call<'a> {
    Call {
        path,
        request,
        status: 200,
        headers: vec![("content-type", JSON)],
        body: body.as_bytes(),
        ends: Ends::Whole,
    }
}

/// Runs the same on all threads at once, with one layer.
fn at_once(run: impl Fn(&LlmLayer) + Sync) -> Registry {
    let registry = Registry::new();
    let layer = LlmLayer::new().registry(&registry).try_register().unwrap();
    let barrier = Barrier::new(usize::try_from(THREADS).unwrap());
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                barrier.wait();
                run(&layer);
            });
        }
    });
    registry
}

/// Returns the calls of each model that had some.
fn models(registry: &Registry) -> BTreeMap<String, f64> {
    let json: Value = serde_json::from_str(&registry.export_json()).unwrap();
    let mut models = BTreeMap::new();
    for (key, series) in json["metrics"].as_object().unwrap() {
        let calls = series["value"].as_f64().unwrap_or(0.0);
        if key.starts_with("llm_requests_total{") && calls > 0.0 {
            let model = series["labels"]["model"].as_str().unwrap();
            *models.entry(model.to_owned()).or_default() += calls;
        }
    }
    assert_eq!(readings(registry).count("llm_requests_in_flight", ""), None);
    models
}

fn chat(number: u32) -> String {
    format!(
        r#"{{"model":"m{number}","choices":[{{"index":0,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1,"completion_tokens":3}}}}"#
    )
}

#[test]
fn a_response_fetched_by_many_threads_is_counted_once() {
    let done = r#"{"id":"resp_1","background":true,"status":"completed","model":"gpt-x","usage":{"input_tokens":12,"output_tokens":34}}"#;
    for _ in 0..ROUNDS {
        let registry = at_once(|layer| {
            for _ in 0..5 {
                let get = "GET https://api.openai.com/v1/responses/resp_1";
                call(get, "", done).pass(layer, 64);
            }
        });
        assert_eq!(models(&registry), [("gpt-x".to_owned(), 1.0)].into());
        assert_eq!(
            readings(&registry).count("llm_tokens_total", "input"),
            Some(12)
        );
    }
}

#[test]
fn a_new_model_used_by_many_threads_has_one_series() {
    for _ in 0..ROUNDS {
        let registry = at_once(|layer| {
            for number in 0..3 {
                let request = format!(r#"{{"model":"m{number}"}}"#);
                call(CHAT, &request, &chat(number)).pass(layer, 64);
            }
        });
        let expected = (0..3).map(|number| (format!("m{number}"), f64::from(THREADS)));
        assert_eq!(models(&registry), expected.collect());
    }
}

#[test]
fn the_first_twenty_models_named_only_by_responses_keep_all_their_calls() {
    for _ in 0..ROUNDS {
        let registry = at_once(|layer| {
            for number in 0..30 {
                call(CHAT, "<unseen>", &chat(number)).pass(layer, 64);
            }
        });
        let mut models = models(&registry);
        let others = models.remove("_overflow");
        assert_eq!(others, Some(f64::from(10 * THREADS)));
        assert_eq!(models.len(), 20, "{models:?}");
        let all = f64::from(THREADS);
        assert!(models.values().all(|calls| *calls == all), "{models:?}");
    }
}
