//! A metric that is used although its registration may have failed.
//~ no method named `inc` found for enum `Result

use tachometer::{Error, Registry};

#[cfg(mistake)]
pub fn count(registry: &Registry) -> Result<(), Error> {
    registry.counter("mails_total", "Mails sent.").inc();
    Ok(())
}

#[cfg(not(mistake))]
pub fn count(registry: &Registry) -> Result<(), Error> {
    registry.counter("mails_total", "Mails sent.")?.inc();
    Ok(())
}
