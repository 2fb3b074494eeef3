//! What a value of an answer is.

use crate::llm::answer::sums::Sum;
use crate::llm::times::{Phase, Scale};
use crate::llm::usage::Unit;

/// What a value is, wherever a dialect has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// The model that answered.
    Model,
    /// Tokens.
    Input,
    Output,
    Total,
    CacheRead,
    CacheWrite,
    Reasoning,
    AudioInput,
    AudioOutput,
    /// Tokens that are told in parts, and what the parts are in: they are added up, and anew
    /// where they are told again.
    Summed(Sum),
    Parts,
    /// Tokens of pictures, beside those of the input.
    ImageInput,
    /// Tokens of what tools put into the prompt, beside those of the input.
    ToolInput,
    /// Tokens that were taken, where those that are billed are told, too.
    TakenInput,
    TakenOutput,
    /// An entry of a list of tokens by modality, of either direction; the modality; and its
    /// tokens.
    InputModality,
    OutputModality,
    Modality,
    ModalityTokens,
    /// What is billed by something else than tokens.
    Billed(Unit),
    /// How long the provider says that a part of its work took.
    Took(Phase, Scale),
    /// What the provider says that it costs: in US dollars, in parts of them, and if it is
    /// in something else.
    Cost,
    CostTicks,
    Currency,
    /// What someone else charges besides, and whether he does.
    CostElsewhere,
    IsPaidElsewhere,
    /// Text or arguments, and thoughts: the first that are not empty are the first token.
    Content,
    Thought,
    /// Whether content beside it is a thought.
    IsThought,
    /// One of several answers, its number, and why it ended.
    Choice,
    Index,
    Finish,
    /// A call of a tool, its number and its function's name.
    Tool,
    ToolIndex,
    ToolName,
    /// What an item is, a text or a tool's call: one of several, or that of an event.
    Item,
    EventItem,
    /// What an event is.
    Kind,
    /// How the provider says that it went.
    Status,
    /// An error, its type and its code; and what is an error if it says so.
    Error,
    Object,
    ErrorType,
    ErrorCode,
    /// A code beside an event's kind, which is an error's if the kind says so.
    EventCode,
    /// Whether this is the last event.
    Done,
    /// An event of another dialect, in base64.
    Wrapped,
    /// Of a request: whether the answer is to be streamed, and its usage with it.
    Stream,
    StreamUsage,
}
