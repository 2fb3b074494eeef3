//! The settings of a client of a Pushgateway.

use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Request, Response, Uri};
use http_body::Body;
use http_body_util::Full;
use tower::Service;

use crate::error::Error;
use crate::push::client_settings::ClientSettings;
use crate::push::endpoint::parse_endpoint;
use crate::push::http_client::HttpClient;
use crate::push::pushgateway::client::PushgatewayClient;
use crate::push::pushgateway::group::Group;
use crate::registry::Registry;

/// The settings of a client that pushes a registry to a Prometheus Pushgateway.
///
/// The Pushgateway is for jobs that end before they are scraped. It keeps the last metrics of each
/// group, and Prometheus scrapes it. A group is identified by the name of the job and further
/// [grouping labels](Self::grouping), which all metrics of the group get. The Pushgateway adds
/// nothing up, and never removes a group by itself. A service that runs all the time should be
/// scraped instead, or send its metrics over OTLP.
///
/// ```no_run
/// use tachometer::Registry;
/// use tachometer::push::Pushgateway;
///
/// # async fn run() -> Result<(), tachometer::Error> {
/// let registry = Registry::new();
/// // An error here is found before the job begins.
/// let pushgateway = Pushgateway::new("http://pushgateway:9091", "backup")
///     .grouping("database", "orders")
///     .registry(&registry)
///     .build()?;
/// registry.gauge("backup_bytes", "Size of the last backup, in bytes.")?.set(1 << 30);
/// pushgateway.push().await?;
/// # Ok(())
/// # }
/// ```
///
/// In Prometheus, the scrape of the Pushgateway needs `honor_labels: true`. Otherwise the label
/// `job` of the metrics becomes `exported_job`.
///
/// # Format
///
/// The metrics are sent in the text format 0.0.4, without exemplars, native histograms and creation
/// times. The Pushgateway also reads protobuf, but it expects all series of a metric in one
/// message. The protobuf encoder of this crate splits a large metric into several messages, of
/// which the Pushgateway would keep only the last one. The text of all metrics is in memory while
/// it is sent. It is not compressed.
#[derive(Clone)]
#[must_use = "nothing is pushed until `build` is called"]
pub struct Pushgateway {
    url: Result<Uri, Error>,
    group: Group,
    registry: Registry,
    requests: ClientSettings,
    timeout: Duration,
}

impl Pushgateway {
    /// Pushes the global registry to the group of this job, with a timeout of 10 seconds.
    ///
    /// The URL is that of the Pushgateway, such as `http://pushgateway:9091`, with its route prefix
    /// if it has one. Credentials are set by [`basic_auth`](Self::basic_auth) or
    /// [`header`](Self::header), not in the URL.
    pub fn new(url: &str, job: &str) -> Self {
        Self {
            url: parse_endpoint("Pushgateway::new", url),
            group: Group::new(job),
            registry: Registry::global().clone(),
            requests: ClientSettings::default(),
            timeout: Duration::from_secs(10),
        }
    }

    /// Adds a grouping label, such as `instance`, or replaces its value.
    ///
    /// Each combination of values is a group of its own. Any text is a valid value. The metrics
    /// must not have a label with this name, nor with the name `job`.
    pub fn grouping(mut self, name: &str, value: &str) -> Self {
        self.group.set(name, value);
        self
    }

    /// Pushes this registry instead of the global one. [`Registry::merged`] makes one of several.
    pub fn registry(mut self, registry: &Registry) -> Self {
        self.registry = registry.clone();
        self
    }

    /// Adds a header to all requests, or replaces it. No header is ever logged.
    ///
    /// The client sets `content-type`, `content-encoding`, `content-length` and
    /// `transfer-encoding` itself.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.requests.set_header("Pushgateway::header", name, value);
        self
    }

    /// Sends `Authorization: Basic` with this user and password.
    ///
    /// Over plain HTTP, anyone who can read the traffic can read the password.
    pub fn basic_auth(mut self, user: &str, password: &str) -> Self {
        if user.contains(':') {
            self.requests.refuse_header(Error::invalid_push(
                "the user of `Pushgateway::basic_auth` contains `:`, which ends a user name: \
                 remove it",
            ));
            return self;
        }
        let credentials = STANDARD.encode(format!("{user}:{password}"));
        let value = format!("Basic {credentials}");
        self.requests
            .set_header("Pushgateway::basic_auth", AUTHORIZATION.as_str(), &value);
        self
    }

    /// The maximum duration of a push, which includes reading the metrics, or of a deletion: 10
    /// seconds by default. `Duration::ZERO` is no limit.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Sends requests with this client instead of the built-in one, which has no TLS.
    ///
    /// It is a tower service, such as the client of hyper-util with a TLS connector.
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

    /// Checks the settings, and returns the client. Nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If the URL, the job, the name of a grouping label or a header is not valid, or if the URL
    /// needs TLS and no client was passed ([`Error::is_invalid_push`]).
    pub fn build(self) -> Result<PushgatewayClient, Error> {
        let url = self.url?;
        self.group.check()?;
        let (client, headers) = self.requests.build("Pushgateway::new", &url)?;
        // The first push may be later than the first scrape of another registry.
        self.registry.mark_read();
        Ok(PushgatewayClient {
            url: self.group.url(url),
            group: Arc::new(self.group),
            registry: self.registry,
            client,
            headers,
            timeout: match self.timeout {
                Duration::ZERO => Duration::MAX,
                timeout => timeout,
            },
        })
    }
}

impl fmt::Debug for Pushgateway {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = self.url.as_ref().ok();
        f.debug_struct("Pushgateway")
            .field("host", &url.and_then(Uri::host))
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::{Pushgateway, Registry};

    #[test]
    fn the_registry_counts_as_read_before_the_first_push() {
        let registry = Registry::new();
        let settings = Pushgateway::new("http://localhost:9091", "backup").registry(&registry);
        assert!(!registry.is_read());
        let _client = settings.build().expect("valid settings");
        assert!(registry.is_read());
    }
}
