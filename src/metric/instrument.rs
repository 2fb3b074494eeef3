//! The bound of families and of `Registry::register`.

use std::fmt::Debug;

use crate::metric::handle::AsHandle;

/// A kind of metric that a [`Family`](crate::metric::Family) can hold and that
/// [`Registry::register`](crate::registry::Registry::register) takes.
///
/// [`Counter`](crate::metric::Counter), [`Gauge`](crate::metric::Gauge) and
/// [`Histogram`](crate::metric::Histogram) implement it. It is sealed: no other type can.
///
/// ```
/// use tachometer::Family;
/// use tachometer::metric::Instrument;
///
/// fn forget_tenant<M: Instrument>(family: &Family<M, 1>, tenant: &str) {
///     family.remove([tenant]);
/// }
/// ```
// Each instrument implements it by itself. With a blanket implementation, the compiler would list
// these bounds, which callers cannot name, where a type does not implement it.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric",
    label = "expected `Counter`, `Gauge` or `Histogram`"
)]
#[expect(private_bounds, reason = "the trait is sealed")]
pub trait Instrument: AsHandle + Clone + Debug + Send + Sync + 'static {}
