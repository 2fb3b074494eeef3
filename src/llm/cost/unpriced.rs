//! Why a call has no price.

/// Why the cost of a call is not known, or not all of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unpriced {
    /// The model has no price.
    Model,
    /// A unit has no price.
    Unit,
    /// A kind of tokens has no price, and costs more than others do.
    TokenKind,
    /// The tier of service has no price.
    ServiceTier,
    /// The usage is not known, or not all of it.
    Usage,
}

impl Unpriced {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Unit => "unit",
            Self::TokenKind => "token_kind",
            Self::ServiceTier => "service_tier",
            Self::Usage => "usage",
        }
    }

    /// Returns all reasons, as the label `reason` has them.
    pub(crate) fn all() -> [&'static str; 5] {
        let all = [
            Self::Model,
            Self::Unit,
            Self::TokenKind,
            Self::ServiceTier,
            Self::Usage,
        ];
        all.map(Self::as_str)
    }
}
