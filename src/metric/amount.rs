//! The numbers that a metric can be moved by.

use crate::snapshot::Count;

/// A number that a counter or a gauge can be moved by: `f64`, `f32`, `u64`,
/// `u32`, `i64`, `i32` or `usize`.
///
/// Whole numbers are added as such, so that a counter stays exact past 2^53.
pub trait Amount: sealed::Amount {}

impl<A: sealed::Amount> Amount for A {}

pub(crate) use sealed::Split;

pub(crate) fn split(amount: impl Amount) -> Split {
    amount.split()
}

/// Returns an amount as the sum of a counter, unless it is negative, infinite or
/// NaN.
pub(crate) fn to_count(amount: impl Amount) -> Option<Count> {
    match amount.split() {
        Split::Whole(whole) => Some(whole.into()),
        Split::Real(real) if real >= 0.0 && real.is_finite() => Some(Count {
            whole: 0,
            fraction: real,
        }),
        Split::Real(_) => None,
    }
}

pub(crate) fn to_f64(amount: impl Amount) -> f64 {
    match amount.split() {
        Split::Whole(whole) => whole as f64,
        Split::Real(real) => real,
    }
}

mod sealed {
    /// An amount, as far as it matters how it is added.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub enum Split {
        Whole(u64),
        Real(f64),
    }

    pub trait Amount: Copy {
        fn split(self) -> Split;
    }

    impl Amount for f64 {
        fn split(self) -> Split {
            Split::Real(self)
        }
    }

    impl Amount for f32 {
        fn split(self) -> Split {
            Split::Real(f64::from(self))
        }
    }

    impl Amount for u64 {
        fn split(self) -> Split {
            Split::Whole(self)
        }
    }

    impl Amount for u32 {
        fn split(self) -> Split {
            Split::Whole(u64::from(self))
        }
    }

    impl Amount for usize {
        fn split(self) -> Split {
            Split::Whole(self as u64)
        }
    }

    impl Amount for i64 {
        fn split(self) -> Split {
            u64::try_from(self).map_or(Split::Real(self as f64), Split::Whole)
        }
    }

    impl Amount for i32 {
        fn split(self) -> Split {
            i64::from(self).split()
        }
    }
}
