//! Sums of money, which add up without rounding.

use std::ops::AddAssign;

/// A sum in millionths of a millionth of a US dollar.
///
/// The price of a token is a whole number of these, so the prices of calls add up exactly,
/// as floating-point numbers would not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Money(u64);

/// So many are a dollar.
const DOLLAR: f64 = 1e12;

/// More dollars than this are no price.
const MAX_DOLLARS: f64 = 1e6;

impl Money {
    /// More than anything costs.
    pub(crate) const MAX: Self = Self(u64::MAX);

    /// More than this, 10,000 dollars, no call costs: a number in the answer is wrong, and
    /// a few of them would drown all others.
    pub(crate) const MAX_PER_CALL: Self = Self(10_000_000_000_000_000);

    /// Returns a sum of dollars, to the nearest millionth of a millionth; nothing if it is
    /// negative, no number, or more than a million.
    pub(crate) fn from_dollars(dollars: f64) -> Option<Self> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "it is not negative, and below 2^63"
        )]
        let money = |dollars: f64| Self((dollars * DOLLAR).round() as u64);
        (0.0..=MAX_DOLLARS)
            .contains(&dollars)
            .then(|| money(dollars))
    }

    /// Returns this for each of so many things.
    pub(crate) fn times(self, count: u64) -> Self {
        let all = u128::from(self.0) * u128::from(count);
        u64::try_from(all).map_or(Self::MAX, Self)
    }

    pub(crate) fn picos(self) -> u64 {
        self.0
    }
}

impl AddAssign for Money {
    fn add_assign(&mut self, other: Self) {
        self.0 = self.0.saturating_add(other.0);
    }
}

/// What a provider says that a call costs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReportedCost {
    pub(crate) amount: Option<Money>,
    /// What someone else charges besides, if `is_paid_elsewhere`: OpenRouter tells it of
    /// calls with a key of the caller's own.
    pub(crate) upstream_amount: Option<Money>,
    pub(crate) has_upstream_amount: bool,
    /// Whether it is in another currency.
    pub(crate) is_other_currency: bool,
}

impl ReportedCost {
    /// Returns all that is charged, if that is told and can be.
    pub(crate) fn total(&self) -> Option<Money> {
        let mut total = self.amount.filter(|_| !self.is_other_currency)?;
        if self.has_upstream_amount {
            total += self.upstream_amount?;
        }
        (total <= Money::MAX_PER_CALL).then_some(total)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_of_dollars_is_read_to_the_last_digit() {
        for (dollars, expected) in [
            (0.0, Some(0)),
            (-0.0, Some(0)),
            (0.000_014, Some(14_000_000)),
            (0.1, Some(100_000_000_000)),
            (1e-12, Some(1)),
            (4e-13, Some(0)),
            (1e6, Some(1_000_000_000_000_000_000)),
            (1e6 + 1.0, None),
            (-1e-12, None),
            (f64::NAN, None),
            (f64::INFINITY, None),
        ] {
            let found = Money::from_dollars(dollars).map(Money::picos);
            assert_eq!(found, expected, "{dollars}");
        }
    }

    #[test]
    fn the_largest_sums_stay_there() {
        let mut sum = Money(u64::MAX - 1).times(3);
        assert_eq!(sum, Money(u64::MAX));
        sum += Money(1);
        assert_eq!(sum, Money(u64::MAX));
    }

    #[test]
    fn what_is_paid_elsewhere_has_to_be_told() {
        let own = Money::from_dollars(0.5);
        let mut charge = ReportedCost {
            amount: own,
            ..ReportedCost::default()
        };
        assert_eq!(charge.total(), own);
        charge.has_upstream_amount = true;
        assert_eq!(charge.total(), None);
        charge.upstream_amount = Money::from_dollars(1.0);
        assert_eq!(charge.total(), Money::from_dollars(1.5));
    }
}
