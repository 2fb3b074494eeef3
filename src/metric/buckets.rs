//! Which buckets a histogram has.

use std::fmt;
use std::sync::LazyLock;

use crate::cell::BucketLayout;
use crate::error::Error;
use crate::snapshot::{Bounds, Resolution};

/// The buckets of a histogram: classic ones, and exponential ones if asked for.
///
/// Classic buckets are those that every Prometheus reads, between bounds that one
/// chooses. Exponential ones, which Prometheus calls native, follow the values'
/// magnitudes by themselves, and percentiles are read from them. A histogram
/// without labels has both. A family has classic ones only, unless
/// [`native`](Self::native) asks for the others, since each of its series pays for
/// them.
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
#[derive(Clone)]
pub struct Buckets {
    pub(crate) layout: BucketLayout,
}

impl Buckets {
    /// Returns classic buckets between these bounds: finite and ascending, each
    /// the inclusive upper end of a bucket.
    ///
    /// # Errors
    ///
    /// When there is no bound, or one is not finite, or not above the one before
    /// it ([`Error::is_invalid_buckets`]).
    pub fn new(bounds: &[f64]) -> Result<Self, Error> {
        let grid = BucketLayout::new(Bounds::new(bounds)?, None);
        Ok(Self { layout: grid })
    }

    /// Adds exponential buckets of the default resolution, whose percentiles are
    /// off by at most 4.5 %.
    #[must_use]
    pub fn native(self) -> Self {
        self.resolution(Resolution::default())
    }

    /// Adds exponential buckets of a resolution of one's choice.
    #[must_use]
    pub fn resolution(self, resolution: Resolution) -> Self {
        Self {
            layout: BucketLayout::new(self.layout.classic, Some(resolution)),
        }
    }

    /// Returns these buckets with exponential ones among them, as a histogram by
    /// itself has them.
    pub(crate) fn or_native(self) -> Self {
        // Most histograms are made with these, so they share them.
        static DEFAULT: LazyLock<Buckets> = LazyLock::new(|| Buckets::default().native());
        if self.native_resolution().is_some() {
            self
        } else if self == Self::default() {
            DEFAULT.clone()
        } else {
            self.native()
        }
    }

    /// Returns true when there are exponential buckets among them.
    #[cfg(feature = "dashboard")]
    pub(crate) fn has_native(&self) -> bool {
        self.native_resolution().is_some()
    }

    fn native_resolution(&self) -> Option<Resolution> {
        self.layout.resolution
    }
}

/// Classic buckets between the bounds for durations in seconds that the official
/// clients use, 5 ms to 10 s.
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

impl TryFrom<&[f64]> for Buckets {
    type Error = Error;

    fn try_from(bounds: &[f64]) -> Result<Self, Error> {
        Self::new(bounds)
    }
}

impl<const N: usize> TryFrom<&[f64; N]> for Buckets {
    type Error = Error;

    fn try_from(bounds: &[f64; N]) -> Result<Self, Error> {
        Self::new(bounds)
    }
}
