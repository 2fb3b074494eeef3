//! A setting after `boxed`.
//~ no method named `prefix` found for struct `BoxedMetricsLayer`

use tachometer::MetricsLayer;
use tachometer::middleware::BoxedMetricsLayer;

#[cfg(mistake)]
pub fn layer() -> BoxedMetricsLayer {
    MetricsLayer::new().boxed().prefix("shop_")
}

#[cfg(not(mistake))]
pub fn layer() -> BoxedMetricsLayer {
    MetricsLayer::new().prefix("shop_").boxed()
}
