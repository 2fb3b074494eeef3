//! Counts panics of closures that layers call.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::metric::Label;
use crate::registry::Registry;

const NAME: &str = "tachometer_closure_panics_total";
const HELP: &str = "Panics of closures that were passed to a setting of a layer.";

impl Registry {
    /// Returns a function that counts a panic of a closure, by the setting that the closure was
    /// passed to. It logs a warning the first time.
    ///
    /// The counter is registered then, so that it does not exist without a panic.
    pub(crate) fn closure_panic_counter(&self) -> Arc<dyn Fn(&'static str) + Send + Sync> {
        let registry = self.clone().without_prefix();
        let has_warned = AtomicBool::new(false);
        Arc::new(move |setting| {
            let labels = [Label::unlimited("setting")];
            match registry.counter_family(NAME, HELP, labels) {
                Ok(family) => family.with([setting]).inc(),
                // Another handle of the registry has added other constant labels.
                Err(error) => {
                    tracing::warn!(%error, setting, "a panic of a closure is not counted");
                }
            }
            if !has_warned.swap(true, Ordering::Relaxed) {
                tracing::warn!(
                    setting,
                    "a closure that was passed to a layer panicked: see the panic message; \
                     `tachometer_closure_panics_total` counts further panics"
                );
            }
        })
    }
}
