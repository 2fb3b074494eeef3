//! Figures and tables, as of now.

use crate::dashboards::view::json::Json;
use crate::dashboards::view::llm::Model;
use crate::dashboards::view::merged_histogram::{Quantile, Spread};
use crate::dashboards::view::reading::{Reading, since};
use crate::dashboards::view::requests::Endpoint;

/// So many routes are told by name, those first that take most of the time; the others
/// follow as one.
const ROUTES: usize = 100;
/// So many models, those first that are called most.
const MODELS: usize = 50;
/// So many routes by what they spend.
const SPENDERS: usize = 20;

/// Writes what is known of requests, or `null` where there are no metrics of them.
pub(super) fn write_http(reading: &Reading, before: Option<&Reading>, json: &mut Json) {
    if reading.http.is_empty() {
        return json.maybe(None);
    }
    let seconds = seconds(reading, before);
    let mut rows: Vec<_> = reading
        .http
        .iter()
        .map(|(method, route, all)| {
            let earlier = before.and_then(|before| before.http.get(method, route));
            (method, route, all.ended(), all.since(earlier))
        })
        .collect();
    rows.sort_by(|(.., one), (.., other)| other.times.sum.total_cmp(&one.times.sum));
    let mut new = Endpoint::default();
    for (.., row) in &rows {
        new.merge(row);
    }
    let all: f64 = rows.iter().map(|(_, _, all, _)| all).sum();
    let spent = new.times.sum;
    json.object(|json| {
        write_endpoint(all, &new, spent, seconds, json);
        let named = rows.len().min(ROUTES);
        json.key("routes").array(|json| {
            for (method, route, all, new) in &rows[..named] {
                json.object(|json| {
                    json.key("method").text(method);
                    json.key("route").text(route);
                    write_endpoint(*all, new, spent, seconds, json);
                });
            }
        });
        let rest = &rows[named..];
        json.key("left_out").number(rest.len() as f64);
        if !rest.is_empty() {
            let mut new = Endpoint::default();
            for (.., row) in rest {
                new.merge(row);
            }
            let all = rest.iter().map(|(_, _, all, _)| all).sum();
            json.key("others").object(|json| {
                write_endpoint(all, &new, spent, seconds, json);
            });
        }
    });
}

fn write_endpoint(all: f64, new: &Endpoint, spent: f64, seconds: Option<f64>, json: &mut Json) {
    let ended = new.ended();
    let known = |number: f64| seconds.map(|_| number);
    json.key("total").number(all);
    json.key("rate")
        .maybe(seconds.map(|seconds| ended / seconds));
    let some = ended > 0.0;
    json.key("errors")
        .maybe(known(new.errors / ended).filter(|_| some));
    let client_errors = new.classes[4] / ended;
    json.key("refused")
        .maybe(known(client_errors).filter(|_| some));
    write_quantiles(&new.times, seconds.is_some(), json);
    json.key("in_flight").number(new.in_flight);
    let share = new.times.sum / spent;
    json.key("share")
        .maybe(known(share).filter(|_| spent > 0.0));
}

/// Writes what is known of calls, or `null` where there are no metrics of them.
pub(super) fn write_llm(reading: &Reading, before: Option<&Reading>, json: &mut Json) {
    if reading.llm.is_empty() {
        return json.maybe(None);
    }
    let seconds = seconds(reading, before);
    let mut rows: Vec<_> = reading
        .llm
        .iter()
        .filter(|(_, _, all)| all.is_used())
        .map(|(provider, name, all)| {
            let earlier = before.and_then(|before| before.llm.get(provider, name));
            (provider, name, all, all.since(earlier))
        })
        .collect();
    rows.sort_by(|(_, _, one, _), (_, _, other, _)| other.calls.total_cmp(&one.calls));
    let all = reading.llm.total();
    let new = reading.llm.since(before.map(|before| &before.llm));
    json.object(|json| {
        write_model(&all, &new, seconds, json);
        let named = rows.len().min(MODELS);
        json.key("models").array(|json| {
            for (provider, name, all, new) in &rows[..named] {
                json.object(|json| {
                    json.key("provider").text(provider);
                    json.key("model").text(name);
                    write_model(all, new, seconds, json);
                    json.key("left").maybe(all.left());
                });
            }
        });
        json.key("left_out").number((rows.len() - named) as f64);
        let mut spent: Vec<_> = reading.llm.routes.iter().collect();
        spent.sort_by(|one, other| other.1.total_cmp(one.1));
        json.key("routes").array(|json| {
            for (route, dollars) in spent.into_iter().take(SPENDERS) {
                json.object(|json| {
                    json.key("route").text(route);
                    json.key("cost").maybe(Some(*dollars));
                });
            }
        });
    });
}

fn write_model(all: &Model, new: &Model, seconds: Option<f64>, json: &mut Json) {
    let rate = |number: f64| seconds.map(|seconds| number / seconds);
    json.key("total").number(all.calls);
    json.key("rate").maybe(rate(new.calls));
    let share = seconds.map(|_| new.errors / new.calls);
    json.key("errors").maybe(share.filter(|_| new.calls > 0.0));
    json.key("tokens")
        .array(|json| all.tokens.iter().for_each(|number| json.number(*number)));
    let [input, output, unknown] = new.tokens;
    json.key("input").maybe(rate(input));
    json.key("output").maybe(rate(output));
    json.key("unknown").maybe(rate(unknown));
    json.key("cost").maybe(all.cost);
    json.key("per_hour")
        .maybe(new.cost.and_then(rate).map(|second| second * 3_600.0));
    json.key("unpriced").number(all.unpriced);
    write_quantiles(&new.times, seconds.is_some(), json);
    json.key("first_token");
    write_quantile(
        new.first_tokens
            .quantile(0.95)
            .filter(|_| seconds.is_some()),
        json,
    );
    json.key("in_flight").number(all.in_flight);
}

/// Writes what the process uses, or `null` where nothing of it is known.
pub(super) fn write_process(reading: &Reading, before: Option<&Reading>, json: &mut Json) {
    let process = &reading.process;
    let Some(cpu) = process.cpu else {
        return json.maybe(None);
    };
    let earlier = before.and_then(|before| before.process.cpu);
    let seconds = seconds(reading, before);
    let busy = earlier
        .zip(seconds)
        .map(|(earlier, seconds)| since(cpu, earlier) / seconds);
    json.object(|json| {
        json.key("cpu").maybe(busy);
        for (key, number) in [
            ("memory", process.memory),
            ("files", process.files),
            ("most_files", process.most_files),
            ("threads", process.threads),
            ("machine_cpu", process.machine_cpu),
            ("machine_memory", process.machine_memory),
            ("container_memory", process.container_memory),
            ("container_most", process.container_most),
        ] {
            json.key(key).maybe(number);
        }
    });
}

/// Writes the percentiles of a time that are shown.
fn write_quantiles(spread: &Spread, known: bool, json: &mut Json) {
    json.key("p").array(|json| {
        for part in [0.5, 0.95, 0.99] {
            write_quantile(spread.quantile(part).filter(|_| known), json);
        }
    });
}

/// Writes a quantile: a number, or that it is over one.
fn write_quantile(quantile: Option<Quantile>, json: &mut Json) {
    match quantile {
        Some(Quantile::Over(bound)) => json.object(|json| json.key("over").rounded(bound)),
        quantile => json.maybe(quantile.map(Quantile::number)),
    }
}

/// Returns over how many seconds rates are told.
fn seconds(reading: &Reading, before: Option<&Reading>) -> Option<f64> {
    before
        .map(|before| (reading.at - before.at).as_secs_f64())
        .filter(|seconds| *seconds > 0.0)
}
