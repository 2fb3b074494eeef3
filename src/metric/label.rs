//! The labels of a family, as one asks for them.

use std::fmt;

/// A label of a family: its name, and which values it may have.
///
/// A name alone is an [`open`](Self::open) label, or whatever the family has
/// already under that name. The values that a family's open labels may have are
/// counted, and past its [limit](crate::Family::limit) a new one becomes
/// `_overflow`, so that a client that invents values cannot fill the memory.
///
/// ```
/// use tachometer::{Label, Registry};
///
/// let registry = Registry::new();
/// let calls = registry.counter_family(
///     "calls_total",
///     "Calls to the API.",
///     [Label::open("customer"), Label::closed("plan", ["free", "paid"])],
/// )?;
/// calls.with(["acme", "paid"]).inc();
/// calls.with(["acme", "no such plan"]).inc(); // counted as "_overflow"
/// # Ok::<(), tachometer::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Label<'a> {
    pub(crate) name: &'a str,
    /// Which values it may have, where that was said.
    pub(crate) allowed: Option<Allowed>,
}

/// Which values a label may have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Allowed {
    /// Any, up to the family's limit.
    Open,
    /// These.
    Closed(Vec<Box<str>>),
    /// Any, however many.
    Unlimited,
}

impl<'a> Label<'a> {
    /// A label whose values come from outside, as customers, hosts or models do:
    /// they are counted against the family's [limit](crate::Family::limit), and
    /// those longer than 256 bytes become `_overflow`.
    #[must_use]
    pub fn open(name: &'a str) -> Self {
        Self::new(name, Allowed::Open)
    }

    /// A label that has these values, and those that the family
    /// [declares](crate::Family::declare): any other becomes `_overflow`.
    #[must_use]
    pub fn closed<V: AsRef<str>>(name: &'a str, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(|value| value.as_ref().into());
        Self::new(name, Allowed::Closed(values.collect()))
    }

    /// A label whose values are taken as they come, however many there are: for
    /// those that code alone chooses, and that no client can invent.
    #[must_use]
    pub fn unlimited(name: &'a str) -> Self {
        Self::new(name, Allowed::Unlimited)
    }

    pub(crate) fn name(&self) -> &'a str {
        self.name
    }

    /// Lets the label have one value more, if its values are listed.
    pub(crate) fn or(mut self, value: &str) -> Self {
        if let Some(Allowed::Closed(values)) = &mut self.allowed {
            values.push(value.into());
        }
        self
    }

    fn new(name: &'a str, allowed: Allowed) -> Self {
        Self {
            name,
            allowed: Some(allowed),
        }
    }
}

impl fmt::Debug for Label<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name;
        match &self.allowed {
            None => f.write_str(name),
            Some(Allowed::Open) => write!(f, "{name} (open)"),
            Some(Allowed::Closed(values)) => write!(f, "{name} (closed, {} values)", values.len()),
            Some(Allowed::Unlimited) => write!(f, "{name} (unlimited)"),
        }
    }
}

impl<'a> From<&'a str> for Label<'a> {
    fn from(name: &'a str) -> Self {
        Self {
            name,
            allowed: None,
        }
    }
}
