//! The arguments of the attribute.

use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{Error, Expr, Ident, LitStr, Path, Result, Token, parenthesized};

use crate::name::{check_label, check_metric};

/// The arguments of `#[timed(..)]`.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) name: Option<LitStr>,
    pub(crate) help: Option<LitStr>,
    pub(crate) labels: Option<Vec<Label>>,
    pub(crate) registry: Option<Expr>,
    /// Whether the metric has the label `outcome`.
    pub(crate) outcome: bool,
    /// The path of the crate `tachometer`, if it has another name.
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
            parse_comma(input)?;
        }
        while !input.is_empty() {
            arguments.parse_option(input)?;
            parse_comma(input)?;
        }
        Ok(arguments)
    }
}

impl Arguments {
    fn parse_option(&mut self, input: ParseStream<'_>) -> Result<()> {
        // `parse_any` also accepts the keyword `crate`.
        let option = input.call(Ident::parse_any).map_err(|error| {
            let expected = "a metric's name, or `help`, `labels`, `registry` or `outcome`";
            Error::new(error.span(), format!("expected {expected}"))
        })?;
        let is_duplicate = match option.to_string().as_str() {
            "help" => {
                input.parse::<Token![=]>()?;
                self.help.replace(input.parse()?).is_some()
            }
            "registry" => {
                input.parse::<Token![=]>()?;
                self.registry.replace(input.parse()?).is_some()
            }
            "outcome" => std::mem::replace(&mut self.outcome, true),
            "labels" => self.labels.replace(parse_labels(input)?).is_some(),
            "crate" => {
                input.parse::<Token![=]>()?;
                let path = input.call(Path::parse_mod_style)?;
                self.krate.replace(path).is_some()
            }
            _ => {
                let options = "`help = \"..\"`, `labels(name = \"value\")`, `registry = ..`, \
                             `outcome` or `crate = ..`";
                let text = format!("unknown option `{option}`: use {options}");
                return Err(Error::new(option.span(), text));
            }
        };
        if is_duplicate {
            return Err(Error::new(
                option.span(),
                format!("duplicate option `{option}`"),
            ));
        }
        Ok(())
    }
}

fn parse_labels(input: ParseStream<'_>) -> Result<Vec<Label>> {
    let content;
    parenthesized!(content in input);
    let pairs = Punctuated::<LabelArgument, Token![,]>::parse_terminated(&content)?;
    let mut labels: Vec<Label> = Vec::new();
    for LabelArgument { name, value } in pairs {
        let text = name.to_string();
        let text = text.strip_prefix("r#").unwrap_or(&text).to_owned();
        check_label(&text, name.span())?;
        if labels.iter().any(|label| label.name == text) {
            return Err(Error::new(name.span(), format!("duplicate label `{text}`")));
        }
        labels.push(Label { name: text, value });
    }
    Ok(labels)
}

/// `name = "value"`.
struct LabelArgument {
    name: Ident,
    value: LitStr,
}

impl Parse for LabelArgument {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let name = input.call(Ident::parse_any)?;
        input.parse::<Token![=]>()?;
        let value = input.parse()?;
        Ok(Self { name, value })
    }
}

/// Parses the comma between two arguments, which is optional after the last one.
fn parse_comma(input: ParseStream<'_>) -> Result<()> {
    if !input.is_empty() {
        input.parse::<Token![,]>()?;
    }
    Ok(())
}
