//! The values of the label `method`. They come from closed sets, and never from the text of a
//! client.

use http::Method;

use crate::error::Error;
use crate::middleware::http_labels::OTHER;

/// The largest number of additional methods.
const MAX_ADDITIONAL: usize = 64;

/// The values without additional methods.
const NAMES: [&str; MethodLabel::COUNT] = [
    "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE", OTHER,
];

/// One of HTTP's nine methods (RFC 9110, section 9.3, and RFC 5789), any other, or an additional
/// one: its position in [`NAMES`], or behind them.
///
/// An enum with a variant for additional methods costs each request about 30 instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct MethodLabel(u8);

impl MethodLabel {
    /// Number of values without the additional ones.
    pub(super) const COUNT: usize = 10;

    pub(super) const GET: Self = Self(0);
    pub(super) const POST: Self = Self(1);
    pub(super) const PUT: Self = Self(2);
    pub(super) const DELETE: Self = Self(3);
    pub(super) const HEAD: Self = Self(4);
    pub(super) const OPTIONS: Self = Self(5);
    pub(super) const PATCH: Self = Self(6);
    pub(super) const CONNECT: Self = Self(7);
    pub(super) const TRACE: Self = Self(8);
    pub(super) const OTHER: Self = Self(9);

    /// Returns the position among all values. Those of additional methods come last.
    #[inline]
    pub(super) fn position(self) -> usize {
        usize::from(self.0)
    }
}

/// The methods that keep their name in the label.
#[derive(Debug, Clone, Default)]
pub(super) struct MethodNames {
    /// Those that are not among HTTP's nine.
    additional: Vec<String>,
}

impl MethodNames {
    pub(super) fn add(&mut self, name: String) {
        let is_known = NAMES.contains(&&*name) || self.additional.contains(&name);
        if !is_known {
            self.additional.push(name);
        }
    }

    /// Returns an error if an additional method is not valid, or if there are too many.
    pub(super) fn check(&self) -> Result<(), Error> {
        let count = self.additional.len();
        if count > MAX_ADDITIONAL {
            return Err(Error::invalid_method(format_args!(
                "MetricsLayer::methods has {count} methods, and at most {MAX_ADDITIONAL} are \
                 possible: remove some, which are then counted as `{OTHER}`"
            )));
        }
        for name in &self.additional {
            if Method::from_bytes(name.as_bytes()).is_err() {
                return Err(Error::invalid_method(format_args!(
                    "{name:?} in MetricsLayer::methods is not the name of an HTTP method: use \
                     letters, digits and `-`, such as `PURGE`"
                )));
            }
        }
        Ok(())
    }

    #[inline]
    pub(super) fn label(&self, method: &Method) -> MethodLabel {
        // Without a call in its arms, and without a comparison of its result, the match is a table.
        let label = match *method {
            Method::GET => MethodLabel::GET,
            Method::POST => MethodLabel::POST,
            Method::PUT => MethodLabel::PUT,
            Method::DELETE => MethodLabel::DELETE,
            Method::HEAD => MethodLabel::HEAD,
            Method::OPTIONS => MethodLabel::OPTIONS,
            Method::PATCH => MethodLabel::PATCH,
            Method::CONNECT => MethodLabel::CONNECT,
            Method::TRACE => MethodLabel::TRACE,
            _ => MethodLabel::OTHER,
        };
        if self.additional.is_empty() {
            label
        } else {
            self.additional_label(label, method)
        }
    }

    #[inline(never)]
    fn additional_label(&self, label: MethodLabel, method: &Method) -> MethodLabel {
        if label != MethodLabel::OTHER {
            return label;
        }
        let mut names = self.additional.iter();
        let position = names.position(|name| name == method.as_str());
        // The number of names was checked.
        let number = position.and_then(|position| (NAMES.len() + position).try_into().ok());
        number.map_or(label, MethodLabel)
    }

    pub(super) fn name(&self, label: MethodLabel) -> &str {
        let position = label.position();
        let name = match position.checked_sub(NAMES.len()) {
            None => NAMES.get(position).copied(),
            Some(additional) => self.additional.get(additional).map(String::as_str),
        };
        name.unwrap_or(OTHER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_one_of_nine_or_an_additional_one_or_another() {
        let nine = [
            "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE",
        ];
        let mut names = MethodNames::default();
        let label = |names: &MethodNames, name: &str| {
            let label = names.label(&name.parse().expect("a method"));
            (label, names.name(label).to_owned())
        };
        for name in nine {
            assert_eq!(label(&names, name).1, name);
        }
        for name in ["get", "PROPFIND", "_OTHER"] {
            let other = (MethodLabel::OTHER, "_OTHER".to_owned());
            assert_eq!(label(&names, name), other, "{name}");
        }
        for name in ["PURGE", "GET", "PROPFIND", "PURGE"] {
            names.add(name.to_owned());
        }
        for name in nine.into_iter().chain(["PURGE", "PROPFIND"]) {
            assert_eq!(label(&names, name).1, name);
        }
        for name in ["get", "purge", "MOVE"] {
            assert_eq!(label(&names, name).1, "_OTHER", "{name}");
        }
        let labels = nine.map(|name| label(&names, name).0);
        let positions = labels.map(MethodLabel::position);
        assert_eq!(positions, std::array::from_fn(|position| position));
        assert_eq!(MethodLabel::OTHER.position(), MethodLabel::COUNT - 1);
        assert_eq!(label(&names, "PURGE").0.position(), MethodLabel::COUNT);
    }
}
