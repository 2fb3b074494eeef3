//! An array in place of buckets.
//~ expected `Buckets`, found `[{float}; 2]`

use tachometer::{Buckets, Error, MetricsLayer};

#[cfg(mistake)]
pub fn layer() -> Result<MetricsLayer, Error> {
    Ok(MetricsLayer::new().buckets([0.1, 1.0]))
}

#[cfg(not(mistake))]
pub fn layer() -> Result<MetricsLayer, Error> {
    Ok(MetricsLayer::new().buckets(Buckets::new(&[0.1, 1.0])?))
}
