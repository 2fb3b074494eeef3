//! A family of numbers.
//~ `u64` is not a metric
//~ expected `Counter`, `Gauge` or `Histogram`

use tachometer::{Counter, Family};

#[cfg(mistake)]
pub struct Mails(pub Family<u64, 1>);

#[cfg(not(mistake))]
pub struct Mails(pub Family<Counter, 1>);
