//! Rules count the first events of a process or a series.

use tachometer::dashboards::AlertRules;
use tachometer::llm::ErrorType;
use tachometer::{Label, Registry, SystemMetrics};

use super::http::{burn, share};
use super::llm_and_system::OF_MODEL;
use super::promtool_test::{REPLICA, RuleTest, TARGET, play};
use super::recorder::{Process, Recorder};
use super::tools;
use crate::dashboards::grafana::registry;

/// When a process started that is older than any window.
pub(super) const LONG_AGO: f64 = -10_000.0;

pub(super) fn play_all(rules: &str, scenes: &[RuleTest]) {
    for tool in tools() {
        play(&tool.promtool, rules, scenes);
    }
}

/// Returns the scene of one target.
pub(super) fn scene(name: &'static str, recorder: Recorder) -> RuleTest {
    RuleTest::recorded(name, vec![recorder])
}

pub(super) fn spend(scene: RuleTest, dollars: &str) -> RuleTest {
    spend_in(scene, &[], dollars)
}

pub(super) fn spend_in(scene: RuleTest, labels: &[(&str, &str)], dollars: &str) -> RuleTest {
    scene.fires(
        "LlmHighCost",
        "ticket",
        labels,
        "The cost per hour of LLM calls is high.",
        &format!("The LLM calls of it cost {dollars} US dollars in the last hour."),
    )
}

pub(super) fn without_price(scene: RuleTest) -> RuleTest {
    scene.fires(
        "LlmCallsWithoutPrice",
        "ticket",
        &[OF_MODEL[0], OF_MODEL[1], ("reason", "model")],
        "There is no price for some LLM calls of a model.",
        "Calls of m by it without a price in the last hour: 1. Reason: model.",
    )
}

/// The rate limit refuses all calls.
pub(super) fn all_limited(scene: RuleTest) -> RuleTest {
    let scene = scene.fires(
        "LlmHighErrorRatio",
        "page",
        &OF_MODEL,
        "The error ratio of a model's LLM calls is high.",
        "100% of the calls of m by it failed or were cut off in the last 5 minutes.",
    );
    scene.fires(
        "LlmRateLimited",
        "ticket",
        &OF_MODEL,
        "A provider rejects LLM calls because of its rate limit.",
        "100% of the calls of m by it were rate limited in the last 5 minutes.",
    )
}

pub(super) fn level_missed(scene: RuleTest) -> RuleTest {
    scene.fires(
        "HttpServiceLevelBurn",
        "page",
        &[("route", "/pay"), ("within", "60")],
        "The error budget of a service level burns too fast.",
        "100% of the requests to /pay of it failed or took longer than 60 s over the long window.",
    )
}

/// Returns a process that has counted everything that alerts, long before the scene.
pub(super) async fn with_totals() -> Process {
    let process = Process::start(LONG_AGO);
    process.requests("/", 300).await;
    process.requests("/fails", 300).await;
    process.requests("/pay", 300).await;
    process.calls_fail("chat", ErrorType::RateLimited, 300);
    process.calls_without_price();
    process.spends("m", 40.0);
    process
}

#[tokio::test]
async fn events_before_the_first_scrape_of_a_process_count() {
    let process = Process::start(-0.5);
    process.requests("/fails", 100).await;
    process.requests("/pay", 100).await;
    let mut fails = Recorder::new(TARGET);
    fails.scrape_times(&process, 4);
    let fails = burn(scene("requests fail", fails), "page", "100%");
    let rules = process.rules();

    let process = Process::start(-0.5);
    process.spends("m", 25.0);
    let mut spends = Recorder::new(TARGET);
    spends.scrape_times(&process, 8);

    let process = Process::start(-0.5);
    process.calls_without_price();
    let mut unpriced = Recorder::new(TARGET);
    unpriced.scrape_times(&process, 40);

    let process = Process::start(-0.5);
    process.spends("m", 25.0);
    let mut single = Recorder::new(TARGET);
    single.scrape(&process);
    single.remove();
    single.pause(6);

    let process = Process::start(-0.5);
    let labels = [Label::open("kind")];
    let family = process.registry.counter_family("jobs_total", "", labels);
    let family = family.unwrap().limit(1);
    family.with(["a"]).inc();
    family.with(["b"]).inc();
    let mut overflow = Recorder::new(TARGET);
    overflow.scrape(&process);
    let overflow = scene("a label has too many values", overflow).fires(
        "MetricSeriesOverflow",
        "ticket",
        &[("metric", "jobs_total")],
        "A label of a metric has more values than its limit.",
        "Label values of jobs_total in it were replaced by `_overflow`: raise the limit of the \
         metric, or use fewer label values.",
    );
    let scenes = [
        level_missed(fails),
        spend(scene("a call costs much", spends), "25"),
        without_price(scene("a call has no price", unpriced)),
        spend(scene("there is one scrape only", single), "25"),
        overflow,
    ];
    play_all(&rules, &scenes);
}

#[test]
fn values_after_the_first_sample_count_once() {
    let rules = Process::start(0.0).rules();
    let spends = |name, dollars: [f64; 2]| {
        let process = Process::start(-0.5);
        let mut recorder = Recorder::new(TARGET);
        for dollars in dollars {
            process.spends("m", dollars);
            recorder.scrape(&process);
        }
        recorder.scrape_times(&process, 6);
        scene(name, recorder)
    };
    let scenes = [
        spends("less than the limit", [6.0, 3.0]).silent_in(0..7),
        spend(spends("more than the limit", [8.0, 4.0]), "12"),
    ];
    play_all(&rules, &scenes);
}

#[tokio::test]
async fn events_of_processes_that_are_scraped_once_count() {
    let mut recorders = Vec::new();
    for minute in 0..13_u8 {
        let process = Process::start(f64::from(minute) - 0.5);
        process.requests("/fails", 10).await;
        process.calls_fail("chat", ErrorType::RateLimited, 10);
        let target = format!("job=\"it\",zone=\"z\",instance=\"p{minute}:1\",pod=\"p{minute}\"");
        let mut recorder = Recorder::new(&target);
        recorder.pause(minute.into());
        recorder.scrape(&process);
        recorder.remove();
        recorders.push(recorder);
    }
    let scene = RuleTest::recorded("a process a minute", recorders);
    let scene = burn(share(scene, "100%"), "page", "100%");
    let rules = Process::start(0.0).rules();
    play_all(&rules, &[all_limited(scene)]);
}

#[tokio::test]
async fn first_events_of_an_old_process_count() {
    let process = Process::start(LONG_AGO);
    let mut fails = Recorder::new(TARGET);
    for _ in 0..80 {
        process.requests("/", 10).await;
        fails.scrape(&process);
    }
    process.requests("/fails", 300).await;
    for _ in 0..5 {
        process.requests("/", 10).await;
        fails.scrape(&process);
    }
    let rules = process.rules();

    let process = with_totals().await;
    let mut spends = Recorder::new(TARGET);
    spends.scrape_times(&process, 70);
    process.spends("another", 25.0);
    spends.scrape_times(&process, 8);

    let process = Process::start(LONG_AGO);
    let mut unpriced = Recorder::new(TARGET);
    unpriced.scrape_times(&process, 70);
    process.calls_without_price();
    unpriced.scrape_times(&process, 40);

    let process = Process::start(LONG_AGO);
    let mut limited = Recorder::new(TARGET);
    limited.scrape_times(&process, 10);
    // Each with series of its own, so that none increases.
    for operation in 0..12 {
        process.calls_fail(&format!("job {operation}"), ErrorType::RateLimited, 5);
        limited.scrape(&process);
    }
    let scenes = [
        burn(scene("requests fail", fails), "page", "33.33%"),
        spend(scene("a call costs much", spends), "25"),
        without_price(scene("a call has no price", unpriced)),
        all_limited(scene("calls are refused", limited)),
    ];
    play_all(&rules, &scenes);
}

#[tokio::test]
async fn first_events_of_a_new_instance_count_beside_an_old_one() {
    let old = with_totals().await;
    let rules = old.rules();
    let mut of_old = Recorder::new(TARGET);
    of_old.scrape_times(&old, 88);
    let new = Process::start(79.5);
    new.requests("/", 100).await;
    new.requests("/fails", 300).await;
    new.spends("m", 25.0);
    let mut of_new = Recorder::new(REPLICA);
    of_new.pause(80);
    of_new.scrape_times(&new, 8);
    let scene = RuleTest::recorded("a replica starts", vec![of_old, of_new]);
    let scene = spend(burn(scene, "page", "75%"), "25");
    play_all(&rules, &[scene.silent_in(0..80)]);
}

#[tokio::test]
async fn few_first_requests_cause_no_alert() {
    let mut rules = String::new();
    let mut scenes = Vec::new();
    for (name, count) in [("one fails", 1), ("59 fail", 59), ("61 fail", 61)] {
        let process = Process::start(-0.5);
        process.requests("/fails", count).await;
        let mut recorder = Recorder::new(TARGET);
        recorder.scrape_times(&process, 5);
        let scene = scene(name, recorder);
        scenes.push(match count {
            61 => burn(scene, "page", "100%"),
            _ => scene.silent_in(0..4),
        });
        rules = process.rules();
    }
    play_all(&rules, &scenes);
}

/// Returns scenes of a first call that costs much, of a new process and of an old one.
fn first_calls(registry: &Registry, counted: &Registry) -> [RuleTest; 2] {
    let new = Process::with(registry, counted, -0.5);
    new.spends("m", 25.0);
    let mut early = Recorder::new(TARGET);
    early.scrape_times(&new, 8);

    let old = Process::with(registry, counted, LONG_AGO);
    let mut late = Recorder::new(TARGET);
    late.scrape_times(&old, 70);
    old.spends("another", 25.0);
    late.scrape_times(&old, 8);
    [scene("a new process", early), scene("an old process", late)]
}

#[test]
fn constant_labels_do_not_keep_first_events_from_being_counted() {
    let region = [("region", "eu")];
    for of_counters in [false, true] {
        let registry = Registry::new();
        let labelled = registry.clone().with_labels(region).unwrap();
        let (system, counted) = if of_counters {
            (&registry, &labelled)
        } else {
            (&labelled, &registry)
        };
        SystemMetrics::new().register(system).unwrap();
        let labels = if of_counters { &region[..] } else { &[] };
        let scenes = first_calls(&registry, counted);
        let scenes = scenes.map(|scene| spend_in(scene, labels, "25"));
        play_all(&AlertRules::new().to_yaml(&registry), &scenes);
    }
}

#[test]
fn without_the_start_of_the_process_first_events_of_known_targets_count() {
    let registry = Registry::new();
    let [new, old] = first_calls(&registry, &registry);
    let rules = AlertRules::new().to_yaml(&registry);
    assert!(!rules.contains("process_start"), "{rules}");
    play_all(&rules, &[new.silent_in(0..7), spend(old, "25")]);
}

#[test]
fn first_events_count_for_labels_that_are_not_classic() {
    let rules = AlertRules::new().to_yaml(&registry("all in UTF-8"));
    let hostile = "\"Läufer \\\"x\\\"\\\\\u{85}\u{1F600}\\n{{ $labels.job }}\"";
    let labels = format!("{hostile}=\"a\",route=\"/\",outcome=\"panic\"");
    let requests = "\"my.shop/ä.http_requests_total\"";
    let first = RuleTest::new("first failures", 83)
        .with_series("up", "", "1x83")
        .with_series(requests, &labels, "_x80 300x3");
    let scenes = [
        burn(first, "page", "100%"),
        RuleTest::new("a gap", 83)
            .with_series("up", "", "1x10 _x68 1x3")
            .with_series(requests, &labels, "300x10 _x68 300x3"),
    ];
    for tool in tools().iter().filter(|tool| tool.utf8) {
        play(&tool.promtool, &rules, &scenes);
    }
}
