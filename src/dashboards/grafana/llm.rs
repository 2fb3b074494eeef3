//! Calls of LLMs.

use crate::dashboards::LLM_ERRORS;
use crate::dashboards::grafana::panel::{Panel, Row};
use crate::dashboards::grafana::{WINDOW, chosen};
use crate::dashboards::promql::{Keep, Series, quantile, share, sum_by};
use crate::dashboards::roles::{Found, Roles};
use crate::snapshot::{Kind, Role};

/// Returns the row, if there are metrics of calls.
pub(super) fn row(roles: &Roles) -> Option<Row> {
    let llm = Llm {
        roles,
        requests: roles.get(Role::LlmRequests)?,
    };
    let row = Row::new("LLM")
        .panel(llm.calls())
        .panel(llm.errors())
        .panel_if(llm.all_tokens())
        .panel_if(llm.spending())
        .panel_if(llm.first_token())
        .panel(llm.by_model())
        .panel_if(llm.by_error())
        .panel_if(llm.tokens())
        .panel_if(llm.spending_by_model())
        .panel_if(llm.time(
            Role::LlmTimeToFirstToken,
            "Time to the first token",
            "The time to the first token that 95 of 100 streamed answers did not take longer than.",
        ))
        .panel_if(llm.time(
            Role::LlmDuration,
            "Time",
            "The time that 95 of 100 calls did not take longer than.",
        ))
        .panel_if(llm.time(
            Role::LlmTimePerToken,
            "Time for each token",
            "The time for each token after the first that 95 of 100 answers did not take longer \
             than.",
        ))
        .panel_if(llm.under_way())
        .panel_if(llm.headroom())
        .panel_if(llm.unpriced())
        .panel_if(llm.spending_by_route());
    Some(row)
}

struct Llm<'a> {
    roles: &'a Roles,
    requests: &'a Found,
}

impl<'a> Llm<'a> {
    fn model(&self) -> &str {
        self.requests.label(1)
    }

    fn legend(&self) -> String {
        format!("{{{{{}}}}}", self.model())
    }

    fn requests(&self) -> Series<'a> {
        of_models(self.requests)
    }

    fn calls(&self) -> Panel {
        let query = sum_by(&[], &self.requests().rate(WINDOW));
        Panel::figure("Calls", "reqps", "Calls that ended, a second.").query(query, "calls")
    }

    fn errors(&self) -> Panel {
        let outcome = self.requests.last_label();
        let failed = self.requests().with(outcome, "=~", LLM_ERRORS);
        let query = share(
            &sum_by(&[], &failed.rate(WINDOW)),
            &sum_by(&[], &self.requests().rate(WINDOW)),
        );
        Panel::figure(
            "Errors",
            "percentunit",
            "Which part of the calls failed or broke off.",
        )
        .query(query, "errors")
    }

    /// Returns the tokens a second, which a histogram has as its sum.
    fn token_rate(&self, labels: &[&str]) -> Option<String> {
        let tokens = self.roles.get(Role::LlmTokens)?;
        let rate = match tokens.kind {
            Kind::Histogram => of_models(tokens).rate_of_sum(WINDOW),
            _ => of_models(tokens).rate(WINDOW),
        };
        Some(sum_by(labels, &rate))
    }

    fn all_tokens(&self) -> Option<Panel> {
        let panel = Panel::figure("Tokens", "short", "Tokens that calls took, a second.");
        Some(panel.query(self.token_rate(&[])?, "tokens"))
    }

    fn tokens(&self) -> Option<Panel> {
        let direction = self.roles.get(Role::LlmTokens)?.label(3);
        let panel = Panel::chart("Tokens", "short", "Tokens that calls took, a second.").stacked();
        let query = self.token_rate(&[direction])?;
        Some(panel.query(query, format!("{{{{{direction}}}}}")))
    }

    fn cost(&self, role: Role, by: &[&str]) -> Option<String> {
        let cost = of_models(self.roles.get(role)?).rate(WINDOW);
        Some(format!("3600 * {}", sum_by(by, &cost)))
    }

    fn spending(&self) -> Option<Panel> {
        let panel = Panel::figure(
            "Cost an hour",
            "currencyUSD",
            "US dollars an hour, of calls whose price is known.",
        );
        Some(panel.query(self.cost(Role::LlmCost, &[])?, "cost"))
    }

    fn spending_by_model(&self) -> Option<Panel> {
        let panel = Panel::chart(
            "Cost an hour by model",
            "currencyUSD",
            "US dollars an hour, of calls whose price is known.",
        );
        let query = self.cost(Role::LlmCost, &[self.model()])?;
        Some(panel.stacked().query(query, self.legend()))
    }

    fn spending_by_route(&self) -> Option<Panel> {
        let route = self.roles.get(Role::LlmRouteCost)?.label(3);
        let panel = Panel::chart(
            "Cost an hour by route",
            "currencyUSD",
            "US dollars an hour, by the route of the request that made the calls.",
        );
        let query = self.cost(Role::LlmRouteCost, &[route])?;
        Some(panel.stacked().query(query, format!("{{{{{route}}}}}")))
    }

    fn first_token(&self) -> Option<Panel> {
        let seconds = of_models(self.roles.get(Role::LlmTimeToFirstToken)?);
        let panel = Panel::figure(
            "First token, 95th percentile",
            "s",
            "The time to the first token that 95 of 100 streamed answers did not take longer than.",
        );
        Some(panel.query(quantile("0.95", &seconds, Keep::Only(&[]), WINDOW), "p95"))
    }

    fn by_model(&self) -> Panel {
        let query = sum_by(&[self.model()], &self.requests().rate(WINDOW));
        Panel::chart("Calls by model", "reqps", "Calls that ended, a second.")
            .stacked()
            .query(query, self.legend())
    }

    fn by_error(&self) -> Option<Panel> {
        let errors = self.roles.get(Role::LlmErrors)?;
        let kind = errors.label(3);
        let query = sum_by(&[kind], &of_models(errors).rate(WINDOW));
        let panel = Panel::chart(
            "Errors by type",
            "reqps",
            "Calls that failed or broke off, a second.",
        );
        Some(panel.stacked().query(query, format!("{{{{{kind}}}}}")))
    }

    fn time(&self, role: Role, title: &'static str, help: &'static str) -> Option<Panel> {
        let seconds = of_models(self.roles.get(role)?);
        let by_model = [self.model()];
        let query = quantile("0.95", &seconds, Keep::Only(&by_model), WINDOW);
        Some(Panel::chart(title, "s", help).query(query, self.legend()))
    }

    fn under_way(&self) -> Option<Panel> {
        let in_flight = self.roles.get(Role::LlmInFlight)?;
        let query = sum_by(&[in_flight.label(1)], &of_models(in_flight).to_string());
        let panel = Panel::chart("In flight", "short", "Calls that have begun and not ended.");
        Some(panel.query(query, self.legend()))
    }

    fn headroom(&self) -> Option<Panel> {
        let remaining = self.roles.get(Role::LlmRateLimitRemaining)?;
        let limit = self.roles.get(Role::LlmRateLimit)?;
        let [model, kind] = [remaining.label(1), remaining.label(3)];
        let left = format!("{} / {}", of_models(remaining), of_models(limit));
        let query = Keep::Only(&[model, kind]).each("min", &left);
        let panel = Panel::chart(
            "Rate limit left",
            "percentunit",
            "Which part of a provider's rate limit is left, at the lowest of the last minute.",
        );
        Some(panel.query(query, format!("{{{{{model}}}}} {{{{{kind}}}}}")))
    }

    fn unpriced(&self) -> Option<Panel> {
        let unpriced = self.roles.get(Role::LlmUnpriced)?;
        let query = sum_by(&[self.model()], &of_models(unpriced).rate(WINDOW));
        let panel = Panel::chart(
            "Calls without a price",
            "reqps",
            "Calls whose cost is not known, or not all of it, a second.",
        );
        Some(panel.stacked().query(query, self.legend()))
    }
}

/// Returns the series of the models that are chosen.
fn of_models(metric: &Found) -> Series<'_> {
    chosen(metric).with(metric.label(1), "=~", "$model")
}
