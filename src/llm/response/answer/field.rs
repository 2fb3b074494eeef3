//! What a value of an answer is.

use crate::llm::facts::{Phase, TimeUnit, Unit};

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
    /// The part of the cache writes that is kept for an hour.
    CacheWrite1h,
    Reasoning,
    AudioInput,
    AudioOutput,
    ImageInput,
    ImageOutput,
    /// Input tokens of each element of a list, and the list: they are added up.
    ListedInput,
    List,
    /// Tokens of images beside those of the input.
    SeparateImageInput,
    /// Tokens of tool results beside those of the input.
    ToolInput,
    /// Tokens as the model counts them, beside the billed ones.
    RawInput,
    RawOutput,
    RawCacheRead,
    /// The runs of models that an answer took; one of them, its kind and its model.
    Iterations,
    Iteration,
    IterationKind,
    IterationModel,
    /// An entry of a list of tokens by modality, of either direction, and the modality; an
    /// entry of a list of cache writes, and how long they are kept; and the tokens of either.
    InputModality,
    OutputModality,
    Modality,
    CacheDetail,
    CacheTtl,
    ListedTokens,
    /// What is billed by something else than tokens.
    Billed(Unit),
    /// A query of a web search. Each distinct one is billed.
    WebQuery,
    /// The tier of service that served the call, and whether it was served faster for more.
    ServiceTier,
    Speed,
    /// How long the provider says that a part of its work took.
    Took(Phase, TimeUnit),
    /// What the provider says that it costs: in US dollars, in parts of them, and if it is
    /// in something else.
    Cost,
    CostTicks,
    CostNanoCredits,
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
    /// A tool call, its index, its id, what kind of tool it is, and its function's name.
    Tool,
    ToolIndex,
    ToolId,
    ToolKind,
    ToolName,
    /// The type of a content block, one of several.
    Item,
    /// An item of an answer, such as a tool call, its type and what it does.
    OutputItem,
    ItemType,
    ItemAction,
    /// The id of a stored answer, whether it was made in the background, and when it began
    /// and ended.
    AnswerId,
    Background,
    CreatedAt,
    CompletedAt,
    /// What the operation is, if the path leaves it open.
    Operation(&'static str),
    /// What a guardrail did.
    Guardrail,
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
    /// Of a request: whether the answer is to be streamed, and its usage with it, how many
    /// answers it asks for, and the most tokens that each may have.
    Stream,
    StreamUsage,
    Choices,
    MaxTokens,
}

impl Field {
    /// Whether only matters that there is a text, which is what a model says.
    pub(crate) fn is_only_seen(self) -> bool {
        matches!(self, Self::Content | Self::Thought)
    }
}
