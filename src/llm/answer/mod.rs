//! What is learnt from an answer, value by value.

mod field;
mod number;
mod sums;

use crate::llm::answer::number::tokens;
use crate::llm::cost::{Charge, Money};
use crate::llm::finish::Finishes;
use crate::llm::outcome::ErrorType;
use crate::llm::scan::{Sink, Value};
use crate::llm::times::Times;
use crate::llm::usage::{MOST_UNITS, Unit, Usage};

pub(super) use field::Field;
pub(super) use sums::{Sum, Sums};

/// What was learnt from an answer so far.
#[derive(Debug, Default)]
pub(super) struct Answer {
    pub(super) model: Option<Box<str>>,
    pub(super) usage: Usage,
    pub(super) beside: Beside,
    pub(super) charge: Charge,
    pub(super) times: Times,
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

/// Tokens that are told beside those of [`Usage`], and from which these may be worked out.
#[derive(Debug, Default)]
pub(super) struct Beside {
    pub(super) total: Option<u64>,
    pub(super) tool_input: Option<u64>,
    pub(super) image_input: Option<u64>,
    pub(super) sums: Sums,
    pub(super) taken_input: Option<u64>,
    pub(super) taken_output: Option<u64>,
}

/// What has come of the answer itself.
#[derive(Debug, Default)]
pub(super) struct Content {
    /// Text, thoughts or a call of a tool.
    pub(super) has_come: bool,
    pub(super) has_thoughts: bool,
    /// How many events had some.
    pub(super) events: u64,
    is_in_event: bool,
}

impl Content {
    /// Notes that some has come.
    pub(super) fn come(&mut self) {
        self.has_come = true;
        self.is_in_event = true;
    }

    /// Ends an event.
    pub(super) fn end_event(&mut self) {
        self.events += u64::from(std::mem::take(&mut self.is_in_event));
    }
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
    /// The entry of a list of tokens by modality that is being read.
    is_audio: bool,
    modality_tokens: Option<u64>,
}

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
        let (usage, beside) = (&mut self.usage, &mut self.beside);
        let known = match field {
            Field::Input => &mut usage.input,
            Field::Output => &mut usage.output,
            Field::CacheRead => &mut usage.cache_read,
            Field::CacheWrite => &mut usage.cache_write,
            Field::Reasoning => &mut usage.reasoning,
            Field::AudioInput => &mut usage.audio_input,
            Field::AudioOutput => &mut usage.audio_output,
            Field::ToolInput => &mut beside.tool_input,
            Field::TakenInput => &mut beside.taken_input,
            Field::TakenOutput => &mut beside.taken_output,
            Field::ModalityTokens => &mut self.event.modality_tokens,
            Field::ImageInput => &mut beside.image_input,
            Field::Summed(sum) => {
                beside.sums.add(sum, tokens);
                return;
            }
            _ => &mut beside.total,
        };
        // Never added where it is no part: a provider tells sums, and may tell them again.
        *known = Some(tokens);
    }

    /// Ends an entry of a list of tokens by modality.
    fn end_modality(&mut self, field: Field) {
        let tokens = self.event.modality_tokens.take();
        let is_audio = std::mem::take(&mut self.event.is_audio);
        let known = match field {
            Field::InputModality => &mut self.usage.audio_input,
            _ => &mut self.usage.audio_output,
        };
        if is_audio && tokens.is_some() {
            *known = tokens;
        }
    }

    /// Notes what the provider says that it costs.
    fn charge(&mut self, field: Field, text: &str) {
        // So many of xAI's ticks are a dollar.
        const TICKS: f64 = 1e10;
        let number = text.parse::<f64>().ok();
        let (known, dollars) = match field {
            Field::CostTicks => (&mut self.charge.own, number.map(|ticks| ticks / TICKS)),
            Field::CostElsewhere => (&mut self.charge.elsewhere, number),
            _ => (&mut self.charge.own, number),
        };
        if let Some(money) = dollars.and_then(Money::dollars) {
            *known = Some(money);
        }
    }

    /// Notes what it is billed by besides tokens.
    fn bill(&mut self, unit: Unit, text: &str) {
        match text.parse() {
            Ok(count) if (0.0..=MOST_UNITS).contains(&count) => {
                self.usage = self.usage.billed(unit, count);
            }
            _ => self.is_invalid = true,
        }
    }

    /// Forgets what was told of tokens and cost, of which more may have been told.
    pub(super) fn forget(&mut self) {
        self.usage = Usage::default();
        self.beside = Beside::default();
        self.charge = Charge::default();
    }

    /// Does so because what told it cannot be trusted.
    pub(super) fn spoil(&mut self) {
        self.forget();
        self.is_invalid = true;
        self.error = Some(ErrorType::Decode);
    }

    fn end_choice(&mut self) {
        let choice = self.event.choice.take().unwrap_or(0);
        if !self.event.tools.is_empty() {
            self.finishes.call_tool(choice);
        }
        self.call_tools(choice);
        match self.event.finish.take() {
            Some(reason) => {
                self.finishes.add(choice, &reason);
                match &*reason {
                    "error" => self.fail("server_error"),
                    // DeepSeek's.
                    "insufficient_system_resource" => self.fail("overloaded"),
                    _ => {}
                }
            }
            None => self.finishes.expect(choice),
        }
    }

    fn end_tool(&mut self) {
        let tool = self.event.tool.take();
        // The first part alone has a name.
        if std::mem::take(&mut self.event.is_named) && self.event.tools.len() < MOST_TOOLS {
            self.event.tools.push(tool);
            self.content.come();
        }
    }

    fn call_tools(&mut self, choice: u64) {
        for tool in std::mem::take(&mut self.event.tools) {
            self.call_tool(choice, tool);
        }
    }
}

/// Returns true when an item is a call of a tool, which is for the caller to run.
pub(super) fn is_tool_call(item: &str) -> bool {
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
                | Field::AudioOutput
                | Field::Summed(_)
                | Field::ImageInput
                | Field::ToolInput
                | Field::TakenInput
                | Field::TakenOutput
                | Field::ModalityTokens,
                value,
            ) => self.tokens(field, value),
            (Field::Parts, Value::Open) => self.beside.sums = Sums::default(),
            (Field::Modality, Value::Text(modality)) => {
                self.event.is_audio = modality.eq_ignore_ascii_case("audio");
            }
            (Field::InputModality | Field::OutputModality, Value::Close) => {
                self.end_modality(field);
            }
            (Field::Billed(unit), Value::Number(count)) => self.bill(unit, count),
            (Field::Took(phase, scale), Value::Number(time)) => {
                self.times.read(phase, scale, time);
            }
            (Field::Cost | Field::CostTicks | Field::CostElsewhere, Value::Number(cost)) => {
                self.charge(field, cost);
            }
            (Field::Currency, Value::Text(currency)) => {
                self.charge.is_foreign = !currency.eq_ignore_ascii_case("usd");
            }
            (Field::IsPaidElsewhere, Value::Bool(is_paid)) => {
                self.charge.is_paid_elsewhere = is_paid;
            }
            (Field::IsThought, Value::Bool(true)) => self.content.has_thoughts = true,
            (Field::Content, Value::Text(text)) if !text.is_empty() => self.content.come(),
            (Field::Thought, Value::Text(text)) if !text.is_empty() => {
                self.content.come();
                self.content.has_thoughts = true;
            }
            (Field::Choice, Value::Close) => self.end_choice(),
            (Field::Index, Value::Number(index)) => self.event.choice = index.parse().ok(),
            // Some say it so while there is none yet.
            (Field::Finish, Value::Text("" | "null" | "FINISH_REASON_UNSPECIFIED")) => {}
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
            (Field::Done, Value::Open) => self.event.is_done = true,
            _ => {}
        }
    }
}
