//! Tests of the layer around clients of LLMs, as their users see it.
