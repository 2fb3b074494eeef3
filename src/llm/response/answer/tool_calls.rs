//! The tool calls of a response that the caller has to run. Each is counted once.

use crate::llm::facts::hash;
use crate::llm::response::answer::Answer;
use crate::llm::response::json::Value;

/// The tool calls of a response.
#[derive(Debug, Default)]
pub(crate) struct ToolCalls {
    count: u64,
    /// Those that may come in several parts.
    identified: Vec<ToolCall>,
    /// The number of the current event.
    event: u64,
}

/// The identity of a tool call. A part without index and id is a call of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ToolCallId {
    index: Option<u64>,
    /// A hash of the provider's id.
    id_hash: Option<u64>,
}

#[derive(Debug)]
struct ToolCall {
    choice: u64,
    id: ToolCallId,
    event: u64,
}

/// The maximum number of tool calls in parts. Further ones are not counted.
const MAX_IDENTIFIED: usize = 256;

impl ToolCalls {
    /// Counts a tool call, unless it is another part of a counted one.
    fn add(&mut self, choice: u64, id: ToolCallId) {
        if id != ToolCallId::default() {
            let is_counted = |call: &ToolCall| {
                let is_same_event = call.event == self.event;
                call.choice == choice && call.id.is_same_call(id, is_same_event)
            };
            if self.identified.len() >= MAX_IDENTIFIED || self.identified.iter().any(is_counted) {
                return;
            }
            self.identified.push(ToolCall {
                choice,
                id,
                event: self.event,
            });
        }
        self.count += 1;
    }

    pub(super) fn end_event(&mut self) {
        self.event += 1;
    }
}

impl ToolCallId {
    /// Returns true if both parts belong to the same call.
    ///
    /// The id decides if both have one, since some providers give every call the same index.
    /// Within one event every part is a call, unless both index and id are equal.
    fn is_same_call(self, other: Self, is_same_event: bool) -> bool {
        let is_same_index = self.index.is_some() && self.index == other.index;
        match (self.id_hash, other.id_hash) {
            (Some(id), Some(other)) => id == other && (is_same_index || !is_same_event),
            _ => is_same_index && !is_same_event,
        }
    }
}

impl Answer {
    /// A tool call, or a part of one.
    pub(crate) fn tool_call(&mut self, value: Value<'_>) {
        if value == Value::Close {
            self.end_tool_call();
        }
    }

    pub(crate) fn tool_call_index(&mut self, value: Value<'_>) {
        self.event.tool_call.index = value.to_u64();
    }

    pub(crate) fn tool_call_id(&mut self, value: Value<'_>) {
        if let Some(id) = value.non_empty() {
            self.event.tool_call.id_hash = Some(hash(id));
        }
    }

    pub(crate) fn tool_call_type(&mut self, value: Value<'_>) {
        if let Value::Text(call_type) = value {
            self.event.is_server_tool = is_server_tool(call_type);
        }
    }

    pub(crate) fn tool_name(&mut self, value: Value<'_>) {
        self.event.has_tool_name |= value.non_empty().is_some();
    }

    /// Counts a tool call by its id, or a whole one, which may have none.
    pub(crate) fn add_tool_call(&mut self, choice: u64, id: ToolCallId) {
        self.tool_calls.add(choice, id);
    }

    pub(crate) fn tool_call_count(&self) -> u64 {
        self.tool_calls.count
    }

    /// Counts the tool calls of the event for a choice.
    pub(super) fn add_event_tool_calls(&mut self, choice: u64) {
        for id in std::mem::take(&mut self.event.tool_calls) {
            self.add_tool_call(choice, id);
        }
    }

    fn end_tool_call(&mut self) {
        let id = std::mem::take(&mut self.event.tool_call);
        let is_server_tool = std::mem::take(&mut self.event.is_server_tool);
        // Only the first part of a call has the name.
        if !std::mem::take(&mut self.event.has_tool_name) {
            return;
        }
        self.content.set_present();
        if !is_server_tool {
            self.event.add_tool_call(id);
        }
    }
}

/// Returns true for the type of a tool call that the provider runs.
fn is_server_tool(call_type: &str) -> bool {
    call_type == "server_tool_use"
        || call_type == "mcp_tool_use"
        || call_type.ends_with("_search_call")
}
