//! The bucket bounds of the histograms.

use crate::llm::settings::Preset;

/// The bucket bounds of one preset's histograms.
#[derive(Debug)]
pub(crate) struct Bounds {
    pub(crate) duration: &'static [f64],
    pub(crate) first_token: &'static [f64],
    pub(crate) per_token: &'static [f64],
    pub(crate) server_time: &'static [f64],
    /// Used only if tokens are recorded in a histogram.
    pub(crate) tokens: &'static [f64],
}

impl Preset {
    pub(crate) fn bounds(self) -> &'static Bounds {
        match self {
            Self::Llm => &LLM,
            Self::Otel => &OTEL,
        }
    }
}

const LLM: Bounds = Bounds {
    // From a cached embedding to an hour of reasoning.
    duration: &[
        0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 320.0, 640.0, 1_280.0,
    ],
    // From a cached response of a nearby server to a model that reasons first.
    first_token: &[
        0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0,
    ],
    per_token: &PER_TOKEN,
    server_time: &SERVER_TIME,
    tokens: &TOKENS,
};

/// The bounds that the OpenTelemetry conventions recommend, from "Generative AI client metrics" in
/// the repository `semantic-conventions-genai`. Metrics that the conventions do not define have
/// the bounds of [`LLM`].
const OTEL: Bounds = Bounds {
    duration: &RECOMMENDED,
    first_token: &RECOMMENDED,
    per_token: &PER_TOKEN,
    server_time: &SERVER_TIME,
    tokens: &TOKENS,
};

const RECOMMENDED: [f64; 14] = [
    0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 20.48, 40.96, 81.92,
];

const PER_TOKEN: [f64; 11] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 1.0,
];

const SERVER_TIME: [f64; 14] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 40.0, 160.0,
];

const TOKENS: [f64; 14] = [
    1.0,
    4.0,
    16.0,
    64.0,
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
];
