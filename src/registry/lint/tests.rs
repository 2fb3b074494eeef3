//! Each rule, with names and families that follow it and others that break it.

use super::*;
use crate::registry::lint::rules::check;
use crate::snapshot::{Kind, Values};

/// Returns a family with a name, a kind and a help text only.
fn family(name: &str, kind: Kind) -> LintedFamily {
    LintedFamily::new(&Arc::new(Desc::new(name, "Help.", kind)))
}

/// Checks how often a family breaks `rule`, and that it breaks no other rule.
#[track_caller]
fn check_family(family: &LintedFamily, rule: &str, times: usize) {
    let rules: Vec<_> = check(family).iter().map(Lint::rule).collect();
    assert_eq!(rules, vec![rule; times], "{}", family.desc.exposed_name());
}

/// Checks how often each name in `bad` breaks `rule`, and that those in `good` break no rule.
#[track_caller]
fn check_names(rule: &str, bad: &[(&str, Kind, usize)], good: &[(&str, Kind)]) {
    for (name, kind, times) in bad {
        check_family(&family(name, *kind), rule, *times);
    }
    for (name, kind) in good {
        check_family(&family(name, *kind), rule, 0);
    }
}

#[test]
fn a_blank_help_text_counts_as_missing() {
    for (help, times) in [("", 1), (" \t", 1), ("Jobs.", 0), ("\n", 0), (" x", 0)] {
        let desc = Desc::new("jobs_total", help, Kind::Counter);
        check_family(&LintedFamily::new(&Arc::new(desc)), "missing_help", times);
    }
}

#[test]
fn every_unit_in_a_name_must_be_a_base_unit() {
    check_names(
        "base_unit",
        &[
            ("age_minutes", Kind::Gauge, 1),
            ("minutes", Kind::Gauge, 1),
            ("uptime_days_total", Kind::Counter, 1),
            ("wait_milliseconds", Kind::Histogram, 1),
            ("kilobytes_per_hours", Kind::Gauge, 2),
            ("bytes_per_minutes", Kind::Gauge, 1),
            ("minutes_of_minutes", Kind::Gauge, 1),
        ],
        &[
            ("age_seconds", Kind::Gauge),
            ("age_Minutes", Kind::Gauge),
            ("age_minute", Kind::Gauge),
            ("thermometers", Kind::Gauge),
            ("bitset_length", Kind::Gauge),
        ],
    );
}

#[test]
fn only_counters_end_in_total() {
    check_names(
        "total_suffix",
        &[
            ("a_total", Kind::Gauge, 1),
            ("a_total", Kind::Histogram, 1),
            ("a.total", Kind::Gauge, 1),
        ],
        &[
            ("a_total", Kind::Counter),
            ("a.total", Kind::Counter),
            ("a", Kind::Counter),
            ("total", Kind::Gauge),
            ("a_total_of", Kind::Gauge),
        ],
    );
}

#[test]
fn suffixes_and_labels_of_histograms_are_reserved() {
    check_names(
        "reserved_name",
        &[
            ("a_bucket", Kind::Gauge, 1),
            ("a_count", Kind::Gauge, 1),
            ("a_sum", Kind::Gauge, 1),
            ("a.bucket", Kind::Gauge, 1),
        ],
        &[
            ("a_bucket", Kind::Histogram),
            ("a_count", Kind::Histogram),
            ("a_sum", Kind::Histogram),
            ("a_count", Kind::Counter), // `a_count_total`
            ("count", Kind::Gauge),
            ("a_count_of", Kind::Gauge),
        ],
    );
    for (label, kind, times) in [
        ("le", Kind::Gauge, 1),
        ("le", Kind::Counter, 1),
        ("le", Kind::Histogram, 0),
        ("quantile", Kind::Gauge, 1),
        ("quantile", Kind::Histogram, 1),
        ("level", Kind::Gauge, 0),
    ] {
        let mut family = family("a", kind);
        family.add_label_name(label);
        check_family(&family, "reserved_name", times);
    }
}

#[test]
fn types_after_the_first_word_are_reported() {
    check_names(
        "type_in_name",
        &[
            ("jobs_counter", Kind::Counter, 1),
            ("jobs_gauge", Kind::Gauge, 1),
            ("jobs_GAUGE_open", Kind::Gauge, 1),
            ("job_histogram", Kind::Histogram, 1),
            ("job_summary", Kind::Gauge, 1),
            ("job_gauge_histogram", Kind::Gauge, 2),
        ],
        &[
            ("gauge", Kind::Gauge),
            ("counter_resets", Kind::Gauge),
            ("fuel_gauges", Kind::Gauge),
            ("job_untyped", Kind::Gauge),
        ],
    );
}

#[test]
fn names_have_no_colon() {
    check_names(
        "colon",
        &[("job:wait", Kind::Gauge, 1), (":a::b", Kind::Counter, 1)],
        &[("job_wait", Kind::Gauge)],
    );
}

#[test]
fn names_and_labels_are_not_in_camel_case() {
    check_names(
        "camel_case",
        &[("openJobs", Kind::Gauge, 1), ("open_jObS", Kind::Gauge, 1)],
        &[
            ("open_jobs", Kind::Gauge),
            ("OPEN_JOBS", Kind::Gauge),
            ("Open_Jobs", Kind::Gauge),
            ("HTTPjobs", Kind::Gauge),
            ("a9B", Kind::Gauge),
        ],
    );
    let mut family = family("openJobs", Kind::Gauge);
    for label in ["userId", "userName", "user", "User", "ID"] {
        family.add_label_name(label);
    }
    check_family(&family, "camel_case", 3);
}

#[test]
fn abbreviated_units_after_the_first_word_are_reported() {
    check_names(
        "abbreviated_unit",
        &[
            ("wait_ms", Kind::Gauge, 1),
            ("wait_MS", Kind::Gauge, 1),
            ("wait_s", Kind::Counter, 1),
            ("heap_mb_used", Kind::Gauge, 1),
            ("kb_per_kb_per_s", Kind::Gauge, 2),
            ("_s", Kind::Gauge, 1),
        ],
        &[
            ("s", Kind::Gauge),
            ("ms_open", Kind::Gauge),
            ("wait_secs", Kind::Gauge),
            ("heap_kib", Kind::Gauge),
            ("rooms", Kind::Gauge),
        ],
    );
}

#[test]
fn no_two_series_have_the_same_labels() {
    let mut family = family("jobs", Kind::Gauge);
    let mut block = SeriesBlock::new(Arc::clone(&family.desc), Values::Gauge(vec![1.0; 2]));
    let labels = [Labels::new([("kind", "a")]), Labels::new([("kind", "b")])];
    block.labels = labels.iter().map(Labels::view).collect();
    family.add_series(&block);
    check_family(&family, "duplicate_series", 0);
    // In the next block.
    block.labels = labels[..1].iter().map(Labels::view).collect();
    family.add_series(&block);
    check_family(&family, "duplicate_series", 1);
}

#[test]
fn every_text_names_the_metric_the_problem_and_the_remedy() {
    let mut family = LintedFamily::new(&Arc::new(Desc::new(
        "x:aB_gauge_ms_bits_sum",
        "",
        Kind::Gauge,
    )));
    for label in ["le", "cD"] {
        family.add_label_name(label);
    }
    let lints = check(&family);
    assert_eq!(lints.len(), 9, "{lints:?}");
    for lint in lints {
        let text = lint.to_string();
        assert!(
            text.starts_with("the gauge \"x:aB_gauge_ms_bits_sum\" "),
            "{text}"
        );
        let (_, remedy) = text.rsplit_once(": ").expect("a remedy");
        assert!(remedy.len() > 10, "{text}");
    }
}
