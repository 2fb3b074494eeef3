//! Parses queries.

use crate::support::fixture::Labels;
use crate::support::promql::regex;

/// A query, or a part of one.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Expr {
    Number(f64),
    Series(Selector),
    Call(String, Vec<Expr>),
    Aggregate {
        operator: String,
        by: bool,
        labels: Vec<String>,
        of: Box<Expr>,
    },
    Binary(String, Box<Expr>, Box<Expr>),
}

/// Series, by their name and label matchers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Selector {
    pub(crate) name: String,
    pub(crate) matchers: Vec<(String, String, String)>,
    pub(crate) range: Option<String>,
}

impl Selector {
    pub(super) fn takes(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|(label, is, wanted)| {
            let value = labels.get(label).map_or("", String::as_str);
            match is.as_str() {
                "=" => value == wanted,
                "!=" => value != wanted,
                "=~" => regex::fits(wanted, value),
                "!~" => !regex::fits(wanted, value),
                _ => panic!("a matcher unknown to the tests: {is}"),
            }
        })
    }
}

impl Expr {
    /// Calls `each` for every selector of the query.
    pub(crate) fn each_selector(&self, each: &mut impl FnMut(&Selector)) {
        match self {
            Self::Number(_) => {}
            Self::Series(selector) => each(selector),
            Self::Call(_, arguments) => {
                for argument in arguments {
                    argument.each_selector(each);
                }
            }
            Self::Aggregate { of, .. } => of.each_selector(each),
            Self::Binary(_, one, other) => {
                one.each_selector(each);
                other.each_selector(each);
            }
        }
    }

    /// Calls `each` for the query and all its parts, with the name of the function that they
    /// are an argument of.
    pub(crate) fn each_part<'a>(
        &'a self,
        function: Option<&'a str>,
        each: &mut impl FnMut(&'a Self, Option<&'a str>),
    ) {
        each(self, function);
        match self {
            Self::Number(_) | Self::Series(_) => {}
            Self::Call(name, arguments) => {
                for argument in arguments {
                    argument.each_part(Some(name), each);
                }
            }
            Self::Aggregate { of, .. } => of.each_part(None, each),
            Self::Binary(_, one, other) => {
                one.each_part(None, each);
                other.each_part(None, each);
            }
        }
    }
}

/// Parses a query.
#[track_caller]
pub(crate) fn parse(query: &str) -> Expr {
    let mut words = Tokens {
        all: words(query),
        next: 0,
    };
    let expr = words.level(0);
    assert_eq!(words.peek(), "", "more than a query: {query}");
    expr
}

/// Operators, those that bind least first.
const LEVELS: [&[&str]; 5] = [
    &["or"],
    &["and", "unless"],
    &["==", "!=", "<=", "<", ">=", ">"],
    &["+", "-"],
    &["*", "/"],
];

struct Tokens {
    all: Vec<String>,
    next: usize,
}

impl Tokens {
    fn peek(&self) -> &str {
        self.all.get(self.next).map_or("", String::as_str)
    }

    fn take(&mut self) -> String {
        let word = self.peek().to_owned();
        self.next += 1;
        word
    }

    fn takes(&mut self, word: &str) -> bool {
        let is = self.peek() == word;
        self.next += usize::from(is);
        is
    }

    fn expect(&mut self, word: &str) {
        let taken = self.take();
        assert_eq!(taken, word, "in {:?}", self.all);
    }

    fn level(&mut self, level: usize) -> Expr {
        let Some(operators) = LEVELS.get(level) else {
            return self.primary();
        };
        let mut expr = self.level(level + 1);
        while operators.contains(&self.peek()) {
            let operator = self.take();
            assert!(
                !matches!(self.peek(), "on" | "ignoring" | "bool"),
                "a modifier unknown to the tests"
            );
            expr = Expr::Binary(operator, expr.into(), self.level(level + 1).into());
        }
        expr
    }

    fn primary(&mut self) -> Expr {
        if self.takes("(") {
            let expr = self.level(0);
            self.expect(")");
            return expr;
        }
        if let Ok(number) = self.peek().parse() {
            self.next += 1;
            return Expr::Number(number);
        }
        if self.peek() == "{" {
            return self.series(None);
        }
        let name = self.take();
        match name.as_str() {
            "sum" | "min" | "max" => self.aggregate(name),
            "rate" | "increase" | "histogram_quantile" | "histogram_sum" | "time" | "topk" => {
                self.call(name)
            }
            _ => self.series(Some(name)),
        }
    }

    fn call(&mut self, name: String) -> Expr {
        let mut arguments = Vec::new();
        self.expect("(");
        while !self.takes(")") {
            arguments.push(self.level(0));
            self.takes(",");
        }
        Expr::Call(name, arguments)
    }

    fn aggregate(&mut self, operator: String) -> Expr {
        let (mut by, mut labels) = (true, Vec::new());
        if matches!(self.peek(), "by" | "without") {
            by = self.take() == "by";
            self.expect("(");
            while !self.takes(")") {
                labels.push(unquoted(&self.take()));
                self.takes(",");
            }
        }
        self.expect("(");
        let of = self.level(0).into();
        self.expect(")");
        Expr::Aggregate {
            operator,
            by,
            labels,
            of,
        }
    }

    fn series(&mut self, mut name: Option<String>) -> Expr {
        let mut matchers = Vec::new();
        if self.takes("{") {
            while !self.takes("}") {
                let label = unquoted(&self.take());
                if matches!(self.peek(), "," | "}") {
                    assert!(name.replace(label).is_none(), "two names");
                } else {
                    let is = self.take();
                    matchers.push((label, is, unquoted(&self.take())));
                }
                self.takes(",");
            }
        }
        let range = self.takes("[").then(|| {
            let range = self.take();
            self.expect("]");
            range
        });
        let name = name.expect("a name");
        let word = |char: char| char.is_ascii_alphanumeric() || "_:".contains(char);
        let quoted = self.all.iter().any(|word| *word == format!("{name:?}"));
        assert!(quoted || name.chars().all(word), "no name: {name}");
        Expr::Series(Selector {
            name,
            matchers,
            range,
        })
    }
}

/// Removes quotes, if there are any.
fn unquoted(word: &str) -> String {
    let Some(text) = word.strip_prefix('"') else {
        return word.to_owned();
    };
    let mut unquoted = String::new();
    let mut chars = text.strip_suffix('"').unwrap().chars();
    while let Some(char) = chars.next() {
        unquoted.push(match char {
            '\\' => match chars.next().unwrap() {
                'n' => '\n',
                other => other,
            },
            char => char,
        });
    }
    unquoted
}

/// Splits a query into tokens: names, numbers, quoted texts, and operators.
fn words(query: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut chars = query.chars().peekable();
    while let Some(char) = chars.next() {
        let mut word = String::from(char);
        let is_word = |char: &char| char.is_alphanumeric() || "_:.$".contains(*char);
        match char {
            ' ' | '\n' => continue,
            '"' => loop {
                let char = chars.next().expect("a closing quote");
                word.push(char);
                match char {
                    '\\' => word.push(chars.next().unwrap()),
                    '"' => break,
                    _ => {}
                }
            },
            char if is_word(&char) => {
                while let Some(char) = chars.next_if(is_word) {
                    word.push(char);
                }
            }
            '=' | '!' | '<' | '>' => {
                if let Some(char) = chars.next_if(|char| matches!(char, '=' | '~')) {
                    word.push(char);
                }
            }
            _ => {}
        }
        words.push(word);
    }
    words
}
