//! The data types that describe a call, shared by the other modules.

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
pub(crate) use server_times::{ServerPhase, ServerTimes, TimeUnit, plausible_duration};
pub use units::{ServiceTier, Unit};
pub(crate) use units::{UNITS, Units};
pub(crate) use usage::MAX_TOKENS;
pub use usage::Usage;
