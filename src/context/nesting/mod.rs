//! How nested layers count a request once.
//!
//! A request may pass two layers of the same metrics: one around the whole service, and one
//! inside the router. Only the outer one counts it; only the inner one sees its route.
//!
//! 1. The outer layer wraps the request's body in one that holds a marker, the id of its
//!    metrics, and pushes itself onto the thread's [`LayerStack`](active_layers).
//! 2. The inner layer looks for the marker ([`Incoming::inspect`](incoming::Incoming)): it
//!    calls the body's `is_end_stream`, which other bodies pass on to the one they wrap.
//! 3. The marked body answers by [`reveal_marker`](incoming::reveal_marker). The inner
//!    layer then counts nothing, and calls [`report_route`](active_layers::report_route).
//! 4. The outer layer takes the reported route from its entry when the call returns.
//!
//! If something between the two replaces the body, the marker is lost. The stack shows
//! that a layer of the same metrics is active, so from then on the outer layer also marks
//! the extensions of each request ([`mark_counted`](incoming::mark_counted)).
//! The marker, and not the stack alone, decides: a handler may send a new request to the
//! same service on the same thread, and that one is counted.

pub(crate) mod active_layers;
pub(crate) mod incoming;
