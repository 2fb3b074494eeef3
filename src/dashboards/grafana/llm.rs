//! The row about LLM calls.

use crate::dashboards::LLM_ERRORS;
use crate::dashboards::grafana::panel::{Panel, Row};
use crate::dashboards::grafana::{WINDOW, for_selected_targets};
use crate::dashboards::promql::{Grouping, Selector, quantile, ratio, sum_by};
use crate::dashboards::roles::{PromMetric, Roles};
use crate::snapshot::{Kind, Role};

/// Returns the row, if there are metrics of LLM calls.
pub(super) fn row(roles: &Roles) -> Option<Row> {
    let llm = Llm {
        roles,
        requests: roles.get(Role::LlmRequests)?,
    };
    let row = Row::new("LLM")
        .panel(llm.calls())
        .panel(llm.errors())
        .panel_if(llm.token_rate_stat())
        .panel_if(llm.cost_stat())
        .panel_if(llm.first_token_stat())
        .panel(llm.calls_by_model())
        .panel_if(llm.errors_by_type())
        .panel_if(llm.tokens_by_direction())
        .panel_if(llm.cost_by_model())
        .panel_if(llm.p95_by_model(
            Role::LlmTimeToFirstToken,
            "Time to first token by model, 95th percentile",
            "95 % of streamed responses had their first token within this time.",
        ))
        .panel_if(llm.p95_by_model(
            Role::LlmDuration,
            "Duration by model, 95th percentile",
            "95 % of LLM calls were at most this long.",
        ))
        .panel_if(llm.p95_by_model(
            Role::LlmTimePerToken,
            "Time per output token by model, 95th percentile",
            "95 % of responses took at most this long for each token after the first.",
        ))
        .panel_if(llm.calls_in_flight())
        .panel_if(llm.rate_limit_remaining())
        .panel_if(llm.unpriced_calls())
        .panel_if(llm.cost_by_route());
    Some(row)
}

struct Llm<'a> {
    roles: &'a Roles,
    requests: &'a PromMetric,
}

impl<'a> Llm<'a> {
    fn model(&self) -> &str {
        self.requests.label(1)
    }

    fn legend(&self) -> String {
        format!("{{{{{}}}}}", self.model())
    }

    fn requests(&self) -> Selector<'a> {
        for_selected_models(self.requests)
    }

    fn calls(&self) -> Panel {
        let query = sum_by(&[], &self.requests().rate(WINDOW));
        Panel::stat("LLM calls", "reqps", "Finished LLM calls per second.").query(query, "calls")
    }

    fn errors(&self) -> Panel {
        let outcome = self.requests.last_label();
        let failed = self.requests().match_label(outcome, "=~", LLM_ERRORS);
        let query = ratio(
            &sum_by(&[], &failed.rate(WINDOW)),
            &sum_by(&[], &self.requests().rate(WINDOW)),
        );
        Panel::stat(
            "Errors",
            "percentunit",
            "Fraction of LLM calls that failed or were cut off.",
        )
        .query(query, "errors")
    }

    /// Returns a query for tokens per second. Some presets count tokens in a counter, others in the
    /// sum of a histogram.
    fn token_rate(&self, labels: &[&str]) -> Option<String> {
        let tokens = self.roles.get(Role::LlmTokens)?;
        let rate = match tokens.kind {
            Kind::Histogram => for_selected_models(tokens).sum_rate(WINDOW),
            _ => for_selected_models(tokens).rate(WINDOW),
        };
        Some(sum_by(labels, &rate))
    }

    fn token_rate_stat(&self) -> Option<Panel> {
        let panel = Panel::stat("Tokens", "short", "Tokens per second.");
        Some(panel.query(self.token_rate(&[])?, "tokens"))
    }

    fn tokens_by_direction(&self) -> Option<Panel> {
        let direction = self.roles.get(Role::LlmTokens)?.label(3);
        let panel = Panel::chart("Tokens by direction", "short", "Tokens per second.").stacked();
        let query = self.token_rate(&[direction])?;
        Some(panel.query(query, format!("{{{{{direction}}}}}")))
    }

    fn cost_per_hour(&self, role: Role, by: &[&str]) -> Option<String> {
        let cost = for_selected_models(self.roles.get(role)?).rate(WINDOW);
        Some(format!("3600 * {}", sum_by(by, &cost)))
    }

    fn cost_stat(&self) -> Option<Panel> {
        let panel = Panel::stat(
            "Cost per hour",
            "currencyUSD",
            "US dollars per hour, of calls that have a price.",
        );
        Some(panel.query(self.cost_per_hour(Role::LlmCost, &[])?, "cost"))
    }

    fn cost_by_model(&self) -> Option<Panel> {
        let panel = Panel::chart(
            "Cost per hour by model",
            "currencyUSD",
            "US dollars per hour, of calls that have a price.",
        );
        let query = self.cost_per_hour(Role::LlmCost, &[self.model()])?;
        Some(panel.stacked().query(query, self.legend()))
    }

    fn cost_by_route(&self) -> Option<Panel> {
        let route = self.roles.get(Role::LlmRouteCost)?.label(3);
        let panel = Panel::chart(
            "Cost per hour by route",
            "currencyUSD",
            "US dollars per hour, by the route of the request that made the calls.",
        );
        let query = self.cost_per_hour(Role::LlmRouteCost, &[route])?;
        Some(panel.stacked().query(query, format!("{{{{{route}}}}}")))
    }

    fn first_token_stat(&self) -> Option<Panel> {
        let seconds = for_selected_models(self.roles.get(Role::LlmTimeToFirstToken)?);
        let panel = Panel::stat(
            "Time to first token, 95th percentile",
            "s",
            "95 % of streamed responses had their first token within this time.",
        );
        Some(panel.query(quantile("0.95", &seconds, Grouping::By(&[]), WINDOW), "p95"))
    }

    fn calls_by_model(&self) -> Panel {
        let query = sum_by(&[self.model()], &self.requests().rate(WINDOW));
        Panel::chart(
            "LLM calls by model",
            "reqps",
            "Finished LLM calls per second.",
        )
        .stacked()
        .query(query, self.legend())
    }

    fn errors_by_type(&self) -> Option<Panel> {
        let errors = self.roles.get(Role::LlmErrors)?;
        let kind = errors.label(3);
        let query = sum_by(&[kind], &for_selected_models(errors).rate(WINDOW));
        let panel = Panel::chart(
            "Errors by type",
            "reqps",
            "LLM calls per second that failed or were cut off.",
        );
        Some(panel.stacked().query(query, format!("{{{{{kind}}}}}")))
    }

    fn p95_by_model(&self, role: Role, title: &'static str, help: &'static str) -> Option<Panel> {
        let seconds = for_selected_models(self.roles.get(role)?);
        let by_model = [self.model()];
        let query = quantile("0.95", &seconds, Grouping::By(&by_model), WINDOW);
        Some(Panel::chart(title, "s", help).query(query, self.legend()))
    }

    fn calls_in_flight(&self) -> Option<Panel> {
        let in_flight = self.roles.get(Role::LlmInFlight)?;
        let query = sum_by(
            &[in_flight.label(1)],
            &for_selected_models(in_flight).to_string(),
        );
        let panel = Panel::chart(
            "LLM calls in flight",
            "short",
            "LLM calls that have started and not finished.",
        );
        Some(panel.query(query, self.legend()))
    }

    fn rate_limit_remaining(&self) -> Option<Panel> {
        let remaining = self.roles.get(Role::LlmRateLimitRemaining)?;
        let limit = self.roles.get(Role::LlmRateLimit)?;
        let [model, kind] = [remaining.label(1), remaining.label(3)];
        let remaining_ratio = format!(
            "{} / {}",
            for_selected_models(remaining),
            for_selected_models(limit)
        );
        let query = Grouping::By(&[model, kind]).aggregate("min", &remaining_ratio);
        let panel = Panel::chart(
            "Rate limit remaining",
            "percentunit",
            "Remaining fraction of a provider's rate limit, at its lowest in the last minute.",
        );
        Some(panel.query(query, format!("{{{{{model}}}}} {{{{{kind}}}}}")))
    }

    fn unpriced_calls(&self) -> Option<Panel> {
        let unpriced = self.roles.get(Role::LlmUnpriced)?;
        let query = sum_by(&[self.model()], &for_selected_models(unpriced).rate(WINDOW));
        let panel = Panel::chart(
            "LLM calls without a price",
            "reqps",
            "LLM calls per second whose cost is unknown in whole or in part.",
        );
        Some(panel.stacked().query(query, self.legend()))
    }
}

/// Selects the series of the models that the variable selects.
fn for_selected_models(metric: &PromMetric) -> Selector<'_> {
    for_selected_targets(metric).match_label(metric.label(1), "=~", "$model")
}
