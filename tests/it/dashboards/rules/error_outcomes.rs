//! The outcomes that rules and board treat as errors: exactly those of failed requests and
//! calls.

use std::collections::BTreeSet;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::response::IntoResponse;
use futures_util::stream;
use http_body_util::BodyExt;
use tachometer::dashboards::{AlertRules, GrafanaBoard};
use tachometer::llm::{ErrorType, Outcome};
use tachometer::snapshot::Values;
use tachometer::{LlmLayer, MetricsLayer, Registry};
use tower::{Layer, ServiceExt, service_fn};

/// Returns the outcomes that a text has in a matcher of regular expressions: the first of
/// them that has to do with errors.
fn errors(text: &str) -> BTreeSet<String> {
    let (_, regex) = text.split_once("outcome=~\\\"").unwrap();
    let (regex, _) = regex.split_once("\\\"").unwrap();
    regex.split('|').map(str::to_owned).collect()
}

/// Returns what a registry has counted as a label `outcome`.
fn outcomes(registry: &Registry, metric: &str) -> BTreeSet<String> {
    let blocks = registry
        .gather()
        .filter(|block| block.desc.name() == metric);
    let mut outcomes = BTreeSet::new();
    for block in blocks {
        let Values::Counter(counts) = &block.values else {
            panic!("{metric} is no counter");
        };
        let counted = block.labels.iter().zip(counts);
        for (series, _) in counted.filter(|(_, count)| count.value() > 0.0) {
            let outcome = series.pairs().find(|(name, _)| *name == *"outcome");
            outcomes.insert(outcome.unwrap().1.to_string());
        }
    }
    outcomes
}

/// What a service does, and whether it is at fault.
const ENDS: [(&str, &str, bool); 9] = [
    ("/ok", "ok", false),
    ("/refused", "client_error", false),
    ("/fails", "server_error", true),
    ("/errs", "service_error", true),
    ("/panics", "panic", true),
    ("/breaks", "body_error", true),
    ("/never", "cancelled_before_head", false),
    ("/endless", "cancelled_in_body", false),
    ("/switches", "upgraded", false),
];

async fn answer<B>(request: Request<B>) -> Result<Response<Body>, std::io::Error> {
    let gone = || std::io::Error::other("gone");
    let endless = || stream::pending::<Result<&str, std::io::Error>>();
    Ok(match request.uri().path() {
        "/ok" => "done".into_response(),
        "/refused" => StatusCode::CONFLICT.into_response(),
        "/fails" => StatusCode::BAD_GATEWAY.into_response(),
        "/errs" => return Err(gone()),
        "/panics" => std::panic::panic_any("as it is meant to"),
        "/breaks" => Body::from_stream(stream::iter([Ok("some"), Err(gone())])).into_response(),
        "/never" => std::future::pending().await,
        "/endless" => Body::from_stream(endless()).into_response(),
        "/switches" => StatusCode::SWITCHING_PROTOCOLS.into_response(),
        other => panic!("no such path: {other}"),
    })
}

#[tokio::test]
async fn every_outcome_of_a_request_is_an_error_of_the_service_or_is_not() {
    let mut at_fault = BTreeSet::new();
    for (path, expected, fault) in ENDS {
        let registry = Registry::new();
        let layer = MetricsLayer::new().registry(&registry);
        let service = layer.layer(service_fn(answer));
        let request = Request::get(path).body(Body::empty()).unwrap();
        // In a separate task, which may panic or be dropped.
        let (looked, looks) = tokio::sync::oneshot::channel();
        let call = tokio::spawn(async move {
            let response = service.oneshot(request);
            if path == "/never" {
                let mut response = std::pin::pin!(response);
                let polled = futures_util::poll!(response.as_mut());
                assert!(polled.is_pending());
            } else if let Ok(response) = response.await
                && path != "/endless"
            {
                let _ = response.into_body().collect().await;
            }
            let _ = looked.send(());
        });
        let _ = looks.await;
        let _ = call.await;
        let found = outcomes(&registry, "http_requests_total");
        assert_eq!(found, BTreeSet::from([expected.to_owned()]), "{path}");
        if fault {
            at_fault.insert(expected.to_owned());
        }
    }
    let registry = Registry::new();
    let _ = MetricsLayer::new()
        .registry(&registry)
        .try_register()
        .unwrap();
    assert_eq!(errors(&AlertRules::new().to_yaml(&registry)), at_fault);
    assert_eq!(errors(&GrafanaBoard::new().to_json(&registry)), at_fault);
}

/// The layer's outcomes are private, so they are read from its source.
#[test]
fn the_test_of_errors_lists_every_outcome_of_the_layer() {
    let source = include_str!("../../../../src/middleware/outcome.rs");
    let (_, names) = source.split_once("fn as_str(self)").unwrap();
    let names = names.split('"').skip(1).step_by(2);
    let names: BTreeSet<_> = names.collect();
    let tested: BTreeSet<_> = ENDS.iter().map(|(_, outcome, _)| *outcome).collect();
    assert_eq!(names, tested);
}

#[test]
fn every_outcome_of_a_call_is_an_error_or_is_not() {
    // The compiler rejects this match if an outcome is added.
    let is_error = |outcome: Outcome| match outcome {
        Outcome::Success | Outcome::Cancelled | Outcome::Pending => false,
        Outcome::Error(_) | Outcome::Truncated => true,
    };
    let mut expected = BTreeSet::new();
    for outcome in [
        Outcome::Success,
        Outcome::Error(ErrorType::RateLimited),
        Outcome::Truncated,
        Outcome::Cancelled,
        Outcome::Pending,
    ] {
        let registry = Registry::new();
        let llm = LlmLayer::new().registry(&registry).try_register().unwrap();
        llm.start_call("openai", "m", "chat").finish(outcome);
        let found = outcomes(&registry, "llm_requests_total");
        if is_error(outcome) {
            expected.extend(found);
        }
    }
    let registry = Registry::new();
    let _ = LlmLayer::new().registry(&registry).try_register().unwrap();
    let rules = AlertRules::new().to_yaml(&registry);
    assert_eq!(errors(&rules), expected);
    assert_eq!(errors(&GrafanaBoard::new().to_json(&registry)), expected);
    // And the error that is asked for by its type is called so.
    let llm = LlmLayer::new().registry(&registry).try_register().unwrap();
    let call = llm.start_call("openai", "m", "chat");
    call.finish(Outcome::Error(ErrorType::RateLimited));
    let limited = crate::support::read::sum(
        &registry,
        "llm_requests_error",
        &[("error_type", "rate_limited")],
    );
    assert_eq!(limited, 1.0);
    assert!(rules.contains("error_type=\\\"rate_limited\\\""), "{rules}");
}
