//! How fast what may fail is used up.

use crate::board::rules::yaml::{Alert, Group, Severity};

/// A burn rate, and the windows over which it must be exceeded: the long one makes sure
/// that it matters, the short one that it is still so.
struct Burn {
    rate: f64,
    long: &'static str,
    short: &'static str,
}

/// Those by which someone is woken: 2 % of a month's budget in an hour, 5 % in six hours.
const PAGE: [Burn; 2] = [
    Burn {
        rate: 14.4,
        long: "1h",
        short: "5m",
    },
    Burn {
        rate: 6.0,
        long: "6h",
        short: "30m",
    },
];

/// Those that can wait: 10 % in one day, 10 % in three days.
const TICKET: [Burn; 2] = [
    Burn {
        rate: 3.0,
        long: "1d",
        short: "2h",
    },
    Burn {
        rate: 1.0,
        long: "3d",
        short: "6h",
    },
];

/// All windows, the shortest first.
const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

/// A service of fewer requests a second is left in peace: of one a minute, one that fails
/// would be a share of much.
const LEAST: f64 = 1.0 / 60.0;

/// What fails as often as this is down, whatever the objective.
const MOST: f64 = 0.9;

/// Which part of something fails, over any window, and what that alerts.
pub(super) struct Budget<'a> {
    /// What the records are called, before the window.
    pub(super) failures: String,
    pub(super) all: String,
    /// The queries over a window.
    pub(super) failure_share: &'a dyn Fn(&str) -> String,
    pub(super) rate: &'a dyn Fn(&str) -> String,
    pub(super) objective: f64,
    pub(super) alert: &'static str,
    pub(super) summary: &'static str,
    /// What is told of which part fails, a template of Prometheus's.
    pub(super) description: String,
}

impl Budget<'_> {
    /// Adds the records over all windows, and the alerts.
    pub(super) fn add_to(&self, group: &mut Group) {
        for window in WINDOWS {
            group.record(&self.failed(window), (self.failure_share)(window));
        }
        for Burn { long, .. } in PAGE.iter().chain(&TICKET) {
            group.record(&self.rate(long), (self.rate)(long));
        }
        for (burns, severity, lasts) in [
            (PAGE, Severity::Page, "2m"),
            (TICKET, Severity::Ticket, "1h"),
        ] {
            let queries = burns.map(|burn| self.query(&burn));
            group.alert(Alert {
                name: self.alert,
                query: queries.join(" or "),
                lasts,
                severity,
                summary: self.summary,
                description: self.description.clone(),
            });
        }
    }

    fn failed(&self, window: &str) -> String {
        format!("{}:ratio_rate{window}", self.failures)
    }

    fn rate(&self, window: &str) -> String {
        format!("{}:rate{window}", self.all)
    }

    fn query(&self, burn: &Burn) -> String {
        // Where much may fail, a burn rate may ask for more than all of it.
        let most = (burn.rate * (1.0 - self.objective)).min(MOST);
        // In as many digits as tell it: the difference has a tail of others.
        let most = format!("{most:.9}");
        let most = most.trim_end_matches('0').trim_end_matches('.');
        format!(
            "({} > {most} and {} > {most} and {} > {LEAST:.6})",
            self.failed(burn.long),
            self.failed(burn.short),
            self.rate(burn.long),
        )
    }
}
