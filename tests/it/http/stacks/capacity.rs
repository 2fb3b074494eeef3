//! Buffers, concurrency limits and load shedding.

use std::time::Duration;

use axum::Router;
use axum::error_handling::HandleErrorLayer;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::routing::get;
use futures_util::future::{join, join_all};
use tachometer::Registry;
use tokio::time::timeout;
use tower::buffer::BufferLayer;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::util::MapRequestLayer;
use tower::{BoxError, Layer, ServiceBuilder};

use super::{Stack, inside, metrics, outside, routes};

/// A route that takes ten seconds.
fn slow(_: &Registry) -> Router {
    let slow = get(async || {
        tokio::time::sleep(Duration::from_secs(10)).await;
        "slow"
    });
    Router::new().route("/slow", slow)
}

/// Makes two requests at the same time, and returns how many are in flight after one second.
async fn two_requests(stack: &Stack) -> f64 {
    let both = join(stack.get("/slow"), stack.get("/slow"));
    let seen = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        stack.in_flight()
    };
    join(both, seen).await.1
}

#[tokio::test(start_paused = true)]
async fn the_wait_for_a_permit_is_measured_outside_of_a_limit_unless_it_is_in_the_same_builder() {
    // The second request waits for ten seconds, and is answered after twenty.
    let limit = || GlobalConcurrencyLimitLayer::new(1);
    let [two_calls, _] = outside(slow, &limit());
    let [_, one_builder] = outside(slow, &limit());
    let [inner_two_calls, _] = inside(slow, &limit());
    let [_, inner_one_builder] = inside(slow, &limit());
    for (stack, in_flight, seconds) in [
        (two_calls, 2.0, 30.0),
        // Before the call, a service is polled until it is ready. The layer measures calls.
        (one_builder, 1.0, 20.0),
        (inner_two_calls, 1.0, 20.0),
        (inner_one_builder, 1.0, 20.0),
    ] {
        assert_eq!(two_requests(&stack).await, in_flight);
        stack.assert_counted(&["GET /slow: 2 ok 200; 0 bytes in, 8 out"]);
        assert_eq!(stack.seconds(), seconds);
    }
}

async fn refuse(error: BoxError) -> (StatusCode, String) {
    (StatusCode::SERVICE_UNAVAILABLE, error.to_string())
}

#[tokio::test(start_paused = true)]
async fn a_shed_request_is_a_response_outside_an_error_below_the_handler_and_nothing_inside() {
    let handler = || HandleErrorLayer::new(refuse);
    let (shed, limit) = (LoadShedLayer::new, || GlobalConcurrencyLimitLayer::new(1));
    for (stack, line) in [
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new()
                    .layer(metrics(registry))
                    .layer(handler());
                slow(registry).layer(layers.layer(shed()).layer(limit()))
            }),
            "GET /slow: 1 ok 200, 1 server_error 503; 0 bytes in, 22 out",
        ),
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(handler()).layer(shed());
                slow(registry)
                    .layer(layers.layer(limit()))
                    .layer(metrics(registry))
            }),
            "GET /slow: 1 ok 200, 1 server_error 503; 0 bytes in, 22 out",
        ),
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new()
                    .layer(handler())
                    .layer(metrics(registry));
                slow(registry).layer(layers.layer(shed()).layer(limit()))
            }),
            "GET /slow: 1 ok 200, 1 service_error none; 0 bytes in, 4 out",
        ),
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(handler()).layer(shed());
                slow(registry).layer(layers.layer(metrics(registry)).layer(limit()))
            }),
            "GET /slow: 1 ok 200; 0 bytes in, 4 out",
        ),
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(handler()).layer(shed());
                slow(registry).layer(layers.layer(limit()).layer(metrics(registry)))
            }),
            "GET /slow: 1 ok 200; 0 bytes in, 4 out",
        ),
    ] {
        let answers = join(stack.get("/slow"), stack.get("/slow")).await;
        let statuses = (answers.0.status, answers.1.status);
        assert_eq!(statuses, (StatusCode::OK, StatusCode::SERVICE_UNAVAILABLE));
        stack.assert_counted(&[line]);
        assert_eq!(stack.seconds(), 10.0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_buffer_changes_no_number_in_either_order() {
    let handler = || HandleErrorLayer::new(refuse);
    for stack in [
        Stack::new(|registry| {
            let layers = ServiceBuilder::new()
                .layer(metrics(registry))
                .layer(handler());
            routes(registry).layer(layers.layer(BufferLayer::new(4)))
        }),
        Stack::new(|registry| {
            let layers = ServiceBuilder::new()
                .layer(handler())
                .layer(BufferLayer::new(4));
            routes(registry).layer(layers).layer(metrics(registry))
        }),
        Stack::new(|registry| {
            let layers = ServiceBuilder::new()
                .layer(handler())
                .layer(metrics(registry));
            routes(registry).layer(layers.layer(BufferLayer::new(4)))
        }),
        // The layer is called by the task of the buffer.
        Stack::new(|registry| {
            let layers = ServiceBuilder::new()
                .layer(handler())
                .layer(BufferLayer::new(4));
            routes(registry).layer(layers.layer(metrics(registry)))
        }),
        Stack::new(|registry| {
            let layers = ServiceBuilder::new()
                .layer(handler())
                .layer(BufferLayer::new(4));
            routes(registry).layer(metrics(registry)).layer(layers)
        }),
        Stack::with_service(|registry| {
            let layers = ServiceBuilder::new()
                .layer(handler())
                .layer(BufferLayer::new(4));
            let routes = routes(registry).layer(metrics(registry)).with_state(());
            metrics(registry).boxed().layer(layers.service(routes))
        }),
    ] {
        assert_eq!(stack.get("/users/7").await.status, StatusCode::OK);
        assert_eq!(stack.post("/upload", "12345").await.status, StatusCode::OK);
        let never = timeout(Duration::from_secs(1), stack.get("/never"));
        assert!(never.await.is_err());
        stack.assert_counted(&[
            "GET /never: 1 cancelled_before_head none; 0 bytes in, 0 out",
            "GET /users/{id}: 1 ok 200; 0 bytes in, 6 out",
            "POST /upload: 1 ok 200; 5 bytes in, 5 out",
        ]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_time_in_a_buffer_is_measured_outside_and_a_full_one_sheds_requests() {
    let handler = || HandleErrorLayer::new(refuse);
    let buffer = || {
        ServiceBuilder::new()
            .layer(LoadShedLayer::new())
            .layer(BufferLayer::new(1))
    };
    let limit = || GlobalConcurrencyLimitLayer::new(1);
    for (stack, in_flight, line, seconds) in [
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new()
                    .layer(metrics(registry))
                    .layer(handler());
                slow(registry).layer(layers.layer(buffer()).layer(limit()))
            }),
            3.0,
            "GET /slow: 3 ok 200, 1 server_error 503; 0 bytes in, 30 out",
            57.0,
        ),
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(handler()).layer(buffer());
                slow(registry).layer(layers.layer(metrics(registry)).layer(limit()))
            }),
            1.0,
            "GET /slow: 3 ok 200; 0 bytes in, 12 out",
            30.0,
        ),
    ] {
        // One is served, one waits for it, one is in the buffer, and one does not fit.
        let requests = (0..4).map(async |second| {
            tokio::time::sleep(Duration::from_secs(second)).await;
            stack.get("/slow").await.status.as_u16()
        });
        let seen = async {
            tokio::time::sleep(Duration::from_secs(5)).await;
            stack.in_flight()
        };
        let (statuses, seen) = join(join_all(requests), seen).await;
        assert_eq!(statuses, [200, 200, 200, 503]);
        assert_eq!(seen, in_flight);
        stack.assert_counted(&[line]);
        assert_eq!(stack.seconds(), seconds);
    }
}

#[tokio::test]
async fn a_buffer_whose_task_has_ended_is_a_response_outside_of_the_error_handler_only() {
    let handler = || HandleErrorLayer::new(refuse);
    let fragile = || {
        MapRequestLayer::new(|request: Request| {
            assert_ne!(request.uri().path(), "/panic", "part of the test");
            request
        })
    };
    let buffer = || BufferLayer::new(4);
    for (stack, first, all) in [
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new()
                    .layer(metrics(registry))
                    .layer(handler());
                routes(registry).layer(layers.layer(buffer()).layer(fragile()))
            }),
            "1 server_error 503; 0 bytes in",
            "2 server_error 503; 0 bytes in",
        ),
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new()
                    .layer(handler())
                    .layer(metrics(registry));
                routes(registry).layer(layers.layer(buffer()).layer(fragile()))
            }),
            "1 service_error none; 0 bytes in, 0 out",
            "1 service_error none; 0 bytes in, 0 out",
        ),
        (
            Stack::new(|registry| {
                let layers = ServiceBuilder::new().layer(handler()).layer(buffer());
                routes(registry).layer(layers.layer(metrics(registry)).layer(fragile()))
            }),
            "1 panic none; 0 bytes in, 0 out",
            "1 panic none; 0 bytes in, 0 out",
        ),
    ] {
        let mut bytes = 0;
        for ends in [first, all] {
            let answer = stack.get("/panic").await;
            assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
            bytes += answer.body.len();
            let bytes_out = if ends.ends_with("out") {
                String::new()
            } else {
                format!(", {bytes} out")
            };
            stack.assert_counted(&[&format!("GET /panic: {ends}{bytes_out}")]);
        }
    }
}
