//! Why a client could not make a call, by its error.

use std::any::Any;
use std::error::Error;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::llm::client;
use crate::llm::usage::outcome::ErrorType;

/// What a client's error is, if it is known.
pub(crate) type Known = fn(&(dyn Any + 'static)) -> Option<ErrorType>;

/// Returns what a client's error is.
pub(crate) fn failure(error: &(dyn Any + 'static)) -> ErrorType {
    let known = client::FAILURES.iter().find_map(|known| known(error));
    known.unwrap_or(ErrorType::Transport)
}

/// Returns what an error says that is boxed, or of the standard library.
pub(crate) fn of_std(error: &(dyn Any + 'static)) -> Option<ErrorType> {
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return of_sources(error);
    }
    let error = error.downcast_ref::<Box<dyn Error + Send + Sync>>()?;
    of_sources(&**error)
}

/// Returns what an error, or what caused it, says.
pub(crate) fn of_sources(error: &(dyn Error + 'static)) -> Option<ErrorType> {
    let mut source = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            match error.kind() {
                io::ErrorKind::TimedOut => return Some(ErrorType::Timeout),
                io::ErrorKind::ConnectionRefused => return Some(ErrorType::Connect),
                _ => {}
            }
        }
        // tower's time-out, whose type would make its feature one of this crate's.
        // Its text is another's code, which may panic.
        let text = catch_unwind(AssertUnwindSafe(|| error.to_string()));
        if text.is_ok_and(|text| text == "request timed out") {
            return Some(ErrorType::Timeout);
        }
        source = error.source();
    }
    None
}
