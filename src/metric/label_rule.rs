//! Which values one label of a family may have.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::metric::label::{Allowed, Label};
use crate::metric::seen_values::{SeenValues, UnusedValue};

/// The value that replaces those that a label may not have.
pub(crate) const OVERFLOW: &str = "_overflow";
/// The longest value of an open label that was not declared, in bytes.
pub(crate) const MAX_VALUE_BYTES: usize = 256;

/// The rule of one label, with the values that it has had.
pub(crate) struct LabelRule {
    name: Box<str>,
    values: Values,
    /// True once a warning said that a value of this label was replaced by the overflow value.
    has_warned: AtomicBool,
}

enum Values {
    Open(SeenValues),
    Closed(SeenValues),
    Unlimited,
}

/// What a label's rule says about a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Admission {
    /// The value is kept and counts against no limit.
    Exempt,
    /// The value is kept and was counted against the limit before.
    Counted,
    /// The value is kept if the limit has capacity for one more.
    New,
    /// The value is replaced by the overflow value.
    Overflow(OverflowReason),
}

/// Why a value is replaced by the overflow value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum OverflowReason {
    /// The label is closed, and the value is not in its list.
    NotListed,
    /// The value is too long.
    TooLong,
    /// The open labels of the family have as many values as they may.
    ValueLimit,
    /// The open labels of the family have as many combinations as they may.
    CombinationLimit,
    /// The value has hidden characters or looks like a secret.
    #[cfg(feature = "llm")]
    Unpresentable,
    /// Values from the same source have used up their share of the limit.
    #[cfg(feature = "llm")]
    ShareLimit,
}

impl LabelRule {
    pub(crate) fn new(label: &Label<'_>) -> Self {
        let values = match &label.allowed {
            None | Some(Allowed::Open) => Values::Open(SeenValues::new()),
            Some(Allowed::Unlimited) => Values::Unlimited,
            Some(Allowed::Closed(values)) => {
                let seen_values = SeenValues::new();
                for value in values {
                    seen_values.declare(value);
                }
                Values::Closed(seen_values)
            }
        };
        Self {
            name: label.name.into(),
            values,
            has_warned: AtomicBool::new(false),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_unlimited(&self) -> bool {
        matches!(self.values, Values::Unlimited)
    }

    /// Returns true if the rule allows all values that `label` allows.
    pub(crate) fn allows(&self, label: &Label<'_>) -> bool {
        match (&self.values, &label.allowed) {
            (_, None)
            | (Values::Open(_), Some(Allowed::Open))
            | (Values::Unlimited, Some(Allowed::Unlimited)) => true,
            (Values::Closed(seen_values), Some(Allowed::Closed(values))) => values
                .iter()
                .all(|value| seen_values.is_declared(value) == Some(true)),
            _ => false,
        }
    }

    pub(crate) fn check(&self, value: &str) -> Admission {
        let (seen_values, unseen) = match &self.values {
            Values::Unlimited => return Admission::Exempt,
            _ if value == OVERFLOW => return Admission::Exempt,
            Values::Closed(seen_values) => {
                (seen_values, Admission::Overflow(OverflowReason::NotListed))
            }
            Values::Open(seen_values) if value.len() > MAX_VALUE_BYTES => {
                (seen_values, Admission::Overflow(OverflowReason::TooLong))
            }
            Values::Open(seen_values) => (seen_values, Admission::New),
        };
        match seen_values.is_declared(value) {
            Some(true) => Admission::Exempt,
            Some(false) => Admission::Counted,
            None => unseen,
        }
    }

    /// Returns true if a series has the value, or if it was declared.
    #[cfg(feature = "llm")]
    pub(crate) fn has_value(&self, value: &str) -> bool {
        matches!(self.check(value), Admission::Exempt | Admission::Counted)
    }

    /// Adds the value of a new series, and returns what [`check`](Self::check) returned
    /// before.
    ///
    /// Only one thread may call this or another method that changes the rule at a time.
    pub(crate) fn admit(&self, value: &str) -> Admission {
        let admission = self.check(value);
        if let (Values::Open(seen_values), Admission::New | Admission::Counted) =
            (&self.values, admission)
        {
            seen_values.add_series(value);
        }
        admission
    }

    /// Adds a value from a share of the limit. Returns false if the rule has it already.
    #[cfg(feature = "llm")]
    pub(crate) fn admit_from_share(&self, value: &str) -> bool {
        let is_new = self.check(value) == Admission::New;
        if let (Values::Open(seen_values), true) = (&self.values, is_new) {
            seen_values.add_from_share(value);
        }
        is_new
    }

    /// Takes back the value of a series that [`admit`](Self::admit) added. Returns the value's
    /// facts if no other series has it and it counted against the limit.
    pub(crate) fn release(&self, value: &str) -> Option<UnusedValue> {
        match &self.values {
            Values::Open(seen_values) => seen_values.remove_series(value),
            Values::Closed(_) | Values::Unlimited => None,
        }
    }

    /// Declares a value, and returns what [`check`](Self::check) returned before.
    pub(crate) fn declare(&self, value: &str) -> Admission {
        let admission = self.check(value);
        match &self.values {
            Values::Open(seen_values) | Values::Closed(seen_values) => seen_values.declare(value),
            Values::Unlimited => {}
        }
        admission
    }

    /// Returns true to the first caller, which then logs a warning about the overflow.
    pub(crate) fn is_first_warning(&self) -> bool {
        // Relaxed: nothing but the result depends on it. The load comes first, since a flood
        // of new values calls this again and again.
        !self.has_warned.load(Ordering::Relaxed) && !self.has_warned.swap(true, Ordering::Relaxed)
    }
}

/// Prints no values: they may be anything that a client sent.
impl fmt::Debug for LabelRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.values {
            Values::Open(_) => write!(f, "{name} (open)"),
            Values::Closed(seen_values) => {
                write!(f, "{name} (closed, {} values)", seen_values.len())
            }
            Values::Unlimited => write!(f, "{name} (unlimited)"),
        }
    }
}
