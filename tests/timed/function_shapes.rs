//! Functions whose body must not change when it becomes a closure or a future.

#![forbid(
    clippy::let_unit_value,
    clippy::unreachable,
    unused_braces,
    unused_imports,
    unused_must_use,
    reason = "whoever refuses these in code of their own has none of them by the attribute"
)]

use std::fmt::Display;
use std::future::pending;
use std::panic::catch_unwind;
use std::pin::{Pin, pin};
use std::sync::LazyLock;
use std::task::{Context, Waker};

use tachometer::{Registry, timed};

use crate::runs;

static OWN: LazyLock<Registry> = LazyLock::new(Registry::new);

#[timed("first_seconds", outcome, registry = OWN)]
fn first(items: &mut [u8]) -> Option<&mut u8> {
    items.first_mut()
}

#[timed("each_seconds", outcome, registry = OWN)]
fn iterate(items: &mut [u8]) -> impl Iterator<Item = &mut u8> {
    items.iter_mut()
}

struct Stack(Vec<u8>);

impl Stack {
    #[timed("top_seconds", outcome, registry = OWN)]
    fn top(&mut self) -> Result<&mut u8, &'static str> {
        self.0.last_mut().ok_or("empty")
    }
}

#[test]
fn a_function_may_return_a_borrow_of_a_mutable_argument() {
    let mut stack = Stack(vec![1, 2]);
    *stack.top().unwrap() += 1;
    *first(&mut stack.0).unwrap() += 4;
    iterate(&mut stack.0).for_each(|item| *item *= 2);
    assert_eq!(stack.0, [10, 6]);
    assert_eq!(Stack(Vec::new()).top(), Err("empty"));
    assert_eq!(runs(&OWN, "top_seconds", Some("ok")), 1);
    assert_eq!(runs(&OWN, "top_seconds", Some("error")), 1);
}

#[timed("inner_seconds", registry = OWN)]
fn has_attributes_within() -> u8 {
    #![expect(unused_variables, reason = "it is there to be so")]
    let unused = 1;
    2
}

#[timed("inner_outcome_seconds", outcome, registry = OWN)]
async fn waits_with_attributes_within() -> u8 {
    #![expect(unused_variables, reason = "it is there to be so")]
    let unused = 1;
    2
}

#[test]
fn attributes_within_a_body_stay_there() {
    assert_eq!(has_attributes_within(), 2);
    let future = pin!(waits_with_attributes_within());
    assert!(
        future
            .poll(&mut Context::from_waker(Waker::noop()))
            .is_ready()
    );
}

#[timed("serve_seconds", outcome, registry = OWN)]
async fn serve() -> ! {
    loop {
        pending::<()>().await;
    }
}

macro_rules! returns {
    ($name:ident, $ty:ty) => {
        #[timed("returns_seconds", outcome, registry = OWN)]
        fn $name() -> $ty {
            panic!("on purpose")
        }
    };
}

returns!(never, !);

#[test]
fn a_function_that_never_returns_panics_or_is_cancelled() {
    {
        let future = pin!(serve());
        assert!(
            future
                .poll(&mut Context::from_waker(Waker::noop()))
                .is_pending()
        );
    }
    assert_eq!(runs(&OWN, "serve_seconds", Some("cancelled")), 1);
    assert!(catch_unwind(|| never()).is_err());
    assert_eq!(runs(&OWN, "returns_seconds", Some("panic")), 1);
}

/// Methods that every type has here, by names that the attribute might call.
trait Anything: Sized {
    fn start(self, _: &Registry) {}

    fn end(self, _: bool) {}

    fn is_error(&self) -> bool {
        true
    }
}

impl<T> Anything for T {}

#[timed("extended_seconds", outcome, registry = OWN)]
fn extended(number: u8) -> Result<u8, u8> {
    number.start(&OWN);
    number.end(number.is_error());
    Ok(number)
}

#[timed("extended_async_seconds", outcome, registry = OWN)]
async fn extended_async() -> u8 {
    1
}

#[test]
fn blanket_traits_do_not_interfere() {
    assert_eq!(extended(1), Ok(1));
    assert_eq!(runs(&OWN, "extended_seconds", Some("ok")), 1);
    let future = pin!(extended_async());
    let mut context = Context::from_waker(Waker::noop());
    assert!(future.poll(&mut context).is_ready());
    assert_eq!(runs(&OWN, "extended_async_seconds", Some("ok")), 1);
}

type Done = ();

/// A result of `()` is not bound to a variable, which clippy would report.
#[timed("unit_seconds", outcome, registry = OWN)]
fn unit() {}

#[timed("unit_async_seconds", outcome, registry = OWN)]
async fn unit_async() {}

#[timed("done_seconds", outcome, registry = OWN)]
fn done() -> Done {}

#[timed("done_async_seconds", outcome, registry = OWN)]
async fn done_async() -> Done {}

#[test]
fn functions_that_return_nothing_are_counted_as_ok() {
    unit();
    done();
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(unit_async()).poll(&mut context).is_ready());
    assert!(pin!(done_async()).poll(&mut context).is_ready());
    for name in ["unit", "unit_async", "done", "done_async"] {
        let name = format!("{name}_seconds");
        assert_eq!(runs(&OWN, &name, Some("ok")), 1, "{name}");
    }
}

/// In one line, in which the compiler looks for braces that are not needed.
#[rustfmt::skip]
mod lines {
    use super::{OWN, timed};

    #[timed("line_seconds", registry = OWN)]
    pub(super) fn plain() -> u8 { 1 }
    #[timed("line_seconds", registry = OWN)]
    pub(super) async fn waits() -> u8 { 1 }
    #[timed("line_seconds", registry = OWN)]
    pub(super) fn returned() -> impl Future<Output = u8> { async { 1 } }
    #[timed("line_outcome_seconds", outcome, registry = OWN)]
    pub(super) fn plain_outcome() -> u8 { 1 }
    #[timed("line_outcome_seconds", outcome, registry = OWN)]
    pub(super) async fn waits_outcome() -> u8 { 1 }
    #[timed("line_outcome_seconds", outcome, registry = OWN)]
    pub(super) fn returned_outcome() -> impl Future<Output = u8> { async { 1 } }
    #[timed("line_outcome_seconds", outcome, registry = OWN)]
    pub(super) fn opaque_outcome() -> impl Into<u8> { 1 }
    #[timed("line_outcome_seconds", outcome, registry = OWN)]
    pub(super) fn never_outcome() -> ! { panic!("on purpose") }
}

#[test]
fn functions_on_one_line_are_timed() {
    let mut context = Context::from_waker(Waker::noop());
    assert_eq!(lines::plain(), 1);
    assert!(pin!(lines::waits()).poll(&mut context).is_ready());
    assert!(pin!(lines::returned()).poll(&mut context).is_ready());
    assert_eq!(runs(&OWN, "line_seconds", None), 3);
    assert_eq!(lines::plain_outcome(), 1);
    assert!(pin!(lines::waits_outcome()).poll(&mut context).is_ready());
    assert!(
        pin!(lines::returned_outcome())
            .poll(&mut context)
            .is_ready()
    );
    assert_eq!(lines::opaque_outcome().into(), 1);
    assert!(catch_unwind(|| lines::never_outcome()).is_err());
    assert_eq!(runs(&OWN, "line_outcome_seconds", None), 5);
}

/// As the crate futures has it.
type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

#[timed("told_seconds", outcome, registry = OWN)]
fn told_by_bound() -> impl Future<Output = Vec<u8>> + Send {
    async { [1].into_iter().collect() }
}

#[timed("told_seconds", outcome, registry = OWN)]
fn told_by_trait_object() -> Pin<Box<dyn Future<Output = Box<dyn Display>>>> {
    Box::pin(async move { Box::new(1) })
}

#[timed("told_seconds", outcome, registry = OWN)]
fn told_to_loop(times: &[u8]) -> impl Future<Output = ()> {
    async move {
        loop {
            if times.is_empty() {
                return;
            }
            pending::<()>().await;
        }
    }
}

#[timed("told_seconds", outcome, registry = OWN)]
fn told_by_alias(text: &str) -> BoxFuture<'_, Vec<usize>> {
    Box::pin(async move { text.parse().into_iter().collect() })
}

#[test]
fn the_output_type_is_inferred_inside_a_future() {
    let mut context = Context::from_waker(Waker::noop());
    assert!(pin!(told_by_bound()).poll(&mut context).is_ready());
    assert!(
        told_by_trait_object()
            .as_mut()
            .poll(&mut context)
            .is_ready()
    );
    assert!(pin!(told_to_loop(&[])).poll(&mut context).is_ready());
    assert!(told_by_alias("text").as_mut().poll(&mut context).is_ready());
    assert_eq!(runs(&OWN, "told_seconds", Some("ok")), 4);
}
