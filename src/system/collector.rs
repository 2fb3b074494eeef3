//! The metrics in a registry.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::registry::{Collect, CollectSink, Registry};
use crate::snapshot::{Desc, Kind, Labels};
use crate::system::SystemMetrics;
use crate::system::families::{FAMILIES, Family};
use crate::system::reader::SystemReader;
use crate::system::reading::Reading;
use crate::system::updater::SystemMetricsUpdater;

/// The collector of a registry's metrics of the system.
#[derive(Debug, Clone)]
pub(super) struct SystemCollector {
    /// Those whose names were not taken.
    families: Arc<[&'static Family]>,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    interval: Duration,
    /// Locked while a reading is taken, so that whoever comes meanwhile has it, too.
    last: Mutex<LatestReading>,
}

/// The last reading.
#[derive(Debug)]
struct LatestReading {
    reader: SystemReader,
    reading: Reading,
    taken: Instant,
}

/// One at a time, so that nobody finds half of another's.
static ATTACHING: Mutex<()> = Mutex::new(());

/// Returns the collector that the registry has for this handle's constant labels, or gives it
/// one. Where names of it are taken by something else, it does without them, and the error
/// tells of the first.
pub(super) fn attach(
    settings: &SystemMetrics,
    registry: &Registry,
) -> (SystemCollector, Option<Error>) {
    let _one = ATTACHING.lock().unwrap_or_else(PoisonError::into_inner);
    let constant = registry.constant_labels().canonical();
    let mut there = attached(registry).into_iter();
    if let Some((_, attached)) = there.find(|(labels, _)| labels.canonical() == constant) {
        return (attached, None);
    }
    let all = SystemCollector::new(settings);
    let conflict = registry.collector(all.clone()).err();
    if conflict.is_some() {
        for family in &FAMILIES {
            let alone = SystemCollector {
                families: Arc::new([family]),
                ..all.clone()
            };
            // Which names are taken, the first error has said.
            let _ = registry.collector(alone);
        }
    }
    (all, conflict)
}

/// Does so, and warns of names that are taken. A collector that the registry has with other
/// constant labels will do.
pub(super) fn attach_or_warn(settings: &SystemMetrics, registry: &Registry) -> SystemCollector {
    if let Some((_, attached)) = attached(registry).into_iter().next() {
        return attached;
    }
    let (attached, conflict) = attach(settings, registry);
    if let Some(error) = conflict {
        tracing::warn!(%error, "a metric of the system is left out");
    }
    attached
}

/// Returns the collectors that a registry has, with the constant labels of their series.
fn attached(registry: &Registry) -> Vec<(Labels, SystemCollector)> {
    let names = FAMILIES.iter().map(|family| family.name);
    names
        .map(|name| registry.collectors_of(name))
        .find(|found| !found.is_empty())
        .unwrap_or_default()
}

impl SystemCollector {
    fn new(settings: &SystemMetrics) -> Self {
        let mut reader = SystemReader::new();
        let last = LatestReading {
            reading: reader.read(),
            reader,
            taken: Instant::now(),
        };
        Self {
            families: FAMILIES.iter().collect(),
            shared: Arc::new(Shared {
                interval: settings.interval,
                last: Mutex::new(last),
            }),
        }
    }

    /// Takes a reading now, and before that waits once for the first that has shares.
    pub(super) fn update_once_settled(&self) {
        let missing = {
            let last = self.shared.last();
            let passed = last.taken.elapsed();
            (!last.reader.has_cpu_usage())
                .then(|| SystemReader::MIN_CPU_INTERVAL.saturating_sub(passed))
        };
        if let Some(missing) = missing {
            thread::sleep(missing);
        }
        self.update();
    }

    /// Takes a reading now.
    pub(super) fn update(&self) {
        self.shared.last().update();
    }
}

impl Shared {
    fn last(&self) -> MutexGuard<'_, LatestReading> {
        // A reading is whole after every step, whatever panicked in the midst of one.
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl LatestReading {
    fn update(&mut self) {
        self.reading = self.reader.read();
        self.taken = Instant::now();
    }
}

impl Collect for SystemCollector {
    fn describe(&self) -> Vec<Desc> {
        self.families.iter().map(|family| family.desc()).collect()
    }

    fn collect(&self, collected: &mut CollectSink<'_>) {
        let reading = {
            let mut last = self.shared.last();
            if last.taken.elapsed() >= self.shared.interval {
                last.update();
            }
            last.reading
        };
        for family in &*self.families {
            let Some(value) = (family.read)(&reading) else {
                continue;
            };
            match family.kind {
                Kind::Counter => collected.counter(family.name, [], value),
                _ => collected.gauge(family.name, [], value),
            }
        }
    }
}

impl Registry {
    /// Reads now what the machine, the process and its container use, and adds these metrics
    /// to the registry where it has none of them yet. See [`SystemMetrics`].
    ///
    /// Whoever scrapes or exports the registry has a fresh reading without this. The first
    /// time it sleeps for up to a fifth of a second, since a share of CPU time is over
    /// something: call it at start-up or on a thread of its own, and in async code let
    /// [`update_system_metrics_every`](Self::update_system_metrics_every) do it.
    ///
    /// A metric whose name is taken by something else is left out, with a warning.
    ///
    /// ```
    /// let registry = tachometer::Registry::new();
    /// registry.update_system_metrics();
    /// let memory = registry.get("system_memory_bytes").map(|metric| metric.value());
    /// # assert!(memory.is_some_and(|memory| memory > 0.0));
    /// ```
    pub fn update_system_metrics(&self) {
        attach_or_warn(&SystemMetrics::new(), self).update_once_settled();
    }

    /// Does what [`update_system_metrics`](Self::update_system_metrics) does, again and
    /// again on a thread of its own, until what is returned is dropped.
    ///
    /// `interval` is raised to a fifth of a second where it is less.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// let registry = tachometer::Registry::new();
    /// let _updates = registry.update_system_metrics_every(Duration::from_secs(60));
    /// ```
    pub fn update_system_metrics_every(&self, interval: Duration) -> SystemMetricsUpdater {
        let attached = attach_or_warn(&SystemMetrics::new(), self);
        SystemMetricsUpdater::start(attached, interval.max(SystemReader::MIN_CPU_INTERVAL))
    }
}
