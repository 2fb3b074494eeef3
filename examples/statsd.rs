//! Sends a registry to a `StatsD` server over UDP: counters and histograms as the increase since the
//! last call, gauges as their value. Labels are tags, as `DogStatsD` and Telegraf read them.

use std::collections::HashMap;
use std::error::Error;
use std::fmt::Write;
use std::net::UdpSocket;
use std::{env, io};

use tachometer::Registry;
use tachometer::snapshot::Values;

/// The last values of counters and histograms, by name and tags.
type Last = HashMap<String, f64>;

/// The largest payload of a datagram, in bytes, that Ethernet carries in one packet.
const MAX_DATAGRAM: usize = 1_432;

/// Returns a line for each series that has changed, and for each gauge.
fn lines(registry: &Registry, last: &mut Last) -> Vec<String> {
    let mut lines = Vec::new();
    for block in registry.gather() {
        // A colon ends a name.
        let name = block.desc.exposed_name().replace(':', "_");
        for (series, labels) in block.labels.iter().enumerate() {
            let mut tags = String::new();
            for (label, value) in labels.pairs() {
                let value = value.replace([',', '|', '\n'], "_");
                let _ = write!(tags, ",{label}:{value}");
            }
            let mut increases = Vec::new();
            match &block.values {
                Values::Counter(counts) => {
                    increases.push((name.clone(), tags, counts[series].value()));
                }
                // StatsD reads a signed number as a change of the gauge, so 0 is sent before a
                // negative value.
                Values::Gauge(values) if values[series] < 0.0 => lines.push(format!(
                    "{}\n{}",
                    line(&name, 0.0, 'g', &tags),
                    line(&name, values[series], 'g', &tags)
                )),
                Values::Gauge(values) => lines.push(line(&name, values[series], 'g', &tags)),
                Values::Histogram(all) => {
                    let Some(one) = all.get(series) else { continue };
                    for (bound, count) in one.cumulative() {
                        let tags = format!("{tags},le:{bound}");
                        increases.push((format!("{name}_bucket"), tags, count as f64));
                    }
                    let (sum, count) = (one.totals().sum, one.count() as f64);
                    increases.push((format!("{name}_sum"), tags.clone(), sum));
                    increases.push((format!("{name}_count"), tags, count));
                }
                _ => {}
            }
            for (name, tags, value) in increases {
                let before = last.insert(format!("{name}{tags}"), value).unwrap_or(0.0);
                if value != before {
                    lines.push(line(&name, value - before, 'c', &tags));
                }
            }
        }
    }
    lines
}

fn line(name: &str, value: f64, kind: char, tags: &str) -> String {
    match tags.strip_prefix(',') {
        Some(tags) => format!("{name}:{value}|{kind}|#{tags}"),
        None => format!("{name}:{value}|{kind}"),
    }
}

/// Sends the lines in datagrams of at most `MAX_DATAGRAM` bytes.
fn send(socket: &UdpSocket, lines: &[String]) -> io::Result<()> {
    let mut datagram = String::new();
    for line in lines {
        if !datagram.is_empty() && datagram.len() + 1 + line.len() > MAX_DATAGRAM {
            socket.send(datagram.as_bytes())?;
            datagram.clear();
        }
        if !datagram.is_empty() {
            datagram.push('\n');
        }
        datagram.push_str(line);
    }
    socket.send(datagram.as_bytes()).map(drop)
}

fn main() -> Result<(), Box<dyn Error>> {
    let server = env::args().nth(1);
    let socket = UdpSocket::bind("0.0.0.0:0")?;
    socket.connect(server.as_deref().unwrap_or("127.0.0.1:8125"))?;
    let registry = Registry::new();
    let orders = registry.counter_family("orders_total", "Orders.", ["country"])?;
    let seconds = "Time of a checkout, in seconds.";
    let seconds = registry.histogram_family("checkout_seconds", seconds, ["country"])?;
    let balance = registry.gauge("balance_dollars", "Balance of the account.")?;
    let mut last = Last::new();
    // A service does this at an interval, and once more before it ends.
    for round in 1..=3 {
        for country in ["au", "ca", "fr", "in", "nz", "us"] {
            orders.with([country]).inc_by(round);
            seconds.with([country]).observe(0.25);
        }
        balance.dec_by(round);
        send(&socket, &lines(&registry, &mut last))?;
    }
    Ok(())
}
