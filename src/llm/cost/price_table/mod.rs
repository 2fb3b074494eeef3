//! The prices of many models.

#[cfg(test)]
mod real_names;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use table::CheckedPriceTable;
pub use table::PriceTable;
