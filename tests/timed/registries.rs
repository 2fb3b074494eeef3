//! Which registry a run is counted in, and what becomes of one that it has no room for.

use std::sync::LazyLock;

use tachometer::{Registry, timed};

use crate::runs;
use crate::warnings::warnings;

#[timed("given_seconds", registry = registry)]
fn given(registry: &Registry) {}

#[timed("given_seconds", outcome, registry = registry.clone())]
fn cloned(registry: &Registry) {}

/// The first that it meets is kept, and any other is right, too.
#[test]
fn a_registry_may_be_another_for_each_run() {
    let registries = [Registry::new(), Registry::new(), Registry::new()];
    for registry in &registries {
        for _ in 0..3 {
            given(registry);
        }
    }
    given(&registries[0]);
    let counts = registries
        .each_ref()
        .map(|own| runs(own, "given_seconds", None));
    assert_eq!(counts, [4, 3, 3]);
    // The same, under another name.
    let prefixed = registries[0].clone().with_prefix("shop_").unwrap();
    given(&prefixed);
    assert_eq!(runs(&registries[0], "shop_given_seconds", None), 1);
    assert_eq!(runs(&registries[0], "given_seconds", None), 4);
}

#[test]
fn a_run_that_its_registry_has_no_room_for_is_counted_as_such_and_changes_nothing() {
    static TAKEN: LazyLock<Registry> = LazyLock::new(|| {
        let registry = Registry::new();
        registry
            .gauge("taken_seconds", "Something else.")
            .unwrap()
            .set(5);
        registry
    });
    #[timed("taken_seconds", registry = TAKEN)]
    fn taken() -> u8 {
        3
    }
    let told = warnings(|| (), || assert_eq!((taken(), taken()), (3, 3)));
    assert!(
        told.len() == 1 && told[0].contains("taken_seconds"),
        "{told:?}"
    );
    assert_eq!(TAKEN.get("taken_seconds").unwrap().value(), 5.0);
    let refused = TAKEN.get("tachometer_timed_refused_total").unwrap();
    assert_eq!(refused.value(), 2.0);
    // With other labels it is something else, too.
    let registry = Registry::new();
    given(&registry);
    cloned(&registry);
    assert_eq!(runs(&registry, "given_seconds", None), 1);
    let refused = registry.get("tachometer_timed_refused_total").unwrap();
    assert_eq!(refused.value(), 1.0);
    // So it is in a registry that is not the first.
    let other = Registry::new();
    other.gauge("given_seconds", "Something else.").unwrap();
    let told = warnings(|| (), || (0..3).for_each(|_| given(&other)));
    assert_eq!(told.len(), 1, "{told:?}");
    let refused = other.get("tachometer_timed_refused_total").unwrap();
    assert_eq!(refused.value(), 3.0);
}

/// What reads the warnings may be timed itself, in the place that they are about.
#[test]
fn a_timed_function_that_reads_its_own_warning_runs_on() {
    static TAKEN: LazyLock<Registry> = LazyLock::new(|| {
        let registry = Registry::new();
        registry.gauge("reader_seconds", "Something else.").unwrap();
        registry
    });
    #[timed("reader_seconds", registry = TAKEN)]
    fn read() {}
    let told = warnings(read, read);
    assert_eq!(told.len(), 1, "{told:?}");
    let refused = TAKEN.get("tachometer_timed_refused_total").unwrap();
    assert_eq!(refused.value(), 2.0);
}
