//! The units that promtool knows by name.
//!
//! They are copied from `promlint` in Prometheus's Go client, folder
//! `prometheus/testutil/promlint/validations`.

/// Each base unit, and other units of the same quantity.
///
/// Each may have one of the [`PREFIXES`]. Both spellings of the metre are base units.
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

/// The prefixes of units. `promlint` has `mibi` instead of `mebi`, so `mebibytes` passes, as it
/// does with promtool.
const PREFIXES: [&str; 18] = [
    "pico", "nano", "micro", "milli", "centi", "deci", "deca", "hecto", "kilo", "mega", "giga",
    "tera", "peta", "kibi", "mibi", "gibi", "tebi", "pebi",
];

/// What to write instead of each abbreviation.
const ABBREVIATIONS: [(&str, &[&str]); 3] = [
    ("seconds", &["s", "ms", "us", "ns", "sec", "h", "d"]),
    ("bytes", &["b", "kb", "mb", "gb", "tb", "pb"]),
    ("seconds or meters", &["m"]),
];

/// Returns the base unit to use instead of `word`, if `word` is another unit.
pub(super) fn base_unit(word: &str) -> Option<&'static str> {
    let base = |unit: &str| {
        let mut units = UNITS.iter();
        let entry = units.find(|(base, others)| *base == unit || others.contains(&unit));
        entry.map(|(base, _)| *base)
    };
    let prefixed = || {
        let mut prefixes = PREFIXES.iter();
        prefixes.find_map(|prefix| word.strip_prefix(prefix).and_then(base))
    };
    base(word).or_else(prefixed).filter(|base| *base != word)
}

/// Returns the unit to write instead of `word`, if `word` is an abbreviated unit.
pub(super) fn unabbreviated(word: &str) -> Option<&'static str> {
    let mut abbreviations = ABBREVIATIONS.iter();
    let entry = abbreviations.find(|(_, short)| short.contains(&word));
    entry.map(|(unit, _)| *unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_units_that_are_not_base_units_have_a_replacement() {
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
    fn only_abbreviated_units_are_written_out() {
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
