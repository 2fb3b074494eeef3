//! Tests of expiry with a clock that they advance.

use std::sync::atomic::AtomicUsize;
use std::thread;

use fastrand::Rng;

use super::*;
use crate::metric::counter::Counter;
use crate::metric::family_info::FamilyInfo;
use crate::metric::gauge::Gauge;
use crate::metric::handle::AsHandle;
use crate::metric::histogram::Histogram;
use crate::metric::label::Label;
use crate::snapshot::{Desc, Labels};

const HOUR: Duration = Duration::from_secs(3_600);
const MINUTE: Duration = Duration::from_secs(60);
const THREADS: usize = 3;
const TURNS: usize = 30_000;

fn expiring<M: Instrument>(lifetime: Duration) -> SeriesSet<M> {
    let desc = Desc::new("c", "", M::KIND);
    let info = FamilyInfo::new(desc, Labels::default(), &[Label::open("x")]);
    let set = SeriesSet::new(info, M::Settings::default());
    set.expire_after(lifetime);
    set
}

fn with<M: Instrument>(set: &SeriesSet<M>, value: &str, record: impl FnOnce(&M)) {
    set.with_series_slow(&[value], &mut [value], |series, _| record(series));
}

/// Reads a set and delivers the result.
fn deliver(set: &SeriesSet<Counter>) {
    let read = ReadId::next();
    set.expire(read);
    set.deliver(read);
}

fn is_there(set: &SeriesSet<Counter>, value: &str) -> bool {
    set.find(&[value])
        .is_some_and(|series| !series.handle().is_hidden())
}

#[test]
fn a_series_expires_after_the_time_that_reads_have_seen_no_use() {
    let set = expiring::<Counter>(HOUR);
    with(&set, "a", Counter::inc);
    // Without reads no time passes.
    clock::advance(2 * HOUR);
    deliver(&set);
    clock::advance(59 * MINUTE);
    deliver(&set);
    assert!(is_there(&set, "a"));
    with(&set, "a", Counter::inc);
    clock::advance(2 * MINUTE);
    deliver(&set);
    clock::advance(HOUR);
    assert!(is_there(&set, "a"));
    deliver(&set);
    assert!(!is_there(&set, "a"));
    assert_eq!(set.expired_count(), Some(1));
}

#[test]
fn a_series_whose_value_was_not_delivered_does_not_expire() {
    let set = expiring::<Counter>(HOUR);
    with(&set, "a", Counter::inc);
    let reads = [(); 3].map(|()| {
        let read = ReadId::next();
        set.expire(read);
        clock::advance(HOUR);
        read
    });
    set.expire(ReadId::next());
    assert!(is_there(&set, "a"));
    // The second one started after the first had seen the value.
    set.deliver(reads[1]);
    set.expire(ReadId::next());
    assert!(!is_there(&set, "a"));
}

#[test]
fn a_read_that_started_before_another_saw_a_value_does_not_deliver_it() {
    let set = expiring::<Counter>(Duration::ZERO);
    with(&set, "a", Counter::inc);
    let early = ReadId::next();
    let late = ReadId::next();
    set.expire(late);
    set.deliver(early);
    set.expire(ReadId::next());
    assert!(is_there(&set, "a"));
    set.deliver(late);
    set.expire(ReadId::next());
    assert!(!is_there(&set, "a"));
}

#[test]
fn a_series_at_the_address_of_a_freed_one_has_its_own_time() {
    let set = expiring::<Counter>(Duration::from_millis(100));
    for number in 0..2_000 {
        let value = number.to_string();
        with(&set, &value, Counter::inc);
        deliver(&set);
        set.remove(&[&value]);
        // Frees the series.
        (0..40).for_each(|other| {
            with(&set, &format!("other {other}"), Counter::inc);
            set.remove(&[&format!("other {other}")]);
        });
        set.settle_removed();
        clock::advance(Duration::from_millis(200));
        // One of these may have its address.
        (0..40).for_each(|other| with(&set, &format!("other {other}"), Counter::inc));
        deliver(&set);
        for other in 0..40 {
            assert!(
                is_there(&set, &format!("other {other}")),
                "{number}, {other}"
            );
        }
        set.retain(|_| false);
    }
}

/// Records in a series after its activity was determined.
fn record_before_expiry<M: Instrument>(record: impl Fn(&M)) {
    let set = expiring::<M>(Duration::ZERO);
    with(&set, "a", &record);
    let series = set.find(&["a"]).unwrap();
    let series = series.handle();
    series.activity();
    let activity = series.activity().unwrap();
    record(&M::from_handle(series.clone()));
    assert!(!series.expire(&activity) && !series.is_hidden());
    series.activity();
    let activity = series.activity().unwrap();
    assert!(series.expire(&activity) && series.is_hidden());
}

#[test]
fn a_value_that_is_recorded_after_the_last_one_was_read_keeps_its_series() {
    record_before_expiry(Counter::inc);
    record_before_expiry(|counter: &Counter| counter.inc_by(0.5));
    record_before_expiry(|gauge: &Gauge| gauge.set(7));
    record_before_expiry(|histogram: &Histogram| histogram.observe(0.5));
}

/// Records in random series on several threads while a reader lets them expire, and returns the
/// sum of what expired and of what is left.
fn sum_of_expired_and_left<M: Instrument>(
    record: impl Fn(&M) + Sync,
    value: impl Fn(&Activity) -> u64,
) -> u64 {
    let set = expiring::<M>(Duration::ZERO);
    set.info().limits().set_limit(12);
    let running = AtomicUsize::new(THREADS);
    let mut sum = 0;
    let mut expired = 0;
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (set, record, running) = (&set, &record, &running);
            scope.spawn(move || {
                let mut random = Rng::with_seed(thread as u64);
                let mut kept = Vec::new();
                for turn in 0..TURNS {
                    let value = random.usize(..20).to_string();
                    with(set, &value, record);
                    if turn % 64 == 0 {
                        kept = vec![set.get_or_create(&[&value], &mut [&value])];
                    }
                    if turn % 3 == 0 {
                        kept.iter().for_each(record);
                    }
                }
                running.fetch_sub(1, Ordering::SeqCst);
            });
        }
        let mut expire = || {
            let read = ReadId::next();
            let all = set.hide_expired(set.expiry.get().unwrap(), read);
            expired += all.len();
            sum += all.iter().map(|(_, activity)| value(activity)).sum::<u64>();
            set.retire_all(all.into_iter().map(|(series, _)| series));
            set.deliver(read);
        };
        while running.load(Ordering::SeqCst) > 0 {
            expire();
        }
        expire();
        expire();
    });
    assert!(expired > 20, "only {expired} series expired");
    set.for_each_visible(|series| {
        let activity = series.handle().activity().unwrap();
        sum += value(&activity);
    });
    sum
}

#[test]
fn each_increment_of_a_counter_is_in_an_expired_value_or_left() {
    let sum = sum_of_expired_and_left(Counter::inc, |activity| activity.words()[0]);
    assert_eq!(sum, (THREADS * TURNS + THREADS * TURNS / 3) as u64);
}

#[test]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn each_increment_of_a_gauge_is_in_an_expired_value_or_left() {
    let value = |activity: &Activity| f64::from_bits(activity.words()[0]) as u64;
    let sum = sum_of_expired_and_left(Gauge::inc, value);
    assert_eq!(sum, (THREADS * TURNS + THREADS * TURNS / 3) as u64);
}
