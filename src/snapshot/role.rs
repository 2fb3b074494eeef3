//! What a family is there for, whatever it is called.

/// What a family of the crate's own is there for, whatever a preset, a prefix or a user
/// calls it.
///
/// By its role the page, the boards and the rules find a metric. What follows each here
/// are its labels, in the order of [`Metric::label_names`](crate::metric::Metric::label_names);
/// there may be more of them, those of users, but the last is the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Role {
    /// Requests that have ended: method, route, status, and last the outcome.
    HttpRequests,
    /// How long they took, a histogram of seconds: method, route, status.
    HttpDuration,
    /// Requests under way: method, route.
    HttpInFlight,
    /// Bytes of requests' bodies: method, route.
    HttpRequestBytes,
    /// Bytes of responses' bodies: method, route.
    HttpResponseBytes,
    /// Streams under way: method, route.
    HttpStreamsInFlight,
    /// Requests to routes that have a service level: method, route, seconds.
    HttpServiceLevelRequests,
    /// Those of them that kept it: method, route, seconds.
    HttpServiceLevelGood,
    /// Calls that have ended: provider, model, operation, outcome.
    LlmRequests,
    /// Calls that failed or broke off: provider, model, operation, type of error.
    LlmErrors,
    /// Tokens, a counter or a histogram: provider, model, operation, direction.
    LlmTokens,
    /// How long calls took, a histogram of seconds: provider, model, operation.
    LlmDuration,
    /// Time to the first token, a histogram of seconds: provider, model, operation.
    LlmTimeToFirstToken,
    /// Time for each token after it, a histogram of seconds: provider, model, operation.
    LlmTimePerToken,
    /// Calls under way: provider, model, operation.
    LlmInFlight,
    /// What a rate limit still allows: provider, model, operation, kind.
    LlmRateLimitRemaining,
    /// What it allows in all: provider, model, operation, kind.
    LlmRateLimit,
    /// Seconds until a rate limit is full again: provider, model, operation, kind.
    LlmRateLimitReset,
    /// US dollars: provider, model, operation, source.
    LlmCost,
    /// Calls whose cost is not known: provider, model, operation, reason.
    LlmUnpriced,
    /// US dollars by the route that spent them: provider, model, operation, route.
    LlmRouteCost,
    /// CPU time of the process, a counter of seconds.
    ProcessCpu,
    /// Resident memory of the process, in bytes.
    ProcessMemory,
    /// File descriptors that the process has open.
    ProcessOpenFiles,
    /// How many it may have open.
    ProcessMaxFiles,
    /// When the process started, in seconds since 1970.
    ProcessStart,
    /// Threads of the process.
    ProcessThreads,
    /// How busy the machine's CPUs are, from 0 to 100.
    MachineCpu,
    /// How much of the machine's memory is in use, from 0 to 100.
    MachineMemory,
    /// Memory that the container is charged for, in bytes.
    ContainerMemory,
    /// How much of it the kernel takes back first, in bytes.
    ContainerReclaimableMemory,
    /// How much memory it may use, in bytes.
    ContainerMemoryLimit,
    /// Times that `_overflow` replaced a value of a family's label: metric.
    SeriesOverflow,
    /// Times that a collector panicked.
    CollectorPanics,
}
