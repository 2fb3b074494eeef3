//! Collects the warnings of the crate.

use std::fmt::Write;
use std::sync::{Arc, Mutex};

use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Runs a closure on this thread, and returns the warnings meanwhile; `each` is called at each
/// warning.
pub(crate) fn warnings(each: impl Fn() + Send + Sync + 'static, run: impl FnOnce()) -> Vec<String> {
    let messages = Arc::new(Mutex::new(Vec::new()));
    let reader = Reader {
        messages: Arc::clone(&messages),
        each: Box::new(each),
    };
    tracing::subscriber::with_default(reader, run);
    let messages = messages.lock().unwrap();
    messages.clone()
}

struct Reader {
    messages: Arc<Mutex<Vec<String>>>,
    each: Box<dyn Fn() + Send + Sync>,
}

impl Subscriber for Reader {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("tachometer")
    }

    fn event(&self, event: &Event<'_>) {
        struct Text(String);

        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
                write!(self.0, "{field}={value:?} ").unwrap();
            }
        }

        let mut text = Text(String::new());
        event.record(&mut text);
        (self.each)();
        self.messages.lock().unwrap().push(text.0);
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}
