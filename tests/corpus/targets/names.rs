//! Target `names`: names, labels and help of any text come back from every format.

use serde_json::Value;
use tachometer::Registry;
use tachometer::export::Format;
use tachometer::testing::Exposition;

use super::{byte, fields};

/// Runs the target on choices, a name, a label name, two values and a help text, separated by
/// 0xff.
pub(crate) fn run(input: &[u8]) {
    let fields: [&[u8]; 6] = fields(input);
    let mut choices = fields[0];
    let texts = fields.map(String::from_utf8_lossy);
    let [_, name, label, one, other, help] = &texts;
    let registry = Registry::new();
    let amount = f64::from(byte(&mut choices));
    let made = match byte(&mut choices) % 4 {
        0 => registry
            .counter_family(name, help, [label.as_ref()])
            .map(|family| {
                family.with([one]).inc_by(amount);
                family.with([other]).inc_by(0.5);
            }),
        1 => registry
            .gauge_family(name, help, [label.as_ref()])
            .map(|family| {
                family.with([one]).set(amount);
                family.with([other]).set(-0.5);
            }),
        2 => registry
            .histogram_family(name, help, [label.as_ref()])
            .map(|family| {
                family.with([one]).observe(amount);
                family.with([other]).observe(0.5);
            }),
        _ => registry.counter(name, help).map(|counter| {
            counter.inc_by(amount);
        }),
    };
    if let Err(error) = &made {
        assert!(!error.to_string().is_empty());
    }
    check(
        &registry,
        made.is_ok() && byte(&mut choices).is_multiple_of(2),
        one,
    );
}

fn check(registry: &Registry, made: bool, value: &str) {
    for format in [Format::Text, Format::TextV1, Format::OpenMetrics] {
        let text = registry.export(format).to_bytes();
        let text = String::from_utf8(text).expect("text");
        let read = Exposition::parse(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"));
        let ends = text.lines().filter(|line| *line == "# EOF").count();
        let expected = usize::from(format == Format::OpenMetrics);
        assert_eq!(ends, expected, "{text}");
        assert!(expected == 0 || text.ends_with("# EOF\n"), "{text}");
        if made && !value.is_empty() {
            // Each label value comes back unchanged, whatever characters it has.
            let mut labels = read.samples().flat_map(|(_, labels, _)| labels.values());
            let has_labels = read
                .samples()
                .any(|(name, labels, _)| !name.starts_with("tachometer_") && !labels.is_empty());
            let kept = labels.any(|label| label == value || label == "_overflow");
            assert!(kept || !has_labels, "{value:?} is lost in\n{text}");
        }
    }
    let json = registry.export_json();
    let json: Value =
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}:\n{json}"));
    assert!(json["metrics"].is_object());
    let summary: Value = serde_json::from_str(&registry.summary().to_json()).expect("JSON");
    assert!(summary.is_object());
    frames(&registry.export(Format::Protobuf).to_bytes());
}

/// Checks that an export consists of messages, each after its length.
fn frames(mut rest: &[u8]) {
    while !rest.is_empty() {
        let mut length = 0;
        for shift in (0..).step_by(7) {
            let byte = *rest.split_off_first().expect("a length has an end");
            length |= usize::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        rest = rest.get(length..).expect("a message has an end");
    }
}
