//! Requests.

use crate::dashboards::ERRORS;
use crate::dashboards::grafana::panel::{Panel, Row};
use crate::dashboards::grafana::{WINDOW, chosen};
use crate::dashboards::promql::{Keep, Series, quantile, share, sum_by};
use crate::dashboards::roles::{Found, Roles};
use crate::snapshot::Role;

/// Returns the row, if there are metrics of requests.
pub(super) fn row(roles: &Roles) -> Option<Row> {
    let http = Http::of(roles)?;
    let row = Row::new("HTTP")
        .panel(http.traffic())
        .panel(http.errors())
        .panel(http.slowest())
        .panel(http.under_way())
        .panel(http.by_status())
        .panel(http.latency())
        .panel(http.by_route())
        .panel(http.latency_by_route())
        .panel(http.errors_by_route())
        .panel(http.badly_ended())
        .panel(http.time_by_route())
        .panel(http.bytes())
        .panel_if(http.streams())
        .panel_if(http.levels());
    Some(row)
}

struct Http<'a> {
    roles: &'a Roles,
    requests: &'a Found,
    duration: &'a Found,
    in_flight: &'a Found,
    request_bytes: &'a Found,
    response_bytes: &'a Found,
}

impl<'a> Http<'a> {
    fn of(roles: &'a Roles) -> Option<Self> {
        Some(Self {
            roles,
            requests: roles.get(Role::HttpRequests)?,
            duration: roles.get(Role::HttpDuration)?,
            in_flight: roles.get(Role::HttpInFlight)?,
            request_bytes: roles.get(Role::HttpRequestBytes)?,
            response_bytes: roles.get(Role::HttpResponseBytes)?,
        })
    }

    fn route(&self) -> &str {
        self.requests.label(1)
    }

    fn requests(&self) -> Series<'a> {
        of_routes(self.requests)
    }

    fn failed(&self) -> Series<'a> {
        self.requests()
            .with(self.requests.last_label(), "=~", ERRORS)
    }

    fn error_share(&self, labels: &[&str]) -> String {
        share(
            &sum_by(labels, &self.failed().rate(WINDOW)),
            &sum_by(labels, &self.requests().rate(WINDOW)),
        )
    }

    fn traffic(&self) -> Panel {
        let query = sum_by(&[], &self.requests().rate(WINDOW));
        Panel::figure("Requests", "reqps", "Requests that ended, a second.")
            .query(query, "requests")
    }

    fn errors(&self) -> Panel {
        Panel::figure(
            "Errors",
            "percentunit",
            "Which part of the requests failed by the service's own fault: a status of 5xx, an \
             error, a panic, or a body that broke off.",
        )
        .query(self.error_share(&[]), "errors")
    }

    fn slowest(&self) -> Panel {
        let query = quantile("0.95", &of_routes(self.duration), Keep::Only(&[]), WINDOW);
        Panel::figure(
            "95th percentile",
            "s",
            "The time that 95 of 100 requests did not take longer than.",
        )
        .query(query, "p95")
    }

    fn under_way(&self) -> Panel {
        let query = sum_by(&[], &of_routes(self.in_flight).to_string());
        Panel::figure(
            "In flight",
            "short",
            "Requests whose response has not ended yet.",
        )
        .query(query, "in flight")
    }

    fn by_status(&self) -> Panel {
        let status = self.requests.label(2);
        let query = sum_by(&[status], &self.requests().rate(WINDOW));
        Panel::chart(
            "Requests by status",
            "reqps",
            "Requests that ended, a second; those of status `none` had no response.",
        )
        .stacked()
        .query(query, legend(&[status]))
    }

    fn latency(&self) -> Panel {
        let panel = Panel::chart(
            "Time",
            "s",
            "The times that so many of 100 requests did not take longer than.",
        );
        [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")]
            .into_iter()
            .fold(panel, |panel, (of, name)| {
                let time = of_routes(self.duration);
                panel.query(quantile(of, &time, Keep::Only(&[]), WINDOW), name)
            })
    }

    fn by_route(&self) -> Panel {
        let query = sum_by(&[self.route()], &self.requests().rate(WINDOW));
        Panel::chart(
            "Requests by route",
            "reqps",
            "Requests that ended, a second.",
        )
        .stacked()
        .query(query, legend(&[self.route()]))
    }

    fn latency_by_route(&self) -> Panel {
        let by_route = [self.route()];
        let keep = Keep::Only(&by_route);
        let query = quantile("0.95", &of_routes(self.duration), keep, WINDOW);
        Panel::chart(
            "95th percentile by route",
            "s",
            "The time that 95 of 100 requests did not take longer than.",
        )
        .query(query, legend(&[self.route()]))
    }

    fn errors_by_route(&self) -> Panel {
        Panel::chart(
            "Errors by route",
            "percentunit",
            "Which part of a route's requests failed by the service's own fault.",
        )
        .query(self.error_share(&[self.route()]), legend(&[self.route()]))
    }

    fn badly_ended(&self) -> Panel {
        let outcome = self.requests.last_label();
        let ended = self.requests().with(outcome, "!~", "ok|upgraded");
        Panel::chart(
            "Requests that did not end well",
            "reqps",
            "Requests by how they ended, a second: refused, failed, or given up by the client.",
        )
        .stacked()
        .query(sum_by(&[outcome], &ended.rate(WINDOW)), legend(&[outcome]))
    }

    fn time_by_route(&self) -> Panel {
        let seconds = of_routes(self.duration).rate_of_sum(WINDOW);
        Panel::chart(
            "Time spent by route",
            "short",
            "Seconds that requests took, a second: how many were under way on average.",
        )
        .stacked()
        .query(sum_by(&[self.route()], &seconds), legend(&[self.route()]))
    }

    fn bytes(&self) -> Panel {
        let of = |metric| sum_by(&[], &of_routes(metric).rate(WINDOW));
        Panel::chart(
            "Bytes of bodies",
            "Bps",
            "Bytes of requests that were read, and of responses that were sent, a second.",
        )
        .query(of(self.request_bytes), "requests")
        .query(of(self.response_bytes), "responses")
    }

    fn streams(&self) -> Option<Panel> {
        let streams = self.roles.get(Role::HttpStreamsInFlight)?;
        let route = streams.label(1);
        let query = sum_by(&[route], &of_routes(streams).to_string());
        let panel = Panel::chart("Streams", "short", "Streams that have begun and not ended.");
        Some(panel.query(query, legend(&[route])))
    }

    fn levels(&self) -> Option<Panel> {
        let all = self.roles.get(Role::HttpServiceLevelRequests)?;
        let good = self.roles.get(Role::HttpServiceLevelGood)?;
        let [route, within] = [all.label(1), all.label(2)];
        let of = |metric| sum_by(&[route, within], &of_routes(metric).rate(WINDOW));
        let panel = Panel::chart(
            "Service levels",
            "percentunit",
            "Which part of a route's requests ended well within the time of its service level.",
        );
        let legend = format!("{{{{{route}}}}} within {{{{{within}}}}} s");
        Some(panel.query(share(&of(good), &of(all)), legend))
    }
}

/// Returns the series of the routes that are chosen.
fn of_routes(metric: &Found) -> Series<'_> {
    chosen(metric).with(metric.label(1), "=~", "$route")
}

/// Returns a legend of labels' values.
fn legend(labels: &[&str]) -> String {
    let labels: Vec<_> = labels
        .iter()
        .map(|label| format!("{{{{{label}}}}}"))
        .collect();
    labels.join(" ")
}
