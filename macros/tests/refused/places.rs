use tachometer::timed;

#[timed("seconds")]
const fn constant() {}

#[timed("seconds")]
struct Type;

trait Trait {
    #[timed("seconds")]
    fn without_body(&self);
}

fn main() {}
