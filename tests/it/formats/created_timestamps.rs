//! Creation timestamps: which formats contain them, by default and by setting.

use axum::Router;
use axum::http::header::ACCEPT;
use axum::http::{HeaderValue, Request};
use http_body_util::BodyExt;
use tachometer::export::Format;
use tachometer::{Buckets, MetricsRouter, Registry};
use tower::ServiceExt;

use crate::support::compare_exports::read;

/// Returns whether each counter and histogram has a creation timestamp, or none of them.
#[track_caller]
fn has_created(format: Format, exposition: &[u8]) -> bool {
    let families = read(format, exposition);
    let series = families.iter().filter(|family| family.kind != "gauge");
    let series: Vec<_> = series.flat_map(|family| &family.series).collect();
    let count = series.iter().filter(|one| one.created.is_some()).count();
    assert!(
        series.len() >= 3 && [0, series.len()].contains(&count),
        "{count} of {}",
        series.len()
    );
    count > 0
}

#[tokio::test]
async fn one_setting_rules_the_creation_timestamps_of_openmetrics_and_protobuf() {
    let registry = Registry::new();
    registry.counter("jobs", "").unwrap().inc();
    registry.gauge("size", "").unwrap().set(1);
    let native = registry.histogram("native_seconds", "").unwrap();
    native.observe(1.0);
    let classic = Buckets::new(&[1.0]).unwrap();
    let classic = registry.histogram_with_buckets("classic_seconds", "", classic);
    classic.unwrap().observe(2.0);
    for (format, setting, expected) in [
        (Format::Text, Some(true), false),
        (Format::OpenMetrics, None, false),
        (Format::OpenMetrics, Some(true), true),
        (Format::OpenMetrics, Some(false), false),
        (Format::Protobuf, None, true),
        (Format::Protobuf, Some(true), true),
        (Format::Protobuf, Some(false), false),
    ] {
        let mut export = registry.export(format);
        let mut settings = MetricsRouter::new().registry(&registry);
        if let Some(created) = setting {
            export = export.created_timestamps(created);
            settings = settings.created_timestamps(created);
        }
        let exported = has_created(format, &export.to_bytes());
        assert_eq!(exported, expected, "{format:?}, {setting:?}");

        let router: Router = settings.without_system_metrics().build();
        let request = Request::get("/").header(ACCEPT, accept(format));
        let request = request.body(axum::body::Body::empty()).unwrap();
        let response = router.oneshot(request).await.unwrap();
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(
            has_created(format, &body),
            expected,
            "{format:?}, {setting:?}"
        );
    }
}

fn accept(format: Format) -> HeaderValue {
    HeaderValue::from_static(format.content_type())
}
