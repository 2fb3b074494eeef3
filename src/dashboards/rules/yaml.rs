//! A file of rules, as Prometheus reads it.

use std::fmt::{self, Write};

/// Rules that are evaluated one after the other.
#[derive(Debug)]
pub(super) struct Group {
    name: &'static str,
    rules: Vec<Rule>,
}

#[derive(Debug)]
enum Rule {
    Record { name: String, query: String },
    Alert(Alert),
}

/// When Prometheus alerts, and what it says.
#[derive(Debug)]
pub(super) struct Alert {
    pub(super) name: &'static str,
    pub(super) query: String,
    /// For how long it must be so before the alert fires.
    pub(super) lasts: &'static str,
    pub(super) severity: Severity,
    pub(super) summary: &'static str,
    /// What else is told; a template of Prometheus's.
    pub(super) description: String,
}

/// What is to be done about an alert.
#[derive(Debug, Clone, Copy)]
pub(super) enum Severity {
    /// Now.
    Page,
    /// In the next days.
    Ticket,
}

impl Group {
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

/// Writes groups; every text that is not the crate's own is in quotes.
pub(super) fn write(groups: &[Group]) -> String {
    if groups.is_empty() {
        return "groups: []\n".into();
    }
    let mut yaml = "groups:\n".to_owned();
    for group in groups {
        line(&mut yaml, "  - name", group.name);
        yaml.push_str("    rules:\n");
        for rule in &group.rules {
            match rule {
                Rule::Record { name, query } => {
                    line(&mut yaml, "      - record", name);
                    line(&mut yaml, "        expr", query);
                }
                Rule::Alert(alert) => alert.write(&mut yaml),
            }
        }
    }
    yaml
}

impl Alert {
    fn write(&self, yaml: &mut String) {
        plain(yaml, "      - alert", self.name);
        line(yaml, "        expr", &self.query);
        plain(yaml, "        for", self.lasts);
        yaml.push_str("        labels:\n");
        let severity = match self.severity {
            Severity::Page => "page",
            Severity::Ticket => "ticket",
        };
        plain(yaml, "          severity", severity);
        yaml.push_str("        annotations:\n");
        line(yaml, "          summary", self.summary);
        line(yaml, "          description", &self.description);
    }
}

fn line(yaml: &mut String, key: &str, text: &str) {
    let _ = writeln!(yaml, "{key}: {}", Quoted(text));
}

/// A text in quotes as YAML has them: like JSON's, but some characters may not be there as
/// they are (YAML 1.2, section 5.1), or are ends of lines to readers of YAML 1.1, and there
/// are no pairs of surrogates.
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

/// Writes a word that needs no quotes.
fn plain(yaml: &mut String, key: &str, word: &str) {
    let _ = writeln!(yaml, "{key}: {word}");
}
