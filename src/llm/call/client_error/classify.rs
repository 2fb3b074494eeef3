//! Dispatch of an error to the classifier of its client.

use std::any::Any;

#[cfg(feature = "hyper-util")]
use crate::llm::call::client_error::hyper::classify_hyper;
#[cfg(feature = "reqwest")]
use crate::llm::call::client_error::reqwest::classify_reqwest;
#[cfg(feature = "reqwest-middleware")]
use crate::llm::call::client_error::reqwest_middleware::classify_reqwest_middleware;
use crate::llm::call::client_error::source_chain::classify_std;
use crate::llm::facts::ErrorType;

/// Returns the error type of one client's error. Returns `None` for other clients' errors and for
/// errors without a known type.
type Classifier = fn(&(dyn Any + 'static)) -> Option<ErrorType>;

const CLASSIFIERS: &[Classifier] = &[
    classify_std,
    #[cfg(feature = "reqwest")]
    classify_reqwest,
    #[cfg(feature = "reqwest-middleware")]
    classify_reqwest_middleware,
    #[cfg(feature = "hyper-util")]
    classify_hyper,
];

/// Returns the error type of any client's error.
pub(crate) fn error_type(error: &(dyn Any + 'static)) -> ErrorType {
    let classified = CLASSIFIERS.iter().find_map(|classify| classify(error));
    classified.unwrap_or(ErrorType::Transport)
}
