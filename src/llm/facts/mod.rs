//! The shared vocabulary: what can be known about a call.

mod finish_reasons;
mod finished;
mod money;
mod outcome;
mod rate_limit;
mod response_id;
mod server_times;
mod units;
mod usage;

pub(crate) use finish_reasons::FinishReasons;
pub(crate) use finished::{Ended, Proof};
pub(crate) use money::{Money, ReportedCost};
pub use outcome::{ErrorType, Outcome};
pub(crate) use rate_limit::RateLimit;
pub(crate) use response_id::{ResponseId, hash};
pub use server_times::Phase;
pub(crate) use server_times::{ServerTimes, TimeUnit, plausible_duration};
pub use units::{ServiceTier, Unit};
pub(crate) use units::{UNITS, Units};
pub(crate) use usage::MAX_TOKENS;
pub use usage::Usage;
