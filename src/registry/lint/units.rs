//! The units that promtool knows by name.
//!
//! They are those of `promlint` in Prometheus's client for Go, in the folder
//! `prometheus/testutil/promlint/validations`.

/// Each base unit, and the others that measure the same.
///
/// Any of them may follow one of the [`PREFIXES`]. Both spellings of the metre are
/// base units.
const UNITS: [(&str, &[&str]); 10] = [
    ("seconds", &["minutes", "hours", "days", "weeks"]),
    ("bytes", &["bits"]),
    ("meters", &["inches", "yards", "miles"]),
    ("metres", &[]),
    ("grams", &["pounds", "ounces"]),
    ("joules", &["calories"]),
    ("celsius", &["fahrenheit", "rankine"]),
    ("kelvin", &["kelvins"]),
    ("volts", &[]),
    ("amperes", &[]),
];

/// What makes another unit of a unit. It is `mibi` there, not `mebi`; so
/// `mebibytes` passes, as it does with promtool.
const PREFIXES: [&str; 18] = [
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "mega", "giga",
    "tera", "peta", "kibi", "mibi", "gibi", "tebi", "pebi",
];

/// Abbreviations, and what to write instead.
const ABBREVIATIONS: [(&str, &[&str]); 3] = [
    ("seconds", &["s", "ms", "us", "ns", "sec", "h", "d"]),
    ("bytes", &["b", "kb", "mb", "gb", "tb", "pb"]),
    ("seconds or meters", &["m"]),
];

/// Returns the base unit to use in the place of `word`, if that is another unit.
pub(super) fn base_unit(word: &str) -> Option<&'static str> {
    let base = |unit: &str| {
        let known = UNITS
            .iter()
            .find(|(base, others)| *base == unit || others.contains(&unit));
        known.map(|(base, _)| *base)
    };
    let prefixed = || {
        let mut prefixes = PREFIXES.iter();
        prefixes.find_map(|prefix| word.strip_prefix(prefix).and_then(base))
    };
    base(word).or_else(prefixed).filter(|base| *base != word)
}

/// Returns what to write in the place of `word`, if that abbreviates a unit.
pub(super) fn unabbreviated(word: &str) -> Option<&'static str> {
    let known = ABBREVIATIONS
        .iter()
        .find(|(_, short)| short.contains(&word));
    known.map(|(unit, _)| *unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_units_have_a_base_unit_and_base_units_and_other_words_have_none() {
        for (word, base) in [
            ("minutes", "seconds"),
            ("milliseconds", "seconds"),
            ("kilominutes", "seconds"),
            ("bits", "bytes"),
            ("kibibytes", "bytes"),
            ("kilometers", "meters"),
            ("millimetres", "metres"),
            ("miles", "meters"),
            ("fahrenheit", "celsius"),
            ("kelvins", "kelvin"),
            ("kilograms", "grams"),
            ("calories", "joules"),
            ("millivolts", "volts"),
            ("decaamperes", "amperes"),
        ] {
            assert_eq!(base_unit(word), Some(base), "{word}");
        }
        for word in [
            "",
            "seconds",
            "metres",
            "kelvin",
            "ratio",
            "Minutes",
            "minute",
            "thermometers",
            "mebibytes",
            "exabytes",
            "months",
            "kilo",
            "kilokilobytes",
        ] {
            assert_eq!(base_unit(word), None, "{word}");
        }
    }

    #[test]
    fn abbreviations_are_written_out_and_other_short_words_are_not() {
        for (word, unit) in [
            ("ms", "seconds"),
            ("sec", "seconds"),
            ("d", "seconds"),
            ("kb", "bytes"),
            ("m", "seconds or meters"),
        ] {
            assert_eq!(unabbreviated(word), Some(unit), "{word}");
        }
        for word in ["", "secs", "min", "ps", "kib", "k", "seconds"] {
            assert_eq!(unabbreviated(word), None, "{word}");
        }
    }
}
