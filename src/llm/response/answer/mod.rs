//! What is learnt from a response: an [`Answer`], which the values of its JSON fill one by one.
//!
//! Each file has one part of it, and the methods that the tables of the dialects name. Such a
//! method takes one value of the JSON; what several values mean together is decided at the end
//! of an object or event.

mod background;
mod choices;
mod content;
mod cost;
mod error;
mod event;
mod iterations;
mod output_items;
mod server_times;
mod state;
mod take_facts;
mod token_counts;
mod tool_calls;
mod units;
mod usage;

pub(crate) use event::Event;
pub(crate) use iterations::add_cached_to_input;
pub(crate) use state::Answer;
pub(crate) use token_counts::{TokenCounts, TokenKind};
pub(crate) use tool_calls::ToolCallId;
