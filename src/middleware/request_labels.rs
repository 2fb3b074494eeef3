//! Custom labels whose values the handler sets.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::middleware::custom_labels::CustomLabels;

/// The labels of a request that its handler can set: those added with
/// [`MetricsLayer::label_from_handler`](crate::MetricsLayer::label_from_handler).
///
/// It is in the request's extensions, and an axum extractor. Clones set the same labels.
/// Without such a layer there are no labels to set.
///
#[cfg_attr(feature = "axum", doc = "```")]
#[cfg_attr(not(feature = "axum"), doc = "```ignore")]
/// use axum::{Router, routing::get};
/// use tachometer::middleware::RequestLabels;
/// use tachometer::{Label, MetricsLayer, Registry};
///
/// async fn user(labels: RequestLabels) -> &'static str {
///     labels.set("cache", "hit");
///     "a user"
/// }
///
/// let layer = MetricsLayer::new().label_from_handler(Label::closed("cache", ["hit", "miss"]));
/// # let layer = layer.registry(&Registry::new());
/// let app: Router = Router::new().route("/users/{id}", get(user)).layer(layer);
/// ```
#[derive(Clone, Default)]
pub struct RequestLabels(Option<Arc<LabelValues>>);

struct LabelValues {
    labels: CustomLabels,
    /// One per custom label. Those of other sources stay empty.
    values: Box<[OnceLock<Cow<'static, str>>]>,
    /// Those of an outer layer of other metrics.
    outer: RequestLabels,
}

impl RequestLabels {
    pub(super) fn new(labels: &CustomLabels, outer: RequestLabels) -> Self {
        let values = labels.iter().map(|_| OnceLock::new()).collect();
        let labels = labels.clone();
        Self(Some(Arc::new(LabelValues {
            labels,
            values,
            outer,
        })))
    }

    /// Sets a label's value for this request, and returns true.
    ///
    /// Returns false if no layer has a label of this name that handlers set, or if the label
    /// already has a value, which it keeps. A value that is set after the end of the response
    /// is ignored.
    pub fn set(&self, name: &str, value: impl Into<Cow<'static, str>>) -> bool {
        let Some(values) = &self.0 else {
            return false;
        };
        let value = value.into();
        let position = values.labels.handler_label_position(name);
        let cell = position.and_then(|position| values.values.get(position));
        let is_set = cell.is_some_and(|cell| cell.set(value.clone()).is_ok());
        values.outer.set(name, value) || is_set
    }

    /// Returns the value of the label at a position, if it was set.
    pub(super) fn get(&self, position: usize) -> Option<&str> {
        let values = self.0.as_ref()?;
        values.values.get(position)?.get().map(|value| &**value)
    }
}

/// Does not print the values, which may come from a client.
impl fmt::Debug for RequestLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestLabels").finish_non_exhaustive()
    }
}

#[cfg(feature = "axum")]
impl<S: Sync> axum::extract::FromRequestParts<S> for RequestLabels {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut http::request::Parts,
        _state: &S,
    ) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}
