//! Vendors whose counts follow rules of their own.

/// A vendor whose usage needs arithmetic of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    Perplexity,
    Vercel,
    Other,
}

impl Vendor {
    /// Returns the vendor whose host this is.
    pub(crate) fn from_host(host: &str) -> Self {
        let is = |known: &str| host.eq_ignore_ascii_case(known);
        if is("api.perplexity.ai") {
            Self::Perplexity
        } else if is("ai-gateway.vercel.sh") {
            Self::Vercel
        } else {
            Self::Other
        }
    }
}
