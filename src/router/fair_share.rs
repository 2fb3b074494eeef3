//! How much of a limit one client address may use.

/// Returns three quarters of a limit, and at least one less than all of it, so that something
/// is left for other addresses. Of a limit of one, returns one.
pub(super) fn share(limit: usize) -> usize {
    match limit {
        0 | 1 => limit,
        _ => limit - (limit / 4).max(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_left_for_others_unless_there_is_but_one() {
        let shares = [0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 64].map(share);
        assert_eq!(shares, [0, 1, 1, 2, 3, 4, 6, 6, 7, 12, 48]);
        assert_eq!(share(usize::MAX), usize::MAX - usize::MAX / 4);
    }
}
