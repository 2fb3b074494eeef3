//! Hostile requests to the router, each answer against a naive model of the rules.
//!
//! What is sent is made of what real clients send, broken in random places. The model
//! in `expected` is written from the documentation and shares no code with the crate.
//!
//! `TACHOMETER_FUZZ` says how many requests there are to be, `TACHOMETER_FUZZ_SEED`
//! which; each depends on its number alone, but for the answers that are still held.
//! It is a program of its own, since it counts what is allocated.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod expected;
mod families;
mod requests;
mod response_checks;
mod routers;

use std::alloc::System;
use std::env;
use std::str::FromStr;

use cap::Cap;
use fastrand::Rng;
use tachometer::Registry;

use families::registry;
use requests::Writer;
use routers::{Counts, Site};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Some seconds without optimization.
const EXECUTIONS: u64 = 20_000;
/// After so many all that grows once has grown.
const WARM: u64 = 2_000;
/// Far less than a byte a request in a long run, and less than one answer's page.
const MOST_GROWTH: usize = 32 << 10;

fn setting<T: FromStr>(name: &str, default: T) -> T {
    let text = env::var(name).ok();
    text.map_or(default, |text| text.parse().ok().expect("a number"))
}

/// Says which request it was when an execution panics.
struct Witness<'a> {
    number: u64,
    told: &'a str,
}

impl Drop for Witness<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("execution {}: {}", self.number, self.told);
        }
    }
}

fn run(
    executions: std::ops::Range<u64>,
    seed: u64,
    writer: &Writer,
    sites: &mut [Site],
    counts: &mut Counts,
) {
    for number in executions {
        let mut random = Rng::with_seed(seed.wrapping_add(number));
        let site = random.usize(..sites.len());
        let site = &mut sites[site];
        let request = writer.request(&mut random, site.rules.mount);
        let told = format!("{:?} of {request:?}", site.rules);
        let _witness = Witness {
            number,
            told: &told,
        };
        site.execute(request, &mut random, counts);
    }
}

#[test]
fn whatever_is_asked_is_answered_as_documented_and_leaves_nothing_behind() {
    let executions = setting("TACHOMETER_FUZZ", EXECUTIONS);
    let seed = setting("TACHOMETER_FUZZ_SEED", 0);
    let registry: Registry = registry();
    let mut sites = Site::all(&registry);
    let writer = Writer::new();
    let mut counts = Counts::default();

    run(0..WARM, seed, &writer, &mut sites, &mut counts);
    sites.iter_mut().for_each(Site::let_go);
    let before = ALLOCATOR.allocated();
    run(WARM..executions, seed, &writer, &mut sites, &mut counts);
    sites.iter_mut().for_each(Site::let_go);
    let growth = ALLOCATOR.allocated().saturating_sub(before);
    println!("{growth} bytes more than before, {counts:?}");
    assert!(growth <= MOST_GROWTH, "{growth} bytes");

    // Each kind of answer was among them, and the router counted the same whole ones.
    assert!(counts.are_all_there(), "{counts:?}");
    counts.check(&registry);
}
