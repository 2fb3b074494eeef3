//! The row about HTTP requests.

use crate::dashboards::ERRORS;
use crate::dashboards::grafana::panel::{Panel, Row};
use crate::dashboards::grafana::{WINDOW, for_selected_targets};
use crate::dashboards::promql::{Grouping, Selector, quantile, ratio, sum_by};
use crate::dashboards::roles::{PromMetric, Roles};
use crate::snapshot::Role;

/// Returns the row, if there are request metrics.
pub(super) fn row(roles: &Roles) -> Option<Row> {
    let http = Http::from_roles(roles)?;
    let row = Row::new("HTTP")
        .panel(http.traffic())
        .panel(http.errors())
        .panel(http.p95())
        .panel(http.requests_in_flight())
        .panel(http.requests_by_status())
        .panel(http.latency())
        .panel(http.requests_by_route())
        .panel(http.latency_by_route())
        .panel(http.errors_by_route())
        .panel(http.unsuccessful_requests())
        .panel(http.time_by_route())
        .panel(http.body_bytes())
        .panel_if(http.streams())
        .panel_if(http.service_levels());
    Some(row)
}

struct Http<'a> {
    roles: &'a Roles,
    requests: &'a PromMetric,
    duration: &'a PromMetric,
    in_flight: &'a PromMetric,
    request_bytes: &'a PromMetric,
    response_bytes: &'a PromMetric,
}

impl<'a> Http<'a> {
    fn from_roles(roles: &'a Roles) -> Option<Self> {
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

    fn requests(&self) -> Selector<'a> {
        for_selected_routes(self.requests)
    }

    fn failed(&self) -> Selector<'a> {
        self.requests()
            .match_label(self.requests.last_label(), "=~", ERRORS)
    }

    fn error_ratio(&self, labels: &[&str]) -> String {
        ratio(
            &sum_by(labels, &self.failed().rate(WINDOW)),
            &sum_by(labels, &self.requests().rate(WINDOW)),
        )
    }

    fn traffic(&self) -> Panel {
        let query = sum_by(&[], &self.requests().rate(WINDOW));
        Panel::stat("Requests", "reqps", "Finished requests per second.").query(query, "requests")
    }

    fn errors(&self) -> Panel {
        Panel::stat(
            "Errors",
            "percentunit",
            "Fraction of requests that failed because of the service: a 5xx status, an error, a \
             panic, or a body that was cut off.",
        )
        .query(self.error_ratio(&[]), "errors")
    }

    fn p95(&self) -> Panel {
        let query = quantile(
            "0.95",
            &for_selected_routes(self.duration),
            Grouping::By(&[]),
            WINDOW,
        );
        Panel::stat(
            "Duration, 95th percentile",
            "s",
            "95 % of requests were at most this long.",
        )
        .query(query, "p95")
    }

    fn requests_in_flight(&self) -> Panel {
        let query = sum_by(&[], &for_selected_routes(self.in_flight).to_string());
        Panel::stat(
            "In flight",
            "short",
            "Requests whose response body is not finished.",
        )
        .query(query, "in flight")
    }

    fn requests_by_status(&self) -> Panel {
        let status = self.requests.label(2);
        let query = sum_by(&[status], &self.requests().rate(WINDOW));
        Panel::chart(
            "Requests by status",
            "reqps",
            "Finished requests per second. Status `none` is requests without a response.",
        )
        .stacked()
        .query(query, legend(&[status]))
    }

    fn latency(&self) -> Panel {
        let panel = Panel::chart(
            "Duration",
            "s",
            "Percentiles of the request duration: 50 %, 95 % and 99 % of requests were at most \
             this long.",
        );
        [("0.5", "p50"), ("0.95", "p95"), ("0.99", "p99")]
            .into_iter()
            .fold(panel, |panel, (q, name)| {
                let time = for_selected_routes(self.duration);
                panel.query(quantile(q, &time, Grouping::By(&[]), WINDOW), name)
            })
    }

    fn requests_by_route(&self) -> Panel {
        let query = sum_by(&[self.route()], &self.requests().rate(WINDOW));
        Panel::chart(
            "Requests by route",
            "reqps",
            "Finished requests per second.",
        )
        .stacked()
        .query(query, legend(&[self.route()]))
    }

    fn latency_by_route(&self) -> Panel {
        let by_route = [self.route()];
        let keep = Grouping::By(&by_route);
        let query = quantile("0.95", &for_selected_routes(self.duration), keep, WINDOW);
        Panel::chart(
            "Duration by route, 95th percentile",
            "s",
            "95 % of the requests of a route were at most this long.",
        )
        .query(query, legend(&[self.route()]))
    }

    fn errors_by_route(&self) -> Panel {
        Panel::chart(
            "Errors by route",
            "percentunit",
            "Fraction of a route's requests that failed because of the service.",
        )
        .query(self.error_ratio(&[self.route()]), legend(&[self.route()]))
    }

    fn unsuccessful_requests(&self) -> Panel {
        let outcome = self.requests.last_label();
        let unsuccessful = self.requests().match_label(outcome, "!~", "ok|upgraded");
        Panel::chart(
            "Unsuccessful requests by outcome",
            "reqps",
            "Requests per second that were rejected, failed, or were cancelled by the client.",
        )
        .stacked()
        .query(
            sum_by(&[outcome], &unsuccessful.rate(WINDOW)),
            legend(&[outcome]),
        )
    }

    fn time_by_route(&self) -> Panel {
        let seconds = for_selected_routes(self.duration).sum_rate(WINDOW);
        Panel::chart(
            "Concurrent requests by route",
            "short",
            "Seconds of request duration per second, which is the average number of concurrent \
             requests.",
        )
        .stacked()
        .query(sum_by(&[self.route()], &seconds), legend(&[self.route()]))
    }

    fn body_bytes(&self) -> Panel {
        let rate = |metric| sum_by(&[], &for_selected_routes(metric).rate(WINDOW));
        Panel::chart(
            "Body bytes",
            "Bps",
            "Bytes per second of request bodies that were read and response bodies that were sent.",
        )
        .query(rate(self.request_bytes), "requests")
        .query(rate(self.response_bytes), "responses")
    }

    fn streams(&self) -> Option<Panel> {
        let streams = self.roles.get(Role::HttpStreamsInFlight)?;
        let route = streams.label(1);
        let query = sum_by(&[route], &for_selected_routes(streams).to_string());
        let panel = Panel::chart("Streams in flight", "short", "Open streams.");
        Some(panel.query(query, legend(&[route])))
    }

    fn service_levels(&self) -> Option<Panel> {
        let all = self.roles.get(Role::HttpServiceLevelRequests)?;
        let good = self.roles.get(Role::HttpServiceLevelGood)?;
        let [route, target_seconds] = [all.label(1), all.label(2)];
        let rate = |metric| {
            sum_by(
                &[route, target_seconds],
                &for_selected_routes(metric).rate(WINDOW),
            )
        };
        let panel = Panel::chart(
            "Service levels",
            "percentunit",
            "Fraction of a route's requests that succeeded within the time of its service level.",
        );
        let legend = format!("{{{{{route}}}}} within {{{{{target_seconds}}}}} s");
        Some(panel.query(ratio(&rate(good), &rate(all)), legend))
    }
}

/// Selects the series of the routes that the variable selects.
fn for_selected_routes(metric: &PromMetric) -> Selector<'_> {
    for_selected_targets(metric).match_label(metric.label(1), "=~", "$route")
}

/// Returns a legend with the values of labels.
fn legend(labels: &[&str]) -> String {
    let labels: Vec<_> = labels
        .iter()
        .map(|label| format!("{{{{{label}}}}}"))
        .collect();
    labels.join(" ")
}
