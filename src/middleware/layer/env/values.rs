//! The values of environment variables.

use http::{Method, Uri};

use crate::metric::Buckets;
use crate::middleware::MetricsLayer;

pub(super) fn boolean(value: &str) -> Option<bool> {
    value.to_ascii_lowercase().parse().ok()
}

/// Applies a setting if the value is `true`.
pub(super) fn switch(
    layer: MetricsLayer,
    value: &str,
    set: fn(MetricsLayer) -> MetricsLayer,
) -> Option<MetricsLayer> {
    Some(if boolean(value)? { set(layer) } else { layer })
}

pub(super) fn list(value: &str) -> impl Iterator<Item = &str> {
    value.split(',').map(str::trim)
}

pub(super) fn path(text: &str) -> Option<&str> {
    text.starts_with('/').then_some(text)
}

pub(super) fn buckets(value: &str) -> Option<Buckets> {
    let bounds: Result<Vec<f64>, _> = list(value).map(str::parse).collect();
    let bounds = bounds
        .ok()
        .filter(|bounds| bounds.iter().all(|bound| *bound > 0.0))?;
    Buckets::new(&bounds).ok()
}

/// Returns a filter for exact paths, and for all paths below those that end with `/*`.
pub(super) fn skip_filter(value: &str) -> Option<impl Fn(&Method, &Uri) -> bool + use<>> {
    let paths: Option<Vec<(String, bool)>> = list(value)
        .map(|pattern| {
            let parent = pattern
                .strip_suffix('*')
                .filter(|parent| parent.ends_with('/'));
            let text = path(parent.unwrap_or(pattern))?;
            (!text.contains('*')).then(|| (text.to_owned(), parent.is_some()))
        })
        .collect();
    let paths = paths?;
    Some(move |_: &Method, uri: &Uri| {
        let path = uri.path();
        paths.iter().any(|(text, is_parent)| {
            if *is_parent {
                path.starts_with(&**text)
            } else {
                path == text
            }
        })
    })
}
