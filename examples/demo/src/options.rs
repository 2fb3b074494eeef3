//! The demo's command line.

use tracing::Level;

pub(crate) const HELP: &str = "\
An axum service that calls LLMs, measured by tachometer, with generated traffic.

usage: demo [ADDRESS] [--metrics ADDRESS] [--log LEVEL] [--quiet-traffic]

  ADDRESS            address of the service (default 127.0.0.1:3000; port 0 for any free port)
  --metrics ADDRESS  address of the metrics and the dashboard (default 127.0.0.1:9464)
  --log LEVEL        error, warn (the default), info (one line per request), debug or trace
  --quiet-traffic    generate no traffic, only serve requests of others
  --help             print this text

The models are fake, unless OPENAI_BASE_URL and OPENAI_API_KEY are set. Then the demo
calls OPENAI_MODEL, or gpt-4o-mini, there every few seconds for a few tokens.
";

#[derive(Debug)]
pub(crate) struct Options {
    pub(crate) address: String,
    /// The address of the metrics.
    pub(crate) metrics: String,
    pub(crate) log: Level,
    pub(crate) traffic: bool,
}

impl Options {
    /// Returns the options, or `None` for `--help`.
    pub(crate) fn parse(
        mut arguments: impl Iterator<Item = String>,
    ) -> Result<Option<Self>, String> {
        let mut address = None;
        let mut metrics = "127.0.0.1:9464".to_owned();
        let mut log = Level::WARN;
        let mut traffic = true;
        while let Some(argument) = arguments.next() {
            let mut value = || {
                let value = arguments.next();
                value.ok_or_else(|| format!("{argument} needs a value; see --help"))
            };
            match argument.as_str() {
                "--help" | "-h" => return Ok(None),
                "--metrics" => metrics = value()?,
                "--log" => {
                    let level = value()?;
                    log = level
                        .parse()
                        .map_err(|_| format!("there is no log level {level}; see --help"))?;
                }
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
        Ok(Some(Self {
            address: address.unwrap_or_else(|| "127.0.0.1:3000".into()),
            metrics,
            log,
            traffic,
        }))
    }
}
