//! Output items: the parts of a response, such as a text, reasoning or a tool call.

use crate::llm::facts::Unit;
use crate::llm::response::answer::{Answer, ToolCallId};
use crate::llm::response::json::Value;

/// An output item of the responses API, or a content block.
#[derive(Debug, Default)]
pub(crate) struct OutputItem {
    item_type: Option<Box<str>>,
    /// What the tool did.
    action: Option<Box<str>>,
}

impl OutputItem {
    /// Returns true for a tool call that the caller has to run.
    pub(crate) fn is_tool_call(&self) -> bool {
        self.item_type.as_deref().is_some_and(is_tool_call)
    }

    /// Returns the unit that is billed, if the provider ran a tool.
    pub(crate) fn unit(&self) -> Option<Unit> {
        Some(match self.item_type.as_deref()? {
            // Opening a page that a search found is free.
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

impl Answer {
    /// An output item of a response that is not streamed.
    pub(crate) fn output_item(&mut self, value: Value<'_>) {
        if value == Value::Close {
            self.end_output_item();
        }
    }

    pub(crate) fn item_type(&mut self, value: Value<'_>) {
        if let Value::Text(item_type) = value {
            self.item_mut().item_type = Some(item_type.into());
        }
    }

    pub(crate) fn item_action(&mut self, value: Value<'_>) {
        if let Value::Text(action) = value {
            self.item_mut().action = Some(action.into());
        }
    }

    /// The type of one of the content blocks.
    pub(crate) fn content_block_type(&mut self, value: Value<'_>) {
        if let Value::Text(block_type) = value
            && is_tool_call(block_type)
        {
            self.add_tool_call(0, ToolCallId::default());
        }
    }

    fn end_output_item(&mut self) {
        let id = std::mem::take(&mut self.event.tool_call);
        if self.event.is_tool_call() {
            self.add_tool_call(0, id);
        }
        if let Some(unit) = self.event.unit() {
            self.add_unit(unit);
        }
        self.event.item = None;
    }

    fn item_mut(&mut self) -> &mut OutputItem {
        self.event.item.get_or_insert_default()
    }
}

/// Returns true if this type of item is a tool call that the caller has to run.
fn is_tool_call(item_type: &str) -> bool {
    matches!(
        item_type,
        "tool_use"
            | "function_call"
            | "custom_tool_call"
            | "computer_call"
            | "shell_call"
            | "local_shell_call"
            | "apply_patch_call"
    )
}
