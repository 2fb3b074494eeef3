//! Errors of reqwest-middleware.

use std::any::Any;

use reqwest_middleware::Error;

use crate::llm::call::client_error::reqwest::error_type;
use crate::llm::call::client_error::source_chain::classify_sources;
use crate::llm::facts::ErrorType;

pub(crate) fn classify_reqwest_middleware(error: &(dyn Any + 'static)) -> Option<ErrorType> {
    match error.downcast_ref::<Error>()? {
        Error::Reqwest(error) => error_type(error),
        Error::Middleware(error) => classify_sources(&**error),
    }
}
