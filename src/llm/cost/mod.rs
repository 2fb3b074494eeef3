//! Prices of models, and the cost of calls.

mod checked_price;
mod price;
mod price_table;
mod spelling;
mod unpriced_reason;

pub use price::Price;
pub(crate) use price_table::CheckedPriceTable;
pub use price_table::PriceTable;
pub(crate) use spelling::is_version_of;
pub(crate) use unpriced_reason::UnpricedReason;
