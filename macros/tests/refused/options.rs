use tachometer::timed;

#[timed("seconds", buckets = 5)]
fn unknown() {}

#[timed("seconds", help = "a", help = "b")]
fn twice() {}

#[timed("seconds", labels(), labels(a = "1"))]
fn labels() {}

#[timed("seconds", crate = tachometer, crate = tachometer)]
fn crates() {}

#[timed("seconds", outcome = true)]
fn value() {}

#[timed(5)]
fn number() {}

#[timed("seconds", labels(a = 5))]
fn label() {}

#[timed("seconds" help = "a")]
fn comma() {}

fn main() {}
