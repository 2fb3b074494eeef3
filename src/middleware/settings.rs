//! What was chosen for a layer, before its metrics are made.

use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use http::{Method, Uri};

use crate::metric::Buckets;

/// The choices of one layer.
#[derive(Debug, Clone, Default)]
pub(super) struct Settings {
    /// Of the duration; the default bounds where there are none.
    pub(super) buckets: Option<Buckets>,
    pub(super) skip: Skip,
}

/// Which requests are not measured.
#[derive(Clone, Default)]
pub(super) struct Skip(Option<Arc<Predicate>>);

type Predicate = dyn Fn(&Method, &Uri) -> bool + Send + Sync;

impl Skip {
    pub(super) fn new(skip: impl Fn(&Method, &Uri) -> bool + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(skip)))
    }

    /// Returns true when the request is not to be measured. One of which the user's
    /// code cannot tell, because it panics, is: a request must not fail for it.
    pub(super) fn covers(&self, method: &Method, uri: &Uri) -> bool {
        let Some(skip) = &self.0 else {
            return false;
        };
        catch_unwind(AssertUnwindSafe(|| skip(method, uri))).unwrap_or(false)
    }
}

impl fmt::Debug for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "some" } else { "none" })
    }
}
