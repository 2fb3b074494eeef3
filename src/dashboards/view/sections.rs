//! The sections of the page's JSON that hold current values: HTTP, LLM and process.

use crate::dashboards::view::http_requests::EndpointTotals;
use crate::dashboards::view::increase::counter_increase;
use crate::dashboards::view::llm_calls::ModelTotals;
use crate::dashboards::view::merged_histogram::{MergedHistogram, Quantile};
use crate::dashboards::view::sample::Sample;
use crate::dashboards::view::values::{round, rounded, shortened};
use crate::encode::JsonWriter;

/// The most routes that are listed, those with the most total time first. The others are
/// summed up in one row.
const MAX_ROUTES: usize = 100;
/// The most models that are listed, those with the most calls first.
const MAX_MODELS: usize = 50;
/// The most routes that are listed by cost.
const MAX_COST_ROUTES: usize = 20;

/// Writes the HTTP section, or `null` if there are no request metrics.
pub(super) fn write_http(sample: &Sample, before: Option<&Sample>, json: &mut JsonWriter<'_>) {
    if sample.http.is_empty() {
        return json.null();
    }
    let seconds = window_seconds(sample, before);
    let mut rows: Vec<_> = sample
        .http
        .iter()
        .map(|(method, route, total)| {
            let earlier = before.and_then(|before| before.http.get(method, route));
            (
                method,
                route,
                total.finished(),
                total.increase_since(earlier),
            )
        })
        .collect();
    rows.sort_by(|(.., one), (.., other)| other.durations.sum.total_cmp(&one.durations.sum));
    let mut increase = EndpointTotals::default();
    for (.., row) in &rows {
        increase.merge(row);
    }
    let total: f64 = rows.iter().map(|(_, _, total, _)| total).sum();
    let all_seconds = increase.durations.sum;
    json.object(|json| {
        write_endpoint(total, &increase, all_seconds, seconds, json);
        let listed = rows.len().min(MAX_ROUTES);
        json.key("routes").array(|json| {
            for (method, route, total, increase) in &rows[..listed] {
                json.object(|json| {
                    json.key("method").string(&shortened(method));
                    json.key("route").string(&shortened(route));
                    write_endpoint(*total, increase, all_seconds, seconds, json);
                });
            }
        });
        let omitted = &rows[listed..];
        json.key("omitted").number(omitted.len() as f64);
        if !omitted.is_empty() {
            let mut increase = EndpointTotals::default();
            for (.., row) in omitted {
                increase.merge(row);
            }
            let total = omitted.iter().map(|(_, _, total, _)| total).sum();
            json.key("others").object(|json| {
                write_endpoint(total, &increase, all_seconds, seconds, json);
            });
        }
    });
}

/// Writes the members of one endpoint, or of several together. `all_seconds` is the total time of
/// all endpoints.
fn write_endpoint(
    total: f64,
    increase: &EndpointTotals,
    all_seconds: f64,
    seconds: Option<f64>,
    json: &mut JsonWriter<'_>,
) {
    let finished = increase.finished();
    let if_known = |number: f64| seconds.map(|_| number);
    json.key("total").number(total);
    json.key("rate")
        .optional_number(rounded(seconds.map(|seconds| finished / seconds)));
    let has_finished = finished > 0.0;
    json.key("errors").optional_number(rounded(
        if_known(increase.errors / finished).filter(|_| has_finished),
    ));
    let client_errors = increase.status_classes[4] / finished;
    json.key("client_errors")
        .optional_number(rounded(if_known(client_errors).filter(|_| has_finished)));
    write_quantiles(&increase.durations, seconds.is_some(), json);
    json.key("in_flight").number(increase.in_flight);
    let time_share = increase.durations.sum / all_seconds;
    json.key("time_share")
        .optional_number(rounded(if_known(time_share).filter(|_| all_seconds > 0.0)));
}

/// Writes the LLM section, or `null` if there are no metrics of LLM calls.
pub(super) fn write_llm(sample: &Sample, before: Option<&Sample>, json: &mut JsonWriter<'_>) {
    if sample.llm.is_empty() {
        return json.null();
    }
    let seconds = window_seconds(sample, before);
    let mut rows: Vec<_> = sample
        .llm
        .iter()
        .filter(|(_, _, total)| total.is_used())
        .map(|(provider, name, total)| {
            let earlier = before.and_then(|before| before.llm.get(provider, name));
            (provider, name, total, total.increase_since(earlier))
        })
        .collect();
    rows.sort_by(|(_, _, one, _), (_, _, other, _)| other.calls.total_cmp(&one.calls));
    let total = sample.llm.total();
    let increase = sample.llm.increase_since(before.map(|before| &before.llm));
    json.object(|json| {
        write_model(&total, &increase, seconds, json);
        let listed = rows.len().min(MAX_MODELS);
        json.key("models").array(|json| {
            for (provider, name, total, increase) in &rows[..listed] {
                json.object(|json| {
                    json.key("provider").string(&shortened(provider));
                    json.key("model").string(&shortened(name));
                    write_model(total, increase, seconds, json);
                    json.key("rate_limit_remaining")
                        .optional_number(rounded(total.rate_limit_remaining()));
                });
            }
        });
        json.key("omitted").number((rows.len() - listed) as f64);
        let mut routes: Vec<_> = sample.llm.cost_by_route.iter().collect();
        routes.sort_by(|one, other| other.1.total_cmp(one.1));
        json.key("routes").array(|json| {
            for (route, dollars) in routes.into_iter().take(MAX_COST_ROUTES) {
                json.object(|json| {
                    json.key("route").string(&shortened(route));
                    json.key("cost").optional_number(rounded(Some(*dollars)));
                });
            }
        });
    });
}

/// Writes the members of one model, or of all together.
fn write_model(
    total: &ModelTotals,
    increase: &ModelTotals,
    seconds: Option<f64>,
    json: &mut JsonWriter<'_>,
) {
    let rate = |number: f64| seconds.map(|seconds| number / seconds);
    json.key("total").number(total.calls);
    json.key("rate")
        .optional_number(rounded(rate(increase.calls)));
    let error_ratio = seconds.map(|_| increase.errors / increase.calls);
    json.key("errors")
        .optional_number(rounded(error_ratio.filter(|_| increase.calls > 0.0)));
    json.key("tokens")
        .array(|json| total.tokens.iter().for_each(|number| json.number(*number)));
    let [input, output, unknown] = increase.tokens;
    json.key("input").optional_number(rounded(rate(input)));
    json.key("output").optional_number(rounded(rate(output)));
    json.key("unknown").optional_number(rounded(rate(unknown)));
    json.key("cost").optional_number(rounded(total.cost));
    let cost_per_second = increase.cost.and_then(rate);
    json.key("cost_per_hour")
        .optional_number(rounded(cost_per_second.map(|dollars| dollars * 3_600.0)));
    json.key("unpriced").number(total.unpriced);
    write_quantiles(&increase.durations, seconds.is_some(), json);
    json.key("first_token");
    write_quantile(
        increase
            .first_tokens
            .quantile(0.95)
            .filter(|_| seconds.is_some()),
        json,
    );
    json.key("in_flight").number(total.in_flight);
}

/// Writes the process section, or `null` if there are no process metrics.
pub(super) fn write_process(sample: &Sample, before: Option<&Sample>, json: &mut JsonWriter<'_>) {
    let process = &sample.process;
    let Some(cpu) = process.cpu else {
        return json.null();
    };
    let earlier = before.and_then(|before| before.process.cpu);
    let seconds = window_seconds(sample, before);
    let cpus = earlier
        .zip(seconds)
        .map(|(earlier, seconds)| counter_increase(cpu, earlier) / seconds);
    json.object(|json| {
        json.key("cpu").optional_number(rounded(cpus));
        for (key, number) in [
            ("memory", process.memory),
            ("files", process.files),
            ("max_files", process.max_files),
            ("threads", process.threads),
            ("machine_cpu", process.machine_cpu),
            ("machine_memory", process.machine_memory),
            ("container_memory", process.container_memory),
            ("container_memory_limit", process.container_memory_limit),
        ] {
            json.key(key).optional_number(rounded(number));
        }
    });
}

/// Writes the percentiles of a duration that the page shows.
fn write_quantiles(durations: &MergedHistogram, is_known: bool, json: &mut JsonWriter<'_>) {
    json.key("p").array(|json| {
        for q in [0.5, 0.95, 0.99] {
            write_quantile(durations.quantile(q).filter(|_| is_known), json);
        }
    });
}

/// Writes a quantile: a number, or an object with the bound that it exceeds.
fn write_quantile(quantile: Option<Quantile>, json: &mut JsonWriter<'_>) {
    match quantile {
        Some(Quantile::AboveBound(bound)) => {
            json.object(|json| json.key("over").number(round(bound)));
        }
        quantile => json.optional_number(rounded(quantile.map(Quantile::value_or_bound))),
    }
}

/// Returns the length of the window that rates are computed over, or `None` if there is only one
/// sample.
fn window_seconds(sample: &Sample, before: Option<&Sample>) -> Option<f64> {
    before
        .map(|before| (sample.at - before.at).as_secs_f64())
        .filter(|seconds| *seconds > 0.0)
}
