//! A complete program: a service that counts its requests and errors, and measures their
//! duration and how many are in flight.

use std::thread::sleep;
use std::time::Duration;

use tachometer::{Counter, Gauge, Histogram, Registry, counter, gauge, histogram, timed};

struct ApiService {
    requests: Counter,
    active: Gauge,
    duration: Histogram,
    errors: Counter,
}

/// Counts a request as active until it is dropped.
struct Active<'a>(&'a Gauge);

impl<'a> Active<'a> {
    fn begin(gauge: &'a Gauge) -> Self {
        gauge.inc();
        Self(gauge)
    }
}

impl Drop for Active<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl ApiService {
    fn new() -> Self {
        Self {
            requests: counter("api_requests_total", "Total API requests"),
            active: gauge("api_active_requests", "Active API requests"),
            duration: histogram("api_request_duration", "API request duration in seconds"),
            errors: counter("api_errors_total", "Total API errors"),
        }
    }

    /// Both guards also record requests that end with `?` or a panic.
    #[timed("api_process_request")]
    fn process_request(&self, id: u32) -> Result<&'static str, String> {
        self.requests.inc();
        let _active = Active::begin(&self.active);
        let _timer = self.duration.start_timer();
        Self::process(id).inspect_err(|_| self.errors.inc())
    }

    fn process(id: u32) -> Result<&'static str, String> {
        sleep(Duration::from_millis(10));
        if id % 5 == 4 {
            return Err(format!("{id} is out of stock"));
        }
        Ok("success")
    }
}

fn main() {
    let service = ApiService::new();
    for id in 0..10 {
        match service.process_request(id) {
            Ok(status) => println!("{id}: {status}"),
            Err(error) => println!("{id}: {error}"),
        }
    }
    print!("{}", Registry::global().export_json());
}
