//! Runs comparisons in several processes: `cargo run --release --bin processes -- 5 handles labels`
//! in this directory.
//!
//! Where the code and the memory of a process happen to be can double a time, so one process is
//! not enough. Prints the median of the processes, with the least and the greatest time.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::process::Command;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let processes: usize = arguments
        .next()
        .ok_or("pass the number of processes")?
        .parse()?;
    let comparisons: Vec<_> = arguments.collect();
    let program = env::current_exe()?.with_file_name("tachometer-rivals");
    // By comparison and candidate, in the order of the output.
    let mut order = Vec::new();
    let mut times: BTreeMap<(String, String), Vec<f64>> = BTreeMap::new();
    for _ in 0..processes {
        let output = Command::new(&program).args(&comparisons).output()?;
        for row in rows(&String::from_utf8(output.stdout)?) {
            let (comparison, candidate, time) = row;
            let key = (comparison, candidate);
            if !times.contains_key(&key) {
                order.push(key.clone());
            }
            times.entry(key).or_default().push(time);
        }
    }
    let mut last = "";
    for key in &order {
        let (comparison, candidate) = key;
        if comparison != last {
            println!("\n{comparison}, {processes} processes\n");
            println!("| candidate | median, ns | least | greatest |\n| --- | --- | --- | --- |");
            last = comparison;
        }
        let times = times.get_mut(key).ok_or("a known row")?;
        times.sort_by(f64::total_cmp);
        let (least, greatest) = (times[0], times[times.len() - 1]);
        let median = times[times.len() / 2];
        println!("| {candidate} | {median:.2} | {least:.2} | {greatest:.2} |");
    }
    Ok(())
}

/// Returns the rows of all tables: comparison, candidate and time.
fn rows(output: &str) -> Vec<(String, String, f64)> {
    let mut comparison = "";
    let mut rows = Vec::new();
    for line in output.lines().filter(|line| !line.is_empty()) {
        let cells: Vec<_> = line.trim_matches('|').split('|').map(str::trim).collect();
        match cells[..] {
            [title] => comparison = title,
            [candidate, time, _] => {
                if let Ok(time) = time.parse() {
                    rows.push((comparison.to_owned(), candidate.to_owned(), time));
                }
            }
            _ => {}
        }
    }
    rows
}
