//! A thousand concurrent streams with random ends: each is counted once, with the tokens that
//! arrived, and none stays in flight.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fastrand::Rng;
use futures_util::future::join_all;
use serde_json::json;
use tachometer::Registry;
use tachometer::snapshot::Values;
use tokio::sync::Semaphore;

use crate::support::read::{numbers, sum, to_f64};
use crate::support::responses::{CHAT, chunk, question, usage};
use crate::support::upstream::{Answer, End, Upstream};
use crate::support::wait::until;
use crate::support::{client, in_flight, layer, outcomes, tokens};

const CALLS: u64 = 1_000;
/// The events of each stream; the last but one has the finish.
const EVENTS: usize = 12;
const MODELS: [&str; 3] = ["gpt-x", "gpt-y", "gpt-z"];

/// How one call ends.
#[derive(Clone, Copy, Debug)]
enum CallEnd {
    Whole,
    /// An error event comes after this many others.
    Error(usize),
    /// The connection breaks off after this many events.
    Cut(usize),
    /// Nothing more comes after this many events, and the caller leaves.
    Stalls(usize),
    /// The caller leaves after this many events.
    Leaves(usize),
    Limited,
    /// The caller leaves before there is an answer.
    LeavesAtOnce,
}

#[derive(Clone, Copy, Debug)]
struct Call {
    number: u64,
    fate: CallEnd,
    input: u64,
    output: u64,
}

impl Call {
    fn new(number: u64) -> Self {
        let mut random = Rng::with_seed(number);
        // Before the last two, which say that all is well.
        let events = random.usize(1..EVENTS - 2);
        let fates = [
            CallEnd::Whole,
            CallEnd::Whole,
            CallEnd::Error(events),
            CallEnd::Cut(events),
            CallEnd::Stalls(events),
            CallEnd::Leaves(events),
            CallEnd::Limited,
            CallEnd::LeavesAtOnce,
        ];
        Self {
            number,
            fate: fates[random.usize(..fates.len())],
            input: random.u64(1..1_000),
            output: random.u64(2..100),
        }
    }

    fn model(self) -> &'static str {
        let models: u64 = MODELS.len() as u64;
        MODELS[usize::try_from(self.number % models).unwrap()]
    }

    /// Each event reports the usage so far, so it is known for a partial stream.
    fn usage_after(self, events: usize) -> [u64; 2] {
        match events {
            0 => [0, 0],
            EVENTS => [self.input, self.output],
            some => [self.input, some as u64],
        }
    }

    fn answer(self) -> Answer {
        let mut events = Vec::new();
        for number in 1..=EVENTS {
            let finish = (number >= EVENTS - 1).then_some("stop");
            let delta = json!({"content": format!("word {number} ")});
            let mut event = chunk(self.model(), &delta, finish);
            let [input, output] = self.usage_after(number);
            event["usage"] = usage(input, output);
            events.push(event.to_string());
        }
        let error = json!({"error": {"message": "no", "type": "server_error"}});
        match self.fate {
            CallEnd::Limited => {
                let body = json!({"error": {"message": "no", "code": "rate_limit_exceeded"}});
                Answer::json(429, body.to_string())
            }
            CallEnd::LeavesAtOnce => Answer::never(),
            CallEnd::Error(after) => {
                events.truncate(after);
                events.push(error.to_string());
                Answer::events(events)
            }
            CallEnd::Cut(after) => Answer::events(&events[..after]).end(End::Breaks),
            CallEnd::Stalls(after) => Answer::events(&events[..after]).end(End::Hangs),
            CallEnd::Leaves(_) | CallEnd::Whole => {
                events.push("[DONE]".to_owned());
                Answer::events(events)
            }
        }
    }

    /// Returns how many events the caller saw, once he has left or all have come.
    async fn read(self, response: reqwest::Response) -> usize {
        let mut response = response;
        let most = match self.fate {
            CallEnd::Stalls(events) | CallEnd::Leaves(events) => events,
            _ => usize::MAX,
        };
        let mut read = Vec::new();
        // It does not leave inside of an event, whose usage would be undefined.
        while events(&read) < most || !read.ends_with(b"\n\n") {
            match response.chunk().await {
                Ok(Some(chunk)) => read.extend_from_slice(&chunk),
                Ok(None) | Err(_) => break,
            }
        }
        events(&read)
    }
}

/// Returns how many events with tokens have come.
fn events(read: &[u8]) -> usize {
    let text = str::from_utf8(read).unwrap();
    text.matches("\n\ndata: {").count() + usize::from(text.starts_with("data: {"))
        - text.matches("data: {\"error\"").count()
}

/// What is expected of all of them.
#[derive(Debug, Default, PartialEq)]
struct Expected {
    outcomes: [u64; 4],
    tokens: [u64; 2],
}

/// So many connections there can be at once, each with two ends in this process.
fn at_once() -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let files = line.and_then(|line| line.split_whitespace().nth(3)?.parse().ok());
    (files.unwrap_or(1_024) / 2 - 100).min(usize::try_from(CALLS).unwrap())
}

/// Scrapes until it is stopped; the number in flight is never below 0 or above the number of
/// calls.
fn scrape(registry: &Registry, stop: &AtomicBool) -> u32 {
    let mut scrapes = 0;
    while !stop.load(Ordering::Relaxed) {
        for block in registry.gather() {
            match &block.values {
                Values::Gauge(_) if block.desc.name() == "llm_requests_in_flight" => {
                    let of_models = numbers(&block);
                    assert!(
                        of_models.iter().all(|number| *number >= 0.0),
                        "{of_models:?}"
                    );
                    assert!(of_models.iter().sum::<f64>() <= to_f64(CALLS));
                }
                _ => {}
            }
        }
        scrapes += 1;
    }
    scrapes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_of_a_thousand_concurrent_streams_is_counted_once() {
    let upstream = Upstream::start(|received| {
        let number = received.head.headers["x-number"].to_str().unwrap();
        Call::new(number.parse().unwrap()).answer()
    })
    .await;
    let (layer, registry) = layer();
    // Named from the start, whichever call of them is answered first.
    let layer = layer.known_models(MODELS);
    let llm = layer.layer(client());
    let stop = Arc::new(AtomicBool::new(false));
    let scraper = {
        let (registry, stop) = (registry.clone(), Arc::clone(&stop));
        std::thread::spawn(move || scrape(&registry, &stop))
    };
    let connections = Arc::new(Semaphore::new(at_once()));
    let calls = (0..CALLS).map(|number| {
        let call = Call::new(number);
        let request = llm.get_ref().post(upstream.url(CHAT));
        let request = request.header("x-number", number);
        let request = request.body(question(call.model(), true)).build().unwrap();
        let (llm, connections) = (llm.clone(), Arc::clone(&connections));
        tokio::spawn(async move {
            let _connection = connections.acquire().await.unwrap();
            if let CallEnd::LeavesAtOnce = call.fate {
                let sent = llm.execute(request);
                // It is polled, and dropped when it first waits.
                assert!(futures_util::FutureExt::now_or_never(sent).is_none());
                return (call, 0);
            }
            let response = llm.execute(request).await.unwrap();
            (call, call.read(response).await)
        })
    });
    let mut expected = Expected::default();
    let ended = join_all(calls.collect::<Vec<_>>()).await;
    stop.store(true, Ordering::Relaxed);
    for ended in ended {
        let (call, events) = ended.unwrap();
        let outcome = match call.fate {
            // One piece may have brought all of it, which ends with its reason.
            CallEnd::Leaves(_) if events >= EVENTS - 1 => 2,
            CallEnd::Stalls(_) | CallEnd::Leaves(_) | CallEnd::LeavesAtOnce => 0,
            CallEnd::Error(_) | CallEnd::Limited => 1,
            CallEnd::Whole => 2,
            CallEnd::Cut(_) => 3,
        };
        expected.outcomes[outcome] += 1;
        for (expected, tokens) in expected.tokens.iter_mut().zip(call.usage_after(events)) {
            *expected += tokens;
        }
    }
    assert!(scraper.join().unwrap() > 0);
    until(|| in_flight(&registry) == 0.0).await;
    assert_eq!(outcomes(&registry), expected.outcomes.map(to_f64));
    assert_eq!(expected.outcomes.iter().sum::<u64>(), CALLS);
    assert!(
        expected.outcomes.iter().all(|calls| *calls > 50),
        "{expected:?}"
    );
    assert_eq!(tokens(&registry), expected.tokens.map(to_f64));
    assert_eq!(
        sum(&registry, "llm_request_duration_seconds", &[]),
        to_f64(CALLS)
    );
    for model in MODELS {
        let calls = sum(&registry, "llm_requests_total", &[("model", model)]);
        assert!(calls > 300.0, "{model}: {calls}");
    }
    let all = outcomes(&registry);
    assert_eq!(sum(&registry, "llm_requests_success", &[]), all[2]);
    assert_eq!(sum(&registry, "llm_requests_error", &[]), all[1] + all[3]);
}
