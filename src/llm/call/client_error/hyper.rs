//! Errors of hyper-util's client.

use std::any::Any;

use hyper_util::client::legacy::Error;

use crate::llm::call::client_error::source_chain::classify_sources;
use crate::llm::facts::ErrorType;

pub(crate) fn classify_hyper(error: &(dyn Any + 'static)) -> Option<ErrorType> {
    let error = error.downcast_ref::<Error>()?;
    classify_sources(error).or(error.is_connect().then_some(ErrorType::Connect))
}
