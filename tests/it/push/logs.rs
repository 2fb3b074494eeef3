//! Warnings, and that no header is printed.

use std::time::Duration;

use tachometer::push::{Otlp, OtlpExporter};
use tachometer::{Error, Registry};
use tokio::runtime::Builder;
use tokio::time::sleep;

use super::receiver::Answer::{Accept, Partial, Reset, RetryAfter, Status};
use super::receiver::{Answer, Receiver};
use crate::support::warnings::warnings;

/// A part of each secret.
const CANARY: &str = "CANARY";

fn otlp(receiver: &Receiver) -> Otlp {
    receiver
        .otlp(&Registry::new())
        .interval(Duration::MAX)
        .export_timeout(Duration::from_secs(5))
        .endpoint("http://otel:4318/?key=CANARY")
        .header("authorization", "CANARY")
}

/// Flushes once for each answer, every 5 seconds. Returns the warnings and the errors.
fn flush(settings: impl Fn(Otlp) -> Otlp, answers: &[Answer]) -> (Vec<String>, Vec<Error>) {
    flush_every(Duration::from_secs(5), settings, answers)
}

fn flush_every(
    pause: Duration,
    settings: impl Fn(Otlp) -> Otlp,
    answers: &[Answer],
) -> (Vec<String>, Vec<Error>) {
    let receiver = Receiver::default();
    let otlp = settings(otlp(&receiver));
    let errors = std::sync::Mutex::new(Vec::new());
    let warnings = warnings(
        || {},
        || {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .start_paused(true)
                .build();
            runtime.unwrap().block_on(async {
                let exporter: OtlpExporter = otlp.start().unwrap();
                for answer in answers {
                    receiver.set(answer.clone());
                    let result = exporter.flush().await;
                    errors.lock().unwrap().extend(result.err());
                    sleep(pause).await;
                }
            });
        },
    );
    (warnings, errors.into_inner().unwrap())
}

#[test]
fn each_kind_of_failure_is_logged_once_until_a_success() {
    let reset = || Reset { is_accepted: false };
    let unavailable = || RetryAfter(503, "60");
    let answers = [
        reset(),
        reset(),
        unavailable(),
        unavailable(),
        Status(401),
        Status(401),
        Status(404),
        Partial(1),
        Partial(2),
        reset(),
        Accept,
        Accept,
        reset(),
        Partial(3),
        Status(401),
    ];
    let (warnings, errors) = flush(|otlp| otlp, &answers);
    let texts = [
        ("no response", "connection reset"),
        ("the receiver is not ready", "503"),
        ("the receiver rejects them", "credentials"),
        ("the receiver rejects them", "path"),
        ("a part of the metrics was rejected", "rejected 1 points"),
        ("no response", "connection reset"),
        ("a part of the metrics was rejected", "rejected 3 points"),
        ("the receiver rejects them", "credentials"),
    ];
    assert_eq!(warnings.len(), texts.len(), "{warnings:#?}");
    for (warning, (text, detail)) in warnings.iter().zip(texts) {
        assert!(
            warning.contains(text) && warning.contains(detail),
            "{warning}"
        );
        assert!(
            warning.contains("endpoint=\"http://otel:4318\""),
            "{warning}"
        );
    }
    assert_eq!(errors.len(), answers.len() - 2);
}

#[test]
fn exports_that_wait_for_a_receiver_cause_no_second_warning() {
    let answers = [RetryAfter(503, "60"), Accept];
    let (warnings, errors) = flush_every(Duration::ZERO, |otlp| otlp, &answers);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    let texts: Vec<_> = errors.iter().map(ToString::to_string).collect();
    assert_eq!(texts.len(), 2);
    assert!(texts[1].contains("asked for a delay"), "{texts:?}");
    for text in texts {
        let start = "the export to http://otel:4318 did not succeed: ";
        assert!(text.starts_with(start), "{text}");
    }
}

#[test]
fn no_warning_error_or_debug_output_has_a_header_a_query_or_the_text_of_a_response() {
    let answers = [
        Reset { is_accepted: false },
        Answer::Panic,
        Status(503),
        Status(400),
        Status(500),
        Partial(1),
        Answer::Hang,
    ];
    let (warnings, errors) = flush(|otlp| otlp, &answers);
    assert!(warnings.len() >= 5, "{warnings:?}");
    let exporter = otlp(&Receiver::default()).enabled(false).start().unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let running = runtime.block_on(async { otlp(&Receiver::default()).start().unwrap() });
    let debug = [
        format!("{:?}", otlp(&Receiver::default())),
        format!(
            "{:#?}",
            otlp(&Receiver::default()).endpoint("http://CANARY@otel")
        ),
        format!("{exporter:?} {running:?} {errors:?}"),
    ];
    let errors = errors.iter().map(ToString::to_string);
    for text in warnings.iter().cloned().chain(errors).chain(debug) {
        assert!(!text.contains(CANARY), "{text}");
    }
}

#[test]
fn the_port_of_grpc_is_pointed_out() {
    let answers = [Reset { is_accepted: false }, Status(415)];
    let (warnings, errors) = flush(|otlp| otlp.endpoint("http://otel:4317"), &answers);
    assert_eq!(warnings.len(), 2);
    let errors = errors.iter().map(ToString::to_string);
    for text in warnings.iter().cloned().chain(errors) {
        assert!(text.contains("port 4318"), "{text}");
    }
}
