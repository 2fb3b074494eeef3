//! System metrics: they exist, agree with the system, and reading them does not block.

use std::fs::{File, read_dir, read_to_string};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::body::Body;
use http::Request;
use http_body_util::BodyExt;
use tachometer::testing::Exposition;
use tachometer::{MetricsRouter, Registry, SystemMetrics};
use tower::ServiceExt;

/// Files opened by one of these tests are counted by the others.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until a condition holds; panics after some seconds.
fn until(condition: impl Fn() -> bool) {
    let begun = Instant::now();
    while !condition() {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "it never came to that"
        );
        std::thread::yield_now();
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

/// Those that every Linux has from the first reading on.
const ALWAYS: [&str; 10] = [
    "system_memory_bytes",
    "system_memory_percent",
    "process_memory_bytes",
    "process_cpu_seconds_total",
    "process_resident_memory_bytes",
    "process_virtual_memory_bytes",
    "process_open_fds",
    "process_max_fds",
    "process_start_time_seconds",
    "process_threads",
];
const SHARES: [&str; 2] = ["system_cpu_percent", "process_cpu_percent"];

fn value(registry: &Registry, name: &str) -> f64 {
    registry.get(name).unwrap().value()
}

fn is_shown(registry: &Registry, name: &str) -> bool {
    registry.gather().any(|block| block.desc.name() == name)
}

fn open_files() -> f64 {
    // Less the directory itself.
    read_dir("/proc/self/fd").unwrap().count() as f64 - 1.0
}

fn threads() -> f64 {
    read_dir("/proc/self/task").unwrap().count() as f64
}

/// A registry whose metrics are read each time.
fn fresh() -> Registry {
    let registry = Registry::new();
    let metrics = SystemMetrics::new().interval(Duration::ZERO);
    metrics.register(&registry).unwrap();
    registry
}

#[tokio::test]
async fn a_router_serves_process_metrics_unless_disabled() {
    let scrape = async |router: MetricsRouter| {
        let router: Router = router.build();
        let request = Request::get("/").body(Body::empty()).unwrap();
        let body = router.oneshot(request).await.unwrap().into_body();
        let bytes = body.collect().await.unwrap().to_bytes();
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    let registry = Registry::new();
    let router = MetricsRouter::new().registry(&registry);
    for _ in 0..2 {
        let text = scrape(router.clone()).await;
        for name in ALWAYS {
            assert!(text.contains(&format!("\n{name} ")), "{name} in:\n{text}");
        }
    }
    let other = Registry::new();
    let text = scrape(
        MetricsRouter::new()
            .registry(&other)
            .without_system_metrics(),
    )
    .await;
    assert!(!text.contains("process_"), "{text}");
}

#[test]
fn the_values_agree_with_the_system() {
    let _alone = alone();
    let registry = fresh();
    // The harness may open a file or begin a thread meanwhile, but not each time.
    until(|| {
        (0..5).all(|_| {
            let files = open_files();
            value(&registry, "process_open_fds") == files && open_files() == files
        })
    });
    until(|| {
        (0..5).all(|_| {
            let before = threads();
            value(&registry, "process_threads") == before && threads() == before
        })
    });
    let limits = read_to_string("/proc/self/limits").unwrap();
    let line = limits
        .lines()
        .find(|line| line.starts_with("Max open files"));
    let soft = line.unwrap().split_whitespace().nth(3).unwrap();
    assert_eq!(
        value(&registry, "process_max_fds"),
        soft.parse::<f64>().unwrap()
    );

    let page = 4_096.0;
    let memory = read_to_string("/proc/self/statm").unwrap();
    let pages = |at: usize| memory.split(' ').nth(at).unwrap().parse::<f64>().unwrap();
    for (name, bytes) in [
        ("process_virtual_memory_bytes", pages(0) * page),
        ("process_resident_memory_bytes", pages(1) * page),
        ("process_memory_bytes", pages(1) * page),
    ] {
        let read = value(&registry, name);
        assert!(
            (0.5..2.0).contains(&(read / bytes)),
            "{name}: {read}, {bytes}"
        );
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let started = value(&registry, "process_start_time_seconds");
    assert!(started <= now.as_secs_f64() + 2.0 && started > now.as_secs_f64() - 86_400.0);

    let percent = value(&registry, "system_memory_percent");
    assert!((0.1..=100.0).contains(&percent), "{percent}");
    let info = read_to_string("/proc/meminfo").unwrap();
    let all = info.lines().next().unwrap().split_whitespace().nth(1);
    let all = all.unwrap().parse::<f64>().unwrap() * 1_024.0;
    let used = value(&registry, "system_memory_bytes");
    assert!(used > 0.0 && used < all, "{used}, {all}");
}

/// Between the elapsed times measured outside and inside, and equal to the process clock of the
/// system.
#[test]
fn cpu_time_and_its_share_agree_with_the_clocks() {
    let _alone = alone();
    let registry = fresh();
    let read = || value(&registry, "process_cpu_seconds_total");
    let busy = |seconds: f64| {
        let begun = read();
        until(|| read() >= begun + seconds);
    };
    // Long enough that each of the two readings below gives a share.
    busy(0.4);
    let outer = Instant::now();
    let before = read();
    let inner = Instant::now();
    let mut sum = 0_u64;
    while inner.elapsed() < Duration::from_millis(500) {
        sum = std::hint::black_box(sum + 1);
    }
    let inner = inner.elapsed().as_secs_f64();
    let text = registry.export_prometheus();
    let outer = outer.elapsed().as_secs_f64();
    let exposition = Exposition::parse(&text).unwrap();
    let of = |name| exposition.value(name, []).unwrap();
    let took = of("process_cpu_seconds_total") - before;
    let share = of("process_cpu_percent") / 100.0;
    // The system's clock has ticks of a hundredth of a second.
    assert!(share * outer >= took - 0.03, "{share}, {outer}, {took}");
    assert!(share * inner <= took + 0.03, "{share}, {inner}, {took}");

    let process_seconds = stat_cpu_seconds();
    let read = read();
    assert!(read >= process_seconds - 0.011, "{read}, {process_seconds}");
    assert!(
        read <= stat_cpu_seconds() + 0.011,
        "{read}, {process_seconds}"
    );
}

/// CPU time of the process in the kernel, user and system.
fn stat_cpu_seconds() -> f64 {
    let stat = read_to_string("/proc/self/stat").unwrap();
    let (_, rest) = stat.rsplit_once(") ").unwrap();
    let ticks = rest.split(' ').skip(11).take(2);
    // A hundred a second, as Linux tells programs on every common machine.
    ticks
        .map(|ticks| ticks.parse::<f64>().unwrap() / 100.0)
        .sum()
}

#[test]
fn a_share_of_time_is_left_out_until_there_are_two_readings() {
    let registry = Registry::new();
    SystemMetrics::new()
        .interval(HOUR)
        .register(&registry)
        .unwrap();
    for name in SHARES {
        assert!(!is_shown(&registry, name), "{name}");
    }
    // Manually it waits for the second one.
    registry.update_system_metrics();
    for name in SHARES {
        assert!(is_shown(&registry, name), "{name}");
    }
    let share = value(&registry, "system_cpu_percent");
    assert!((0.0..=100.0).contains(&share), "{share}");
    assert!(value(&registry, "process_cpu_percent") >= 0.0);
}

#[test]
fn a_scrape_after_the_interval_gets_a_new_reading() {
    let _alone = alone();
    let registry = fresh();
    let files: Vec<_> = (0..500)
        .map(|_| File::open("/proc/self/stat").unwrap())
        .collect();
    assert!(value(&registry, "process_open_fds") >= 500.0);
    drop(files);
    assert!(value(&registry, "process_open_fds") < 500.0);
}

#[test]
fn there_is_one_reading_per_interval() {
    let _alone = alone();
    let registry = Registry::new();
    let metrics = SystemMetrics::new().interval(HOUR);
    metrics.register(&registry).unwrap();
    let before = value(&registry, "process_cpu_seconds_total");
    let files: Vec<_> = (0..500)
        .map(|_| File::open("/proc/self/stat").unwrap())
        .collect();
    let open_fds = value(&registry, "process_open_fds");
    assert!(open_fds < 500.0, "{open_fds}");
    // Registering again with another interval changes nothing.
    fresh_again(&registry);
    assert_eq!(value(&registry, "process_open_fds"), open_fds);
    assert_eq!(value(&registry, "process_cpu_seconds_total"), before);
    // Another registry has separate readings.
    assert!(value(&fresh(), "process_open_fds") >= 500.0);
    drop(files);
}

fn fresh_again(registry: &Registry) {
    let metrics = SystemMetrics::new().interval(Duration::ZERO);
    metrics.register(registry).unwrap();
}

#[test]
fn a_name_in_use_leaves_out_only_that_metric() {
    let registry = Registry::new();
    let process_seconds = registry
        .gauge("process_memory_bytes", "One's own.")
        .unwrap();
    process_seconds.set(7);
    let error = SystemMetrics::new().register(&registry).unwrap_err();
    assert!(error.is_conflict());
    assert!(
        error.to_string().contains("process_memory_bytes"),
        "{error}"
    );
    assert_eq!(value(&registry, "process_memory_bytes"), 7.0);
    for name in ALWAYS {
        assert!(
            value(&registry, name) > 0.0 || name == "process_cpu_seconds_total",
            "{name}"
        );
    }
    // It exists now, as far as this machine supports it.
    SystemMetrics::new().register(&registry).unwrap();
    registry.update_system_metrics();
    assert_eq!(value(&registry, "process_memory_bytes"), 7.0);
}

#[test]
fn handles_with_other_labels_have_separate_metrics_or_an_error() {
    let registry = Registry::new();
    let handle = |value| registry.clone().with_labels([("part", value)]).unwrap();
    for value in ["a", "b", "a"] {
        SystemMetrics::new().register(&handle(value)).unwrap();
    }
    let text = registry.export_prometheus();
    for value in ["a", "b"] {
        let line = format!("process_threads{{part=\"{value}\"}} ");
        assert_eq!(text.matches(&line).count(), 1, "{text}");
    }
    // Without the label they would be a metric with other labels.
    let error = SystemMetrics::new().register(&registry).unwrap_err();
    assert!(error.is_conflict(), "{error}");
    assert!(error.to_string().contains("part"), "{error}");
    // A router and updates use the existing ones.
    registry.update_system_metrics();
    let _router = MetricsRouter::new().registry(&registry).build::<()>();
    let count = |text: &str| text.matches("\nprocess_threads").count();
    assert_eq!(count(&registry.export_prometheus()), count(&text));
}

#[test]
fn a_router_of_several_registries_adds_missing_system_metrics() {
    let (one, other) = (Registry::new(), Registry::new());
    SystemMetrics::new().register(&other).unwrap();
    let both = Registry::merged([&one, &other]).unwrap();
    let _router = MetricsRouter::new().registry(&both).build::<()>();
    assert!(one.get("process_threads").is_none());
    let text = both.export_prometheus();
    assert_eq!(text.matches("\nprocess_threads ").count(), 1, "{text}");
}

#[test]
fn updates_continue_until_they_are_dropped() {
    let _alone = alone();
    let registry = Registry::new();
    let metrics = SystemMetrics::new().interval(HOUR);
    metrics.register(&registry).unwrap();
    let updates = registry.update_system_metrics_every(Duration::ZERO);
    let files: Vec<_> = (0..500)
        .map(|_| File::open("/proc/self/stat").unwrap())
        .collect();
    until(|| value(&registry, "process_open_fds") >= 500.0);
    drop(files);
    until(|| value(&registry, "process_open_fds") < 500.0);
    drop(updates);
    let files: Vec<_> = (0..500)
        .map(|_| File::open("/proc/self/stat").unwrap())
        .collect();
    assert!(value(&registry, "process_open_fds") < 500.0);
    drop(files);
}

#[test]
fn handles_with_a_prefix_have_separate_metrics() {
    let registry = Registry::new();
    registry.update_system_metrics();
    let other = registry.clone().with_prefix("other_").unwrap();
    other.update_system_metrics();
    assert!(is_shown(&registry, "system_memory_bytes"));
    assert!(is_shown(&registry, "other_system_memory_bytes"));
}
