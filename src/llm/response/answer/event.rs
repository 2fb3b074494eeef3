//! What is learnt from one event, or from an answer that is not streamed.

use crate::llm::facts::Unit;
use crate::llm::response::answer::ToolCallId;
use crate::llm::response::json::Value;

/// One event, as far as it was read.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Event {
    pub(crate) kind: Option<Box<str>>,
    pub(crate) status: Option<Box<str>>,
    pub(crate) code: Option<Box<str>>,
    pub(crate) is_done: bool,
    pub(crate) item: Option<Box<Item>>,
    /// Whether a guardrail replaced the answer.
    pub(crate) is_blocked: bool,
    pub(crate) finish: Option<Box<str>>,
    /// Whether one of several answers ended in this event.
    pub(crate) has_finished: bool,
    /// The tool call that the event is about.
    pub(crate) tool: ToolCallId,
    pub(crate) is_named: bool,
    pub(crate) is_server_run: bool,
    /// The tool calls within one of several answers.
    pub(crate) tools: Vec<ToolCallId>,
    /// The number of one of several answers, and how many there were before it.
    pub(crate) choice: Option<u64>,
    pub(crate) choices: u64,
    /// The entry of a list of tokens that is being read: their modality, whether a cache keeps
    /// them for an hour, and their number.
    pub(crate) modality: Option<Modality>,
    pub(crate) is_for_an_hour: bool,
    pub(crate) listed_tokens: Option<u64>,
}

/// An item of an answer: a text, thoughts, or a tool call.
#[derive(Debug, Default)]
pub(crate) struct Item {
    pub(crate) kind: Option<Box<str>>,
    pub(crate) action: Option<Box<str>>,
}

/// The most tool calls that are counted in one event.
const MOST_TOOLS: usize = 256;

impl Event {
    /// Returns why the answer ended, if the event says so.
    pub(crate) fn finish(&self) -> Option<&str> {
        // A guardrail replaces an answer that ended by itself.
        let blocked = self.is_blocked.then_some("guardrail_intervened");
        blocked.or(self.finish.as_deref())
    }

    /// Returns true if the event is about a tool call that the caller has to run.
    pub(crate) fn is_tool_call(&self) -> bool {
        self.item.as_ref().is_some_and(|item| item.is_tool_call())
    }

    /// Returns what the provider bills for the item of the event, if it ran a tool.
    pub(crate) fn unit(&self) -> Option<Unit> {
        self.item.as_ref()?.unit()
    }

    pub(crate) fn item_mut(&mut self) -> &mut Item {
        self.item.get_or_insert_default()
    }

    pub(crate) fn add_tool(&mut self, identity: ToolCallId) {
        if self.tools.len() < MOST_TOOLS {
            self.tools.push(identity);
        }
    }
}

impl Item {
    /// Returns true if the item is a tool call that the caller has to run.
    fn is_tool_call(&self) -> bool {
        self.kind.as_deref().is_some_and(is_tool_call)
    }

    /// Returns what the provider bills for the item, if it ran a tool.
    fn unit(&self) -> Option<Unit> {
        Some(match self.kind.as_deref()? {
            // To open a page that was found costs nothing.
            "web_search_call" => match self.action.as_deref() {
                None | Some("search") => Unit::WebSearches,
                Some(_) => return None,
            },
            "file_search_call" => Unit::FileSearches,
            "code_interpreter_call" => Unit::CodeExecutions,
            "image_generation_call" => Unit::ImageGenerations,
            _ => return None,
        })
    }
}

/// Returns true if a type of item is a tool call that the caller has to run.
pub(crate) fn is_tool_call(item: &str) -> bool {
    matches!(
        item,
        "tool_use"
            | "function_call"
            | "custom_tool_call"
            | "computer_call"
            | "shell_call"
            | "local_shell_call"
            | "apply_patch_call"
    )
}

/// Returns true if a kind of tool is run by the provider.
pub(crate) fn is_server_run(kind: &str) -> bool {
    kind == "server_tool_use" || kind == "mcp_tool_use" || kind.ends_with("_search_call")
}

/// What tokens stand for, if not for text.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Modality {
    Audio,
    Image,
}

impl Modality {
    /// Reads a modality; Google's enums may be sent as numbers.
    pub(crate) fn read(value: Value<'_>) -> Option<Self> {
        let (Value::Text(word) | Value::Number(word)) = value else {
            return None;
        };
        match word {
            "4" => Some(Self::Audio),
            "2" => Some(Self::Image),
            _ if word.eq_ignore_ascii_case("audio") => Some(Self::Audio),
            _ if word.eq_ignore_ascii_case("image") => Some(Self::Image),
            _ => None,
        }
    }
}
