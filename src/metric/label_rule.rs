//! Which values one label of a family may have, and which it has had.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::metric::label::{Allowed, Label};
use crate::metric::seen_values::{SeenValues, Standing};

/// The value that stands for all those that a label may not have.
pub(crate) const OVERFLOW: &str = "_overflow";
/// The longest value that an open label may have without its being declared, in
/// bytes: what comes from outside is bounded in length, too.
pub(crate) const LONGEST: usize = 256;

/// The rule of one label.
pub(crate) struct LabelRule {
    name: Box<str>,
    values: Values,
    /// Whether it was told that a value of this label became the overflow's.
    told: AtomicBool,
}

enum Values {
    Open(SeenValues),
    Closed(SeenValues),
    Unlimited,
}

/// What is to become of a value, by itself.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fate {
    /// It stays, and counts against no limit.
    Free,
    /// It stays, and is counted already.
    Counted,
    /// It stays if there is room for one more.
    New,
    /// It becomes the overflow's.
    Refused(OverflowReason),
}

/// Why a value becomes the overflow's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum OverflowReason {
    /// The label is closed, and not to this value.
    Closed,
    /// The value is too long.
    Long,
    /// The open labels have as many values as they may.
    Values,
    /// The open labels' values have as many combinations as they may.
    Combinations,
    /// The value may not be shown.
    #[cfg(feature = "llm")]
    Form,
    /// Values of its origin have used up their share of the limit.
    #[cfg(feature = "llm")]
    Share,
}

impl LabelRule {
    pub(crate) fn new(label: &Label<'_>) -> Self {
        let values = match &label.allowed {
            None | Some(Allowed::Open) => Values::Open(SeenValues::new()),
            Some(Allowed::Unlimited) => Values::Unlimited,
            Some(Allowed::Closed(values)) => {
                let known = SeenValues::new();
                for value in values {
                    known.add(value, true);
                }
                Values::Closed(known)
            }
        };
        Self {
            name: label.name.into(),
            values,
            told: AtomicBool::new(false),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn is_unlimited(&self) -> bool {
        matches!(self.values, Values::Unlimited)
    }

    /// Returns true when the label is allowed the values that `asked` would allow.
    pub(crate) fn allows(&self, asked: &Label<'_>) -> bool {
        match (&self.values, &asked.allowed) {
            (_, None)
            | (Values::Open(_), Some(Allowed::Open))
            | (Values::Unlimited, Some(Allowed::Unlimited)) => true,
            (Values::Closed(known), Some(Allowed::Closed(values))) => values
                .iter()
                .all(|value| known.standing(value) == Standing::Declared),
            _ => false,
        }
    }

    pub(crate) fn fate(&self, value: &str) -> Fate {
        let (known, unknown) = match &self.values {
            Values::Unlimited => return Fate::Free,
            _ if value == OVERFLOW => return Fate::Free,
            Values::Closed(known) => (known, Fate::Refused(OverflowReason::Closed)),
            Values::Open(known) if value.len() > LONGEST => {
                (known, Fate::Refused(OverflowReason::Long))
            }
            Values::Open(known) => (known, Fate::New),
        };
        match known.standing(value) {
            Standing::Declared => Fate::Free,
            Standing::Seen => Fate::Counted,
            Standing::Unknown => unknown,
        }
    }

    /// Returns true if a series has the value, or it was declared.
    #[cfg(feature = "llm")]
    pub(crate) fn knows(&self, value: &str) -> bool {
        matches!(self.fate(value), Fate::Free | Fate::Counted)
    }

    /// Notes a value of a series that was made, and returns what was to become of
    /// it until then.
    ///
    /// The caller lets only one thread do this, or declare, at a time.
    pub(crate) fn admit(&self, value: &str) -> Fate {
        let fate = self.fate(value);
        if let (Values::Open(known), Fate::New) = (&self.values, fate) {
            known.add(value, false);
        }
        fate
    }

    /// Lets the label have a value, and returns what was to become of it until then.
    pub(crate) fn declare(&self, value: &str) -> Fate {
        let fate = self.fate(value);
        match &self.values {
            Values::Open(known) | Values::Closed(known) => known.add(value, true),
            Values::Unlimited => {}
        }
        fate
    }

    /// Returns true once, for whoever is to tell of the overflow.
    pub(crate) fn is_to_be_told(&self) -> bool {
        // Relaxed: nothing but the answer depends on it. Read first, since a flood
        // asks again and again.
        !self.told.load(Ordering::Relaxed) && !self.told.swap(true, Ordering::Relaxed)
    }
}

/// Without the values: they may be anything that a client wrote.
impl fmt::Debug for LabelRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = &self.name;
        match &self.values {
            Values::Open(_) => write!(f, "{name} (open)"),
            Values::Closed(known) => write!(f, "{name} (closed, {} values)", known.len()),
            Values::Unlimited => write!(f, "{name} (unlimited)"),
        }
    }
}
