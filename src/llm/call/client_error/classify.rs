//! Which client an error comes from.

use std::any::Any;

#[cfg(feature = "hyper-util")]
use crate::llm::call::client_error::hyper::classify_hyper;
#[cfg(feature = "reqwest")]
use crate::llm::call::client_error::reqwest::classify_reqwest;
#[cfg(feature = "reqwest-middleware")]
use crate::llm::call::client_error::reqwest_middleware::classify_reqwest_middleware;
use crate::llm::call::client_error::sources::classify_std;
use crate::llm::facts::ErrorType;

/// Returns the type of an error of one client, or `None` if it is another client's error or
/// shows no type.
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

/// Returns the type of any client's error.
pub(crate) fn error_type(error: &(dyn Any + 'static)) -> ErrorType {
    let known = CLASSIFIERS.iter().find_map(|classify| classify(error));
    known.unwrap_or(ErrorType::Transport)
}
