//! What can be known about a call: the vocabulary that the other modules share.

mod call_facts;
mod call_target;
mod ended_call;
mod finish_reasons;
mod money;
mod outcome;
mod rate_limit;
mod response_id;
mod server_times;
mod units;
mod usage;

pub(crate) use call_facts::CallFacts;
pub(crate) use call_target::{CallTarget, ModelEvidence};
pub(crate) use ended_call::EndedCall;
pub(crate) use finish_reasons::FinishReasons;
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
