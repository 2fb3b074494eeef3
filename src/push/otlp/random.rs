//! Random numbers for phases, delays and ids.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

/// Returns a random number. The standard library seeds it by the operating system.
pub(super) fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// Returns a part of a duration: evenly distributed, if the number is.
pub(super) fn random_part(duration: Duration, random: u64) -> Duration {
    // The 53 bits that a floating-point number holds.
    duration.mul_f64((random >> 11) as f64 / (1_u64 << 53) as f64)
}

/// Returns a random UUID of version 4.
pub(super) fn random_uuid() -> String {
    uuid(random(), random())
}

fn uuid(high: u64, low: u64) -> String {
    let high = high & !0xf000 | 0x4000;
    let low = low & !(0b11 << 62) | 0b10 << 62;
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        high >> 32,
        high >> 16 & 0xffff,
        high & 0xffff,
        low >> 48,
        low & 0xffff_ffff_ffff
    )
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::{random_part, random_uuid, uuid};

    #[test]
    fn ids_are_uuids_of_version_4() {
        assert_eq!(uuid(0, 0), "00000000-0000-4000-8000-000000000000");
        assert_eq!(
            uuid(u64::MAX, u64::MAX),
            "ffffffff-ffff-4fff-bfff-ffffffffffff"
        );
        let id = uuid(0x0123_4567_89ab_cdef, 0x0123_4567_89ab_cdef);
        assert_eq!(id, "01234567-89ab-4def-8123-456789abcdef");
        let ids: HashSet<_> = (0..1_000).map(|_| random_uuid()).collect();
        assert_eq!(ids.len(), 1_000);
    }

    #[test]
    fn first_exports_of_1000_replicas_spread_over_the_interval() {
        let interval = Duration::from_secs(60);
        let mut seconds = [0; 60];
        let mut random = fastrand::Rng::with_seed(26);
        for _ in 0..1_000 {
            let phase = random_part(interval, random.u64(..));
            seconds[usize::try_from(phase.as_secs()).expect("a small number")] += 1;
        }
        // 16.7 on average. With one phase for all, one second would have all.
        assert!(
            seconds.iter().all(|count| (4..40).contains(count)),
            "{seconds:?}"
        );
        assert_eq!(random_part(interval, 0), Duration::ZERO);
        assert!(random_part(interval, u64::MAX) <= interval);
    }
}
