//! What is learnt from an answer, value by value.

use crate::llm::finish::Finishes;
use crate::llm::outcome::ErrorType;
use crate::llm::scan::{Sink, Value};
use crate::llm::usage::Usage;

/// What a value is, wherever a dialect has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
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
    /// Text or arguments, and thoughts: the first that are not empty are the first token.
    Content,
    Thought,
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
    /// Of a request: whether the answer is to be streamed, and its usage with it.
    Stream,
    StreamUsage,
}

/// What was learnt from an answer so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) model: Option<Box<str>>,
    pub(super) usage: Usage,
    pub(super) total: Option<u64>,
    /// Whether a number of tokens was none.
    pub(super) is_invalid: bool,
    pub(super) finishes: Finishes,
    pub(super) tool_calls: u64,
    pub(super) error: Option<ErrorType>,
    pub(super) content: Content,
    /// Whether its last event has come.
    pub(super) has_ended: bool,
    pub(super) event: Event,
    /// The calls of tools that were counted, of those that come in parts.
    tools: Vec<(u64, u64)>,
}

/// What has come of the answer itself.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Text, thoughts or a call of a tool.
    pub(super) has_come: bool,
    pub(super) has_thoughts: bool,
}

/// What was learnt from one event, or from an answer that is not streamed.
#[derive(Debug, Default)]
pub(super) struct Event {
    pub(super) kind: Option<Box<str>>,
    pub(super) status: Option<Box<str>>,
    pub(super) code: Option<Box<str>>,
    pub(super) is_done: bool,
    pub(super) item: Option<Box<str>>,
    pub(super) finish: Option<Box<str>>,
    pub(super) tool: Option<u64>,
    is_named: bool,
    /// The calls of tools within one of several answers, by their numbers.
    tools: Vec<Option<u64>>,
    choice: Option<u64>,
}

/// More tokens than this are no number of tokens.
const MOST_TOKENS: u64 = 1 << 40;

/// So many calls of tools in parts are told apart; those after them are not counted.
const MOST_TOOLS: usize = 256;

impl Answer {
    /// Notes a call of a tool: a whole one, which has no number, or a part of one,
    /// which is counted once.
    pub(super) fn call_tool(&mut self, choice: u64, tool: Option<u64>) {
        if let Some(tool) = tool {
            let known = (choice, tool);
            if self.tools.contains(&known) || self.tools.len() >= MOST_TOOLS {
                return;
            }
            self.tools.push(known);
        }
        self.tool_calls += 1;
    }

    /// Ends an event, and returns it for its dialect to say what it means.
    pub(super) fn end_event(&mut self) -> Event {
        self.call_tools(0);
        std::mem::take(&mut self.event)
    }

    /// Notes an error, of which a word or number of the provider's tells the type.
    pub(super) fn fail(&mut self, word: &str) {
        let error = match word.parse() {
            Ok(status) => ErrorType::of_status(status),
            Err(_) => ErrorType::of_word(word),
        };
        // What is special stays, whichever of type and code comes first.
        if let Some(error) = error
            && self.error.is_none_or(ErrorType::is_general)
        {
            self.error = Some(error);
        } else if self.error.is_none() {
            self.error = Some(ErrorType::Other);
        }
    }

    fn tokens(&mut self, field: Field, value: Value<'_>) {
        // What is not told takes nothing back.
        if value == Value::Null {
            return;
        }
        let Some(tokens) = tokens(value) else {
            self.is_invalid = true;
            return;
        };
        let usage = &mut self.usage;
        let known = match field {
            Field::Input => &mut usage.input,
            Field::Output => &mut usage.output,
            Field::CacheRead => &mut usage.cache_read,
            Field::CacheWrite => &mut usage.cache_write,
            Field::Reasoning => &mut usage.reasoning,
            Field::AudioInput => &mut usage.audio_input,
            Field::AudioOutput => &mut usage.audio_output,
            _ => &mut self.total,
        };
        // Never added: a provider tells sums, and may tell them again.
        *known = Some(tokens);
    }

    fn end_choice(&mut self) {
        let choice = self.event.choice.take().unwrap_or(0);
        self.call_tools(choice);
        match self.event.finish.take() {
            Some(reason) => self.finishes.add(choice, &reason),
            None => self.finishes.expect(choice),
        }
    }

    fn end_tool(&mut self) {
        let tool = self.event.tool.take();
        // The first part alone has a name.
        if std::mem::take(&mut self.event.is_named) && self.event.tools.len() < MOST_TOOLS {
            self.event.tools.push(tool);
            self.content.has_come = true;
        }
    }

    fn call_tools(&mut self, choice: u64) {
        for tool in std::mem::take(&mut self.event.tools) {
            self.call_tool(choice, tool);
        }
    }
}

/// Returns true when an item is a call of a tool.
pub(super) fn is_tool_call(item: &str) -> bool {
    matches!(item, "tool_use" | "function_call" | "custom_tool_call")
}

impl Sink for Answer {
    fn take(&mut self, field: Field, value: Value<'_>) {
        match (field, value) {
            (Field::Model, Value::Text(model))
                if !model.is_empty() && self.model.as_deref() != Some(model) =>
            {
                self.model = Some(model.into());
            }
            (
                Field::Input
                | Field::Output
                | Field::Total
                | Field::CacheRead
                | Field::CacheWrite
                | Field::Reasoning
                | Field::AudioInput
                | Field::AudioOutput,
                value,
            ) => self.tokens(field, value),
            (Field::Content, Value::Text(text)) => self.content.has_come |= !text.is_empty(),
            (Field::Thought, Value::Text(text)) if !text.is_empty() => {
                self.content.has_come = true;
                self.content.has_thoughts = true;
            }
            (Field::Choice, Value::Close) => self.end_choice(),
            (Field::Index, Value::Number(index)) => self.event.choice = index.parse().ok(),
            // Some say it so while there is none yet.
            (Field::Finish, Value::Text("" | "null")) => {}
            (Field::Finish, Value::Text(reason)) => self.event.finish = Some(reason.into()),
            (Field::Tool, Value::Close) => self.end_tool(),
            (Field::ToolIndex, Value::Number(index)) => self.event.tool = index.parse().ok(),
            (Field::ToolName, Value::Text(name)) => self.event.is_named |= !name.is_empty(),
            (Field::Item, Value::Text(item)) if is_tool_call(item) => self.call_tool(0, None),
            (Field::EventItem, Value::Text(item)) => self.event.item = Some(item.into()),
            (Field::Kind, Value::Text(kind)) => self.event.kind = Some(kind.into()),
            (Field::EventCode, Value::Text(code) | Value::Number(code)) => {
                self.event.code = Some(code.into());
            }
            (Field::Status, Value::Text(status)) => self.event.status = Some(status.into()),
            // Some providers say it in words alone, which are not read.
            (Field::Error, Value::Open) | (Field::Object, Value::Text("error")) => self.fail(""),
            (Field::Error, Value::Text(message)) if !message.is_empty() => self.fail(""),
            (Field::ErrorType | Field::ErrorCode, Value::Text(word) | Value::Number(word)) => {
                self.fail(word);
            }
            (Field::Done, Value::Bool(is_done)) => self.event.is_done = is_done,
            _ => {}
        }
    }
}

/// Returns a number of tokens, which is whole, but may be written as a float.
fn tokens(value: Value<'_>) -> Option<u64> {
    let Value::Number(text) = value else {
        return None;
    };
    let tokens = match text.parse::<u64>() {
        Ok(tokens) => tokens,
        Err(_) => whole(text.parse().ok()?)?,
    };
    (tokens <= MOST_TOKENS).then_some(tokens)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is whole, not negative and within bounds"
)]
fn whole(number: f64) -> Option<u64> {
    let bounds = 0.0..=MOST_TOKENS as f64;
    (number.fract() == 0.0 && bounds.contains(&number)).then_some(number as u64)
}
