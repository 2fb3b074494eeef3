//! The remedy in an error is one that the user has: the metrics of a layer, for example, cannot be
//! renamed.

use axum::Router;
use tachometer::{
    Buckets, Counter, Error, LlmLayer, MetricsLayer, MetricsRouter, Registry, SystemMetrics,
};
use tokio::runtime::Handle;

use crate::support::warnings::warnings;

/// Returns a registry with a gauge of this name.
fn with_gauge(name: &str) -> Registry {
    let registry = Registry::new();
    registry.gauge(name, "Something else.").unwrap();
    registry
}

#[track_caller]
fn check<T>(result: Result<T, Error>, text: &str) {
    let error = result.err().expect("an error");
    assert!(error.is_conflict() || error.is_invalid_name(), "{error:?}");
    assert_eq!(error.to_string(), text);
}

fn layer(registry: &Registry) -> MetricsLayer {
    MetricsLayer::new().registry(registry)
}

#[test]
fn a_layer_names_a_prefix_or_another_registry() {
    let taken = with_gauge("http_requests_total");
    check(
        layer(&taken).try_register(),
        "the metric \"http_requests_total\" is already registered as a gauge and was requested as \
         a counter: set a prefix with `MetricsLayer::prefix`, or use another registry with \
         `MetricsLayer::registry`",
    );
    assert!(layer(&taken).prefix("shop_").try_register().is_ok());

    let taken = with_gauge("llm_requests_total");
    check(
        LlmLayer::new().registry(&taken).try_register(),
        "the metric \"llm_requests_total\" is already registered as a gauge and was requested as a \
         counter: set a prefix with `LlmLayer::prefix`, or use another registry with \
         `LlmLayer::registry`",
    );
}

#[test]
fn two_layers_of_a_registry_need_the_same_labels_and_buckets() {
    let registry = Registry::new();
    assert!(layer(&registry).try_register().is_ok());
    check(
        layer(&registry).version_label().try_register(),
        "the metric \"http_requests_total\" is already registered with the labels [\"method\", \
         \"route\", \"status\", \"outcome\"] and was requested with [\"method\", \"route\", \
         \"status\", \"version\", \"outcome\"]: give each `MetricsLayer` of the registry the same \
         labels, or set a prefix with `MetricsLayer::prefix`, or use another registry with \
         `MetricsLayer::registry`",
    );
    let seconds = Buckets::new(&[1.0]).unwrap();
    let error = layer(&registry).buckets(seconds).try_register();
    let error = error.unwrap_err().to_string();
    let (_, remedy) = error.split_once(": ").unwrap();
    assert_eq!(
        remedy,
        "give each `MetricsLayer` of the registry the same buckets, or set a prefix with \
         `MetricsLayer::prefix`, or use another registry with `MetricsLayer::registry`"
    );
}

#[test]
fn a_prefix_is_named_as_it_was_written() {
    for error in [
        layer(&Registry::new())
            .prefix("my-app_")
            .try_register()
            .err(),
        Registry::new().with_prefix("my-app_").err(),
    ] {
        check(
            error.map_or(Ok(()), Err),
            "the prefix \"my-app_\" is not valid: it contains '-'; use letters, digits, `_` and \
             `:`, without a leading digit",
        );
    }
}

#[test]
fn a_metric_of_your_own_can_get_another_name() {
    let registry = with_gauge("jobs");
    check(
        registry.counter("jobs", ""),
        "the metric \"jobs\" is already registered as a gauge and was requested as a counter: \
         request a gauge, or choose another name",
    );
    check(
        registry.gauge_fn("jobs", "", || 1),
        "the metric \"jobs\" is already registered: register it once, or choose another name",
    );
    check(
        registry.register("jobs", "", &Counter::new()),
        "the metric \"jobs\" is already registered: choose another name, or get the existing metric \
         from the registry",
    );
    check(
        registry.counter("jobs_total", ""),
        "the counter \"jobs_total\" would be printed as \"jobs\", which the metric \"jobs\" already \
         is: rename one of them",
    );
}

#[tokio::test]
async fn collectors_of_the_crate_name_a_handle_of_the_registry() {
    let taken = with_gauge("process_threads");
    check(
        SystemMetrics::new().register(&taken),
        "the metric \"process_threads\" is already registered: rename the other metric, or register \
         the system metrics in a handle with a prefix (`Registry::with_prefix`)",
    );
    let registry = Registry::new();
    registry.register_tokio_metrics(&Handle::current()).unwrap();
    check(
        registry.register_tokio_metrics(&Handle::current()),
        "the metric \"tokio_workers\" is already registered: register each runtime once, and \
         several through handles with different values of one label (`Registry::with_labels`); or rename the other \
         metric",
    );
}

#[test]
fn what_only_logs_a_warning_names_its_remedy_there() {
    let router = |name: &str| {
        let registry = with_gauge(name);
        let build = || drop::<Router>(MetricsRouter::new().registry(&registry).build());
        let messages = warnings(|| (), build);
        assert_eq!(messages.len(), 1, "{messages:?}");
        messages.concat()
    };
    let threads = router("process_threads");
    assert!(
        threads
            .contains("rename the other metric, or call `MetricsRouter::without_system_metrics`"),
        "{threads}"
    );
    let scrapes = router("tachometer_scrapes_total");
    assert!(
        scrapes.contains("as a counter: rename that metric"),
        "{scrapes}"
    );
}

#[test]
fn two_registries_that_are_served_as_one_may_get_a_prefix() {
    let registry = Registry::new();
    assert!(layer(&registry).try_register().is_ok());
    let other = with_gauge("http_requests_total");
    check(
        Registry::merged([&registry, &other]),
        "the metric \"http_requests_total\" is a counter in one registry and a gauge in another: \
         rename one of them, or register one of them with a prefix (`Registry::with_prefix`, \
         `MetricsLayer::prefix`, `LlmLayer::prefix`)",
    );
}
