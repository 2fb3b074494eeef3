//! Why the cost of a call is unknown or incomplete.

/// Why the cost of a call is unknown or incomplete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UnpricedReason {
    /// The model has no price.
    Model,
    /// A unit has no price.
    Unit,
    /// A kind of tokens that costs more than others has no price.
    TokenKind,
    /// The service tier has no price.
    ServiceTier,
    /// The usage is unknown or incomplete.
    Usage,
}

impl UnpricedReason {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Unit => "unit",
            Self::TokenKind => "token_kind",
            Self::ServiceTier => "service_tier",
            Self::Usage => "usage",
        }
    }

    /// Returns all values of the label `reason`.
    pub(crate) fn all() -> [&'static str; 5] {
        let variants = [
            Self::Model,
            Self::Unit,
            Self::TokenKind,
            Self::ServiceTier,
            Self::Usage,
        ];
        variants.map(Self::as_str)
    }
}
