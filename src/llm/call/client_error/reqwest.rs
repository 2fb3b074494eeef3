//! Errors of reqwest.

use std::any::Any;

use crate::llm::call::client_error::source_chain::classify_sources;
use crate::llm::facts::ErrorType;

pub(crate) fn classify_reqwest(error: &(dyn Any + 'static)) -> Option<ErrorType> {
    error_type(error.downcast_ref::<reqwest::Error>()?)
}

pub(crate) fn error_type(error: &reqwest::Error) -> Option<ErrorType> {
    if error.is_timeout() {
        return Some(ErrorType::Timeout);
    }
    let connect = error.is_connect().then_some(ErrorType::Connect);
    classify_sources(error).or(connect)
}
