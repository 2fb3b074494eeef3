//! What is bounded, and what users choose.

mod by_hand;
mod choices;
mod models;
mod rates;
