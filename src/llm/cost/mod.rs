//! Prices of models, and the cost of tokens and units by them.

mod checked_price;
mod price;
mod spelling;
mod table;
mod unpriced;

pub use price::Price;
pub(crate) use spelling::is_version_of;
pub(crate) use table::CheckedPriceTable;
pub use table::PriceTable;
pub(crate) use unpriced::Unpriced;
