//! How the protocols are modelled that more than one thread takes part in.
//!
//! loom runs each model in every order that the memory model allows, up to a
//! number of preemptions. By themselves:
//!
//! ```text
//! RUSTFLAGS="--cfg tachometer_loom" cargo test --profile models --lib models
//! ```

/// Checks a model in every order with up to three preemptions.
pub(crate) fn check(model: impl Fn() + Sync + Send + 'static) {
    check_up_to(3, model);
}

/// Checks a model in every order with so many preemptions, and that there is more
/// than a handful of orders.
pub(crate) fn check_up_to(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    let runs = std::sync::Arc::new(std::sync::atomic::AtomicU64::new(0));
    let counted = std::sync::Arc::clone(&runs);
    builder.check(move || {
        counted.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        model();
    });
    let runs = runs.load(std::sync::atomic::Ordering::Relaxed);
    println!("{runs} executions");
    assert!(runs > 10, "only {runs} executions");
}
