//! Names and units.

use crate::encode::otlp::metric::{metric_name, unit};
use crate::snapshot::{Desc, Kind};

#[test]
fn names_are_those_of_a_scrape_unless_they_have_dots() {
    #[track_caller]
    fn check(name: &str, kind: Kind, expected: (&str, Option<&str>)) {
        let desc = Desc::new(name, "", kind);
        assert_eq!((metric_name(&desc), unit(&desc)), expected);
    }
    check("jobs", Kind::Counter, ("jobs_total", None));
    check("jobs_total", Kind::Counter, ("jobs_total", None));
    check("rpc.calls", Kind::Counter, ("rpc.calls", None));
    check("queue", Kind::Gauge, ("queue", None));
    for (name, symbol) in [
        ("seconds", "s"),
        ("bytes", "By"),
        ("ratio", "1"),
        ("celsius", "Cel"),
        ("meters", "m"),
        ("grams", "g"),
        ("volts", "V"),
        ("amperes", "A"),
        ("joules", "J"),
    ] {
        let name = format!("x_{name}");
        check(&name, Kind::Histogram, (&name, Some(symbol)));
        let total = format!("{name}_total");
        check(&total, Kind::Counter, (&total, Some(symbol)));
    }
}
