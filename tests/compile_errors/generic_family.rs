//! A family of any type.
//~ `M` is not a metric
//~ consider restricting type parameter `M` with trait `Instrument`
//~ M: tachometer::metric::Instrument

use tachometer::Family;
use tachometer::metric::Instrument;

#[cfg(mistake)]
pub fn forget<M>(family: &Family<M, 1>, tenant: &str) {
    family.remove([tenant]);
}

#[cfg(not(mistake))]
pub fn forget<M: Instrument>(family: &Family<M, 1>, tenant: &str) {
    family.remove([tenant]);
}
