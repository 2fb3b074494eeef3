//! What the text formats do not have in common.

use crate::encode::Buffer;
use crate::snapshot::{Desc, Kind};

/// One of the text formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// Prometheus's, 0.0.4 and 1.0.0, which differ in the names that they allow.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl TextFormat {
    /// Returns the name of a family in its header, of the name that is exposed: in
    /// OpenMetrics a counter's has no `_total`.
    pub(super) fn family_name(self, exposed: &str, kind: Kind) -> &str {
        match (self, kind) {
            (Self::OpenMetrics, Kind::Counter) => exposed.strip_suffix("_total").unwrap_or(exposed),
            _ => exposed,
        }
    }

    /// Returns the unit that the header of a family says, which OpenMetrics wants the
    /// name to end in; a scheme may have written it otherwise.
    pub(super) fn unit(self, desc: &Desc, family: &str) -> Option<&'static str> {
        let ends = |unit: &&str| {
            let stem = family.strip_suffix(*unit);
            stem.is_some_and(|stem| stem.ends_with('_'))
        };
        let unit = desc.unit().filter(ends);
        unit.filter(|_| self == Self::OpenMetrics)
    }

    /// Appends a help text, escaped; in Prometheus's format, unlike in label
    /// values, quotes stay as they are.
    pub(super) fn put_help(self, help: &str, page: &mut Buffer) {
        let mut plain = 0;
        for (at, byte) in help.bytes().enumerate() {
            let escaped = match byte {
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'"' if self == Self::OpenMetrics => "\\\"",
                _ => continue,
            };
            page.put_str(&help[plain..at]);
            page.put_str(escaped);
            plain = at + 1;
        }
        page.put_str(&help[plain..]);
    }
}
