//! The layer that measures the requests, the metrics of the demo itself, and their listener.

use std::io;
use std::time::Duration;

use tachometer::router::MetricsServer;
use tachometer::{Counter, Label, MetricsLayer, MetricsRouter, counter};

use crate::auth::PLANS;

/// The label of the plan of the account that sent a request, which `auth` sets.
pub(crate) const PLAN: &str = "plan";

/// Returns the layer that measures the requests.
pub(crate) fn layer() -> MetricsLayer {
    MetricsLayer::new()
        // A load balancer calls it every second. It would hide the requests of users.
        .skip(|_method, uri| uri.path() == "/health")
        .label_from_handler(Label::closed(PLAN, PLANS))
        .service_level("/api/users/{id}", Duration::from_millis(100))
        .service_level("/search", Duration::from_millis(250))
}

/// The metrics of the demo itself.
#[derive(Debug, Clone)]
pub(crate) struct AppMetrics {
    pub(crate) items_created: Counter,
    pub(crate) chat_messages: Counter,
}

impl AppMetrics {
    pub(crate) fn new() -> Self {
        Self {
            items_created: counter("demo_items_created_total", "Items created."),
            chat_messages: counter("demo_chat_messages_total", "Messages of chat clients."),
        }
    }
}

/// Serves the metrics at a separate address, which clients of the service should not reach.
pub(crate) async fn serve(address: &str) -> io::Result<MetricsServer> {
    MetricsRouter::new().serve_on(address).await
}
