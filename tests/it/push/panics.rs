//! Panics while a registry is read, and of clients.

use std::panic::panic_any;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tachometer::Registry;
use tachometer::push::{Otlp, Pushgateway};
use tokio::runtime::Builder;

use super::receiver::Answer::Panic;
use super::receiver::Receiver;

/// What a collector panics with. It panics again when it is dropped.
struct Payload;

impl Drop for Payload {
    fn drop(&mut self) {
        panic!("a payload panics");
    }
}

#[tokio::test]
async fn a_push_has_the_other_metrics_whatever_a_collector_panics_with() {
    let registry = Registry::new();
    let panics = Arc::new(AtomicBool::new(true));
    let flag = Arc::clone(&panics);
    let collector = move || {
        if flag.load(Ordering::Relaxed) {
            panic_any(Payload);
        }
        1.0
    };
    registry.gauge_fn("panics", "Panics.", collector).unwrap();
    registry.gauge("other", "").unwrap().set(2);
    let receiver = Receiver::default();
    let otlp = receiver.otlp(&registry).interval(Duration::MAX);
    let exporter = otlp.start().unwrap();
    assert_eq!(exporter.flush().await, Ok(()));
    assert_eq!(receiver.total("other"), 2.0);
    panics.store(false, Ordering::Relaxed);
    assert_eq!(exporter.flush().await, Ok(()));
    assert_eq!(receiver.total("panics"), 1.0);
}

#[test]
fn an_export_on_a_runtime_without_io_is_an_error_that_names_the_remedy() {
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let error = Otlp::new().registry(&Registry::new()).start().unwrap_err();
        assert!(error.is_invalid_push(), "{error}");
        let text = error.to_string();
        assert!(
            text.contains("I/O") && text.contains("`enable_all`"),
            "{text}"
        );
        // A client that was passed may need no I/O.
        let exporter = Receiver::default().otlp(&Registry::new()).start().unwrap();
        assert_eq!(exporter.flush().await, Ok(()));
        let otlp = Receiver::always(Panic).otlp(&Registry::new());
        let exporter = otlp.start().unwrap();
        let pushgateway = Pushgateway::new("http://127.0.0.1:1", "a");
        let pushgateway = pushgateway.registry(&Registry::new()).build().unwrap();
        for result in [exporter.flush().await, pushgateway.delete().await] {
            let text = result.unwrap_err().to_string();
            assert!(
                text.contains("panicked") && text.contains("`enable_all`"),
                "{text}"
            );
        }
    });
}
