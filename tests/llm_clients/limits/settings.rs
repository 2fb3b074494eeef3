//! Settings of the LLM layer.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Response;
use http_body::{Body, Frame};
use http_body_util::StreamBody;
use serde_json::json;
use tachometer::snapshot::{Kind, Values};
use tachometer::{Buckets, LlmLayer, Registry};

use crate::support::local_client::{call, finish, histogram, open, open_as};
use crate::support::read::{series, sum};
use crate::support::responses::{CHAT, chat, chunk, chunks, usage};
use crate::support::{CANCELLED, SUCCESS, layer, outcomes, tokens};

fn calls(registry: &Registry, label: (&str, &str)) -> f64 {
    sum(registry, "llm_requests_total", &[label])
}

#[test]
fn the_provider_is_derived_from_the_host_or_set_by_the_user() {
    let openai = format!("https://api.openai.com{CHAT}");
    let url_with_port = format!("http://LLM.internal:8080{CHAT}");
    let (plain, registry) = layer();
    call(&plain, &openai, "gpt-x");
    call(&plain, &url_with_port, "gpt-x");
    assert_eq!(calls(&registry, ("provider", "openai")), 1.0);
    assert_eq!(calls(&registry, ("provider", "openai_compatible")), 1.0);

    let (all, registry) = layer();
    let all = all
        .provider("gateway")
        .provider_for_host("llm.internal", "old");
    let all = all.provider_for_host("llm.internal", "vllm");
    call(&all, &openai, "gpt-x");
    call(&all, &url_with_port, "gpt-x");
    assert_eq!(calls(&registry, ("provider", "gateway")), 1.0);
    assert_eq!(calls(&registry, ("provider", "vllm")), 1.0);
    assert_eq!(calls(&registry, ("provider", "old")), 0.0);

    let (ports, registry) = layer();
    let ports = ports
        .provider_for_host("llm.internal", "other")
        .provider_for_host("llm.internal:8080", "vllm");
    let ports = ports.provider_for_host("llm.internal:8081", "llama.cpp");
    call(&ports, &url_with_port, "gpt-x");
    call(&ports, &url_with_port.replace("8080", "8081"), "gpt-x");
    call(&ports, &url_with_port.replace("8080", "80"), "gpt-x");
    for provider in ["vllm", "llama.cpp", "other"] {
        assert_eq!(calls(&registry, ("provider", provider)), 1.0, "{provider}");
    }

    // A configured host is a provider even without a known model.
    let (with_host, registry) = layer();
    let with_host = with_host.provider_for_host("llm.internal", "vllm");
    let answer = Response::new(chat("gpt-x", 3, 2).to_string());
    let url = "http://llm.internal/api/embeddings";
    let unseen =
        crate::support::local_client::open_as(&with_host, url, "no JSON".to_owned(), answer);
    finish(unseen);
    assert_eq!(calls(&registry, ("operation", "embeddings")), 1.0);
}

#[test]
fn skipped_calls_are_not_counted_and_a_panicking_skip_closure_skips_nothing() {
    let (layer, registry) = layer();
    let layer = layer.skip(|host, path| {
        assert_ne!(host, "panics", "on purpose");
        host == "skipped" || path.starts_with("/internal")
    });
    call(&layer, "http://skipped/v1/chat/completions", "gpt-x");
    call(&layer, "http://here/internal/v1/chat/completions", "gpt-x");
    assert_eq!(series(&registry), 0);
    call(&layer, "http://here/v1/chat/completions", "gpt-x");
    call(&layer, "http://panics/v1/chat/completions", "gpt-x");
    assert_eq!(outcomes(&registry), [0.0, 0.0, 2.0, 0.0]);
}

#[test]
fn models_are_renamed_and_unknown_if_the_closure_panics() {
    let (layer, registry) = layer();
    let layer = layer.model_limit(3).rename_models(|model| {
        assert_ne!(model, "panics", "on purpose");
        let (name, _) = model.split_once("-2026").unwrap_or((model, ""));
        name.into()
    });
    for day in 10..30 {
        call(&layer, CHAT, &format!("gpt-x-2026-01-{day}"));
    }
    call(&layer, CHAT, "panics");
    call(&layer, CHAT, "-2026");
    drop(layer.start_call("openai", "gpt-x-2026-by-hand", "chat"));
    assert_eq!(calls(&registry, ("model", "gpt-x")), 21.0);
    let panics = registry.get("tachometer_closure_panics_total");
    assert!(panics.is_some_and(|panics| panics.value() > 0.0));
    // Neither an empty name nor none at all: it may be what `rename` is there to hide.
    assert_eq!(calls(&registry, ("model", "unknown")), 2.0);
    let text = registry.export_prometheus();
    assert!(!text.contains("2026") && !text.contains("\"panics\""));
}

#[test]
fn a_prefix_applies_to_every_name() {
    let (layer, registry) = layer();
    let layer = layer.prefix("shop_");
    call(&layer, CHAT, "gpt-x");
    let metrics = registry.metrics();
    let names: Vec<_> = metrics
        .iter()
        .map(|metric| metric.name().to_owned())
        .collect();
    let llm_names = names.iter().filter(|name| !name.starts_with("tachometer_"));
    assert!(llm_names.clone().count() > 10);
    for name in llm_names {
        assert!(name.starts_with("shop_llm_"), "{name}");
    }
    assert_eq!(sum(&registry, "shop_llm_requests_total", &[]), 1.0);
    let wrong = LlmLayer::new()
        .registry(&Registry::new())
        .prefix("no prefix");
    assert!(wrong.try_register().unwrap_err().is_invalid_name());
}

#[test]
fn configured_buckets_apply_to_all_histograms_of_seconds() {
    let (layer, registry) = layer();
    call(
        &layer.clone().buckets(Buckets::new(&[1.0, 10.0]).unwrap()),
        CHAT,
        "gpt-x",
    );
    let mut histograms = 0;
    for metric in registry.metrics() {
        if metric.kind() == Kind::Histogram && metric.name().starts_with("llm_") {
            histograms += 1;
        }
    }
    assert_eq!(histograms, 4);
    for block in registry.gather() {
        if let Values::Histogram(values) = &block.values
            && block.desc.name().starts_with("llm_")
        {
            assert_eq!(values.bounds.to_vec(), [1.0, 10.0], "{}", block.desc.name());
        }
    }
    // The same names with other buckets are a conflict.
    let error = layer
        .clone()
        .buckets(Buckets::new(&[2.0]).unwrap())
        .try_register()
        .unwrap_err();
    assert!(error.is_conflict(), "{error}");
}

/// A clock that the test sets.
#[derive(Clone, Default)]
struct Hand(Arc<AtomicU64>);

impl Hand {
    fn advance(&self, millis: u64) {
        self.0.fetch_add(millis, Ordering::Relaxed);
    }

    fn now(&self) -> Instant {
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        *START + Duration::from_millis(self.0.load(Ordering::Relaxed))
    }

    fn attach_to(&self, layer: LlmLayer) -> LlmLayer {
        let hand = self.clone();
        layer.clock(move || hand.now())
    }
}

/// Makes a call whose response head arrives after a second, and each chunk half a second later.
fn timed(hand: &Hand, layer: &LlmLayer, pieces: Vec<String>) {
    let frames = pieces
        .into_iter()
        .map(|piece| Ok::<_, &str>(Frame::data(Bytes::from(piece))));
    let body = StreamBody::new(futures_util::stream::iter(frames));
    let answer = open(layer, CHAT, Response::new(body));
    let mut body = pin!(answer.into_body());
    let mut context = Context::from_waker(Waker::noop());
    hand.advance(1_000);
    loop {
        hand.advance(500);
        match body.as_mut().poll_frame(&mut context) {
            Poll::Ready(None) => break,
            frame => assert!(matches!(frame, Poll::Ready(Some(Ok(_))))),
        }
    }
}

#[test]
fn times_are_read_from_the_configured_clock() {
    let (layer, registry) = layer();
    let hand = Hand::default();
    let layer = hand.attach_to(layer);
    let events = chunks("gpt-x", 9, 5);
    let events = events.iter().map(|event| format!("data: {event}\n\n"));
    timed(&hand, &layer, events.collect());
    assert_eq!(outcomes(&registry), SUCCESS);
    let [duration, first, per_token] = [
        "llm_request_duration_seconds",
        "llm_time_to_first_token_seconds",
        "llm_time_per_output_token_seconds",
    ]
    .map(|name| histogram(&registry, name));
    // The first of six pieces has no text, the second has; the end comes after them.
    assert_eq!((duration.0, duration.1.sum), (1, 4.5));
    assert_eq!((first.0, first.1.sum), (1, 2.0));
    // From the second piece to the end, by the four tokens after the first.
    assert_eq!((per_token.0, per_token.1.sum), (1, 2.5 / 4.0));
}

#[test]
fn only_complete_streams_have_a_time_per_token() {
    let (layer, registry) = layer();
    let hand = Hand::default();
    let layer = hand.attach_to(layer);
    timed(&hand, &layer, vec![chat("gpt-x", 9, 5).to_string()]);
    assert_eq!(
        histogram(&registry, "llm_request_duration_seconds").1.sum,
        2.0
    );
    assert_eq!(histogram(&registry, "llm_time_to_first_token_seconds").0, 0);
    // Each of its events reports the tokens so far, and none has a finish reason.
    let events = [2, 3, 4].map(|tokens| {
        let mut event = chunk("gpt-x", &json!({"content": "Word. "}), None);
        event["usage"] = usage(9, tokens);
        format!("data: {event}\n\n")
    });
    timed(&hand, &layer, events.into());
    assert_eq!(tokens(&registry), [18.0, 9.0]);
    assert_eq!(outcomes(&registry), [0.0, 0.0, 1.0, 1.0]);
    assert_eq!(
        histogram(&registry, "llm_request_duration_seconds").1.sum,
        5.0
    );
    assert_eq!(histogram(&registry, "llm_time_to_first_token_seconds").0, 1);
    assert_eq!(
        histogram(&registry, "llm_time_per_output_token_seconds").0,
        0
    );
}

#[test]
fn a_clock_that_goes_back_or_panics_fails_no_call() {
    let (layer, registry) = layer();
    let clock_reads = AtomicU64::new(0);
    let start = Instant::now();
    let back = layer.clone().clock(move || {
        let clock_reads = clock_reads.fetch_add(1, Ordering::Relaxed);
        start + Duration::from_secs(100 - clock_reads)
    });
    drop(back.start_call("openai", "gpt-x", "chat"));
    assert_eq!(outcomes(&registry), CANCELLED);
    assert_eq!(
        histogram(&registry, "llm_request_duration_seconds").1.max,
        0.0
    );
    call(&layer.clock(|| panic!("on purpose")), CHAT, "gpt-x");
    assert_eq!(outcomes(&registry), [1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn hidden_reasoning_tokens_are_excluded_from_the_time_per_token() {
    const USAGE: &str = r#"data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":105,"completion_tokens_details":{"reasoning_tokens":100}}}"#;
    let end = |events: &str| format!("{events}\n\ndata: [DONE]\n\n");
    let delta = |name: &str| {
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"{name}\":\"hi\"}}}}]}}\n\n")
    };
    for (shown, tokens) in [("content", 4.0), ("reasoning_content", 104.0)] {
        let (layer, registry) = layer();
        let hand = Hand::default();
        let layer = hand.attach_to(layer);
        timed(
            &hand,
            &layer,
            vec![delta(shown), delta("content"), end(USAGE)],
        );
        let per_token = histogram(&registry, "llm_time_per_output_token_seconds");
        // Two pieces, and the end, a second after each.
        let after_first = histogram(&registry, "llm_request_duration_seconds").1.sum
            - histogram(&registry, "llm_time_to_first_token_seconds")
                .1
                .sum;
        assert_eq!(
            (per_token.0, per_token.1.sum),
            (1, after_first / tokens),
            "{shown}"
        );
    }
}

#[test]
fn a_stream_that_arrives_in_one_chunk_has_no_time_per_token() {
    let (layer, registry) = layer();
    let hand = Hand::default();
    let layer = hand.attach_to(layer);
    let events = chunks("gpt-x", 9, 5);
    let events: String = events
        .iter()
        .flat_map(|event| {
            [
                "data: ", event, "

",
            ]
        })
        .collect();
    timed(&hand, &layer, vec![events]);
    assert_eq!(outcomes(&registry), SUCCESS);
    assert_eq!(histogram(&registry, "llm_time_to_first_token_seconds").0, 1);
    assert_eq!(
        histogram(&registry, "llm_time_per_output_token_seconds").0,
        0
    );
}

#[test]
fn a_call_without_a_model_has_the_default_model() {
    let (layer, registry) = layer();
    let layer = layer.default_model("whisper-x");
    let url = "http://localhost/v1/audio/transcriptions";
    let answer = || Response::new(json!({"text": "hi"}).to_string());
    finish(open_as(&layer, url, "a sound".into(), answer()));
    let form = "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\ngpt-x\r\n--b--";
    finish(open_as(&layer, url, form.into(), answer()));
    assert_eq!(calls(&registry, ("model", "whisper-x")), 1.0);
    assert_eq!(calls(&registry, ("model", "gpt-x")), 1.0);
}
