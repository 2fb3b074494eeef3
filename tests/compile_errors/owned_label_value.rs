//! A label value that is not borrowed.
//~ expected `&str`, found `String`

use tachometer::{Counter, Family};

#[cfg(mistake)]
pub fn count(mails: &Family<Counter, 1>, kind: String) {
    mails.with([kind]).inc();
}

#[cfg(not(mistake))]
pub fn count(mails: &Family<Counter, 1>, kind: String) {
    mails.with([&kind]).inc();
}
