//! The differences between the text formats.

use crate::encode::Buffer;
use crate::snapshot::{Desc, Kind};

/// A text format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextFormat {
    /// Prometheus's text formats 0.0.4 and 1.0.0, which differ only in the names that they allow.
    Prometheus,
    /// OpenMetrics 1.0.0.
    OpenMetrics,
}

impl TextFormat {
    /// Returns the name of a family in its header, given the exposed name: in OpenMetrics, the name
    /// of a counter has no `_total`.
    pub(super) fn family_name(self, exposed: &str, kind: Kind) -> &str {
        match (self, kind) {
            (Self::OpenMetrics, Kind::Counter) => exposed.strip_suffix("_total").unwrap_or(exposed),
            _ => exposed,
        }
    }

    /// Returns the unit in the header of a family. OpenMetrics requires that the name ends in it,
    /// which escaping may have changed.
    pub(super) fn unit(self, desc: &Desc, family: &str) -> Option<&'static str> {
        let is_suffix = |unit: &&str| {
            let stem = family.strip_suffix(*unit);
            stem.is_some_and(|stem| stem.ends_with('_'))
        };
        let unit = desc.unit().filter(is_suffix);
        unit.filter(|_| self == Self::OpenMetrics)
    }

    /// Appends an escaped help text. Unlike in label values, Prometheus's format does not escape
    /// quotes in it.
    pub(super) fn put_help(self, help: &str, buffer: &mut Buffer) {
        let mut start = 0;
        for (position, byte) in help.bytes().enumerate() {
            let escaped = match byte {
                b'\\' => "\\\\",
                b'\n' => "\\n",
                b'"' if self == Self::OpenMetrics => "\\\"",
                _ => continue,
            };
            buffer.put_str(&help[start..position]);
            buffer.put_str(escaped);
            start = position + 1;
        }
        buffer.put_str(&help[start..]);
    }
}
