//! The labels that a caller passes to create a family.

use std::fmt;

/// A label of a family: its name, and which values it may have.
///
/// A name alone is an [`open`](Self::open) label, or the existing label of that name if the
/// family exists. The distinct values of a family's open labels are counted. Past the family's
/// [limit](crate::Family::limit) a new value becomes `_overflow`, so that a client that sends
/// random values cannot exhaust the memory.
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
#[doc(alias = "cardinality")]
#[derive(Clone, PartialEq)]
pub struct Label<'a> {
    pub(crate) name: &'a str,
    /// Which values it may have; `None` if the caller passed the name alone.
    pub(crate) allowed: Option<Allowed>,
}

/// Which values a label may have.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Allowed {
    /// Any value, up to the family's limit.
    Open,
    /// The values in this list.
    Closed(Vec<Box<str>>),
    /// Any value, without a limit.
    Unlimited,
}

impl<'a> Label<'a> {
    /// Creates a label whose values come from outside, such as customers, hosts or models.
    ///
    /// Its values are counted against the family's [limit](crate::Family::limit). Values longer
    /// than 256 bytes become `_overflow`.
    #[must_use]
    pub fn open(name: &'a str) -> Self {
        Self::new(name, Allowed::Open)
    }

    /// Creates a label with a fixed list of values.
    ///
    /// Values that are neither in the list nor [declared](crate::Family::declare) become
    /// `_overflow`.
    #[doc(alias = "enum")]
    #[must_use]
    pub fn closed<V: AsRef<str>>(name: &'a str, values: impl IntoIterator<Item = V>) -> Self {
        let values = values.into_iter().map(|value| value.as_ref().into());
        Self::new(name, Allowed::Closed(values.collect()))
    }

    /// Creates a label whose number of values is not limited. Use it only if no client can choose
    /// the values.
    #[must_use]
    pub fn unlimited(name: &'a str) -> Self {
        Self::new(name, Allowed::Unlimited)
    }

    pub(crate) fn name(&self) -> &'a str {
        self.name
    }

    /// Adds a value to the list of a closed label.
    pub(crate) fn and_value(mut self, value: &str) -> Self {
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
