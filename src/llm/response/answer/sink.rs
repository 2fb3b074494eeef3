//! What each value of an answer changes.

use crate::llm::facts::{ResponseId, ServiceTier};
use crate::llm::response::answer::event::{Modality, is_server_run, is_tool_call};
use crate::llm::response::answer::number::{parse_bool, parse_integer, parse_number};
use crate::llm::response::answer::{Answer, Field, ToolCallId};
use crate::llm::response::json::{Sink, Value};

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
                | Field::CacheWrite1h
                | Field::Reasoning
                | Field::AudioInput
                | Field::AudioOutput
                | Field::ImageInput
                | Field::ImageOutput
                | Field::ListedInput
                | Field::SeparateImageInput
                | Field::ToolInput
                | Field::RawInput
                | Field::RawOutput
                | Field::RawCacheRead
                | Field::ListedTokens,
                value,
            ) => self.tokens(field, value),
            (Field::List, Value::Open) => self.listed_input = None,
            (Field::Modality, value) => self.event.modality = Modality::read(value),
            (Field::InputModality | Field::OutputModality, Value::Close) => {
                self.end_modality(field);
            }
            (Field::IsThought, value) if parse_bool(value) == Some(true) => {
                self.content.has_thoughts = true;
            }
            (Field::Content, Value::Text(text)) if !text.is_empty() => self.content.note(),
            (Field::Thought, Value::Text(text)) if !text.is_empty() => {
                self.content.note();
                self.content.has_thoughts = true;
            }
            (Field::Choice, Value::Close) => self.end_choice(),
            (Field::Index, value) => self.event.choice = parse_integer(value),
            (Field::Finish, Value::Text(reason) | Value::Number(reason)) if is_set(reason) => {
                self.event.finish = Some(reason.into());
            }
            (Field::Kind, Value::Text(kind)) => self.event.kind = Some(kind.into()),
            (Field::Status, Value::Text(status) | Value::Number(status)) if is_set(status) => {
                self.event.status = Some(status.into());
            }
            (Field::Done, Value::Open) => self.event.is_done = true,
            (Field::Done, value) => self.event.is_done |= parse_bool(value) == Some(true),
            (Field::Guardrail, Value::Text(action)) => {
                self.event.is_blocked = action.eq_ignore_ascii_case("intervened");
            }
            (Field::Operation(operation), Value::Open | Value::Text(_) | Value::Number(_)) => {
                self.operation = Some(operation);
            }
            _ => self.take_other(field, value),
        }
    }
}

/// Returns false for the words that stand for a reason or a status that is not there yet.
fn is_set(word: &str) -> bool {
    !matches!(word, "" | "null" | "0") && !word.ends_with("_UNSPECIFIED")
}

impl Answer {
    /// Takes a value that few events have.
    fn take_other(&mut self, field: Field, value: Value<'_>) {
        match field {
            Field::Tool
            | Field::ToolIndex
            | Field::ToolId
            | Field::ToolKind
            | Field::ToolName
            | Field::Item
            | Field::OutputItem
            | Field::ItemType
            | Field::ItemAction => self.take_item(field, value),
            Field::Error
            | Field::Object
            | Field::ErrorType
            | Field::ErrorCode
            | Field::EventCode => self.take_error(field, value),
            Field::Iterations | Field::Iteration | Field::IterationKind | Field::IterationModel => {
                self.take_iteration(field, value);
            }
            Field::AnswerId | Field::Background | Field::CreatedAt | Field::CompletedAt => {
                self.take_background(field, value);
            }
            _ => self.take_cost(field, value),
        }
    }

    fn take_item(&mut self, field: Field, value: Value<'_>) {
        match (field, value) {
            (Field::Tool, Value::Close) => self.end_tool(),
            (Field::ToolIndex, value) => self.event.tool.index = parse_integer(value),
            (Field::ToolId, Value::Text(id)) => self.event.tool.set_id(id),
            (Field::ToolKind, Value::Text(kind)) => self.event.is_server_run = is_server_run(kind),
            (Field::ToolName, Value::Text(name)) => self.event.is_named |= !name.is_empty(),
            (Field::Item, Value::Text(item)) if is_tool_call(item) => {
                self.add_tool_call(0, ToolCallId::default());
            }
            (Field::OutputItem, Value::Close) => self.end_item(),
            (Field::ItemType, Value::Text(item)) => self.event.item_mut().kind = Some(item.into()),
            (Field::ItemAction, Value::Text(action)) => {
                self.event.item_mut().action = Some(action.into());
            }
            _ => {}
        }
    }

    fn take_error(&mut self, field: Field, value: Value<'_>) {
        match (field, value) {
            (Field::EventCode, Value::Text(code) | Value::Number(code)) => {
                self.event.code = Some(code.into());
            }
            // Some providers say it in words alone, which are not read.
            (Field::Error, Value::Open) | (Field::Object, Value::Text("error")) => {
                self.set_error("")
            }
            (Field::Error, Value::Text(message)) if !message.is_empty() => self.set_error(""),
            (Field::ErrorType | Field::ErrorCode, Value::Text(word) | Value::Number(word)) => {
                self.set_error(word);
            }
            _ => {}
        }
    }

    fn take_iteration(&mut self, field: Field, value: Value<'_>) {
        // A list that is sent again is complete, once it has ended.
        match (field, value) {
            (Field::Iterations, Value::Open) => self.open_iterations = Some(Box::default()),
            (Field::Iterations, Value::Close) => {
                let list = self.open_iterations.take();
                // An empty one is a placeholder.
                self.iterations = list
                    .filter(|list| !list.is_empty())
                    .or(self.iterations.take());
            }
            _ => {}
        }
        let Some(iterations) = &mut self.open_iterations else {
            return;
        };
        match (field, value) {
            (Field::Iteration, Value::Open) => iterations.open(),
            (Field::Iteration, Value::Close) => iterations.close(),
            (Field::IterationKind, Value::Text(kind)) => iterations.set_kind(kind),
            (Field::IterationModel, Value::Text(model)) => iterations.set_model(model),
            _ => {}
        }
    }

    fn take_background(&mut self, field: Field, value: Value<'_>) {
        let background = &mut self.background;
        match (field, value) {
            (Field::AnswerId, Value::Text(id)) if !id.is_empty() => {
                background.id = Some(ResponseId::new(id));
            }
            (Field::Background, value) => background.is_requested = parse_bool(value) == Some(true),
            (Field::CreatedAt, value) => background.created_at = parse_number(value),
            (Field::CompletedAt, value) => background.completed_at = parse_number(value),
            _ => {}
        }
    }

    /// Takes units, costs and times.
    fn take_cost(&mut self, field: Field, value: Value<'_>) {
        match (field, value) {
            (Field::Billed(unit), Value::Number(_) | Value::Text(_)) => self.bill(unit, value),
            (Field::WebQuery, Value::Text(query)) if !query.is_empty() => self.add_web_query(query),
            (Field::ServiceTier, Value::Text(tier) | Value::Number(tier)) => {
                self.tier = ServiceTier::from_word(tier);
            }
            (Field::CacheTtl, Value::Text(ttl)) => self.event.is_for_an_hour = ttl == "1h",
            (Field::CacheDetail, Value::Close) => self.end_cache_write(),
            (Field::Speed, Value::Text(speed)) => self.speed = ServiceTier::from_word(speed),
            (Field::Took(phase, scale), Value::Number(time) | Value::Text(time)) => {
                self.server_times.parse(phase, scale, time);
            }
            (
                Field::Cost | Field::CostTicks | Field::CostNanoCredits | Field::CostElsewhere,
                Value::Number(_) | Value::Text(_),
            ) => self.charge(field, value),
            (Field::Currency, Value::Text(currency)) => {
                self.reported_cost.is_other_currency = !currency.eq_ignore_ascii_case("usd");
            }
            (Field::IsPaidElsewhere, value) => {
                self.reported_cost.has_upstream_amount = parse_bool(value) == Some(true);
            }
            _ => {}
        }
    }
}
