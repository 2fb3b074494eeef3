//! Labels that the handler fills.

use std::borrow::Cow;
use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::middleware::custom_labels::CustomLabels;

/// The labels that a handler gives its request: those named with
/// [`MetricsLayer::label_from_handler`](crate::MetricsLayer::label_from_handler).
///
/// It is in the request's extensions, and an extractor of axum's. A clone fills the
/// same labels. Without such a layer there are none to fill.
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
    /// One for each label, those that no handler fills too.
    values: Box<[OnceLock<Cow<'static, str>>]>,
    /// Those of a layer further out, of other metrics.
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

    /// Gives a label its value for this request, and returns true; or false where no
    /// layer has a label of this name for the handler to fill, or where it has its
    /// value already, which it keeps.
    ///
    /// What is given after the response's end is lost.
    pub fn set(&self, name: &str, value: impl Into<Cow<'static, str>>) -> bool {
        let Some(slots) = &self.0 else {
            return false;
        };
        let value = value.into();
        let slot = slots.labels.handler_label_position(name);
        let slot = slot.and_then(|position| slots.values.get(position));
        let own = slot.is_some_and(|slot| slot.set(value.clone()).is_ok());
        slots.outer.set(name, value) || own
    }

    /// Returns the value of the label at a position, if it was given one.
    pub(super) fn get(&self, position: usize) -> Option<&str> {
        let slots = self.0.as_ref()?;
        slots.values.get(position)?.get().map(|value| &**value)
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
