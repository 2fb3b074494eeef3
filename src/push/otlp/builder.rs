//! The settings of an exporter.

use std::error::Error as StdError;
use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, Uri};
use http_body::Body;
use http_body_util::Full;
use tokio::sync::mpsc;
use tower::Service;

use crate::encode::{HistogramEncoding, OtlpSettings, Temporality};
use crate::error::Error;
use crate::push::client_settings::ClientSettings;
use crate::push::endpoint::parse_endpoint;
use crate::push::http_client::HttpClient;
use crate::push::otlp::commands::Commands;
use crate::push::otlp::delta::SharedBaselines;
use crate::push::otlp::export::Exports;
use crate::push::otlp::export_limits::TimeLimits;
use crate::push::otlp::export_metrics::ExportMetrics;
use crate::push::otlp::exporter::{OtlpExporter, TaskHandle};
use crate::push::otlp::exporter_task::ExporterTask;
use crate::push::otlp::failure::FailureLog;
use crate::push::otlp::random::{random, random_part};
use crate::push::otlp::requests::RequestSettings;
use crate::push::otlp::resource::{Attributes, SERVICE_NAME, complete_attributes, set_attribute};
use crate::push::otlp::runtime::current_runtime;
use crate::push::otlp::{Compression, MAX_DURATION};
use crate::registry::Registry;

/// The settings of an exporter that sends a registry over OTLP, with HTTP and protobuf.
///
/// The receiver is an OpenTelemetry Collector, or a monitoring system that accepts OTLP.
///
/// ```no_run
/// use std::time::Duration;
///
/// use tachometer::Registry;
/// use tachometer::push::Otlp;
///
/// # async fn run(registry: Registry) -> Result<(), tachometer::Error> {
/// let exporter = Otlp::new()
///     .registry(&registry)
///     .endpoint("http://collector:4318")
///     .service_name("shop")
///     .interval(Duration::from_secs(15))
///     .start()?;
/// // At the end of the process:
/// exporter.shutdown(Duration::from_secs(5)).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "nothing is exported until `start` is called"]
pub struct Otlp {
    pub(super) is_enabled: bool,
    registry: Registry,
    pub(super) requests: ClientSettings,
    pub(super) endpoint: Result<Endpoint, Error>,
    pub(super) timeout: Duration,
    pub(super) export_timeout: Duration,
    pub(super) interval: Duration,
    pub(super) compression: Compression,
    pub(super) temporality: Temporality,
    pub(super) histograms: HistogramEncoding,
    pub(super) resource: Attributes,
}

/// Where requests are sent.
#[derive(Debug, Clone)]
pub(super) struct Endpoint {
    pub(super) uri: Uri,
    /// The method or the variable that has it.
    setting: &'static str,
}

impl Endpoint {
    /// Takes the base URL of a receiver, to which the path of metrics is appended.
    pub(super) fn base(setting: &'static str, uri: Uri) -> Self {
        let mut parts = uri.into_parts();
        let path_and_query = parts.path_and_query.as_ref();
        let path = path_and_query.map_or("", |path_and_query| path_and_query.path());
        let path = path.trim_end_matches('/');
        let path = match path_and_query.and_then(|path_and_query| path_and_query.query()) {
            Some(query) => format!("{path}/v1/metrics?{query}"),
            None => format!("{path}/v1/metrics"),
        };
        parts.path_and_query = path.parse().ok();
        Self {
            uri: Uri::from_parts(parts).unwrap_or_default(),
            setting,
        }
    }

    /// Takes the URL of metrics.
    pub(super) fn complete(setting: &'static str, uri: Uri) -> Self {
        Self { uri, setting }
    }
}

const DEFAULT_ENDPOINT: &str = "http://localhost:4318";

impl Default for Otlp {
    fn default() -> Self {
        Self::new()
    }
}

impl Otlp {
    /// Sends the global registry to `http://localhost:4318`, every 60 seconds.
    ///
    /// It reads no environment variables; see [`from_env`](Self::from_env).
    pub fn new() -> Self {
        let endpoint = parse_endpoint("Otlp::endpoint", DEFAULT_ENDPOINT);
        Self {
            is_enabled: true,
            registry: Registry::global().clone(),
            requests: ClientSettings::default(),
            endpoint: endpoint.map(|uri| Endpoint::base("Otlp::endpoint", uri)),
            timeout: Duration::from_secs(10),
            export_timeout: Duration::from_secs(30),
            interval: Duration::from_secs(60),
            compression: Compression::None,
            temporality: Temporality::Cumulative,
            histograms: HistogramEncoding::Explicit,
            resource: Attributes::new(),
        }
    }

    /// Enables the export, which is the default.
    ///
    /// If it is disabled, [`start`](Self::start) does not check the settings, and the methods of the
    /// exporter return `Ok`.
    pub fn enabled(mut self, is_enabled: bool) -> Self {
        self.is_enabled = is_enabled;
        self
    }

    /// Sends this registry instead of the global one. [`Registry::merged`] makes one of several.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// The base URL of the receiver, to which `/v1/metrics` is appended: `http://localhost:4318`
    /// by default.
    ///
    /// The built-in client has no TLS. An `https` URL needs [`client`](Self::client) or
    /// `reqwest_client`. Credentials are set by [`header`](Self::header), not in the URL.
    pub fn endpoint(mut self, url: &str) -> Self {
        let uri = parse_endpoint("Otlp::endpoint", url);
        self.endpoint = uri.map(|uri| Endpoint::base("Otlp::endpoint", uri));
        self
    }

    /// The URL that requests are sent to, instead of a base URL.
    pub fn metrics_endpoint(mut self, url: &str) -> Self {
        let uri = parse_endpoint("Otlp::metrics_endpoint", url);
        self.endpoint = uri.map(|uri| Endpoint::complete("Otlp::metrics_endpoint", uri));
        self
    }

    /// Adds a header to all requests, such as `authorization`, or replaces it.
    ///
    /// The exporter sets `content-type`, `content-encoding`, `content-length` and
    /// `transfer-encoding` itself. No header is ever logged.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.requests.set_header("Otlp::header", name, value);
        self
    }

    /// The maximum duration of a request: 10 seconds by default. `Duration::ZERO` is no limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// The maximum duration of an export, with all its requests and retries: 30 seconds by
    /// default. `Duration::ZERO` is no limit.
    ///
    /// It is the limit of a [`flush`](OtlpExporter::flush), too.
    pub fn export_timeout(mut self, timeout: Duration) -> Self {
        self.export_timeout = timeout;
        self
    }

    /// The time from the start of an export to that of the next: 60 seconds by default.
    ///
    /// An export that takes longer is finished. The next one then starts directly after it, and
    /// others that were due meanwhile are skipped.
    ///
    /// The first export has a random delay of up to the interval, so that replicas that start
    /// together do not send together.
    pub fn interval(mut self, interval: Duration) -> Self {
        self.interval = interval;
        self
    }

    /// How requests are compressed: not at all by default.
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Whether the points of counters and histograms are cumulative, which is the default, or the
    /// differences since the last export. Gauges are the same with both.
    pub fn temporality(mut self, temporality: Temporality) -> Self {
        self.temporality = temporality;
        self
    }

    /// Whether histograms with exponential buckets are sent with these instead of the classic
    /// ones. Disabled by default.
    pub fn exponential_histograms(mut self, is_exponential: bool) -> Self {
        self.histograms = if is_exponential {
            HistogramEncoding::Exponential
        } else {
            HistogramEncoding::Explicit
        };
        self
    }

    /// Adds an attribute of the resource, such as `deployment.environment.name`, or replaces it.
    ///
    /// Without a `service.instance.id`, each start has a random one. Replicas must not share one.
    pub fn resource_attribute(mut self, name: &str, value: &str) -> Self {
        set_attribute(&mut self.resource, name, value);
        self
    }

    /// The attribute `service.name`: `unknown_service:` and the name of the executable by default.
    pub fn service_name(self, name: &str) -> Self {
        self.resource_attribute(SERVICE_NAME, name)
    }

    /// Sends requests with this client instead of the built-in one, which has no TLS.
    ///
    /// It is a tower service, such as the client of hyper-util with a TLS connector. Redirects are
    /// not followed by the exporter.
    pub fn client<S, B>(mut self, client: S) -> Self
    where
        S: Service<Request<Full<Bytes>>, Response = Response<B>> + Clone + Send + 'static,
        S::Error: Into<Box<dyn StdError + Send + Sync>>,
        S::Future: Send,
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn StdError + Send + Sync>>,
    {
        self.requests.client = Some(HttpClient::new(client));
        self
    }

    /// Sends requests with this client of reqwest instead of the built-in one.
    ///
    /// Build it with `redirect(reqwest::redirect::Policy::none())`. Otherwise reqwest follows
    /// redirects, and may send your headers to another host. A response after a redirect is an
    /// error.
    #[cfg(feature = "reqwest")]
    pub fn reqwest_client(mut self, client: reqwest::Client) -> Self {
        self.requests.client = Some(HttpClient::reqwest(client));
        self
    }

    /// Starts the exporter, as a task of the current tokio runtime.
    ///
    /// # Errors
    ///
    /// If the endpoint or a header is not valid, if the endpoint needs TLS and no client was
    /// passed, or if the interval is zero ([`Error::is_invalid_push`]).
    ///
    /// Without a tokio runtime that has a timer, and I/O if the built-in client is used
    /// ([`Error::is_invalid_push`]). `enable_all` of its builder enables both. A client that was
    /// passed may need I/O, too. This is not checked, and a request whose client panics fails.
    /// A tokio runtime panics if a part is missing. `start` catches the panic, so its message is
    /// printed. With `panic = "abort"`, the process ends.
    ///
    /// If a metric about exports has the name of another metric ([`Error::is_conflict`]).
    pub fn start(self) -> Result<OtlpExporter, Error> {
        if !self.is_enabled {
            return Ok(OtlpExporter::disabled());
        }
        let runtime = current_runtime(self.requests.client.is_none())?;
        let interval = self.interval.min(MAX_DURATION);
        if interval.is_zero() {
            return Err(Error::invalid_push(
                "the interval 0s of `Otlp::interval` is not valid: use a longer one",
            ));
        }
        let (sender, receiver) = mpsc::unbounded_channel();
        let last_result = Arc::new(OnceLock::new());
        let task = ExporterTask {
            exports: self.exports()?,
            commands: Commands::new(receiver),
            phase: random_part(interval, random()),
            interval,
            last_result: Arc::clone(&last_result),
        };
        Ok(OtlpExporter::running(TaskHandle {
            commands: sender,
            task: runtime.spawn(task.run()).abort_handle(),
            last_result,
        }))
    }

    fn exports(self) -> Result<Exports, Error> {
        let endpoint = self.endpoint?;
        let (client, mut headers) = self.requests.build(endpoint.setting, &endpoint.uri)?;
        let protobuf = HeaderValue::from_static("application/x-protobuf");
        headers.insert(CONTENT_TYPE, protobuf);
        let metrics = ExportMetrics::register(&self.registry)?;
        // The first export may be later than the first scrape of another registry.
        self.registry.mark_read();
        Ok(Exports {
            metrics,
            client,
            failures: FailureLog::new(&endpoint.uri),
            endpoint: endpoint.uri,
            headers,
            limits: TimeLimits {
                request: limit(self.timeout),
                export: limit(self.export_timeout),
                interval: self.interval.min(MAX_DURATION),
            },
            settings: RequestSettings {
                registry: self.registry,
                otlp: OtlpSettings {
                    resource: complete_attributes(&self.resource),
                    histograms: self.histograms,
                },
                temporality: self.temporality,
                baselines: SharedBaselines::default(),
                compression: self.compression,
            },
            last_read: None,
            not_before: None,
            reading: None,
        })
    }
}

/// Returns a time limit that can be added to the current time.
fn limit(timeout: Duration) -> Duration {
    if timeout.is_zero() {
        return MAX_DURATION;
    }
    timeout.min(MAX_DURATION)
}

impl fmt::Debug for Otlp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let endpoint = self.endpoint.as_ref().ok();
        let host = endpoint.and_then(|endpoint| endpoint.uri.host());
        f.debug_struct("Otlp")
            .field("is_enabled", &self.is_enabled)
            .field("host", &host)
            .field("interval", &self.interval)
            .field("temporality", &self.temporality)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Otlp, Registry};

    #[tokio::test]
    async fn the_registry_counts_as_read_before_the_first_export() {
        let registry = Registry::new();
        let otlp = Otlp::new().registry(&registry);
        assert!(!registry.is_read());
        let _exporter = otlp.start().expect("valid settings");
        assert!(registry.is_read());
    }
}
