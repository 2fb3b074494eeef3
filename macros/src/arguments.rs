//! What stands in the brackets of an attribute.

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, LitStr, Path, Result, Token, parenthesized};

use crate::name::{check_label, check_metric};

/// What is chosen for a function that is timed.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) name: Option<LitStr>,
    pub(crate) help: Option<LitStr>,
    pub(crate) labels: Option<Vec<Label>>,
    pub(crate) registry: Option<Expr>,
    /// Whether runs are told apart by how they end.
    pub(crate) outcome: bool,
    /// Where the crate is, if it is called something else.
    pub(crate) krate: Option<Path>,
}

/// A label and its value.
pub(crate) struct Label {
    pub(crate) name: String,
    pub(crate) value: LitStr,
}

impl Parse for Arguments {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let mut arguments = Self::default();
        if input.peek(LitStr) {
            let name: LitStr = input.parse()?;
            check_metric(&name)?;
            arguments.name = Some(name);
            comma(input)?;
        }
        while !input.is_empty() {
            arguments.option(input)?;
            comma(input)?;
        }
        Ok(arguments)
    }
}

impl Arguments {
    fn option(&mut self, input: ParseStream<'_>) -> Result<()> {
        // With the keyword `crate`.
        let option = input.call(Ident::parse_any).map_err(|error| {
            let expected = "a metric's name, or `help`, `labels`, `registry` or `outcome`";
            Error::new(error.span(), format!("expected {expected}"))
        })?;
        let is_there = match option.to_string().as_str() {
            "help" => {
                input.parse::<Token![=]>()?;
                self.help.replace(input.parse()?).is_some()
            }
            "registry" => {
                input.parse::<Token![=]>()?;
                self.registry.replace(input.parse()?).is_some()
            }
            "outcome" => std::mem::replace(&mut self.outcome, true),
            "labels" => self.labels.replace(labels(input)?).is_some(),
            "crate" => {
                input.parse::<Token![=]>()?;
                let path = input.call(Path::parse_mod_style)?;
                self.krate.replace(path).is_some()
            }
            _ => {
                let known = "`help = \"..\"`, `labels(name = \"value\")`, `registry = ..`, \
                             `outcome` and `crate = ..`";
                let text = format!("there is no option `{option}`; there are {known}");
                return Err(Error::new(option.span(), text));
            }
        };
        if is_there {
            return Err(Error::new(
                option.span(),
                format!("`{option}` is there twice"),
            ));
        }
        Ok(())
    }
}

fn labels(input: ParseStream<'_>) -> Result<Vec<Label>> {
    let content;
    parenthesized!(content in input);
    let pairs = Punctuated::<Pair, Token![,]>::parse_terminated(&content)?;
    let mut labels: Vec<Label> = Vec::new();
    for Pair { name, value } in pairs {
        let text = name.to_string();
        let text = text.strip_prefix("r#").unwrap_or(&text).to_owned();
        check_label(&text, name.span())?;
        if labels.iter().any(|label| label.name == text) {
            return Err(Error::new(
                name.span(),
                format!("the label `{text}` is there twice"),
            ));
        }
        labels.push(Label { name: text, value });
    }
    Ok(labels)
}

struct Pair {
    name: Ident,
    value: LitStr,
}

impl Parse for Pair {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let value = input.parse()?;
        Ok(Self { name, value })
    }
}

/// Reads what separates two arguments, which may be missing after the last.
fn comma(input: ParseStream<'_>) -> Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}
