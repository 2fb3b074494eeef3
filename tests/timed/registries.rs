//! The registry that a run is counted in, and conflicts with its metrics.

use std::sync::LazyLock;

use tachometer::{Registry, timed};

use crate::runs;
use crate::warnings::warnings;

#[timed("given_seconds", registry = registry)]
fn with_registry(registry: &Registry) {}

#[timed("given_seconds", outcome, registry = registry.clone())]
fn cloned(registry: &Registry) {}

/// The first registry is cached, and any other one works as well.
#[test]
fn a_registry_may_be_another_for_each_run() {
    let registries = [Registry::new(), Registry::new(), Registry::new()];
    for registry in &registries {
        for _ in 0..3 {
            with_registry(registry);
        }
    }
    with_registry(&registries[0]);
    let counts = registries
        .each_ref()
        .map(|registry| runs(registry, "given_seconds", None));
    assert_eq!(counts, [4, 3, 3]);
    // The same, under another name.
    let prefixed = registries[0].clone().with_prefix("shop_").unwrap();
    with_registry(&prefixed);
    assert_eq!(runs(&registries[0], "shop_given_seconds", None), 1);
    assert_eq!(runs(&registries[0], "given_seconds", None), 4);
}

#[test]
fn a_run_that_its_registry_cannot_count_is_reported_and_the_function_still_runs() {
    static TAKEN: LazyLock<Registry> = LazyLock::new(|| {
        let registry = Registry::new();
        registry
            .gauge("taken_seconds", "Something else.")
            .unwrap()
            .set(5);
        registry
    });
    #[timed("taken_seconds", registry = TAKEN)]
    fn conflicting() -> u8 {
        3
    }
    let messages = warnings(|| (), || assert_eq!((conflicting(), conflicting()), (3, 3)));
    assert!(
        messages.len() == 1
            && messages[0].contains("taken_seconds")
            && messages[0].contains("name another metric in `#[timed(\"..\")]`"),
        "{messages:?}"
    );
    assert_eq!(TAKEN.get("taken_seconds").unwrap().value(), 5.0);
    let refused = TAKEN.get("tachometer_timed_refused_total").unwrap();
    assert_eq!(refused.value(), 2.0);
    // With other labels it is something else, too.
    let registry = Registry::new();
    with_registry(&registry);
    cloned(&registry);
    assert_eq!(runs(&registry, "given_seconds", None), 1);
    let refused = registry.get("tachometer_timed_refused_total").unwrap();
    assert_eq!(refused.value(), 1.0);
    // So it is in a registry that is not the first.
    let other = Registry::new();
    other.gauge("given_seconds", "Something else.").unwrap();
    let messages = warnings(|| (), || (0..3).for_each(|_| with_registry(&other)));
    assert_eq!(messages.len(), 1, "{messages:?}");
    let refused = other.get("tachometer_timed_refused_total").unwrap();
    assert_eq!(refused.value(), 3.0);
}

/// A function that reads the warnings may be timed itself.
#[test]
fn a_timed_function_may_read_its_own_warning() {
    static TAKEN: LazyLock<Registry> = LazyLock::new(|| {
        let registry = Registry::new();
        registry.gauge("reader_seconds", "Something else.").unwrap();
        registry
    });
    #[timed("reader_seconds", registry = TAKEN)]
    fn read() {}
    let messages = warnings(read, read);
    assert_eq!(messages.len(), 1, "{messages:?}");
    let refused = TAKEN.get("tachometer_timed_refused_total").unwrap();
    assert_eq!(refused.value(), 2.0);
}
