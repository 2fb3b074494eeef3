//! The assertions of `tachometer::testing`, and their messages.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};

use http::{Request, Response};
use tachometer::export::Format;
use tachometer::snapshot::{Escaping, Kind};
use tachometer::testing::{
    Exposition, assert_exposition, assert_lint_clean, assert_nothing_in_flight,
};
use tachometer::{MetricsLayer, Registry, assert_counter, assert_gauge, assert_histogram_count};
use tower::{Layer, Service, service_fn};

use crate::support::fixture::Fixture;

fn registry() -> Registry {
    let registry = Registry::new();
    let jobs = registry.counter_family("jobs_total", "Jobs done.", ["queue", "outcome"]);
    let jobs = jobs.unwrap();
    jobs.with(["mail", "ok"]).inc_by(3);
    jobs.with(["mail", "error"]).inc();
    jobs.with(["print", "ok"]).inc_by(0.5);
    registry.gauge("age_seconds", "Age.").unwrap().set(-2);
    let seconds = registry.histogram("job_seconds", "Durations.").unwrap();
    seconds.observe(0.3);
    registry
}

#[track_caller]
fn refused(assertion: impl FnOnce()) -> String {
    let panicked = catch_unwind(AssertUnwindSafe(assertion)).unwrap_err();
    *panicked.downcast::<String>().unwrap()
}

#[test]
fn true_statements_pass_the_assertions() {
    let registry = registry();
    assert_counter!(registry, "jobs_total", {"queue" => "mail", "outcome" => "ok"}, 3);
    assert_counter!(registry, "jobs_total", {"outcome" => "ok"}, 3.5);
    assert_counter!(&registry, "jobs_total", {"queue" => "none"}, 0_u64);
    assert_counter!(registry, "jobs_total", 4.5);
    assert_gauge!(registry, "age_seconds", -2);
    assert_histogram_count!(registry, "job_seconds", {}, 1_usize);
    assert_lint_clean(&registry);
    assert_nothing_in_flight(&registry);
    assert_exposition(&registry, "age_seconds -2\njob_seconds_sum 0.3");
}

/// For a handle with a prefix, the names are those with the prefix.
#[test]
fn assertions_work_on_handles_with_a_prefix() {
    let registry = registry();
    let shop = registry.clone().with_prefix("shop_").unwrap();
    shop.counter("jobs_total", "Jobs done.").unwrap().inc();
    shop.histogram("wait_seconds", "Waits.")
        .unwrap()
        .observe(0.5);
    assert_counter!(shop, "jobs_total", 1);
    assert_histogram_count!(shop, "wait_seconds", 1);
    assert_counter!(registry, "shop_jobs_total", 1);
    assert_counter!(registry, "jobs_total", 4.5);
    let message = refused(|| assert_counter!(shop, "jobs_total", 2));
    assert_eq!(
        message,
        "expected 2 of shop_jobs_total{}, found 1; its series:\n  shop_jobs_total{} 1"
    );
}

/// Self-metrics are part of every scrape.
#[test]
fn assertions_work_on_self_metrics() {
    let registry = registry();
    let name = "tachometer_invalid_observations_total";
    assert_counter!(registry, name, 0);
    let seconds = registry.histogram("job_seconds", "").unwrap();
    seconds.observe(f64::NAN);
    assert_counter!(registry, name, {"metric" => "job_seconds"}, 1);
    assert_gauge!(registry, "tachometer_series", {"metric" => "jobs_total"}, 3);
}

#[test]
fn nan_can_be_asserted() {
    let registry = registry();
    registry.gauge("age_seconds", "").unwrap().set(f64::NAN);
    assert_gauge!(registry, "age_seconds", f64::NAN);
    refused(|| assert_gauge!(registry, "age_seconds", 1));
}

#[test]
fn failed_assertions_print_the_actual_values() {
    let registry = registry();
    let message = refused(|| assert_counter!(registry, "jobs_total", {"queue" => "mail"}, 3));
    assert_eq!(
        message,
        "expected 3 of jobs_total{queue=\"mail\"}, found 4; its series:\n  \
         jobs_total{queue=\"mail\",outcome=\"ok\"} 3\n  \
         jobs_total{queue=\"mail\",outcome=\"error\"} 1\n  \
         jobs_total{queue=\"print\",outcome=\"ok\"} 0.5"
    );
    let message = refused(|| assert_counter!(registry, "job_total", 3));
    assert!(
        message.contains("\"job_total\"") && message.contains("\"jobs_total\""),
        "{message}"
    );
    let told = refused(|| assert_counter!(registry, "age_seconds", 3));
    assert_eq!(told, "\"age_seconds\" is a gauge, not a counter");
    registry.counter("empty_total", "").unwrap();
    let message = refused(|| assert_lint_clean(&registry));
    assert!(message.contains("empty_total"), "{message}");
    let message = refused(|| assert_exposition(&registry, "age_seconds 2"));
    assert_eq!(
        message,
        "- expected, + found:\n- age_seconds 2\n+ age_seconds -2\n"
    );
    let message = refused(|| assert_exposition(&registry, "age_seconds"));
    assert!(message.contains("\"age_seconds\""), "{message}");
}

#[test]
fn assert_nothing_in_flight_fails_until_requests_have_ended() {
    let registry = Registry::new();
    // A custom metric of such a name may have any value.
    registry.gauge("own_in_flight", "").unwrap().set(3);
    let service =
        service_fn(async |_: Request<_>| Ok::<_, Infallible>(Response::new(String::new())));
    let mut service = MetricsLayer::new().registry(&registry).layer(service);
    let request = service.call(Request::new(String::new()));
    let message = refused(|| assert_nothing_in_flight(&registry));
    assert_eq!(
        message,
        "in flight: http_requests_in_flight{method=\"GET\",route=\"unmatched\"} 1"
    );
    drop(request);
    assert_nothing_in_flight(&registry);
}

/// The kit reads every exported text back as the registry holds it.
#[test]
fn every_text_of_a_registry_is_read_back() {
    for registry in [Fixture::new().registry, Fixture::utf8()] {
        let [plain, open] = [Format::Text, Format::OpenMetrics].map(|format| {
            let export = registry.export(format).escaping(Escaping::Utf8);
            let text = String::from_utf8(export.to_bytes()).unwrap();
            Exposition::parse(&text).unwrap()
        });
        for block in registry.gather() {
            let desc = &block.desc;
            let name = desc.exposed_name();
            // In `OpenMetrics` the family name of a counter has no suffix.
            assert_eq!(plain.kind(name), Some(desc.kind().as_str()), "{name}");
            assert_eq!(plain.help(name).unwrap_or(""), desc.help(), "{name}");
            for series in block.labels.iter() {
                let pairs: Vec<_> = series.pairs().collect();
                let mut labels: Vec<_> = pairs.iter().map(|(k, v)| (&**k, &**v)).collect();
                let sample = match desc.kind() {
                    Kind::Histogram => {
                        labels.push(("le", "+Inf"));
                        format!("{name}_bucket")
                    }
                    _ => name.to_owned(),
                };
                let read = [&plain, &open].map(|read| read.value(&sample, &labels));
                assert!(read[0].is_some(), "{sample}{labels:?}");
                let [one, other] = read.map(|value| value.map(f64::to_bits));
                assert_eq!(one, other, "{sample}{labels:?}");
            }
        }
    }
}
