//! Tests of the variables, without the environment of the process.

use std::collections::HashMap;
use std::ffi::OsString;
use std::time::Duration;

use super::{ErrorText, VARIABLES};
use crate::encode::{HistogramEncoding, Temporality};
use crate::error::Error;
use crate::push::otlp::{Compression, Otlp};

fn otlp(variables: &[(&str, &str)]) -> Result<Otlp, Error> {
    let variables: HashMap<_, _> = variables.iter().copied().collect();
    Otlp::from_variables(|name| variables.get(name).map(OsString::from))
}

#[track_caller]
fn error(variables: &[(&str, &str)]) -> String {
    let error = otlp(variables).expect_err("an invalid variable");
    assert!(error.is_invalid_variable());
    error.to_string()
}

/// Returns each setting as a line.
fn settings(variables: &[(&str, &str)]) -> [String; 10] {
    let otlp = otlp(variables).expect("valid variables");
    let mut headers: Vec<_> = otlp
        .requests
        .headers
        .iter()
        .map(|(name, value)| format!("{name}={}", String::from_utf8_lossy(value.as_bytes())))
        .collect();
    headers.sort();
    let endpoint = otlp.endpoint.as_ref().expect("a valid endpoint");
    [
        format!("enabled {}", otlp.is_enabled),
        format!("endpoint {}", endpoint.uri),
        format!("headers {headers:?}"),
        format!("timeout {:?}", otlp.timeout),
        format!("export timeout {:?}", otlp.export_timeout),
        format!("interval {:?}", otlp.interval),
        format!("{:?}", otlp.compression),
        format!("{:?}", otlp.temporality),
        format!("{:?}", otlp.histograms),
        format!("resource {:?}", otlp.resource),
    ]
}

/// Returns the settings that variables change.
fn changes(variables: &[(&str, &str)]) -> Vec<String> {
    let default = settings(&[]);
    let mut changed = settings(variables).to_vec();
    changed.retain(|setting| !default.contains(setting));
    changed
}

#[test]
fn without_variables_the_settings_are_the_defaults_of_the_specification() {
    let defaults = [
        "enabled true",
        "endpoint http://localhost:4318/v1/metrics",
        "headers []",
        "timeout 10s",
        "export timeout 30s",
        "interval 60s",
        "None",
        "Cumulative",
        "Explicit",
        "resource []",
    ];
    assert_eq!(settings(&[]), defaults);
}

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const METRICS_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
const TEMPORALITY: &str = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
const AGGREGATION: &str = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";

/// A variable, its value, and the setting that it changes, if any.
const TABLE: [(&str, &str, &str); 35] = [
    ("OTEL_SDK_DISABLED", "true", "enabled false"),
    ("OTEL_SDK_DISABLED", "TRUE", "enabled false"),
    ("OTEL_SDK_DISABLED", "False", ""),
    ("OTEL_METRICS_EXPORTER", "otlp", ""),
    ("OTEL_METRICS_EXPORTER", "None", "enabled false"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", ""),
    ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "HTTP/Protobuf", ""),
    (
        ENDPOINT,
        "http://otel:4318",
        "endpoint http://otel:4318/v1/metrics",
    ),
    (ENDPOINT, "http://otel/", "endpoint http://otel/v1/metrics"),
    (
        ENDPOINT,
        "http://otel/a//",
        "endpoint http://otel/a/v1/metrics",
    ),
    (
        ENDPOINT,
        "http://otel/?a=/b",
        "endpoint http://otel/v1/metrics?a=/b",
    ),
    (
        ENDPOINT,
        " https://otel ",
        "endpoint https://otel/v1/metrics",
    ),
    (METRICS_ENDPOINT, "http://otel", "endpoint http://otel/"),
    (
        METRICS_ENDPOINT,
        "http://otel/a/?b=c",
        "endpoint http://otel/a/?b=c",
    ),
    (
        HEADERS,
        "Api-Key=a%2Cb%3d, x = y=z,",
        r#"headers ["api-key=a,b=", "x=y=z"]"#,
    ),
    (
        HEADERS,
        "authorization=Bearer%20%C3%A9",
        r#"headers ["authorization=Bearer é"]"#,
    ),
    (
        "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
        "a=",
        r#"headers ["a="]"#,
    ),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "1500", "timeout 1.5s"),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "0", "timeout 0ns"),
    ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "20000", "timeout 20s"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip", "Gzip"),
    ("OTEL_EXPORTER_OTLP_COMPRESSION", "none", ""),
    ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "GZIP", "Gzip"),
    (TEMPORALITY, "cumulative", ""),
    (TEMPORALITY, "DELTA", "Delta"),
    (TEMPORALITY, "LowMemory", "Delta"),
    (AGGREGATION, "explicit_bucket_histogram", ""),
    (
        AGGREGATION,
        "BASE2_exponential_bucket_histogram",
        "Exponential",
    ),
    ("OTEL_METRIC_EXPORT_INTERVAL", "15000", "interval 15s"),
    ("OTEL_METRIC_EXPORT_TIMEOUT", "5000", "export timeout 5s"),
    ("OTEL_METRIC_EXPORT_TIMEOUT", "0", "export timeout 0ns"),
    (RESOURCE, "a=b", r#"resource [("a", "b")]"#),
    (
        RESOURCE,
        "A.b = C%20d%2C%C3%A9 ,e=",
        r#"resource [("A.b", "C d,é"), ("e", "")]"#,
    ),
    (RESOURCE, "a=b,a=c", r#"resource [("a", "c")]"#),
    (
        "OTEL_SERVICE_NAME",
        "Shop %20",
        r#"resource [("service.name", "Shop %20")]"#,
    ),
];

#[test]
fn every_variable_changes_its_setting() {
    for (name, value, setting) in TABLE {
        let changes = changes(&[(name, value)]);
        let expected = (!setting.is_empty()).then(|| setting.to_owned());
        assert_eq!(changes, Vec::from_iter(expected), "{name}={value}");
    }
    for name in VARIABLES.iter().flat_map(|variable| variable.names) {
        assert!(
            TABLE.iter().any(|(tested, ..)| tested == name),
            "{name} is not in the table"
        );
    }
}

#[test]
fn a_variable_of_metrics_replaces_the_general_one() {
    let mut pairs = 0;
    for variable in &VARIABLES {
        let [metrics, general] = variable.names else {
            continue;
        };
        pairs += 1;
        assert!(metrics.starts_with("OTEL_EXPORTER_OTLP_METRICS_"));
        assert_eq!(metrics.replace("_METRICS", ""), *general);
        // Of the general one not even the value is checked.
        let valid = if general.ends_with("HEADERS") {
            "a=b"
        } else {
            "none"
        };
        let valid = match *general {
            "OTEL_EXPORTER_OTLP_PROTOCOL" => "http/protobuf",
            "OTEL_EXPORTER_OTLP_ENDPOINT" => "http://other/",
            "OTEL_EXPORTER_OTLP_TIMEOUT" => "7",
            _ => valid,
        };
        let both = settings(&[(general, "="), (metrics, valid)]);
        assert_eq!(both, settings(&[(metrics, valid)]), "{general}");
        // An empty one does not count.
        let empty = settings(&[(general, valid), (metrics, " ")]);
        assert_eq!(empty, settings(&[(general, valid)]), "{general}");
    }
    assert_eq!(pairs, 5);
    let name = [
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=a,b=c"),
        ("OTEL_SERVICE_NAME", "d"),
    ];
    let resource = otlp(&name).expect("valid variables").resource;
    let expected = [("service.name", "d"), ("b", "c")];
    assert_eq!(
        resource,
        expected.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn an_empty_variable_is_the_default() {
    let default = settings(&[]);
    for variable in &VARIABLES {
        for name in variable.names {
            for value in ["", "  "] {
                assert_eq!(settings(&[(name, value)]), default, "{name}");
            }
        }
    }
}

#[test]
fn an_invalid_value_is_an_error_that_names_variable_value_and_accepted_values() {
    assert_eq!(
        error(&[("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc")]),
        "the value \"grpc\" of the environment variable `OTEL_EXPORTER_OTLP_METRICS_PROTOCOL` is \
         not valid: use `http/protobuf`, usually on port 4318; gRPC and JSON are not \
         supported"
    );
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "1"),
        ("OTEL_SDK_DISABLED", "yes"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_METRICS_EXPORTER", "otlp,none"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "10s"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "+1"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "1.5"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "99999999999999999999"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE",
            "low_memory",
        ),
        (
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "exponential",
        ),
        ("OTEL_METRIC_EXPORT_INTERVAL", "0"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "60s"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "never"),
        ("OTEL_RESOURCE_ATTRIBUTES", "shop"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=b,c"),
        ("OTEL_RESOURCE_ATTRIBUTES", "=b"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=100%"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%zz"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%FF"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "otel:4318"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "otel"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://otel:4317"),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://"),
    ] {
        let text = error(&[(name, value)]);
        assert!(text.contains(&format!("{value:?}")), "{text}");
        assert!(text.contains(&format!("`{name}`")), "{text}");
        let remedy = ["use `", "use a ", "does not start with `http://`"];
        assert!(remedy.iter().any(|remedy| text.contains(remedy)), "{text}");
    }
}

#[test]
fn errors_of_headers_and_urls_have_no_secret() {
    const HEADERS: &str = "OTEL_EXPORTER_OTLP_HEADERS";
    for value in [
        "a=b,SECRET",
        "a=b,c d=SECRET",
        "a=b,=SECRET",
        "a=b,c=SECRET%",
        "a=b,c=SECRET%0A",
        "a=b,content-type=SECRET",
    ] {
        let text = error(&[(HEADERS, value)]);
        let start =
            format!("the entry 2 of the environment variable `{HEADERS}` is not valid: use");
        assert!(text.starts_with(&start), "{text}");
        assert!(!text.contains("SECRET"), "{text}");
    }
    for url in [
        "http://me:SECRET@otel",
        "ftp://otel/?key=SECRET",
        "me:SECRET@otel",
        "http:// ?SECRET",
    ] {
        let text = error(&[("OTEL_EXPORTER_OTLP_ENDPOINT", url)]);
        assert!(!text.contains("SECRET"), "{text}");
        assert!(text.contains("`OTEL_EXPORTER_OTLP_ENDPOINT`"), "{text}");
    }
}

#[test]
fn variables_of_an_exporter_that_is_disabled_are_not_checked() {
    for disabled in [
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_METRICS_EXPORTER", "none"),
    ] {
        let otlp = otlp(&[disabled, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
        let exporter = otlp.expect("no error").start();
        assert!(exporter.is_ok(), "no runtime is needed");
    }
}

#[test]
fn settings_in_code_replace_those_of_variables() {
    let otlp = otlp(&[
        ("OTEL_SDK_DISABLED", "true"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://env"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=env,b=env"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "base2_exponential_bucket_histogram",
        ),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=env,a=env"),
    ]);
    let otlp = otlp
        .expect("valid variables")
        .enabled(true)
        .endpoint("http://code")
        .header("A", "code")
        .compression(Compression::None)
        .temporality(Temporality::Cumulative)
        .exponential_histograms(false)
        .service_name("code")
        .timeout(Duration::from_secs(1))
        .export_timeout(Duration::from_secs(2))
        .interval(Duration::from_secs(3));
    assert!(otlp.is_enabled);
    let endpoint = otlp.endpoint.expect("a valid endpoint");
    assert_eq!(endpoint.uri, "http://code/v1/metrics");
    assert_eq!(
        (
            otlp.requests.headers["a"].as_bytes(),
            otlp.requests.headers["b"].as_bytes()
        ),
        (&b"code"[..], &b"env"[..])
    );
    assert_eq!(otlp.compression, Compression::None);
    assert_eq!(otlp.temporality, Temporality::Cumulative);
    assert_eq!(otlp.histograms, HistogramEncoding::Explicit);
    let resource = [("service.name", "code"), ("a", "env")];
    assert_eq!(
        otlp.resource,
        resource.map(|(name, value)| (name.to_owned(), value.to_owned()))
    );
}

#[test]
fn the_guide_lists_the_variables() {
    let guide = include_str!("../../../../docs/fleet.md");
    let (_, section) = guide.split_once("### OTLP variables").expect("a section");
    let section = section.split("\n##").next().expect("a text");
    let rows = section.lines().filter(|line| line.starts_with("| `OTEL_"));
    let documented = rows
        .filter_map(|row| row.split('|').nth(1))
        .flat_map(|cell| cell.split('`'));
    let mut documented: Vec<_> = documented
        .filter(|name| name.starts_with("OTEL_"))
        .collect();
    let mut names: Vec<_> = VARIABLES
        .iter()
        .flat_map(|variable| variable.names)
        .copied()
        .collect();
    documented.sort_unstable();
    names.sort_unstable();
    assert_eq!(documented, names);
}

#[cfg(unix)]
#[test]
fn invalid_unicode_is_an_error_without_a_secret() {
    use std::os::unix::ffi::OsStringExt;

    for variable in &VARIABLES {
        for name in variable.names {
            let value = |other: &str| {
                (other == *name).then(|| OsString::from_vec(b"a=SECRET\xff".to_vec()))
            };
            let text = Otlp::from_variables(value)
                .expect_err("an invalid value")
                .to_string();
            assert!(
                text.contains(&format!("`{name}` is not valid Unicode")),
                "{text}"
            );
            let is_secret = matches!(variable.text, ErrorText::Nothing);
            assert_eq!(text.contains("SECRET"), !is_secret, "{text}");
        }
    }
}
