//! The table of prices, and the lookup of a price by model name.

#[cfg(test)]
mod real_names;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use table::CheckedPriceTable;
pub use table::PriceTable;
