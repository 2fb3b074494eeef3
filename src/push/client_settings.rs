//! The client and the headers of requests, as users set them.

use http::{HeaderMap, Uri};

use crate::error::Error;
use crate::push::endpoint::check_scheme_without_client;
use crate::push::header::{add_user_agent, parse_header};
use crate::push::http_client::HttpClient;

#[derive(Clone, Default)]
pub(crate) struct ClientSettings {
    /// `None` is the client that is built in.
    pub(crate) client: Option<HttpClient>,
    pub(crate) headers: HeaderMap,
    /// The first header that is not valid.
    header_error: Option<Error>,
}

impl ClientSettings {
    /// Adds a header, or replaces it. If it is not valid, [`build`](Self::build) returns an error
    /// that names the setting.
    pub(crate) fn set_header(&mut self, setting: &str, name: &str, value: &str) {
        match parse_header(name, value.as_bytes()) {
            Ok((name, value)) => drop(self.headers.insert(name, value)),
            Err(fault) => self.refuse_header(Error::invalid_push(format_args!(
                "a header of `{setting}` {fault}"
            ))),
        }
    }

    /// Makes [`build`](Self::build) return this error, unless there was one before.
    pub(crate) fn refuse_header(&mut self, error: Error) {
        self.header_error.get_or_insert(error);
    }

    /// Returns the client and the headers for an endpoint, which this setting has.
    pub(crate) fn build(
        self,
        setting: &str,
        endpoint: &Uri,
    ) -> Result<(HttpClient, HeaderMap), Error> {
        if let Some(error) = self.header_error {
            return Err(error);
        }
        let client = match self.client {
            Some(client) => client,
            None => {
                check_scheme_without_client(setting, endpoint)?;
                HttpClient::without_tls()
            }
        };
        let mut headers = self.headers;
        add_user_agent(&mut headers);
        Ok((client, headers))
    }
}
