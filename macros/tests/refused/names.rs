use tachometer::timed;

#[timed("no name")]
fn spaced() {}

#[timed("")]
fn empty() {}

#[timed("9lives")]
fn digit() {}

#[timed("_total")]
fn suffix() {}

#[timed("seconds", labels(_name_ = "1"))]
fn own_name() {}

#[timed("seconds", labels(le = "1"))]
fn taken() {}

#[timed("seconds", labels(__own = "1"))]
fn reserved() {}

#[timed("seconds", labels(a = "1", a = "2"))]
fn twice() {}

#[timed("seconds", outcome, labels(outcome = "1"))]
fn both() {}

#[timed]
fn größe() {}

fn main() {}
