//! Settings from environment variables.

mod values;

use std::ffi::{OsStr, OsString};

use crate::encode::Temporality;
use crate::error::Error;
use crate::push::endpoint::without_secrets;
use crate::push::otlp::env::values::{Fault, boolean, endpoint, entries, headers, milliseconds};
use crate::push::otlp::resource::set_attribute;
use crate::push::otlp::{Compression, Otlp};

/// # Environment variables
impl Otlp {
    /// Takes the settings from the environment variables `OTEL_*`, which the
    /// [guide](crate::guides::fleet#otlp-variables) lists. A variable that is unset or empty leaves
    /// the default.
    ///
    /// No other function of the exporter reads the environment. Settings in code that follow
    /// replace the values of variables.
    ///
    /// If `OTEL_SDK_DISABLED` is `true` or `OTEL_METRICS_EXPORTER` is `none`, nothing is exported
    /// ([`enabled`](Self::enabled)).
    ///
    /// ```no_run
    /// use tachometer::Registry;
    /// use tachometer::push::Otlp;
    ///
    /// # async fn run(registry: Registry) -> Result<(), tachometer::Error> {
    /// let exporter = Otlp::from_env()?.registry(&registry).start()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the value of a variable is not valid ([`Error::is_invalid_variable`]). The OpenTelemetry
    /// specification ignores such a value. Then metrics would go to another place, or nowhere,
    /// until someone reads a log.
    #[doc(alias("environment", "configuration"))]
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(|name| std::env::var_os(name))
    }
}

/// A setting and the variables that have it.
struct Variable {
    /// The first one that is set counts.
    names: &'static [&'static str],
    /// The values that are valid, for the text of an error.
    values: &'static str,
    text: ErrorText,
    apply: fn(Otlp, &'static str, &str) -> Result<Otlp, Fault>,
}

/// What the text of an error has of the value.
#[derive(Clone, Copy)]
enum ErrorText {
    Value,
    /// A URL without the parts that may be secret.
    Url,
    /// Nothing: it is secret.
    Nothing,
}

const METRICS_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT";
const BOOLEAN: &str = "`true` or `false`";
const MILLISECONDS: &str = "a whole number of milliseconds, such as `10000`, or `0` for no limit";
const ENTRIES: &str =
    "`name=value,name=value`, with `%2C` for a comma, `%25` for `%` and UTF-8 for all others";

/// A name in `OTEL_RESOURCE_ATTRIBUTES` is replaced by `OTEL_SERVICE_NAME`, which comes later.
const VARIABLES: [Variable; 13] = [
    Variable {
        names: &["OTEL_SDK_DISABLED"],
        values: BOOLEAN,
        text: ErrorText::Value,
        apply: |otlp, _, value| {
            let is_enabled = otlp.is_enabled && !boolean(value)?;
            Ok(otlp.enabled(is_enabled))
        },
    },
    Variable {
        names: &["OTEL_METRICS_EXPORTER"],
        values: "`otlp` or `none`; a Prometheus endpoint is served by `metrics_router`",
        text: ErrorText::Value,
        apply: |otlp, _, value| match value {
            "otlp" => Ok(otlp),
            "none" => Ok(otlp.enabled(false)),
            _ => Err(Fault::Value),
        },
    },
    Variable {
        names: &[
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL",
            "OTEL_EXPORTER_OTLP_PROTOCOL",
        ],
        values: "`http/protobuf`, usually on port 4318; gRPC and JSON are not supported",
        text: ErrorText::Value,
        apply: |otlp, _, value| match value {
            "http/protobuf" => Ok(otlp),
            _ => Err(Fault::Value),
        },
    },
    Variable {
        names: &[METRICS_ENDPOINT, "OTEL_EXPORTER_OTLP_ENDPOINT"],
        values: "a URL such as `http://localhost:4318`",
        text: ErrorText::Url,
        apply: |mut otlp, name, value| {
            otlp.endpoint = Ok(endpoint(name, value, name == METRICS_ENDPOINT)?);
            Ok(otlp)
        },
    },
    Variable {
        names: &[
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS",
            "OTEL_EXPORTER_OTLP_HEADERS",
        ],
        values: ENTRIES,
        text: ErrorText::Nothing,
        apply: |mut otlp, _, value| {
            for (name, value) in headers(value)? {
                otlp.requests.headers.insert(name, value);
            }
            Ok(otlp)
        },
    },
    Variable {
        names: &[
            "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT",
            "OTEL_EXPORTER_OTLP_TIMEOUT",
        ],
        values: MILLISECONDS,
        text: ErrorText::Value,
        apply: |otlp, _, value| Ok(otlp.timeout(milliseconds(value)?)),
    },
    Variable {
        names: &[
            "OTEL_EXPORTER_OTLP_METRICS_COMPRESSION",
            "OTEL_EXPORTER_OTLP_COMPRESSION",
        ],
        values: "`gzip` or `none`",
        text: ErrorText::Value,
        apply: |otlp, _, value| match value {
            "gzip" => Ok(otlp.compression(Compression::Gzip)),
            "none" => Ok(otlp.compression(Compression::None)),
            _ => Err(Fault::Value),
        },
    },
    Variable {
        names: &["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"],
        values: "`cumulative`, `delta` or `lowmemory`",
        text: ErrorText::Value,
        apply: |otlp, _, value| match value {
            "cumulative" => Ok(otlp.temporality(Temporality::Cumulative)),
            // In OpenTelemetry, `lowmemory` leaves observable counters cumulative, whose last values
            // an SDK would have to keep.
            "delta" | "lowmemory" => Ok(otlp.temporality(Temporality::Delta)),
            _ => Err(Fault::Value),
        },
    },
    Variable {
        names: &["OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION"],
        values: "`explicit_bucket_histogram` or `base2_exponential_bucket_histogram`",
        text: ErrorText::Value,
        apply: |otlp, _, value| match value {
            "explicit_bucket_histogram" => Ok(otlp.exponential_histograms(false)),
            "base2_exponential_bucket_histogram" => Ok(otlp.exponential_histograms(true)),
            _ => Err(Fault::Value),
        },
    },
    Variable {
        names: &["OTEL_METRIC_EXPORT_INTERVAL"],
        values: "a whole number of milliseconds from 1, such as `60000`",
        text: ErrorText::Value,
        apply: |otlp, _, value| match milliseconds(value)? {
            interval if interval.is_zero() => Err(Fault::Value),
            interval => Ok(otlp.interval(interval)),
        },
    },
    Variable {
        names: &["OTEL_METRIC_EXPORT_TIMEOUT"],
        values: MILLISECONDS,
        text: ErrorText::Value,
        apply: |otlp, _, value| Ok(otlp.export_timeout(milliseconds(value)?)),
    },
    Variable {
        names: &["OTEL_RESOURCE_ATTRIBUTES"],
        values: ENTRIES,
        text: ErrorText::Value,
        apply: |mut otlp, _, value| {
            for entry in entries(value) {
                let (name, value) = entry?;
                let value = std::str::from_utf8(&value).map_err(|_| Fault::Value)?;
                set_attribute(&mut otlp.resource, &name, value);
            }
            Ok(otlp)
        },
    },
    Variable {
        names: &["OTEL_SERVICE_NAME"],
        values: "a name",
        text: ErrorText::Value,
        apply: |otlp, _, value| Ok(otlp.service_name(value)),
    },
];

impl Otlp {
    /// Takes the settings from variables, whose values the closure returns.
    fn from_variables(value: impl Fn(&str) -> Option<OsString>) -> Result<Self, Error> {
        let mut otlp = Self::new();
        for variable in &VARIABLES {
            let mut names = variable.names.iter();
            let set = names.find_map(|name| {
                let value = value(name)?;
                (!is_blank(&value)).then_some((*name, value))
            });
            let Some((name, value)) = set else {
                continue;
            };
            match variable.apply(otlp.clone(), name, &value) {
                Ok(changed) => otlp = changed,
                // Nothing is exported, so other variables may be for other exporters.
                Err(_) if !otlp.is_enabled => {}
                Err(error) => return Err(error),
            }
        }
        Ok(otlp)
    }
}

impl Variable {
    fn apply(&self, otlp: Otlp, name: &'static str, value: &OsStr) -> Result<Otlp, Error> {
        let text = value.to_str().ok_or(Fault::Unicode);
        let text = text.map(str::trim).map(|text| match self.text {
            ErrorText::Value if self.is_enumeration() => text.to_ascii_lowercase(),
            _ => text.to_owned(),
        });
        text.and_then(|text| (self.apply)(otlp, name, &text))
            .map_err(|fault| self.error(name, value, fault))
    }

    /// Returns true if upper and lower case are the same.
    fn is_enumeration(&self) -> bool {
        let names = ["OTEL_RESOURCE_ATTRIBUTES", "OTEL_SERVICE_NAME"];
        !self.names.iter().any(|name| names.contains(name))
    }

    fn error(&self, name: &str, value: &OsStr, fault: Fault) -> Error {
        let value = value.to_string_lossy();
        let subject = match (self.text, fault) {
            (ErrorText::Nothing, Fault::Entry(position)) => {
                format!("the entry {position} of the environment variable `{name}`")
            }
            (ErrorText::Nothing, _) => format!("the environment variable `{name}`"),
            (ErrorText::Value, _) => {
                format!("the value {value:?} of the environment variable `{name}`")
            }
            (ErrorText::Url, _) => {
                let url = without_secrets(&value);
                format!("the value {url:?} of the environment variable `{name}`")
            }
        };
        let Self { values, .. } = self;
        Error::invalid_variable(match fault {
            Fault::Unicode => format!("{subject} is not valid Unicode: use {values}"),
            Fault::Text(text) => format!("{subject} {text}"),
            Fault::Value | Fault::Entry(_) => format!("{subject} is not valid: use {values}"),
        })
    }
}

fn is_blank(value: &OsStr) -> bool {
    value.to_str().is_some_and(|text| text.trim().is_empty())
}

#[cfg(test)]
mod tests;
