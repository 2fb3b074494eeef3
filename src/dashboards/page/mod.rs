//! The files of the live page. They load nothing from other hosts.

/// The HTML document.
pub(crate) const HTML: &str = include_str!("dashboard.html");
/// The style sheet.
pub(crate) const CSS: &str = include_str!("dashboard.css");
/// The script.
pub(crate) const JS: &str = include_str!("dashboard.js");
