//! The rate above which a series is busy, for the module `testing`.

pub(crate) use crate::cell::set_busy_rate;
