//! Many threads increment one counter concurrently, without a lock.

use std::thread;

use tachometer::counter;

fn main() {
    let requests = counter("concurrent_counter", "Increments of ten threads");
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| {
                for _ in 0..1_000 {
                    requests.inc();
                }
            });
        }
    });
    println!("{}", requests.get()); // always 10000
}
