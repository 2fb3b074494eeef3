//! How nested layers recognize that they measure the same request.

pub(crate) mod incoming;
pub(crate) mod layer_stack;
