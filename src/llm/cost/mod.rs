//! Prices of models, and the cost of tokens and units by them.

mod price;
mod rate;
mod spelling;
mod table;
mod unpriced;

pub use price::Price;
pub(crate) use spelling::is_version_of;
pub use table::PriceTable;
pub(crate) use table::Rates;
pub(crate) use unpriced::Unpriced;
