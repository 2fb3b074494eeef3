//! How fast what may fail is used up.

use crate::dashboards::promql::{Window, recorded};
use crate::dashboards::rules::yaml::{Alert, Group, Severity};

/// A burn rate, and the windows over which it must be exceeded: the long one makes sure
/// that it matters, the short one that it is still so.
struct Burn {
    rate: f64,
    long: Window,
    short: Window,
}

/// Those by which someone is woken: 2 % of a month's budget in an hour, 5 % in six hours.
const PAGE: [Burn; 2] = [
    Burn {
        rate: 14.4,
        long: Window::hours(1),
        short: Window::minutes(5),
    },
    Burn {
        rate: 6.0,
        long: Window::hours(6),
        short: Window::minutes(30),
    },
];

/// Those that can wait: 10 % in one day, 10 % in three days.
const TICKET: [Burn; 2] = [
    Burn {
        rate: 3.0,
        long: Window::days(1),
        short: Window::hours(2),
    },
    Burn {
        rate: 1.0,
        long: Window::days(3),
        short: Window::hours(6),
    },
];

/// All windows, the shortest first.
const WINDOWS: [Window; 7] = [
    Window::minutes(5),
    Window::minutes(30),
    Window::hours(1),
    Window::hours(2),
    Window::hours(6),
    Window::days(1),
    Window::days(3),
];

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
    /// The labels of the targets that the records are of.
    pub(super) targets: &'a [(String, String)],
    /// Returns the query of the share over a window, given that of the rate.
    pub(super) failure_share: &'a dyn Fn(Window, &str) -> String,
    /// Returns the query of the rate over a window.
    pub(super) rate: &'a dyn Fn(Window) -> String,
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
            let rate = self.rate(window);
            group.record(&rate, (self.rate)(window));
            let rate = recorded(&rate, self.targets);
            group.record(&self.failed(window), (self.failure_share)(window, &rate));
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

    fn failed(&self, window: Window) -> String {
        format!("{}:ratio_rate{window}", self.failures)
    }

    fn rate(&self, window: Window) -> String {
        format!("{}:rate{window}", self.all)
    }

    fn query(&self, burn: &Burn) -> String {
        // Where much may fail, a burn rate may ask for more than all of it.
        let most = (burn.rate * (1.0 - self.objective)).min(MOST);
        // In as many digits as tell it: the difference has a tail of others.
        let most = format!("{most:.9}");
        let most = most.trim_end_matches('0').trim_end_matches('.');
        let [long, short, rate] = [
            self.failed(burn.long),
            self.failed(burn.short),
            self.rate(burn.long),
        ]
        .map(|name| recorded(&name, self.targets));
        format!("({long} > {most} and {short} > {most} and {rate} > {LEAST:.6})")
    }
}
