//! The number of writes per second from which on a series is busy, for the module of tests.

pub(crate) use crate::cell::set_busy_rate;
