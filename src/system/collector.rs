//! The collector of the system metrics, and its registration.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::{Conflict, Error};
use crate::registry::{Collect, CollectSink, Registry};
use crate::snapshot::{Desc, Kind, Labels};
use crate::system::families::{FAMILIES, Family};
use crate::system::reader::SystemReader;
use crate::system::reading::Reading;

/// The default time between two readings.
pub(super) const DEFAULT_INTERVAL: Duration = Duration::from_secs(1);

/// The collector of a registry's system metrics.
#[derive(Debug, Clone)]
pub(super) struct SystemCollector {
    /// The families whose names were not in use.
    families: Arc<[&'static Family]>,
    shared: Arc<SharedReading>,
}

#[derive(Debug)]
struct SharedReading {
    interval: Duration,
    /// Locked during a reading, so that concurrent scrapes get its result, too.
    latest: Mutex<LatestReading>,
}

#[derive(Debug)]
struct LatestReading {
    reader: SystemReader,
    reading: Reading,
    read_at: Instant,
}

/// Serializes registrations, so that each one finds the others complete or not at all.
static REGISTRATION: Mutex<()> = Mutex::new(());

/// Returns the registry's collector for its constant labels, or registers one. If names are
/// already in use, the other families are registered, and the first conflict is returned.
pub(super) fn register(
    interval: Duration,
    registry: &Registry,
) -> (SystemCollector, Option<Error>) {
    let _lock = REGISTRATION.lock().unwrap_or_else(PoisonError::into_inner);
    let constant_labels = registry.constant_labels().canonical();
    let mut existing = registered_collectors(registry).into_iter();
    let same_labels = existing.find(|(labels, _)| labels.canonical() == constant_labels);
    if let Some((_, collector)) = same_labels {
        return (collector, None);
    }
    let collector = SystemCollector::new(interval);
    let conflict = registry.collector(collector.clone()).err();
    let conflict = conflict.map(|error| error.map_remedy(remedy));
    if conflict.is_some() {
        for family in &FAMILIES {
            let single_family = SystemCollector {
                families: Arc::new([family]),
                ..collector.clone()
            };
            // The first error is returned. Further ones concern the same collector.
            let _ = registry.collector(single_family);
        }
    }
    (collector, conflict)
}

fn remedy(conflict: Conflict) -> String {
    match conflict {
        Conflict::Labels => {
            "use handles whose constant labels have the same names for all system metrics"
        }
        _ => {
            "rename the other metric, or register the system metrics in a handle with a prefix \
             (`Registry::with_prefix`)"
        }
    }
    .to_owned()
}

/// Returns one of the registry's collectors, with any constant labels, or registers one. Logs a
/// warning if names are already in use.
pub(super) fn register_or_warn(interval: Duration, registry: &Registry) -> SystemCollector {
    if let Some((_, collector)) = registered_collectors(registry).into_iter().next() {
        return collector;
    }
    let (collector, conflict) = register(interval, registry);
    if let Some(error) = conflict {
        let error = error.map_remedy(|_| {
            "rename the other metric, or call `MetricsRouter::without_system_metrics`".to_owned()
        });
        tracing::warn!(%error, "a system metric is omitted");
    }
    collector
}

/// Returns the registry's collectors, with the constant labels of their series.
fn registered_collectors(registry: &Registry) -> Vec<(Labels, SystemCollector)> {
    let names = FAMILIES.iter().map(|family| family.name);
    names
        .map(|name| registry.collectors_of(name))
        .find(|collectors| !collectors.is_empty())
        .unwrap_or_default()
}

impl SystemCollector {
    fn new(interval: Duration) -> Self {
        let mut reader = SystemReader::new();
        let latest = LatestReading {
            reading: reader.read(),
            reader,
            read_at: Instant::now(),
        };
        Self {
            families: FAMILIES.iter().collect(),
            shared: Arc::new(SharedReading {
                interval,
                latest: Mutex::new(latest),
            }),
        }
    }

    /// Takes a reading with CPU percentages. Before the first one it sleeps until they can be
    /// computed.
    pub(super) fn update_with_cpu_usage(&self) {
        let wait = {
            let latest = self.shared.latest();
            let elapsed = latest.read_at.elapsed();
            (!latest.reader.has_cpu_usage())
                .then(|| SystemReader::MIN_CPU_INTERVAL.saturating_sub(elapsed))
        };
        if let Some(wait) = wait {
            thread::sleep(wait);
        }
        self.update();
    }

    /// Takes a reading now.
    pub(super) fn update(&self) {
        self.shared.latest().update();
    }
}

impl SharedReading {
    fn latest(&self) -> MutexGuard<'_, LatestReading> {
        // Every step of an update leaves a complete reading, so a panic does no harm.
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LatestReading {
    fn update(&mut self) {
        self.reading = self.reader.read();
        self.read_at = Instant::now();
    }
}

impl Collect for SystemCollector {
    fn describe(&self) -> Vec<Desc> {
        self.families.iter().map(|family| family.desc()).collect()
    }

    fn collect(&self, sink: &mut CollectSink<'_>) {
        let reading = {
            let mut latest = self.shared.latest();
            if latest.read_at.elapsed() >= self.shared.interval {
                latest.update();
            }
            latest.reading
        };
        for family in &*self.families {
            let Some(value) = (family.value)(&reading) else {
                continue;
            };
            match family.kind {
                Kind::Counter => sink.counter(family.name, [], value),
                _ => sink.gauge(family.name, [], value),
            };
        }
    }
}
