//! Routers with every setting, and requests to them.

use std::collections::BTreeMap;
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request, StatusCode};
use fastrand::Rng;
use http_body::Body as _;
use serde_json::Value;
use tachometer::{MetricsRouter, Registry};
use tower::ServiceExt;

use crate::expected::{Client, Expected, Rules, Scrape, TOKEN, Time, client};
use crate::response_checks::{check_body, check_headers, check_summary};

/// The number of responses of each kind, and of complete scrapes.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    answers: BTreeMap<u16, u64>,
    broken: u64,
    /// Scrapes that were dropped before their end, and may have been cut before that.
    dropped: u64,
    heads: u64,
    codings: BTreeMap<&'static str, u64>,
    whole: BTreeMap<&'static str, u64>,
}

impl Counts {
    pub(crate) fn are_all_there(&self) -> bool {
        let statuses: Vec<_> = self.answers.keys().copied().collect();
        statuses == [200, 401, 403, 404, 405, 414, 503]
            && self.whole.len() == 6
            && self.codings.len() == 2
            && self.broken > 0
            && self.heads > 0
    }

    /// Checks that the router counted exactly the complete responses.
    pub(crate) fn check(&self, registry: &Registry) {
        let json: Value = serde_json::from_str(&registry.export_json()).unwrap();
        for (format, count) in &self.whole {
            let key = format!("tachometer_scrapes_total{{format=\"{format}\"}}");
            assert_eq!(json["metrics"][key]["value"], *count, "{format}");
        }
        let duration = &json["metrics"]["tachometer_scrape_duration_seconds"]["value"]["count"];
        assert_eq!(*duration, self.whole.values().sum::<u64>());
        let value = |name: &str| json["metrics"][name]["value"].as_u64().unwrap();
        assert_eq!(
            value("tachometer_scrapes_refused_total"),
            self.answers[&503]
        );
        let cut = value("tachometer_scrapes_aborted_total");
        let most = self.broken + self.dropped;
        assert!((self.broken..=most).contains(&cut), "{cut}: {self:?}");
    }
}

/// A router, and its responses that are not yet read to their end.
pub(crate) struct RouterUnderTest {
    pub(crate) rules: Rules,
    router: Router,
    held: Vec<OpenResponse>,
}

impl RouterUnderTest {
    pub(crate) fn all_settings(registry: &Registry) -> Vec<Self> {
        let open = Rules {
            most: 8,
            ..Rules::default()
        };
        let rules = [
            open.clone(),
            Rules {
                bearer: true,
                mount: "/metrics",
                ..open.clone()
            },
            Rules {
                bearer: true,
                basic: true,
                most: 2,
                ..open.clone()
            },
            Rules {
                basic: true,
                networks: true,
                mount: "/a/b",
                ..open.clone()
            },
            Rules {
                most: 1,
                mount: "/metrics",
                ..open.clone()
            },
            Rules {
                deadline: Time::Over,
                ..open
            },
        ];
        rules.map(|rules| Self::new(rules, registry)).into()
    }

    fn new(rules: Rules, registry: &Registry) -> Self {
        let hour = Duration::from_secs(60 * 60);
        // System metrics differ from one request to the next.
        let mut settings = MetricsRouter::new()
            .without_system_metrics()
            .registry(registry)
            .max_concurrent_scrapes(rules.most)
            .scrape_timeout(if rules.deadline == Time::Over {
                Duration::ZERO
            } else {
                hour
            });
        if rules.bearer {
            settings = settings.bearer_token(TOKEN);
        }
        if rules.basic {
            settings = settings.basic_auth("user", "password");
        }
        if rules.networks {
            settings = settings.allowed_networks(["127.0.0.0/8", "::1"]).unwrap();
        }
        let router = match rules.mount {
            "" => settings.build(),
            mount => Router::new().nest(mount, settings.build()),
        };
        Self {
            rules,
            router,
            held: Vec::new(),
        }
    }

    /// Drops all open responses.
    pub(crate) fn let_go(&mut self) {
        self.held = Vec::new();
    }

    /// Makes one request, and checks its response.
    pub(crate) fn execute(
        &mut self,
        request: Request<Body>,
        random: &mut Rng,
        counts: &mut Counts,
    ) {
        if !self.held.is_empty() && random.u8(..4) == 0 {
            let mut held = self.held.swap_remove(0);
            if random.bool() {
                finish(&mut held.body, &held.scrape, counts);
            }
        }
        let (head, body) = request.into_parts();
        let clients: Vec<_> = self.held.iter().map(|held| held.client.clone()).collect();
        let expected = Expected::for_request(&head, &self.rules, &clients);
        let client = client(&head);
        let method = head.method.clone();
        let is_head = method == Method::HEAD;
        let request = Request::from_parts(head, body);
        let answer = now(self.router.clone().oneshot(request)).unwrap();
        *counts.answers.entry(answer.status().as_u16()).or_default() += 1;
        counts.heads += u64::from(is_head);
        let status = match expected {
            Expected::NotFound => StatusCode::NOT_FOUND,
            Expected::Forbidden => StatusCode::FORBIDDEN,
            Expected::Unauthorized => StatusCode::UNAUTHORIZED,
            Expected::QueryTooLong => StatusCode::URI_TOO_LONG,
            Expected::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Expected::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Expected::Summary(_) | Expected::Scrape(_) => StatusCode::OK,
        };
        assert_eq!(answer.status(), status, "{:?}", answer.headers());
        check_headers(answer.headers(), &method, &expected, &self.rules);
        if matches!(expected, Expected::Summary(_)) {
            // A HEAD request is answered like a GET.
            *counts.whole.entry("summary").or_default() += 1;
        }
        let (head, mut body) = answer.into_parts();
        if let Expected::Scrape(scrape) = &expected
            && scrape.time != Time::Enough
        {
            counts.dropped += u64::from(is_head);
        }
        match expected {
            _ if is_head => assert!(frame(&mut body).is_none(), "a body for HEAD"),
            Expected::Scrape(scrape) => {
                let scrape = OpenResponse {
                    body,
                    scrape,
                    client,
                };
                self.read(scrape, random, counts);
            }
            Expected::Summary(_) => check_summary(&head.headers, &whole(&mut body)),
            Expected::Busy => assert!(whole(&mut body).ends_with(b"\n")),
            _ => assert_eq!(whole(&mut body), b""),
        }
    }

    /// Reads a scrape, or part of it.
    fn read(&mut self, mut scrape: OpenResponse, random: &mut Rng, counts: &mut Counts) {
        // A scrape past its deadline frees its permit at an unknown time. So does one of
        // several scrapes of a client.
        let is_new = |other: &OpenResponse| other.client.is_none() || other.client != scrape.client;
        let has_time = scrape.scrape.time == Time::Enough;
        if has_time && self.held.iter().all(is_new) && random.u8(..8) == 0 {
            self.held.push(scrape);
        } else if random.u8(..16) > 0 {
            finish(&mut scrape.body, &scrape.scrape, counts);
        } else if has_time {
            match frame(&mut scrape.body) {
                Some(first) => drop(first.unwrap()),
                // There is nothing more in the body.
                None => finish(&mut scrape.body, &scrape.scrape, counts),
            }
        } else {
            counts.dropped += 1;
        }
    }
}

/// A scrape in flight.
struct OpenResponse {
    body: Body,
    scrape: Box<Scrape>,
    client: Option<Client>,
}

/// Reads a scrape to its end, and checks it.
fn finish(body: &mut Body, scrape: &Scrape, counts: &mut Counts) {
    let mut read = Vec::new();
    while let Some(frame) = frame(body) {
        match frame {
            Ok(data) => read.extend(data),
            Err(broken) => {
                assert!(scrape.time != Time::Enough, "{broken}");
                assert!(self::frame(body).is_none(), "it goes on after an error");
                counts.broken += 1;
                return;
            }
        }
    }
    assert!(scrape.time != Time::Over, "its time was over");
    *counts.whole.entry(scrape.label).or_default() += 1;
    if let Some(coding) = scrape.coding {
        *counts.codings.entry(coding).or_default() += 1;
    }
    check_body(&read, scrape);
}

/// Reads a body that must be complete.
fn whole(body: &mut Body) -> Vec<u8> {
    let mut read = Vec::new();
    while let Some(frame) = frame(body) {
        read.extend(frame.unwrap());
    }
    read
}

fn frame(body: &mut Body) -> Option<Result<axum::body::Bytes, axum::Error>> {
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(frame) = pin!(body).poll_frame(&mut context) else {
        panic!("without a runtime there is nothing to wait for");
    };
    frame.map(|frame| frame.map(|frame| frame.into_data().unwrap()))
}

fn now<T>(future: impl Future<Output = T>) -> T {
    let mut context = Context::from_waker(Waker::noop());
    let Poll::Ready(output) = pin!(future).poll(&mut context) else {
        panic!("there is nothing to wait for");
    };
    output
}
