//! More label values than labels.
//~ expected an array with a size of 1, found one with a size of 2

use tachometer::{Counter, Family};

#[cfg(mistake)]
pub fn count(mails: &Family<Counter, 1>) {
    mails.with(["welcome", "sent"]).inc();
}

#[cfg(not(mistake))]
pub fn count(mails: &Family<Counter, 2>) {
    mails.with(["welcome", "sent"]).inc();
}
