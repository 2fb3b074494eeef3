//! What must never leave the process: values of clients, secrets, bodies.

mod client_values;
mod debug_output;
mod secrets;
