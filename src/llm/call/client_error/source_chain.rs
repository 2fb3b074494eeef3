//! Errors of the standard library, and the sources of other errors.

use std::any::Any;
use std::error::Error;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::llm::facts::ErrorType;

/// Classifies an [`io::Error`] or a boxed error.
pub(crate) fn classify_std(error: &(dyn Any + 'static)) -> Option<ErrorType> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return classify_sources(error);
    }
    let error = error.downcast_ref::<Box<dyn Error + Send + Sync>>()?;
    classify_sources(&**error)
}

/// Classifies an error by the first known error in its chain of sources.
pub(crate) fn classify_sources(error: &(dyn Error + 'static)) -> Option<ErrorType> {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            match error.kind() {
                io::ErrorKind::TimedOut => return Some(ErrorType::Timeout),
                io::ErrorKind::ConnectionRefused => return Some(ErrorType::Connect),
                _ => {}
            }
        }
        // tower's `Elapsed` is recognized by its text, because its type requires tower's feature
        // `timeout`. `Display` is foreign code, which may panic.
        let text = catch_unwind(AssertUnwindSafe(|| error.to_string()));
        if text.is_ok_and(|text| text == "request timed out") {
            return Some(ErrorType::Timeout);
        }
        source = error.source();
    }
    None
}
