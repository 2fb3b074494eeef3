//! Times functions, each with its own histogram.

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

/// The label `outcome` tells how a run ended, including by `?` or a panic.
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
    // A guard or a closure times a part of a function.
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
