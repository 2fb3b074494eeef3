//! The buckets of a histogram.

use std::fmt;
use std::sync::LazyLock;

use crate::cell::BucketLayout;
use crate::error::Error;
use crate::snapshot::{Bounds, Resolution};

/// The buckets of a histogram: classic ones and, optionally, exponential ones.
///
/// Every Prometheus reads classic buckets, whose bounds are configurable. Exponential buckets,
/// which Prometheus calls native, adapt to the magnitude of the values, and percentiles are
/// read from them. A histogram without labels always has both. A family has exponential
/// buckets only with [`native`](Self::native), since they cost memory for each series.
///
/// ```
/// use tachometer::{Buckets, Registry};
///
/// let registry = Registry::new();
/// let seconds = registry.histogram_family_with_buckets(
///     "query_seconds",
///     "How long queries take.",
///     ["table"],
///     Buckets::new(&[0.01, 0.1, 1.0])?.native(),
/// )?;
/// seconds.with(["users"]).observe(0.042);
/// let median = seconds.with(["users"]).percentile(50.0).unwrap();
/// assert_eq!(median, 0.042);
/// # Ok::<(), tachometer::Error>(())
/// ```
#[doc(alias = "bounds")]
#[doc(alias = "boundaries")]
#[derive(Clone)]
pub struct Buckets {
    pub(crate) layout: BucketLayout,
}

impl Buckets {
    /// Creates classic buckets with these upper bounds, which are inclusive. A last bucket
    /// without a bound (`+Inf`) is added.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no bound, or if the bounds are not finite and ascending
    /// ([`Error::is_invalid_buckets`]).
    pub fn new(bounds: &[f64]) -> Result<Self, Error> {
        let layout = BucketLayout::new(Bounds::new(bounds)?, None);
        Ok(Self { layout })
    }

    /// Adds exponential buckets of the default resolution. The error of a percentile is then
    /// at most 4.5 %.
    #[doc(alias = "exponential")]
    #[must_use]
    pub fn native(self) -> Self {
        self.resolution(Resolution::default())
    }

    /// Adds exponential buckets of this resolution.
    #[must_use]
    pub fn resolution(self, resolution: Resolution) -> Self {
        Self {
            layout: BucketLayout::new(self.layout.classic, Some(resolution)),
        }
    }

    /// Adds exponential buckets of the default resolution if there are none.
    pub(crate) fn or_native(self) -> Self {
        // Most histograms have these, so they share them.
        static DEFAULT: LazyLock<Buckets> = LazyLock::new(|| Buckets::default().native());
        if self.native_resolution().is_some() {
            self
        } else if self == Self::default() {
            DEFAULT.clone()
        } else {
            self.native()
        }
    }

    /// Returns true if there are exponential buckets.
    #[cfg(feature = "dashboard")]
    pub(crate) fn has_native(&self) -> bool {
        self.native_resolution().is_some()
    }

    fn native_resolution(&self) -> Option<Resolution> {
        self.layout.resolution
    }
}

/// Classic buckets for durations in seconds, 5 ms to 10 s: the defaults of the official
/// Prometheus clients.
impl Default for Buckets {
    fn default() -> Self {
        Self {
            layout: BucketLayout::new(Bounds::default(), None),
        }
    }
}

impl PartialEq for Buckets {
    fn eq(&self, other: &Self) -> bool {
        self.layout.classic == other.layout.classic
            && self.native_resolution() == other.native_resolution()
    }
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the buckets {:?}", &*self.layout.classic)?;
        match self.native_resolution() {
            None => Ok(()),
            Some(resolution) => write!(f, " and native ones of schema {}", resolution.schema()),
        }
    }
}
