//! Tests of the variables, without the environment of the process.

use std::ffi::OsString;
use std::time::Duration;

use http::{Method, StatusCode, Uri};

use super::{PREFIX, VARIABLES};
use crate::error::Error;
use crate::metric::Buckets;
use crate::middleware::MetricsLayer;
use crate::registry::Registry;
use crate::snapshot::Values;

/// Makes a layer with variables, by their names without the prefix.
fn layer(variables: &[(&str, &str)]) -> Result<MetricsLayer, Error> {
    let variables = variables
        .iter()
        .map(|(name, value)| (format!("{PREFIX}{name}").into(), (*value).into()));
    MetricsLayer::from_variables(variables)
}

/// Returns the names of the metrics with these variables.
fn names(variables: &[(&str, &str)]) -> Vec<String> {
    let registry = Registry::new();
    let layer = layer(variables).expect("valid variables");
    let registered = layer.registry(&registry).try_register();
    assert!(registered.is_ok());
    let metrics = registry.metrics();
    metrics
        .iter()
        .map(|metric| metric.name().to_owned())
        .collect()
}

#[track_caller]
fn error(variables: &[(&str, &str)]) -> String {
    let error = layer(variables).expect_err("an invalid variable");
    assert!(error.is_invalid_variable());
    error.to_string()
}

#[test]
fn every_variable_changes_its_setting() {
    let layer = layer(&[
        ("ENABLED", "false"),
        ("NAMES", "otel"),
        ("PREFIX", "shop_"),
        ("BUCKETS", "0.1, 1"),
        ("SKIP", "/health, /internal/*"),
        ("FALLBACK_ROUTE", "app"),
        ("STREAM_ROUTES", "/a,/b/{id}"),
        ("SERVICE_LEVELS", "/pay=0.25, /search = 1"),
        ("LABEL_LIMIT", "7"),
        ("STATUS_CLASS", "TRUE"),
        ("VERSION_LABEL", "true"),
        ("SCHEME_LABEL", "true"),
        ("GRPC_STATUS_LABEL", "true"),
        ("NATIVE_HISTOGRAMS", "true"),
        ("TIME_TO_HEAD", "true"),
        ("TIME_TO_FIRST_BYTE", "true"),
        ("SKIP_UNMATCHED", "true"),
        ("METHODS", "PROPFIND, PURGE"),
        ("BODY_SIZES", "true"),
        ("BODY_SIZE_BUCKETS", "1000,1e6"),
        ("EXEMPLARS", "true"),
    ]);
    let layer = layer.expect("valid variables");
    assert!(layer.is_disabled);
    let settings = layer.metrics.settings();
    assert_eq!(settings.prefix, "shop_");
    assert_eq!(settings.buckets, Buckets::new(&[0.1, 1.0]).ok());
    assert_eq!(settings.route_naming.fallback.as_deref(), Some("app"));
    assert_eq!(settings.stream_routes, ["/a", "/b/{id}"]);
    let levels = [("/pay", 250), ("/search", 1_000)];
    let levels = levels.map(|(route, ms)| (route.to_owned(), Duration::from_millis(ms)));
    assert_eq!(settings.service_levels, levels);
    assert_eq!(settings.label_limit, Some(7));
    assert!(settings.status_class && settings.time_to_head && settings.time_to_first_byte);
    assert!(settings.trace_id_source.is_some());
    let labels = settings.custom_labels.iter();
    let labels: Vec<_> = labels.map(|custom| custom.label.name()).collect();
    let names = [
        "network_protocol_version",
        "url_scheme",
        "rpc_response_status_code",
    ];
    assert_eq!(labels, names);
    assert!(settings.has_native_histograms && settings.skip_unmatched && settings.body_sizes);
    let in_code = layer.clone().buckets(Buckets::default());
    assert!(!in_code.metrics.settings().has_native_histograms);
    assert_eq!(settings.body_size_buckets, Buckets::new(&[1e3, 1e6]).ok());
    let purge = settings.methods.label(&"PURGE".parse().expect("a method"));
    assert_eq!(settings.methods.name(purge), "PURGE");
    for (path, is_skipped) in [
        ("/health", true),
        ("/health/", false),
        ("/internal", false),
        ("/internal/", true),
        ("/internal/a/b", true),
        ("/", false),
    ] {
        let uri = Uri::from_static(path);
        assert_eq!(
            settings.skip.matches(&Method::GET, &uri),
            is_skipped,
            "{path}"
        );
    }
}

#[test]
fn an_unset_or_empty_variable_is_the_default() {
    let default = names(&[]);
    assert!(default.contains(&"http_requests_total".to_owned()));
    for variable in &VARIABLES {
        let name = variable.name.strip_prefix(PREFIX).expect("the prefix");
        for value in ["", " "] {
            assert_eq!(names(&[(name, value)]), default, "{name}");
        }
    }
    for name in ["STATUS_CLASS", "TIME_TO_HEAD", "EXEMPLARS"] {
        assert_eq!(names(&[(name, "false")]), default);
    }
    let sizes = [("BODY_SIZES", "false"), ("BODY_SIZE_BUCKETS", "1000")];
    assert_eq!(names(&sizes), default);
    assert_eq!(
        names(&[("NAMES", "prometheus"), ("ENABLED", "true")]),
        default
    );
    assert!(names(&[("ENABLED", "false")]).is_empty());
}

#[test]
fn an_invalid_value_is_an_error_that_names_variable_value_and_accepted_values() {
    assert_eq!(
        error(&[("NAMES", "statsd")]),
        "the value \"statsd\" of the environment variable `TACHOMETER_HTTP_NAMES` is not valid: \
         use `prometheus`, `otel` or `axum_prometheus`"
    );
    for (name, value) in [
        ("ENABLED", "1"),
        ("TIME_TO_HEAD", "yes"),
        ("PREFIX", "my-app_"),
        ("BUCKETS", "1,0.5"),
        ("BUCKETS", "0.1,,1"),
        ("BUCKETS", "inf"),
        ("BUCKETS", "-1,1"),
        ("BUCKETS", "100ms"),
        ("SKIP", "health"),
        ("SKIP", "/a/*/b"),
        ("SKIP", "/a*"),
        ("SKIP", "/a,"),
        ("STREAM_ROUTES", "export"),
        ("SERVICE_LEVELS", "/pay"),
        ("SERVICE_LEVELS", "/pay=0"),
        ("SERVICE_LEVELS", "/pay=-1"),
        ("SERVICE_LEVELS", "pay=1"),
        ("METHODS", "GET POST"),
        ("METHODS", "PURGE,"),
        ("BODY_SIZE_BUCKETS", "1 KiB"),
        ("LABEL_LIMIT", "-1"),
        ("LABEL_LIMIT", "many"),
    ] {
        let error = error(&[("ENABLED", "false"), (name, value)][..]);
        assert!(error.contains(&format!("{value:?}")), "{error}");
        assert!(error.contains(&format!("`{PREFIX}{name}`")), "{error}");
    }
}

#[test]
fn an_unknown_variable_is_an_error_that_names_the_known_ones() {
    let all = error(&[("BUCKET", "")]);
    assert!(
        all.contains("\"TACHOMETER_HTTP_BUCKET\" is unknown"),
        "{all}"
    );
    assert!(
        VARIABLES.iter().all(|variable| all.contains(variable.name)),
        "{all}"
    );
    let others = [
        ("TACHOMETER_DEMO", "1"),
        // A service `tachometer-http` in Kubernetes.
        ("TACHOMETER_HTTP_SERVICE_HOST", "10.0.0.1"),
        ("TACHOMETER_HTTP_SERVICE_PORT_METRICS", "80"),
        ("TACHOMETER_HTTP_PORT", "tcp://10.0.0.1:80"),
        ("TACHOMETER_HTTP_PORT_80_TCP", "tcp://10.0.0.1:80"),
        ("tachometer_http_x", ""),
        ("PATH", "/"),
    ];
    let others = others.map(|(name, value)| (name.into(), value.into()));
    assert!(MetricsLayer::from_variables(others).is_ok());
}

#[cfg(unix)]
#[test]
fn invalid_unicode_is_an_error() {
    use std::os::unix::ffi::OsStringExt;

    let invalid = |text: &str| OsString::from_vec([text.as_bytes(), b"\xff"].concat());
    let name = || format!("{PREFIX}NAMES").into();
    let value = MetricsLayer::from_variables([(name(), invalid("otel"))]);
    let text = value.expect_err("an invalid value").to_string();
    assert!(
        text.contains("`TACHOMETER_HTTP_NAMES` is not valid Unicode"),
        "{text}"
    );
    let unknown = [(invalid(&format!("{PREFIX}NAMES")), "otel".into())];
    assert!(MetricsLayer::from_variables(unknown).is_err());
    let other = [(invalid("OTHER"), invalid("value"))];
    assert!(MetricsLayer::from_variables(other).is_ok());
}

#[test]
fn settings_in_code_replace_those_of_variables_and_lists_add_up() {
    let layer = layer(&[
        ("ENABLED", "false"),
        ("PREFIX", "env_"),
        ("SKIP", "/env"),
        ("VERSION_LABEL", "true"),
        ("STREAM_ROUTES", "/env"),
    ]);
    let layer = layer
        .expect("valid variables")
        .enabled(true)
        .prefix("code_")
        .skip(|_, uri| uri.path() == "/code")
        .version_label()
        .stream_route("/code");
    assert!(!layer.is_disabled);
    let settings = layer.metrics.settings();
    assert_eq!(settings.prefix, "code_");
    assert_eq!(settings.custom_labels.iter().count(), 1);
    assert_eq!(settings.stream_routes, ["/env", "/code"]);
    for path in ["/env", "/code"] {
        assert!(settings.skip.matches(&Method::GET, &Uri::from_static(path)));
    }
}

#[test]
fn the_guide_lists_the_variables() {
    let guide = include_str!("../../../../docs/http.md");
    let (_, section) = guide
        .split_once("## Environment variables")
        .expect("a section");
    let section = section.split("\n## ").next().expect("a text");
    let rows = section
        .lines()
        .filter_map(|line| line.strip_prefix("| `TACHOMETER"));
    let documented: Vec<_> = rows.filter_map(|row| row.split('`').next()).collect();
    let names = VARIABLES.iter().map(|variable| variable.name);
    let names: Vec<_> = names
        .filter_map(|name| name.strip_prefix("TACHOMETER"))
        .collect();
    assert_eq!(documented, names);
}

#[test]
fn routes_with_buckets_of_their_own_have_native_histograms_too() {
    let registry = Registry::new();
    let layer = layer(&[("NATIVE_HISTOGRAMS", "true")]).expect("valid variables");
    let buckets = Buckets::new(&[1.0, 60.0]).expect("valid buckets");
    let layer = layer
        .route_buckets("/reports", buckets)
        .predeclare(Method::GET, "/reports", [StatusCode::OK])
        .predeclare(Method::GET, "/users", [StatusCode::OK]);
    assert!(layer.registry(&registry).try_register().is_ok());
    let mut series = 0;
    for block in registry.gather() {
        if block.desc.name() == "http_request_duration_seconds"
            && let Values::Histogram(histograms) = &block.values
        {
            assert_eq!(histograms.native.len(), block.labels.len());
            series += block.labels.len();
        }
    }
    assert_eq!(series, 2);
}
