//! Metrics of other libraries in a registry, and metrics of a registry for other libraries.
