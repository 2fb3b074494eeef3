//! The number types that counters and gauges take.

use crate::snapshot::Count;

/// A number type that counters and gauges take: every integer type, `f32` and `f64`.
///
/// It is sealed: no other type can implement it. Integers from 0 to `u64::MAX` are added to a
/// counter exactly, even past 2^53. Negative integers and those above `u64::MAX` are converted
/// to the nearest `f64`.
///
/// ```
/// use tachometer::Counter;
/// use tachometer::metric::Amount;
///
/// fn add_all(counter: &Counter, amounts: impl IntoIterator<Item = impl Amount>) {
///     amounts.into_iter().for_each(|amount| counter.inc_by(amount));
/// }
///
/// let bytes = Counter::new();
/// add_all(&bytes, [1_u8, 2]);
/// add_all(&bytes, [0.5]);
/// assert_eq!(bytes.get(), 3.5);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number that a counter or a gauge takes",
    label = "expected an integer, `f32` or `f64`",
    note = "a duration is recorded in seconds: `duration.as_secs_f64()`"
)]
pub trait Amount: sealed::ToNumber {}

pub(crate) use sealed::Number;

#[inline]
pub(crate) fn to_number(amount: impl Amount) -> Number {
    amount.to_number()
}

/// Returns an amount as the sum of a counter, or `None` if it is negative, infinite or NaN.
pub(crate) fn to_count(amount: impl Amount) -> Option<Count> {
    match amount.to_number() {
        Number::Integer(integer) => Some(integer.into()),
        Number::Float(float) if float >= 0.0 && float.is_finite() => Some(Count {
            whole: 0,
            fraction: float,
        }),
        Number::Float(_) => None,
    }
}

#[inline]
pub(crate) fn to_f64(amount: impl Amount) -> f64 {
    match amount.to_number() {
        Number::Integer(integer) => integer as f64,
        Number::Float(float) => float,
    }
}

mod sealed {
    use crate::metric::amount::Amount;

    /// An amount as a counter adds it.
    #[derive(Debug, Clone, Copy, PartialEq)]
    pub enum Number {
        Integer(u64),
        Float(f64),
    }

    pub trait ToNumber: Copy {
        fn to_number(self) -> Number;
    }

    impl Amount for f64 {}
    impl ToNumber for f64 {
        #[inline]
        fn to_number(self) -> Number {
            Number::Float(self)
        }
    }

    impl Amount for f32 {}
    impl ToNumber for f32 {
        #[inline]
        fn to_number(self) -> Number {
            Number::Float(f64::from(self))
        }
    }

    macro_rules! impl_amount {
        ($($integer:ty)*) => {$(
            impl Amount for $integer {}
            impl ToNumber for $integer {
                #[inline]
                #[allow(clippy::cast_lossless, reason = "the wider types are lossy")]
                fn to_number(self) -> Number {
                    u64::try_from(self).map_or(Number::Float(self as f64), Number::Integer)
                }
            }
        )*};
    }
    impl_amount!(u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize);
}

#[cfg(all(test, not(tachometer_loom)))]
mod tests {
    use super::*;
    use crate::metric::{Counter, Gauge};

    #[test]
    fn integers_of_every_type_are_exact_up_to_the_largest_u64() {
        let counter = Counter::new();
        counter.inc_by(1_u8);
        counter.inc_by(1_u16);
        counter.inc_by(1_u32);
        counter.inc_by(1_u64);
        counter.inc_by(1_u128);
        counter.inc_by(1_usize);
        counter.inc_by(1_i8);
        counter.inc_by(1_i16);
        counter.inc_by(1_i32);
        counter.inc_by(1_i64);
        counter.inc_by(1_i128);
        counter.inc_by(1_isize);
        assert_eq!(counter.get_u64(), 12);
        for exact in [
            to_number(u64::MAX),
            to_number(u128::from(u64::MAX)),
            to_number(i128::from(u64::MAX)),
        ] {
            assert_eq!(exact, Number::Integer(u64::MAX));
        }
    }

    #[test]
    fn integers_above_the_largest_u64_become_the_nearest_f64() {
        const TWO_POW_64: f64 = 18_446_744_073_709_551_616.0;
        assert_eq!(to_number(1_u128 << 64), Number::Float(TWO_POW_64));
        assert_eq!(to_number(1_i128 << 64), Number::Float(TWO_POW_64));
        let counter = Counter::new();
        counter.inc_by(u128::MAX);
        counter.inc_by(i128::MAX);
        assert_eq!(
            (counter.get_u64(), counter.get()),
            (0, 1.5 * 2.0_f64.powi(128))
        );
        let gauge = Gauge::new();
        gauge.set(u128::MAX);
        assert_eq!(gauge.get(), 2.0_f64.powi(128));
    }

    #[test]
    fn negative_integers_move_a_gauge_and_are_invalid_for_a_counter() {
        let (counter, gauge) = (Counter::new(), Gauge::new());
        for amount in [
            to_number(i8::MIN),
            to_number(i16::MIN),
            to_number(i32::MIN),
            to_number(i64::MIN),
            to_number(i128::MIN),
            to_number(isize::MIN),
        ] {
            assert!(matches!(amount, Number::Float(float) if float < 0.0));
        }
        counter.inc_by(-1_i8);
        counter.inc_by(i128::MIN);
        gauge.inc_by(-1_i8);
        gauge.dec_by(i128::MIN);
        assert_eq!(counter.get(), 0.0);
        assert_eq!(gauge.get(), 2.0_f64.powi(127));
        assert_eq!((to_count(-1_isize), to_count(f64::NAN)), (None, None));
        assert_eq!(to_count(0_i8), Some(0.into()));
    }
}
