//! A collector controlled by a test.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};

use tachometer::registry::{Collect, CollectSink};
use tachometer::snapshot::{Desc, Kind};

/// A collector that blocks until it is released.
#[derive(Clone, Default)]
pub(crate) struct BlockingCollector(Arc<(Mutex<bool>, Condvar, AtomicU64)>);

impl BlockingCollector {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap() = true;
        self.0.1.notify_all();
    }

    pub(crate) fn close(&self) {
        *self.0.0.lock().unwrap() = false;
    }

    /// Returns how often it was called.
    pub(crate) fn calls(&self) -> u64 {
        self.0.2.load(Ordering::SeqCst)
    }
}

impl Collect for BlockingCollector {
    fn describe(&self) -> Vec<Desc> {
        vec![Desc::new("gated", "", Kind::Gauge)]
    }

    fn collect(&self, collected: &mut CollectSink<'_>) {
        self.0.2.fetch_add(1, Ordering::SeqCst);
        let is_open = self.0.0.lock().unwrap();
        drop(self.0.1.wait_while(is_open, |is_open| !*is_open).unwrap());
        collected.gauge("gated", [], 1);
    }
}

/// Releases the collector when a test ends, even by a panic: otherwise its runtime would wait
/// for it.
pub(crate) struct OpenOnDrop(pub(crate) BlockingCollector);

impl Drop for OpenOnDrop {
    fn drop(&mut self) {
        self.0.open();
    }
}
