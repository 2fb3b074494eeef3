//! Hostile requests to the router; each response is compared with a naive model.
//!
//! The requests are made of those of real clients, broken at random places. The model in
//! `expected` is written from the documentation and shares no code with the crate.
//!
//! `TACHOMETER_FUZZ` sets the number of requests, `TACHOMETER_FUZZ_SEED` the seed. Each request
//! depends only on its number, except for the responses that are still open. It is a separate
//! test program, since it counts allocations.
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
use routers::{Counts, RouterUnderTest};

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// Takes some seconds without optimization.
const EXECUTIONS: u64 = 20_000;
/// After this many requests, one-time growth is over.
const WARM: u64 = 2_000;
/// Far less than a byte per request in a long run, and less than one chunk.
const MOST_GROWTH: usize = 32 << 10;

fn setting<T: FromStr>(name: &str, default: T) -> T {
    let text = env::var(name).ok();
    text.map_or(default, |text| text.parse().ok().expect("a number"))
}

/// Prints the request if an execution panics.
struct PanicReport<'a> {
    number: u64,
    description: &'a str,
}

impl Drop for PanicReport<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("execution {}: {}", self.number, self.description);
        }
    }
}

fn run(
    executions: std::ops::Range<u64>,
    seed: u64,
    writer: &Writer,
    sites: &mut [RouterUnderTest],
    counts: &mut Counts,
) {
    for number in executions {
        let mut random = Rng::with_seed(seed.wrapping_add(number));
        let site = random.usize(..sites.len());
        let site = &mut sites[site];
        let request = writer.request(&mut random, site.rules.mount);
        let description = format!("{:?} of {request:?}", site.rules);
        let _witness = PanicReport {
            number,
            description: &description,
        };
        site.execute(request, &mut random, counts);
    }
}

#[test]
fn every_request_is_answered_as_documented_and_leaks_no_memory() {
    let executions = setting("TACHOMETER_FUZZ", EXECUTIONS);
    let seed = setting("TACHOMETER_FUZZ_SEED", 0);
    let registry: Registry = registry();
    let mut sites = RouterUnderTest::all_settings(&registry);
    let writer = Writer::new();
    let mut counts = Counts::default();

    run(0..WARM, seed, &writer, &mut sites, &mut counts);
    sites.iter_mut().for_each(RouterUnderTest::let_go);
    let before = ALLOCATOR.allocated();
    run(WARM..executions, seed, &writer, &mut sites, &mut counts);
    sites.iter_mut().for_each(RouterUnderTest::let_go);
    let growth = ALLOCATOR.allocated().saturating_sub(before);
    println!("{growth} bytes more than before, {counts:?}");
    assert!(growth <= MOST_GROWTH, "{growth} bytes");

    // Every kind of response occurred, and the router counted the same complete ones.
    assert!(counts.are_all_there(), "{counts:?}");
    counts.check(&registry);
}
