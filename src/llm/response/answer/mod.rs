//! What is learnt from an answer, value by value.

mod background;
mod counts;
mod event;
mod field;
mod iterations;
mod number;
mod sink;
mod tool_calls;

use crate::llm::facts::{
    ErrorType, FinishReasons, Money, ReportedCost, ServerTimes, ServiceTier, Unit, Units, hash,
};
use crate::llm::response::answer::background::Background;
use crate::llm::response::answer::iterations::Iterations;
use crate::llm::response::answer::number::{parse_number, parse_tokens};
use crate::llm::response::answer::tool_calls::ToolCalls;
use crate::llm::response::json::Value;

pub(crate) use counts::TokenCounts;
pub(crate) use event::Event;
use event::Modality;
pub(crate) use field::Field;
pub(crate) use iterations::add_cached_to_input;
pub(crate) use number::{parse_bool, parse_integer};
pub(crate) use tool_calls::ToolCallId;

/// What was learnt from an answer so far.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Answer {
    pub(crate) model: Option<Box<str>>,
    /// The token counts of all usage objects so far, and of the one that is being read.
    pub(crate) counts: TokenCounts,
    report: TokenCounts,
    has_report: bool,
    /// Whether a later usage object stands for all earlier ones.
    is_usage_complete: bool,
    /// The runs of models that the last whole list holds, and the list that is being read.
    pub(crate) iterations: Option<Box<Iterations>>,
    open_iterations: Option<Box<Iterations>>,
    /// The counts of models that others called in, by their names.
    pub(crate) other_models: Vec<(Box<str>, TokenCounts)>,
    /// Input tokens that each element of a list reports.
    pub(crate) listed_input: Option<u64>,
    /// Units as the usage reports them, and as the items of the answer show them.
    pub(crate) units: Units,
    item_units: Units,
    web_queries: Vec<u64>,
    /// The tier that served the call, and the one that its speed stands for.
    tier: Option<ServiceTier>,
    speed: Option<ServiceTier>,
    pub(crate) reported_cost: ReportedCost,
    pub(crate) server_times: ServerTimes,
    /// Whether a number of tokens was none.
    pub(crate) is_invalid: bool,
    /// Whether two counts contradict each other.
    pub(crate) is_inconsistent: bool,
    pub(crate) finish_reasons: FinishReasons,
    tool_calls: ToolCalls,
    pub(crate) error: Option<ErrorType>,
    pub(crate) content: Content,
    /// Whether its last event has come.
    pub(crate) has_ended: bool,
    pub(crate) event: Event,
    pub(crate) background: Background,
    /// The operation, if the path leaves it open.
    pub(crate) operation: Option<&'static str>,
}

/// What has come of the answer itself.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub(crate) struct Content {
    /// Text, thoughts or a tool call.
    pub(crate) is_present: bool,
    pub(crate) has_thoughts: bool,
    /// How many events had some.
    pub(crate) event_count: u64,
    is_in_event: bool,
    is_in_choice: bool,
}

impl Content {
    /// Notes that there is some.
    pub(crate) fn note(&mut self) {
        self.is_present = true;
        self.is_in_event = true;
        self.is_in_choice = true;
    }

    /// Ends an event.
    pub(crate) fn end_event(&mut self) {
        self.event_count += u64::from(std::mem::take(&mut self.is_in_event));
        self.is_in_choice = false;
    }
}

/// The most distinct web queries that are counted in one answer.
const MOST_QUERIES: usize = 256;

impl Answer {
    pub(crate) fn new(is_usage_complete: bool) -> Self {
        Self {
            is_usage_complete,
            ..Self::default()
        }
    }

    /// Counts a call of one of the caller's tools: a whole one, which has no identity, or a
    /// part of one, which is counted once.
    pub(crate) fn add_tool_call(&mut self, choice: u64, identity: ToolCallId) {
        self.tool_calls.add(choice, identity);
    }

    pub(crate) fn tool_call_count(&self) -> u64 {
        self.tool_calls.count()
    }

    /// Notes that the provider ran a tool that it bills for.
    pub(crate) fn add_unit(&mut self, unit: Unit) {
        self.item_units.add_one(unit);
    }

    /// Notes a web query; the same query counts once.
    fn add_web_query(&mut self, query: &str) {
        let query = hash(query);
        if self.web_queries.len() < MOST_QUERIES && !self.web_queries.contains(&query) {
            self.web_queries.push(query);
        }
    }

    /// Returns the number of unlike web queries.
    pub(crate) fn web_query_count(&self) -> usize {
        self.web_queries.len()
    }

    /// Ends the head of the answer, which has counts as an event has.
    pub(crate) fn end_head(&mut self) {
        self.end_report(true);
    }

    /// Ends an event, and returns it for its dialect to say what it means.
    pub(crate) fn end_event(&mut self, is_whole: bool) -> Event {
        self.end_report(is_whole);
        if !self.event.tools.is_empty() {
            self.call_tools(0);
        }
        self.tool_calls.end_event();
        std::mem::take(&mut self.event)
    }

    /// Takes over the counts of an event. Those of an event that broke off are not complete.
    fn end_report(&mut self, is_whole: bool) {
        self.open_iterations = None;
        if std::mem::take(&mut self.has_report) {
            let is_complete = self.is_usage_complete && is_whole;
            self.counts.update(&self.report, is_complete);
            self.report = TokenCounts::default();
        }
    }

    /// Notes why an answer ended, or that it goes on if it has content in an event without a
    /// reason.
    pub(crate) fn update_finish_reason(&mut self, event: &Event) {
        if let Some(reason) = event.finish() {
            self.finish(0, reason);
        } else if self.content.is_in_event && !event.has_finished {
            self.finish_reasons.reopen(0);
        }
    }

    /// Notes why one of several answers ended, unless that comes after the end mark.
    fn finish(&mut self, choice: u64, reason: &str) {
        if !self.has_ended {
            self.finish_reasons.set(choice, reason);
        }
    }

    /// Notes an error whose type a word or number of the provider shows.
    pub(crate) fn set_error(&mut self, word: &str) {
        let error = match parse_integer(Value::Number(word)) {
            Some(status) => u16::try_from(status).ok().and_then(ErrorType::from_status),
            None => ErrorType::from_word(word),
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
        // What is not told takes nothing back, and an object is invalid once.
        if matches!(value, Value::Null | Value::Close) {
            return;
        }
        let Some(tokens) = parse_tokens(value) else {
            self.is_invalid = true;
            return;
        };
        match field {
            Field::ListedTokens => self.event.listed_tokens = Some(tokens),
            Field::ListedInput => {
                let sum = self.listed_input.unwrap_or(0).saturating_add(tokens);
                self.listed_input = Some(sum);
            }
            _ => match self.open_iterations.as_mut().and_then(|runs| runs.counts()) {
                Some(counts) => counts.read(field, tokens),
                None => {
                    self.has_report = true;
                    self.report.read(field, tokens);
                }
            },
        }
    }

    /// Ends an entry of a list of cache writes by the time that they are kept.
    fn end_cache_write(&mut self) {
        let tokens = self.event.listed_tokens.take();
        let is_for_an_hour = std::mem::take(&mut self.event.is_for_an_hour);
        if let Some(tokens) = tokens.filter(|_| is_for_an_hour) {
            self.has_report = true;
            self.report.read(Field::CacheWrite1h, tokens);
        }
    }

    /// Ends an entry of a list of tokens by modality.
    fn end_modality(&mut self, field: Field) {
        let tokens = self.event.listed_tokens.take();
        let modality = self.event.modality.take();
        let part = match (modality, field) {
            (Some(Modality::Audio), Field::InputModality) => Field::AudioInput,
            (Some(Modality::Audio), _) => Field::AudioOutput,
            (Some(Modality::Image), Field::OutputModality) => Field::ImageOutput,
            // Images of a prompt cost what its text does.
            (Some(Modality::Image) | None, _) => return,
        };
        if let Some(tokens) = tokens {
            self.has_report = true;
            self.report.read(part, tokens);
        }
    }

    /// Notes what the provider says that it costs.
    fn charge(&mut self, field: Field, value: Value<'_>) {
        // As many of xAI's ticks, and of billionths of a GitHub AI credit (a cent), are a
        // dollar.
        const TICKS: f64 = 1e10;
        const NANO_CREDITS: f64 = 1e11;
        let number = parse_number(value);
        let (known, dollars) = match field {
            Field::CostTicks => (
                &mut self.reported_cost.amount,
                number.map(|ticks| ticks / TICKS),
            ),
            Field::CostNanoCredits => (
                &mut self.reported_cost.amount,
                number.map(|nano| nano / NANO_CREDITS),
            ),
            Field::CostElsewhere => (&mut self.reported_cost.upstream_amount, number),
            _ => (&mut self.reported_cost.amount, number),
        };
        // A placeholder of 0 does not take the place of a cost.
        if let Some(money) = dollars.and_then(Money::from_dollars)
            && (money > Money::default() || known.is_none())
        {
            *known = Some(money);
        }
    }

    /// Notes what it is billed by besides tokens.
    fn bill(&mut self, unit: Unit, value: Value<'_>) {
        match parse_number(value) {
            Some(0.0) if self.units.get(unit).is_some() => {}
            Some(count) if self.units.set(unit, count) => {}
            _ => self.is_invalid = true,
        }
    }

    /// Takes the units that only the items of the answer show, and the tier.
    pub(crate) fn complete_units(&mut self) {
        self.units.fill_missing(&self.item_units);
        self.units.tier = self.tier.or(self.speed);
    }

    /// Forgets what was told of tokens and cost, of which more may have been told.
    pub(crate) fn discard_usage(&mut self) {
        self.counts = TokenCounts::default();
        self.report = TokenCounts::default();
        self.has_report = false;
        self.iterations = None;
        self.open_iterations = None;
        self.listed_input = None;
        self.units = Units::default();
        self.item_units = Units::default();
        self.web_queries.clear();
        self.reported_cost = ReportedCost::default();
    }

    /// Does so because what told it cannot be trusted.
    pub(crate) fn invalidate(&mut self) {
        self.discard_usage();
        self.is_invalid = true;
        self.error = Some(ErrorType::Decode);
    }

    fn end_choice(&mut self) {
        let position = self.event.choices;
        self.event.choices += 1;
        let choice = self.event.choice.take().unwrap_or(position);
        if !self.event.tools.is_empty() {
            self.finish_reasons.set_tool_call(choice);
            self.call_tools(choice);
        }
        let has_content = std::mem::take(&mut self.content.is_in_choice);
        match self.event.finish.take() {
            Some(reason) => {
                self.event.has_finished = true;
                self.finish(choice, &reason);
                match &*reason {
                    "error" => self.set_error("server_error"),
                    // DeepSeek's.
                    "insufficient_system_resource" => self.set_error("overloaded"),
                    _ => {}
                }
            }
            None => {
                self.finish_reasons.add_choice(choice);
                if has_content {
                    self.finish_reasons.reopen(choice);
                }
            }
        }
    }

    fn end_tool(&mut self) {
        let identity = std::mem::take(&mut self.event.tool);
        let is_server_run = std::mem::take(&mut self.event.is_server_run);
        // The first part alone has a name.
        if !std::mem::take(&mut self.event.is_named) {
            return;
        }
        self.content.note();
        if !is_server_run {
            self.event.add_tool(identity);
        }
    }

    fn call_tools(&mut self, choice: u64) {
        for identity in std::mem::take(&mut self.event.tools) {
            self.add_tool_call(choice, identity);
        }
    }

    /// Ends an item of an answer that is not streamed.
    fn end_item(&mut self) {
        let identity = std::mem::take(&mut self.event.tool);
        if self.event.is_tool_call() {
            self.add_tool_call(0, identity);
        }
        if let Some(unit) = self.event.unit() {
            self.add_unit(unit);
        }
        self.event.item = None;
    }
}
