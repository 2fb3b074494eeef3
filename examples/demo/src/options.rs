//! The demo's command line.

pub(crate) const HELP: &str = "\
A small axum service that calls LLMs, measured by tachometer, with generated traffic.

usage: demo [ADDRESS] [--quiet-traffic]

  ADDRESS           address to listen on (default 127.0.0.1:3000; port 0 for any free port)
  --quiet-traffic   generate no traffic, only serve requests of others
  --help            print this text

The models are fake, unless OPENAI_BASE_URL and OPENAI_API_KEY are set. Then the demo
calls OPENAI_MODEL, or gpt-4o-mini, there every few seconds for a few tokens.
";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) address: String,
    pub(crate) traffic: bool,
}

impl Options {
    /// Returns the options, or `None` for `--help`.
    pub(crate) fn parse(arguments: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut address = None;
        let mut traffic = true;
        for argument in arguments {
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--quiet-traffic" => traffic = false,
                option if option.starts_with('-') => {
                    return Err(format!("there is no option {option}; see --help"));
                }
                _ if address.is_some() => {
                    return Err(format!("a second address, {argument}; see --help"));
                }
                _ => address = Some(argument),
            }
        }
        let address = address.unwrap_or_else(|| "127.0.0.1:3000".into());
        Ok(Some(Self { address, traffic }))
    }
}
