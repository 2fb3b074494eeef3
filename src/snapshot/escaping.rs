//! How names are escaped for scrapers that do not accept any UTF-8.

use std::borrow::Cow;
use std::fmt::Write;

/// How names are escaped that contain other characters than letters, digits and `_`. Other names
/// are never changed.
///
/// Prometheus 3 accepts any name. Older versions, and scrapers that do not request a scheme, get
/// escaped names. The schemes are those of Prometheus:
/// <https://prometheus.io/docs/instrumenting/escaping_schemes/>.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum Escaping {
    /// No escaping: `http.route`.
    Utf8,
    /// Replaces every other character with an underscore: `http_route`.
    #[default]
    Underscores,
    /// Replaces a dot with `_dot_`, and underscores and all other characters with two underscores:
    /// `http_dot_route`.
    Dots,
    /// Prepends `U__`, and replaces every other character with its hexadecimal code point:
    /// `U__http_2e_route`.
    Values,
}

impl Escaping {
    pub(crate) const ALL: [Self; 4] = [Self::Utf8, Self::Underscores, Self::Dots, Self::Values];

    /// Returns the name of the scheme in `Accept` and `Content-Type` headers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Utf8 => "allow-utf-8",
            Self::Underscores => "underscores",
            Self::Dots => "dots",
            Self::Values => "values",
        }
    }

    /// Returns the scheme with this name, if there is one.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        let mut all = Self::ALL.into_iter();
        all.find(|scheme| scheme.as_str() == name)
    }

    /// Escapes the name of a metric.
    #[must_use]
    pub fn metric_name(self, name: &str) -> Cow<'_, str> {
        self.escape(name, NameKind::Metric)
    }

    /// Escapes the name of a label.
    #[must_use]
    pub fn label_name(self, name: &str) -> Cow<'_, str> {
        self.escape(name, NameKind::Label)
    }

    fn escape(self, name: &str, kind: NameKind) -> Cow<'_, str> {
        if self == Self::Utf8 || kind.is_classic(name) {
            return Cow::Borrowed(name);
        }
        let mut text = String::from(if self == Self::Values { "U__" } else { "" });
        for (position, char) in name.char_indices() {
            let is_classic = kind.allows(char, position == 0);
            match self {
                Self::Dots | Self::Values if char == '_' => text.push_str("__"),
                _ if is_classic => text.push(char),
                Self::Dots if char == '.' => text.push_str("_dot_"),
                Self::Dots => text.push_str("__"),
                Self::Values => {
                    // Writing to a string returns no error.
                    let _ = write!(text, "_{:x}_", u32::from(char));
                }
                Self::Utf8 | Self::Underscores => text.push('_'),
            }
        }
        Cow::Owned(text)
    }
}

/// Returns true for the name of a metric that all versions of Prometheus accept: letters, digits,
/// `_` and `:`, with no digit first.
pub(crate) fn is_classic_metric(name: &str) -> bool {
    NameKind::Metric.is_classic(name)
}

/// Returns true for the name of a label that all versions of Prometheus accept: letters, digits
/// and `_`, with no digit first.
pub(crate) fn is_classic_label(name: &str) -> bool {
    NameKind::Label.is_classic(name)
}

#[derive(Clone, Copy)]
enum NameKind {
    Metric,
    Label,
}

impl NameKind {
    fn is_classic(self, name: &str) -> bool {
        let mut chars = name.char_indices();
        !name.is_empty() && chars.all(|(position, char)| self.allows(char, position == 0))
    }

    fn allows(self, char: char, is_first: bool) -> bool {
        match char {
            'a'..='z' | 'A'..='Z' | '_' => true,
            '0'..='9' => !is_first,
            ':' => matches!(self, Self::Metric),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_scheme_writes_names_as_prometheus_does() {
        #[track_caller]
        fn check(name: &str, expected: [&str; 4]) {
            let all = ["allow-utf-8", "underscores", "dots", "values"];
            for (scheme, expected) in all.into_iter().zip(expected) {
                let scheme = Escaping::from_name(scheme).unwrap();
                assert_eq!(scheme.metric_name(name), expected, "{scheme:?}");
            }
        }
        let same = "no:escaping";
        check(same, [same; 4]);
        check("a_b", ["a_b"; 4]);
        check(
            "mysystem.prod.west.cpu.load",
            [
                "mysystem.prod.west.cpu.load",
                "mysystem_prod_west_cpu_load",
                "mysystem_dot_prod_dot_west_dot_cpu_dot_load",
                "U__mysystem_2e_prod_2e_west_2e_cpu_2e_load",
            ],
        );
        check(
            "http.status:sum",
            [
                "http.status:sum",
                "http_status:sum",
                "http_dot_status:sum",
                "U__http_2e_status:sum",
            ],
        );
        check(
            "label with 😱 _",
            [
                "label with 😱 _",
                "label_with____",
                "label__with________",
                "U__label_20_with_20__1f631__20___",
            ],
        );
        check("9x", ["9x", "_x", "__x", "U___39_x"]);
    }

    #[test]
    fn a_colon_is_classic_in_a_metric_and_not_in_a_label() {
        assert_eq!(Escaping::Underscores.metric_name("a:b"), "a:b");
        assert_eq!(Escaping::Underscores.label_name("a:b"), "a_b");
        assert!(!is_classic_metric("") && !is_classic_label(""));
    }
}
