//! The attribute macros of the crate `tachometer`, which re-exports them.
//!
//! Do not depend on this crate directly: it exists only because procedural macros need a
//! separate crate.

mod arguments;
mod expand;
mod future_block;
mod name;

use proc_macro::TokenStream;
use syn::{ItemFn, parse_macro_input};

use arguments::Arguments;

/// Times each run of a function. See the documentation of `tachometer`.
#[proc_macro_attribute]
pub fn timed(arguments: TokenStream, function: TokenStream) -> TokenStream {
    let arguments = parse_macro_input!(arguments as Arguments);
    let function = parse_macro_input!(function as ItemFn);
    expand::timed(&arguments, &function)
        .unwrap_or_else(|error| error.to_compile_error())
        .into()
}
