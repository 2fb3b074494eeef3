//! Amounts of money as integers, which are added without rounding errors.

use std::ops::AddAssign;

/// An amount in trillionths of a US dollar.
///
/// The price of a token is a whole number of these, so the costs of calls are added exactly,
/// unlike floating-point numbers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Money(u64);

/// The units of [`Money`] in a dollar.
const DOLLAR: f64 = 1e12;

/// The greatest amount that is accepted.
const MAX_DOLLARS: f64 = 1e6;

impl Money {
    /// The greatest amount, at which sums saturate.
    pub(crate) const MAX: Self = Self(u64::MAX);

    /// The greatest plausible cost of a call: 10,000 dollars. A greater one is a
    /// wrong number in the response, and would dominate the sum of all others.
    pub(crate) const MAX_PER_CALL: Self = Self(10_000_000_000_000_000);

    /// Converts dollars, to the nearest trillionth. Returns `None` if the number is negative, not
    /// a number, or more than a million.
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

    /// Returns the amount multiplied by a count.
    pub(crate) fn times(self, count: u64) -> Self {
        let product = u128::from(self.0) * u128::from(count);
        u64::try_from(product).map_or(Self::MAX, Self)
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

/// The cost of a call that the provider reports.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct ReportedCost {
    pub(crate) amount: Option<Money>,
    /// What the upstream provider charges, if `has_upstream_amount`. OpenRouter reports it for
    /// calls with the caller's key for that provider.
    pub(crate) upstream_amount: Option<Money>,
    pub(crate) has_upstream_amount: bool,
    /// Whether the amount is not in US dollars.
    pub(crate) is_other_currency: bool,
}

impl ReportedCost {
    /// Returns the whole cost in US dollars, if it is known and plausible.
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
    fn dollars_are_converted_to_the_last_digit() {
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
            let amount = Money::from_dollars(dollars).map(Money::picos);
            assert_eq!(amount, expected, "{dollars}");
        }
    }

    #[test]
    fn sums_saturate() {
        let mut sum = Money(u64::MAX - 1).times(3);
        assert_eq!(sum, Money(u64::MAX));
        sum += Money(1);
        assert_eq!(sum, Money(u64::MAX));
    }

    #[test]
    fn a_total_needs_the_upstream_amount_if_there_is_one() {
        let amount = Money::from_dollars(0.5);
        let mut charge = ReportedCost {
            amount,
            ..ReportedCost::default()
        };
        assert_eq!(charge.total(), amount);
        charge.has_upstream_amount = true;
        assert_eq!(charge.total(), None);
        charge.upstream_amount = Money::from_dollars(1.0);
        assert_eq!(charge.total(), Money::from_dollars(1.5));
    }
}
