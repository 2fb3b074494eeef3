//! Functions behave the same with and without the attribute.

#![expect(
    non_upper_case_globals,
    reason = "names that the attribute uses itself"
)]

use std::borrow::Cow;
use std::future::Future;
use std::io;
use std::panic::catch_unwind;
use std::sync::LazyLock;

use tachometer::{Registry, timed};

use crate::runs;

static OWN: LazyLock<Registry> = LazyLock::new(Registry::new);

/// Names that the attribute generates are not visible to the function.
#[timed("named_seconds", registry = OWN)]
fn named(__run: u8, __registry: u8, __returned: u8) -> u8 {
    __run + __registry + __returned
}

#[timed("named_outcome_seconds", outcome, registry = OWN)]
fn named_with_outcome(__run: u8, __registry: u8, __returned: u8) -> Result<u8, u8> {
    Ok(__run + __registry + __returned)
}

static timed_is_a_name: u8 = 1;

/// It also works where names of the prelude are shadowed.
mod shadows {
    #![allow(
        dead_code,
        non_camel_case_types,
        reason = "they are there to be in the way"
    )]

    use tachometer::timed;

    struct Option;
    struct Result;
    struct Registry;
    struct Box;
    mod core {}
    mod std {}

    #[timed("shadow_seconds", outcome, labels(a = "b"))]
    pub(super) async fn shadow() -> u8 {
        super::timed_is_a_name
    }
}

struct Service<'a, T> {
    registry: Registry,
    text: &'a str,
    items: Vec<T>,
}

impl<'a, T: Clone + Send + 'static> Service<'a, T> {
    #[timed("method_seconds", registry = self.registry)]
    fn borrows(&self) -> &'a str {
        self.text
    }

    #[timed("mutable_seconds", outcome, registry = OWN)]
    fn changes(&mut self, item: T) -> Result<&mut T, String> {
        self.items.push(item);
        self.items.last_mut().ok_or("empty".to_owned())
    }

    #[timed("consume_seconds", outcome, registry = OWN)]
    fn consumes(self) -> Vec<T> {
        self.items
    }

    #[timed("async_method_seconds", outcome, registry = OWN)]
    async fn waits(&mut self, item: impl Into<T>, (a, b): (u8, u8)) -> Result<usize, String> {
        self.items.push(item.into());
        let sum = usize::from(a) + usize::from(b);
        let parsed: usize = "1".parse().map_err(|_| "no number")?;
        Ok(self.items.len() + sum + parsed)
    }

    #[timed("const_seconds", registry = OWN)]
    fn counts<const N: usize>(&self) -> [u8; N]
    where
        T: PartialEq,
    {
        [0; N]
    }
}

trait Shape {
    fn area(&self) -> f64;

    #[timed("default_seconds", registry = OWN)]
    fn doubled(&self) -> f64 {
        2.0 * self.area()
    }
}

struct Square(f64);

impl Shape for Square {
    #[timed("area_seconds", registry = OWN)]
    fn area(&self) -> f64 {
        self.0 * self.0
    }
}

#[timed("lifetime_seconds", outcome, registry = OWN)]
fn picks<'a>(one: &'a str, two: &'a str) -> Cow<'a, str> {
    if one.len() > two.len() {
        return Cow::Borrowed(one);
    }
    Cow::Borrowed(two)
}

/// Its attributes stay, too.
#[timed("attribute_seconds", registry = OWN)]
#[must_use]
#[inline(never)]
pub(crate) unsafe extern "C" fn foreign(number: i32) -> i32 {
    number
}

/// A place for a registry of each instance, and one metric for all of them.
#[timed("recursive_seconds", outcome, registry = OWN)]
fn factorial<T: Into<u64>>(number: T) -> u64 {
    match number.into() {
        0 => 1,
        number => number * factorial(number - 1),
    }
}

#[timed("never_seconds", outcome, registry = OWN)]
fn never() -> ! {
    panic!("on purpose")
}

#[timed("elided_seconds", outcome, registry = OWN)]
async fn elided(text: &str, mut number: u8) -> io::Result<&str> {
    number += 1;
    text.get(usize::from(number)..)
        .ok_or(io::Error::from(io::ErrorKind::NotFound))
}

macro_rules! function {
    ($name:ident, $ty:ty) => {
        #[timed(outcome, registry = OWN)]
        fn $name(value: $ty) -> Result<$ty, String> {
            Ok(value)
        }
    };
}

function!(made, u8);

fn is_send<T: Send>(value: T) -> T {
    value
}

#[test]
fn functions_work_as_without_the_attribute() {
    assert_eq!(named(1, 2, 3), 6);
    assert_eq!(named_with_outcome(1, 2, 3), Ok(6));
    let mut service = Service {
        registry: Registry::new(),
        text: "text",
        items: vec![1_u64],
    };
    assert_eq!(service.borrows(), "text");
    assert_eq!(runs(&service.registry, "method_seconds", None), 1);
    *service.changes(2).unwrap() = 5;
    assert_eq!(service.counts::<3>(), [0; 3]);
    let future = is_send(service.waits(3_u8, (4, 5)));
    assert_eq!(block_on(future), Ok(3 + 9 + 1));
    assert_eq!(service.consumes(), [1, 5, 3]);
    assert_eq!(Square(3.0).doubled(), 18.0);
    assert_eq!(runs(&OWN, "area_seconds", None), 1);
    assert_eq!(picks("a", "bc"), "bc");
    assert_eq!(block_on(is_send(shadows::shadow())), 1);
    assert_eq!((factorial(3_u8), factorial(2_u64)), (6, 2));
    assert_eq!(runs(&OWN, "recursive_seconds", Some("ok")), 7);
    assert!(catch_unwind(|| never()).is_err());
    assert_eq!(runs(&OWN, "never_seconds", Some("panic")), 1);
    assert_eq!(block_on(is_send(elided("text", 1))).unwrap(), "xt");
    assert!(block_on(elided("text", 9)).is_err());
    assert_eq!(runs(&OWN, "elided_seconds", Some("error")), 1);
    assert_eq!(made(7), Ok(7));
    assert_eq!(runs(&OWN, "made_duration_seconds", Some("ok")), 1);
}

fn block_on<F: Future>(future: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    runtime.unwrap().block_on(future)
}
