//! Writes a Prometheus rule file.
//!
//! The file has a fixed structure, and only its strings vary. So it is written as text, without
//! a YAML crate.

use std::fmt::{self, Write};

/// A rule group. Prometheus evaluates its rules in order.
#[derive(Debug)]
pub(super) struct RuleGroup {
    name: &'static str,
    rules: Vec<Rule>,
}

#[derive(Debug)]
enum Rule {
    Record { name: String, query: String },
    Alert(Alert),
}

/// An alerting rule.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) name: &'static str,
    pub(super) query: String,
    /// How long the query must have results before the alert fires.
    pub(super) pending_for: &'static str,
    pub(super) severity: Severity,
    pub(super) summary: &'static str,
    /// A Prometheus template.
    pub(super) description: String,
}

/// How soon someone must act.
#[derive(Debug, Clone, Copy)]
pub(super) enum Severity {
    /// At once.
    Page,
    /// Within days.
    Ticket,
}

impl RuleGroup {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            rules: Vec::new(),
        }
    }

    pub(super) fn record(&mut self, name: &str, query: String) {
        self.rules.push(Rule::Record {
            name: name.to_owned(),
            query,
        });
    }

    pub(super) fn alert(&mut self, alert: Alert) {
        self.rules.push(Rule::Alert(alert));
    }
}

/// Returns the rule file. All text that users can influence is quoted.
pub(super) fn rule_file(groups: &[RuleGroup]) -> String {
    if groups.is_empty() {
        return "groups: []\n".into();
    }
    let mut yaml = "groups:\n".to_owned();
    for group in groups {
        write_quoted(&mut yaml, "  - name", group.name);
        yaml.push_str("    rules:\n");
        for rule in &group.rules {
            match rule {
                Rule::Record { name, query } => {
                    write_quoted(&mut yaml, "      - record", name);
                    write_quoted(&mut yaml, "        expr", query);
                }
                Rule::Alert(alert) => alert.write(&mut yaml),
            }
        }
    }
    yaml
}

impl Alert {
    fn write(&self, yaml: &mut String) {
        write_plain(yaml, "      - alert", self.name);
        write_quoted(yaml, "        expr", &self.query);
        write_plain(yaml, "        for", self.pending_for);
        yaml.push_str("        labels:\n");
        let severity = match self.severity {
            Severity::Page => "page",
            Severity::Ticket => "ticket",
        };
        write_plain(yaml, "          severity", severity);
        yaml.push_str("        annotations:\n");
        write_quoted(yaml, "          summary", self.summary);
        write_quoted(yaml, "          description", &self.description);
    }
}

fn write_quoted(yaml: &mut String, key: &str, text: &str) {
    let _ = writeln!(yaml, "{key}: {}", Quoted(text));
}

/// A double-quoted YAML scalar. It differs from a JSON string: characters that YAML does not
/// allow (YAML 1.2, section 5.1) or that YAML 1.1 reads as line breaks are escaped, and an escape
/// is a code point, never a surrogate pair.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_char('"')?;
        for char in self.0.chars() {
            match char {
                '"' | '\\' => write!(f, "\\{char}")?,
                ' '..='~' | '\u{a1}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' => {
                    f.write_char(char)?;
                }
                _ => write!(f, "\\U{:08x}", u32::from(char))?,
            }
        }
        f.write_char('"')
    }
}

/// Writes a value that needs no quotes.
fn write_plain(yaml: &mut String, key: &str, word: &str) {
    let _ = writeln!(yaml, "{key}: {word}");
}
