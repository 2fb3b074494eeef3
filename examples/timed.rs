//! Functions that are timed, each in a histogram of its own.

use std::thread::sleep;
use std::time::Duration;

use tachometer::{Registry, timed};

#[timed("api_call_duration")]
fn call_api() {
    sleep(Duration::from_millis(2));
}

#[timed("async_operation_duration")]
async fn async_operation() {
    tokio::time::sleep(Duration::from_millis(2)).await;
}

/// Its runs are told apart by how they end, also where `?` or a panic ends them.
#[timed("parse_seconds", help = "Seconds to parse a number.", outcome)]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    let number = text.parse::<u32>()?;
    Ok(number)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    call_api();
    async_operation().await;
    for text in ["7", "8", "no number"] {
        let _ = parse(text);
    }
    // A part of a function is timed by a guard, or as a closure.
    let seconds = tachometer::histogram("part_seconds", "Seconds of a part.");
    let sum: u64 = seconds.time(|| (0..1_000).sum());
    let timer = seconds.start_timer();
    println!("the sum is {sum}");
    timer.observe();

    for line in Registry::global().export_prometheus().lines() {
        if line.contains("_count") {
            println!("{line}");
        }
    }
}
