//! What the fuzzer calls with its inputs. Each target panics if a promise is broken.
//!
//! The package `fuzz` runs them with coverage guidance; `tests/corpus/main.rs` runs them
//! on the inputs that it has found.

pub(crate) mod answers;
pub(crate) mod exposition;
pub(crate) mod names;
pub(crate) mod prices;
pub(crate) mod router;

/// A target, and its name.
pub(crate) type Target = (&'static str, fn(&[u8]));

/// All targets.
pub(crate) const ALL: [Target; 5] = [
    ("answers", answers::run),
    ("exposition", exposition::run),
    ("names", names::run),
    ("prices", prices::run),
    ("router", router::run),
];

/// Splits an input into fields at the byte 0xff, which no UTF-8 text contains, so that the
/// fuzzer can change one without moving the others.
fn fields<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut fields = input.splitn(N, |byte| *byte == 0xff);
    std::array::from_fn(|_| fields.next().unwrap_or_default())
}

/// Takes one byte as a choice among some.
fn choice<T: Clone>(bytes: &mut &[u8], among: &[T]) -> T {
    let byte = byte(bytes);
    among[usize::from(byte) % among.len()].clone()
}

fn byte(bytes: &mut &[u8]) -> u8 {
    bytes.split_off_first().copied().unwrap_or_default()
}
