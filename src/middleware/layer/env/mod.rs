//! Settings of a layer from environment variables.

mod values;

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use crate::context::UserClosure;
use crate::error::Error;
use crate::middleware::MetricsLayer;
use crate::middleware::layer::env::values::{boolean, buckets, list, path, skip_filter, switch};
use crate::middleware::settings::SkipFn;
use crate::registry::Registry;

/// # Environment variables
impl MetricsLayer {
    /// Makes a layer whose settings come from the environment variables `TACHOMETER_HTTP_*`, which
    /// the [guide](crate::guides::http#environment-variables) lists. A variable that is unset or
    /// empty leaves the default.
    ///
    /// No other function of the layer reads the environment. Settings in code that follow replace
    /// the values of variables. `skip`, methods, labels, stream routes and service levels are added
    /// to them.
    ///
    /// ```no_run
    /// use tachometer::{MetricsLayer, Registry};
    ///
    /// # fn main() -> Result<(), tachometer::Error> {
    /// let registry = Registry::new();
    /// let layer = MetricsLayer::from_env()?.registry(&registry).try_register()?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// If the value of a variable is not valid, or if an unknown variable that starts with
    /// `TACHOMETER_HTTP_` is set ([`Error::is_invalid_variable`]).
    #[doc(alias("environment", "configuration"))]
    pub fn from_env() -> Result<Self, Error> {
        Self::from_variables(std::env::vars_os())
    }
}

/// A variable and the setting that it has.
struct Variable {
    name: &'static str,
    /// The values that are valid, for the text of an error.
    values: &'static str,
    /// Returns `None` if the value is not valid.
    apply: fn(MetricsLayer, &str) -> Option<MetricsLayer>,
}

const PREFIX: &str = "TACHOMETER_HTTP_";
const BOOLEAN: &str = "`true` or `false`";
const SECONDS: &str = "ascending seconds, separated by commas, such as `0.05,0.5,5`";

/// The names of metrics come first, since labels are named after them.
const VARIABLES: [Variable; 21] = [
    Variable {
        name: "TACHOMETER_HTTP_ENABLED",
        values: BOOLEAN,
        apply: |layer, value| Some(layer.enabled(boolean(value)?)),
    },
    Variable {
        name: "TACHOMETER_HTTP_NAMES",
        values: "`prometheus`, `otel` or `axum_prometheus`",
        apply: |layer, value| match value {
            "prometheus" => Some(layer),
            "otel" => Some(layer.otel_names()),
            "axum_prometheus" => Some(layer.axum_prometheus_names()),
            _ => None,
        },
    },
    Variable {
        name: "TACHOMETER_HTTP_PREFIX",
        values: "letters, digits, `_` and `:`, without a leading digit, such as `shop_`",
        apply: |layer, value| {
            let is_valid = Registry::new().with_prefix(value).is_ok();
            is_valid.then(|| layer.prefix(value))
        },
    },
    Variable {
        name: "TACHOMETER_HTTP_BUCKETS",
        values: SECONDS,
        apply: |layer, value| Some(layer.buckets(buckets(value)?)),
    },
    Variable {
        name: "TACHOMETER_HTTP_NATIVE_HISTOGRAMS",
        values: BOOLEAN,
        apply: |layer, value| {
            let is_native = boolean(value)?;
            Some(layer.set(|settings| settings.has_native_histograms = is_native))
        },
    },
    Variable {
        name: "TACHOMETER_HTTP_SKIP",
        values: "paths, separated by commas, such as `/health,/internal/*`; `/*` is only allowed at \
                 the end of a path",
        apply: |layer, value| {
            let skip: Arc<SkipFn> = Arc::new(skip_filter(value)?);
            let skip = UserClosure::new("skip", skip);
            Some(layer.set(|settings| settings.skip.add(skip)))
        },
    },
    Variable {
        name: "TACHOMETER_HTTP_SKIP_UNMATCHED",
        values: BOOLEAN,
        apply: |layer, value| switch(layer, value, MetricsLayer::skip_unmatched),
    },
    Variable {
        name: "TACHOMETER_HTTP_METHODS",
        values: "up to 64 names of HTTP methods, separated by commas, such as `PROPFIND,PURGE`",
        apply: |layer, value| {
            let layer = layer.methods(list(value));
            let is_valid = layer.metrics.settings().methods.check().is_ok();
            is_valid.then_some(layer)
        },
    },
    Variable {
        name: "TACHOMETER_HTTP_FALLBACK_ROUTE",
        values: "a name",
        apply: |layer, value| Some(layer.fallback_route(value)),
    },
    Variable {
        name: "TACHOMETER_HTTP_STREAM_ROUTES",
        values: "routes, separated by commas, such as `/export/{id}`",
        apply: |layer, value| {
            let mut routes = list(value);
            routes.try_fold(layer, |layer, route| Some(layer.stream_route(path(route)?)))
        },
    },
    Variable {
        name: "TACHOMETER_HTTP_SERVICE_LEVELS",
        values: "routes with seconds, separated by commas, such as `/checkout=0.25,/search=1`",
        apply: |layer, value| {
            list(value).try_fold(layer, |layer, level| {
                let (route, seconds) = level.rsplit_once('=')?;
                let target = Duration::try_from_secs_f64(seconds.trim().parse().ok()?).ok()?;
                let route = path(route.trim())?;
                (!target.is_zero()).then(|| layer.service_level(route, target))
            })
        },
    },
    Variable {
        name: "TACHOMETER_HTTP_LABEL_LIMIT",
        values: "a number, such as `500`",
        apply: |layer, value| Some(layer.label_limit(value.parse().ok()?)),
    },
    Variable {
        name: "TACHOMETER_HTTP_STATUS_CLASS",
        values: BOOLEAN,
        apply: |layer, value| switch(layer, value, MetricsLayer::status_class),
    },
    Variable {
        name: "TACHOMETER_HTTP_VERSION_LABEL",
        values: BOOLEAN,
        apply: |layer, value| switch(layer, value, MetricsLayer::version_label),
    },
    Variable {
        name: "TACHOMETER_HTTP_SCHEME_LABEL",
        values: BOOLEAN,
        apply: |layer, value| switch(layer, value, MetricsLayer::scheme_label),
    },
    Variable {
        name: "TACHOMETER_HTTP_GRPC_STATUS_LABEL",
        values: BOOLEAN,
        apply: |layer, value| switch(layer, value, MetricsLayer::grpc_status_label),
    },
    Variable {
        name: "TACHOMETER_HTTP_TIME_TO_HEAD",
        values: BOOLEAN,
        apply: |layer, value| switch(layer, value, MetricsLayer::time_to_head),
    },
    Variable {
        name: "TACHOMETER_HTTP_TIME_TO_FIRST_BYTE",
        values: BOOLEAN,
        apply: |layer, value| switch(layer, value, MetricsLayer::time_to_first_byte),
    },
    Variable {
        name: "TACHOMETER_HTTP_BODY_SIZES",
        values: BOOLEAN,
        apply: |layer, value| switch(layer, value, MetricsLayer::body_sizes),
    },
    Variable {
        name: "TACHOMETER_HTTP_BODY_SIZE_BUCKETS",
        values: "ascending numbers of bytes, separated by commas, such as `1024,65536`",
        apply: |layer, value| {
            let buckets = buckets(value)?;
            Some(layer.set(|settings| settings.body_size_buckets = Some(buckets)))
        },
    },
    Variable {
        name: "TACHOMETER_HTTP_EXEMPLARS",
        values: BOOLEAN,
        apply: |layer, value| switch(layer, value, MetricsLayer::exemplars),
    },
];

impl MetricsLayer {
    /// Makes a layer with the settings in these variables. Those of others are ignored.
    fn from_variables(
        variables: impl IntoIterator<Item = (OsString, OsString)>,
    ) -> Result<Self, Error> {
        let mut variables: Vec<_> = variables
            .into_iter()
            .map(|(name, value)| (name.to_string_lossy().into_owned(), value))
            .filter(|(name, _)| name.starts_with(PREFIX))
            .collect();
        // The error is the same in each run.
        variables.sort();
        for (name, _) in &variables {
            if !VARIABLES.iter().any(|variable| variable.name == name) && !is_service_link(name) {
                return Err(unknown(name));
            }
        }
        VARIABLES.iter().try_fold(Self::new(), |layer, variable| {
            let mut values = variables.iter();
            match values.find(|(name, _)| name == variable.name) {
                Some((_, value)) => variable.apply(layer, value),
                None => Ok(layer),
            }
        })
    }
}

impl Variable {
    fn apply(&self, layer: MetricsLayer, value: &OsString) -> Result<MetricsLayer, Error> {
        let Some(text) = value.to_str() else {
            return Err(self.invalid(value, "is not valid Unicode"));
        };
        match text.trim() {
            "" => Ok(layer),
            text => (self.apply)(layer, text).ok_or_else(|| self.invalid(value, "is not valid")),
        }
    }

    fn invalid(&self, value: &OsString, fault: &str) -> Error {
        let Self { name, values, .. } = self;
        // In quotes and with escapes, so that blanks and control characters are visible.
        let value = value.to_string_lossy();
        Error::invalid_variable(format_args!(
            "the value {value:?} of the environment variable `{name}` {fault}: use {values}"
        ))
    }
}

/// Returns true for variables that Kubernetes adds if there is a service `tachometer-http`.
fn is_service_link(name: &str) -> bool {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    name == "PORT"
        || ["PORT_", "SERVICE_HOST", "SERVICE_PORT"]
            .iter()
            .any(|start| name.starts_with(start))
}

fn unknown(name: &str) -> Error {
    let names: Vec<_> = VARIABLES.iter().map(|variable| variable.name).collect();
    Error::invalid_variable(format_args!(
        "the environment variable {name:?} is unknown: use one of {}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests;
