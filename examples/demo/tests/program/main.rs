//! The demo as a program: its routes and middleware, what the metrics show, its own traffic, and
//! its command line.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

mod command_line;
mod llm;
mod middleware;
mod routes;
mod shutdown;
mod streams;
mod support;
mod traffic;
