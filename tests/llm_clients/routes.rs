//! Costs by route: calls made while requests are answered, from every place in a service.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fmt::Debug;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::routing::get;
use fastrand::Rng;
use futures_util::future::{join, join_all};
use futures_util::stream;
use http::{Request, Response, Uri};
use http_body_util::BodyExt;
use tachometer::llm::{Outcome, Price, PriceTable, Usage};
use tachometer::{LlmLayer, MetricsLayer, Registry, RequestRoute, carry_route};
use tokio::task::{spawn_blocking, yield_now};
use tower::{Service, ServiceExt, service_fn};

use crate::support::read::sum;

/// Returns a layer for calls that cost a cent for each token.
fn llm_layer(registry: &Registry) -> LlmLayer {
    let prices = PriceTable::new().model("m", Price::per_million(1e4, 1e4));
    let layer = LlmLayer::new().registry(registry).prices(prices);
    layer.route_metrics().try_register().unwrap()
}

/// Makes a call that uses so many tokens.
async fn call(llm: &LlmLayer, tokens: u64) {
    let mut call = llm.start_call("p", "m", "chat");
    yield_now().await;
    call.set_usage(Usage::new().input(tokens).output(0));
    call.finish(Outcome::Success);
}

fn call_at_once(llm: &LlmLayer, tokens: u64) {
    let mut call = llm.start_call("p", "m", "chat");
    call.set_usage(Usage::new().input(tokens).output(0));
    call.finish(Outcome::Success);
}

fn spent(registry: &Registry, route: &str) -> f64 {
    let tokens = sum(registry, "llm_route_tokens_total", &[("route", route)]);
    let cost = sum(registry, "llm_route_cost_usd_total", &[("route", route)]);
    assert!((tokens - 100.0 * cost).abs() < 1e-6, "{route}: {cost}");
    tokens
}

async fn get_from<S, B>(app: &S, path: &str)
where
    S: Service<Request<Body>, Response = Response<B>, Error = Infallible> + Clone,
    B: http_body::Body<Error: Debug>,
{
    let request = Request::get(path).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    response.into_body().collect().await.unwrap();
}

#[tokio::test]
async fn a_call_has_the_route_of_the_code_that_makes_it() {
    let registry = Registry::new();
    let llm = llm_layer(&registry);
    let app = Router::new()
        .route(
            "/own/{id}",
            get(async |State(m): State<LlmLayer>| {
                assert_eq!(RequestRoute::current().name(), Some("/own/{id}"));
                call(&m, 1).await;
                join(call(&m, 2), call(&m, 4)).await;
            }),
        )
        .route(
            "/task",
            get(async |State(m): State<LlmLayer>| {
                let (one, two) = (m.clone(), m.clone());
                tokio::spawn(carry_route(async move { call(&one, 8).await }))
                    .await
                    .unwrap();
                // Not carried over, so the route is unknown.
                tokio::spawn(async move { call(&two, 16).await })
                    .await
                    .unwrap();
                let route = RequestRoute::current();
                spawn_blocking(move || route.run(|| call_at_once(&m, 32)))
                    .await
                    .unwrap();
            }),
        )
        .route(
            "/stream",
            get(async |State(m): State<LlmLayer>| {
                let parts = stream::unfold((m, 0), async |(m, part)| {
                    call(&m, 64).await;
                    (part < 2).then(|| (Ok::<_, Infallible>("part"), (m, part + 1)))
                });
                Body::from_stream(parts)
            }),
        )
        .route(
            "/nested",
            get(async |State(m): State<LlmLayer>| {
                // Another service in this process, which has routes of its own.
                let inner = Router::new()
                    .route(
                        "/inner",
                        get(async |State(m): State<LlmLayer>| call(&m, 1_000).await),
                    )
                    .with_state(m.clone())
                    .layer(MetricsLayer::new().registry(&Registry::new()));
                get_from(&inner, "/inner").await;
                call(&m, 128).await;
            }),
        )
        .with_state(llm.clone())
        .layer(MetricsLayer::new().registry(&registry));
    for path in ["/own/7", "/task", "/stream", "/nested"] {
        get_from(&app, path).await;
        assert_eq!(RequestRoute::current().name(), None);
    }
    call(&llm, 256).await;
    for (route, tokens) in [
        ("/own/{id}", 7.0),
        ("/task", 40.0),
        ("/stream", 192.0),
        ("/nested", 128.0),
        ("/inner", 1_000.0),
        ("none", 16.0 + 256.0),
    ] {
        assert_eq!(spent(&registry, route), tokens, "{route}");
    }
    let all = sum(&registry, "llm_tokens_total", &[]);
    assert_eq!(sum(&registry, "llm_route_tokens_total", &[]), all);
}

#[tokio::test]
async fn an_outer_layer_receives_the_route_from_the_inner_one() {
    let registry = Registry::new();
    let layer = MetricsLayer::new().registry(&registry);
    let app = Router::new()
        .route(
            "/users/{id}",
            get(async |State(m): State<LlmLayer>| {
                call(&m, 1).await;
                tokio::time::sleep(Duration::from_millis(1)).await;
                call(&m, 2).await;
            }),
        )
        .fallback(async |State(m): State<LlmLayer>| call(&m, 4).await)
        .with_state(llm_layer(&registry))
        .layer(layer.clone());
    let app = tower::Layer::layer(&layer, app);
    for path in ["/users/7", "/nowhere"] {
        get_from(&app, path).await;
    }
    assert_eq!(spent(&registry, "/users/{id}"), 3.0);
    assert_eq!(spent(&registry, "unmatched"), 4.0);
    assert_eq!(spent(&registry, "none"), 0.0);
}

#[tokio::test]
async fn a_cost_has_the_route_of_its_request() {
    let registry = Registry::new();
    let inner = Router::new()
        .route(
            "/users/{id}",
            get(async |State(m): State<LlmLayer>| call(&m, 1).await),
        )
        .route(
            "/teams/{id}",
            get(async |State(m): State<LlmLayer>| call(&m, 2).await),
        )
        .with_state(llm_layer(&registry))
        .layer(MetricsLayer::new().registry(&registry));
    let outer = MetricsLayer::new().registry(&registry);

    // An outer layer with its own route ignores inner ones.
    let named = outer.clone().route_from(|_| Some("outer".into()));
    get_from(&tower::Layer::layer(&named, inner.clone()), "/users/7").await;

    assert_eq!(spent(&registry, "outer"), 1.0);
    assert_eq!(spent(&registry, "/users/{id}"), 0.0);

    // One without a route uses the first one reported. Since the bodies are new, it learns
    // from the first request that requests must be marked.
    let retried = service_fn(move |request: Request<Body>| {
        let inner = inner.clone();
        let (mut head, _) = request.into_parts();
        async move {
            for path in ["/users/7", "/teams/7"] {
                head.uri = Uri::from_static(path);
                let request = Request::from_parts(head.clone(), Body::empty());
                inner.clone().oneshot(request).await?;
                yield_now().await;
            }
            Ok(Response::new(Body::empty()))
        }
    });
    let app = tower::Layer::layer(&outer, retried);
    get_from(&app, "/").await;
    let found = |route| {
        let requests = sum(&registry, "http_requests_total", &[("route", route)]);
        [requests, spent(&registry, route)]
    };
    let [users, teams] = ["/users/{id}", "/teams/{id}"].map(found);
    get_from(&app, "/").await;
    assert_eq!(found("/users/{id}"), [users[0] + 1.0, users[1] + 3.0]);
    assert_eq!(found("/teams/{id}"), teams);
}

#[tokio::test]
async fn a_request_that_panics_or_is_dropped_leaves_its_route_to_no_one() {
    let registry = Registry::new();
    let llm = llm_layer(&registry);
    let app = Router::new()
        .route(
            "/panic",
            get(async |State(m): State<LlmLayer>| {
                call(&m, 1).await;
                assert!(RequestRoute::current().name().is_none(), "on purpose");
            }),
        )
        .route(
            "/endless",
            get(async |State(m): State<LlmLayer>| {
                call(&m, 2).await;
                std::future::pending::<()>().await;
            }),
        )
        .with_state(llm.clone())
        .layer(MetricsLayer::new().registry(&registry));
    let panicking = app.clone();
    let panicked = tokio::spawn(async move { get_from(&panicking, "/panic").await });
    assert!(panicked.await.unwrap_err().is_panic());
    call(&llm, 4).await;
    let endless = tokio::time::timeout(Duration::from_millis(20), get_from(&app, "/endless"));
    assert!(endless.await.is_err());
    call(&llm, 8).await;
    assert_eq!(spent(&registry, "/panic"), 1.0);
    assert_eq!(spent(&registry, "/endless"), 2.0);
    assert_eq!(spent(&registry, "none"), 12.0);
}

/// Many requests of many routes, on all threads, each of which makes many calls, in tasks and
/// outside of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn routes_are_never_mixed_up() {
    const ROUTES: u64 = 12;
    const REQUESTS: u64 = 600;

    let registry = Registry::new();
    let llm = llm_layer(&registry);
    let handler = async |State(m): State<LlmLayer>, Path(seed): Path<u64>| {
        let mut random = Rng::with_seed(seed);
        let mut tasks = Vec::new();
        // The cost equals the route's number, which identifies it.
        let tokens = 1 + seed % ROUTES;
        for _ in 0..random.u32(1..6) {
            let m = m.clone();
            let yields = random.u32(0..4);
            let work = async move {
                for _ in 0..yields {
                    yield_now().await;
                }
                call(&m, tokens).await;
            };
            if random.bool() {
                tasks.push(tokio::spawn(carry_route(work)));
            } else {
                work.await;
            }
        }
        for task in tasks {
            task.await.unwrap();
        }
    };
    let mut app = Router::new();
    for route in 0..ROUTES {
        app = app.route(&format!("/r{route}/{{seed}}"), get(handler));
    }
    let app = app
        .with_state(llm.clone())
        .layer(MetricsLayer::new().registry(&registry));
    let requests = (0..REQUESTS).map(|seed| {
        let (app, llm) = (app.clone(), llm.clone());
        tokio::spawn(async move {
            get_from(&app, &format!("/r{}/{seed}", seed % ROUTES)).await;
            call(&llm, 100_000).await;
        })
    });
    for request in join_all(requests).await {
        request.unwrap();
    }
    let mut expected = BTreeMap::new();
    for seed in 0..REQUESTS {
        let calls = u64::from(Rng::with_seed(seed).u32(1..6));
        *expected.entry(seed % ROUTES).or_insert(0) += calls * (1 + seed % ROUTES);
    }
    for (route, tokens) in expected {
        let route = format!("/r{route}/{{seed}}");
        assert_eq!(spent(&registry, &route), tokens as f64, "{route}");
    }
    assert_eq!(spent(&registry, "none"), (REQUESTS * 100_000) as f64);
}
