//! What is learnt from one event, or from a response that is not streamed.

use crate::llm::facts::Unit;
use crate::llm::response::answer::ToolCallId;
use crate::llm::response::answer::output_items::OutputItem;

/// The values of one event that have a meaning only together.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "independent facts")]
pub(crate) struct Event {
    #[expect(clippy::struct_field_names, reason = "the name of the field in SSE")]
    pub(crate) event_type: Option<Box<str>>,
    pub(crate) status: Option<Box<str>>,
    pub(crate) code: Option<Box<str>>,
    /// Whether it is the last event.
    pub(crate) is_done: bool,
    pub(crate) item: Option<Box<OutputItem>>,
    /// Whether a guardrail replaced the response.
    pub(crate) is_blocked: bool,
    pub(crate) finish_reason: Option<Box<str>>,
    /// Whether a choice ended in this event.
    pub(crate) has_finished_choice: bool,
    /// The tool call that is being read.
    pub(crate) tool_call: ToolCallId,
    pub(crate) has_tool_name: bool,
    pub(crate) is_server_tool: bool,
    /// The tool calls of the choice that is being read.
    pub(crate) tool_calls: Vec<ToolCallId>,
    /// The index of the choice that is being read, and the number of choices before it.
    pub(crate) choice_index: Option<u64>,
    pub(crate) choice_count: u64,
    /// The entry of a list of tokens that is being read: their modality, whether a cache keeps
    /// them for an hour, and their number.
    pub(crate) modality: Option<Modality>,
    pub(crate) is_1h_cache_write: bool,
    pub(crate) listed_tokens: Option<u64>,
}

/// The maximum number of tool calls that are counted in one event.
const MAX_TOOL_CALLS: usize = 256;

impl Event {
    /// Returns the finish reason, if the event has one.
    pub(crate) fn finish_reason(&self) -> Option<&str> {
        // The finish reason of a blocked response is that of the original one.
        let blocked = self.is_blocked.then_some("guardrail_intervened");
        blocked.or(self.finish_reason.as_deref())
    }

    /// Returns true if the item is a tool call that the caller has to run.
    pub(crate) fn is_tool_call(&self) -> bool {
        self.item.as_ref().is_some_and(|item| item.is_tool_call())
    }

    /// Returns the unit that is billed for the item, if the provider ran a tool.
    pub(crate) fn unit(&self) -> Option<Unit> {
        self.item.as_ref()?.unit()
    }

    pub(crate) fn add_tool_call(&mut self, id: ToolCallId) {
        if self.tool_calls.len() < MAX_TOOL_CALLS {
            self.tool_calls.push(id);
        }
    }
}

/// The modality of tokens, other than text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Modality {
    Audio,
    Image,
}

impl Modality {
    /// Reads a modality by its name, or by its number in Google's enum.
    pub(crate) fn from_word(word: &str) -> Option<Self> {
        match word {
            "4" => Some(Self::Audio),
            "2" => Some(Self::Image),
            _ if word.eq_ignore_ascii_case("audio") => Some(Self::Audio),
            _ if word.eq_ignore_ascii_case("image") => Some(Self::Image),
            _ => None,
        }
    }
}
