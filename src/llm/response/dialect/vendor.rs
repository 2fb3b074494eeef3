//! Vendors of a dialect that count tokens in another way.

/// A vendor, if its token counts need special rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Vendor {
    Perplexity,
    Vercel,
    Other,
}

impl Vendor {
    /// Returns the vendor with this host.
    pub(crate) fn from_host(host: &str) -> Self {
        let is_host = |name: &str| host.eq_ignore_ascii_case(name);
        if is_host("api.perplexity.ai") {
            Self::Perplexity
        } else if is_host("ai-gateway.vercel.sh") {
            Self::Vercel
        } else {
            Self::Other
        }
    }
}
