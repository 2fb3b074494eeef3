//! The calls of the caller's tools that an answer holds, each counted once.

use crate::llm::facts::hash;

/// The tool calls of an answer.
#[derive(Debug, Default)]
pub(crate) struct ToolCalls {
    count: u64,
    /// Those that may come in several parts.
    known: Vec<ToolCall>,
    event: u64,
}

/// How a tool call is identified. A part without an identity is a call of its own.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct ToolCallId {
    pub(crate) index: Option<u64>,
    /// A hash of the id that the provider gave.
    pub(crate) id: Option<u64>,
}

#[derive(Debug)]
struct ToolCall {
    choice: u64,
    identity: ToolCallId,
    event: u64,
}

/// The most tool calls in parts that are kept. Further ones are not counted.
const MOST: usize = 256;

impl ToolCalls {
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Counts a tool call, unless it is a further part of one that was counted.
    pub(crate) fn add(&mut self, choice: u64, identity: ToolCallId) {
        if identity != ToolCallId::default() {
            let is_known = |known: &ToolCall| {
                let is_same_event = known.event == self.event;
                known.choice == choice && known.identity.is_part_of(identity, is_same_event)
            };
            if self.known.len() >= MOST || self.known.iter().any(is_known) {
                return;
            }
            self.known.push(ToolCall {
                choice,
                identity,
                event: self.event,
            });
        }
        self.count += 1;
    }

    pub(crate) fn end_event(&mut self) {
        self.event += 1;
    }
}

impl ToolCallId {
    /// Sets the id; an empty one says nothing.
    pub(crate) fn set_id(&mut self, id: &str) {
        if !id.is_empty() {
            self.id = Some(hash(id));
        }
    }

    /// Returns true if another part is of the same call. The id decides if both have one,
    /// since some providers give every call the same index. Within one event each part is a
    /// call, unless both agree.
    fn is_part_of(self, other: Self, is_same_event: bool) -> bool {
        let is_same_index = self.index.is_some() && self.index == other.index;
        match (self.id, other.id) {
            (Some(id), Some(other)) => id == other && (is_same_index || !is_same_event),
            _ => is_same_index && !is_same_event,
        }
    }
}
