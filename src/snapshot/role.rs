//! The roles of the crate's metrics, whatever their names are.

/// What a metric of this crate measures, independent of the name that a preset, a prefix or a user
/// gives it.
///
/// The page, the dashboards and the alert rules find metrics by role. The variants below list the
/// labels, in the order of [`Metric::label_names`](crate::metric::Metric::label_names). Custom
/// labels may come between them, but the last label stays the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Finished requests: method, route, status, and outcome last.
    HttpRequests,
    /// Durations of requests, a histogram of seconds: method, route, status.
    HttpDuration,
    /// Requests in flight: method, route.
    HttpInFlight,
    /// Bytes of request bodies: method, route.
    HttpRequestBytes,
    /// Bytes of response bodies: method, route.
    HttpResponseBytes,
    /// Streams in flight: method, route.
    HttpStreamsInFlight,
    /// Requests to routes that have a service level: method, route, seconds.
    HttpServiceLevelRequests,
    /// Requests that met the service level: method, route, seconds.
    HttpServiceLevelGood,
    /// Finished calls: provider, model, operation, outcome.
    LlmRequests,
    /// Calls that failed or were cut off: provider, model, operation, error type.
    LlmErrors,
    /// Tokens, a counter or a histogram: provider, model, operation, direction.
    LlmTokens,
    /// Durations of calls, a histogram of seconds: provider, model, operation.
    LlmDuration,
    /// Time to the first token, a histogram of seconds: provider, model, operation.
    LlmTimeToFirstToken,
    /// Time per token after the first, a histogram of seconds: provider, model, operation.
    LlmTimePerToken,
    /// Calls in flight: provider, model, operation.
    LlmInFlight,
    /// What remains of a rate limit: provider, model, operation, kind.
    LlmRateLimitRemaining,
    /// The size of a rate limit: provider, model, operation, kind.
    LlmRateLimit,
    /// Seconds until a rate limit is full again: provider, model, operation, kind.
    LlmRateLimitReset,
    /// Cost in US dollars: provider, model, operation, source.
    LlmCost,
    /// Calls whose cost is unknown: provider, model, operation, reason.
    LlmUnpriced,
    /// Cost in US dollars by the route that made the call: provider, model, operation, route.
    LlmRouteCost,
    /// CPU time of the process, a counter of seconds.
    ProcessCpu,
    /// Resident memory of the process, in bytes.
    ProcessMemory,
    /// Open file descriptors of the process.
    ProcessOpenFiles,
    /// The maximum number of open file descriptors.
    ProcessMaxFiles,
    /// Start time of the process, in seconds since 1970.
    ProcessStart,
    /// Threads of the process.
    ProcessThreads,
    /// CPU usage of the machine, from 0 to 100.
    MachineCpu,
    /// Memory usage of the machine, from 0 to 100.
    MachineMemory,
    /// Memory charged to the container, in bytes.
    ContainerMemory,
    /// The part of it that the kernel reclaims first, in bytes.
    ContainerReclaimableMemory,
    /// The memory limit of the container, in bytes.
    ContainerMemoryLimit,
    /// Exports over OTLP: result.
    OtlpExports,
    /// Points that were rejected in requests over OTLP.
    OtlpRejectedPoints,
    /// The time of the last successful export over OTLP, in seconds since 1970.
    OtlpLastSuccess,
    /// Times that `_overflow` replaced a label value of a metric: metric.
    SeriesOverflow,
    /// Series of a collector or of another library that were left out: collector.
    SeriesRefused,
    /// Times that a collector panicked.
    CollectorPanics,
    /// Reads that left out a collector, since an earlier call of it had not returned.
    CollectorSkips,
}
