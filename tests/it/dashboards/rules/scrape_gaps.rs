//! Gaps in scraping, and restarts: no lifetime total is counted as an increase, and nothing is
//! counted twice.

use super::first_events::{LONG_AGO, play_all, scene, spend, with_totals};
use super::http::burn;
use super::promtool_test::{RuleTest, TARGET};
use super::recorder::{Process, Recorder};

#[tokio::test]
async fn a_restart_counts_what_the_new_process_counts_and_nothing_twice() {
    let old = with_totals().await;
    old.requests("/", 700).await;
    let rules = old.rules();
    let mut recorder = Recorder::new(TARGET);
    recorder.scrape_times(&old, 32);
    recorder.fail(1);
    let new = Process::start(32.5);
    new.requests("/", 540).await;
    new.requests("/fails", 180).await;
    new.spends("m", 12.0);
    recorder.scrape_times(&new, 8);
    let restart = scene("a restart", recorder).silent_in(0..33);
    // Prometheus extrapolates a little.
    let restart = spend(burn(restart, "page", "25%"), "12.15");

    // Of a series that is as new as the process before.
    let mut recorder = Recorder::new(TARGET);
    let process = Process::start(-0.5);
    process.spends("m", 8.0);
    recorder.scrape_times(&process, 3);
    let process = Process::start(2.5);
    process.spends("m", 1.0);
    recorder.scrape_times(&process, 10);
    let again = scene("a restart of a new process", recorder);
    play_all(&rules, &[restart, again.silent_in(0..12)]);
}

/// At the end of the gap, a series is new to ranges that begin inside it, also to those of two
/// hours.
#[tokio::test]
async fn a_gap_in_scraping_counts_no_total() {
    const END: u32 = 270;
    let process = with_totals().await;
    let rules = process.rules();
    let record = |events: &dyn Fn(&mut Recorder)| {
        let mut recorder = Recorder::new(TARGET);
        recorder.scrape_times(&process, 20);
        events(&mut recorder);
        recorder.scrape_times(&process, END - recorder.minutes());
        recorder
    };
    let paused = |minutes| record(&|recorder| recorder.pause(minutes));
    let removed = record(&|recorder| {
        recorder.remove();
        recorder.pause(119);
    });
    let restarted = {
        let mut recorder = Recorder::new(TARGET);
        recorder.scrape_times(&process, 20);
        recorder.pause(120);
        recorder.scrape_times(&process, 3);
        recorder.scrape_times(&Process::start(142.5), END - 143);
        recorder
    };
    let mut twin = Recorder::new(&TARGET.replace("zone=\"z\"", "zone=\"y\""));
    twin.scrape_times(&Process::start(LONG_AGO), END);
    let scenes = [
        ("Prometheus is new", vec![record(&|_| {})]),
        ("two hours without Prometheus", vec![paused(120)]),
        ("seven minutes without Prometheus", vec![paused(7)]),
        (
            "two hours without the target",
            vec![record(&|recorder| recorder.fail(120))],
        ),
        ("two hours off the targets", vec![removed]),
        ("a restart after the gap", vec![restarted]),
        ("a gap in one of two clusters", vec![twin, paused(120)]),
    ];
    let scenes = scenes.map(|(name, recorders)| {
        let scene = RuleTest::recorded(name, recorders);
        scene.silent_in(0..END)
    });
    play_all(&rules, &scenes);
}

#[tokio::test]
async fn a_gap_shorter_than_the_window_loses_nothing() {
    let process = with_totals().await;
    let rules = process.rules();
    let mut recorder = Recorder::new(TARGET);
    recorder.scrape_times(&process, 70);
    recorder.pause(20);
    process.spends("another", 25.0);
    recorder.scrape_times(&process, 8);
    let scene = scene("a call costs much meanwhile", recorder).silent_in(0..90);
    play_all(&rules, &[spend(scene, "25")]);
}
