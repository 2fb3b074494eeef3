//! The page: a document, its style and its script, which ask for nothing from elsewhere.

/// The document.
pub(crate) const HTML: &str = include_str!("dashboard.html");
/// Its style.
pub(crate) const CSS: &str = include_str!("dashboard.css");
/// Its script.
pub(crate) const JS: &str = include_str!("dashboard.js");
