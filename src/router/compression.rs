//! Compression of answers, for clients that ask for it by `Accept-Encoding`.

use std::io::Write;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::router::accept_header::choices;
use crate::router::encoded_chunks::Coder;

/// Returns what compresses an answer as the client likes it best; nothing where it asks
/// for no compression that there is, or likes none better.
pub(super) fn coder(headers: &HeaderMap) -> Option<Box<dyn Coder>> {
    let choices = choices(headers, &ACCEPT_ENCODING);
    let known = |name: &str| matches!(name, "gzip" | "x-gzip" | "zstd" | "identity" | "*");
    let best = choices.iter().find(|choice| known(&choice.name))?;
    match best.name.as_str() {
        _ if best.weight == 0 => None,
        "gzip" | "x-gzip" => Some(Box::new(Gzip::new())),
        "zstd" => Zstd::new().map(|zstd| Box::new(zstd) as Box<dyn Coder>),
        _ => None,
    }
}

/// The quickest level: a scrape's text is so repetitive that it is a twentieth of its
/// length then, and the service has other work to do.
struct Gzip {
    encoder: GzEncoder<Vec<u8>>,
    finished: bool,
}

impl Gzip {
    fn new() -> Self {
        Self {
            encoder: GzEncoder::new(Vec::new(), Compression::fast()),
            finished: false,
        }
    }
}

// Writing to a vector does not fail, and neither does compressing.
impl Coder for Gzip {
    fn name(&self) -> &'static str {
        "gzip"
    }

    fn code(&mut self, bytes: &[u8]) {
        let _ = self.encoder.write_all(bytes);
    }

    fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            let _ = self.encoder.try_finish();
        }
    }

    fn coded(&self) -> &[u8] {
        self.encoder.get_ref()
    }

    fn clear(&mut self) {
        self.encoder.get_mut().clear();
    }
}

/// At zstd's level 1, the quickest that is not meant for networks alone.
struct Zstd {
    encoder: zstd::stream::write::Encoder<'static, Vec<u8>>,
    finished: bool,
}

impl Zstd {
    /// Returns none where there is no memory for it.
    fn new() -> Option<Self> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).ok()?;
        // What repeats in a scrape is near; looking back farther would take memory.
        encoder.window_log(17).ok()?;
        Some(Self {
            encoder,
            finished: false,
        })
    }
}

impl Coder for Zstd {
    fn name(&self) -> &'static str {
        "zstd"
    }

    fn code(&mut self, bytes: &[u8]) {
        let _ = self.encoder.write_all(bytes);
    }

    fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            let _ = self.encoder.do_finish();
        }
    }

    fn coded(&self) -> &[u8] {
        self.encoder.get_ref()
    }

    fn clear(&mut self) {
        self.encoder.get_mut().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coding_is_used_where_it_is_asked_for_and_liked_best() {
        for (accept, expected) in [
            ("gzip", Some("gzip")),
            ("X-GZIP", Some("gzip")),
            ("zstd", Some("zstd")),
            ("gzip, zstd", Some("gzip")),
            ("gzip;q=0.5, zstd", Some("zstd")),
            ("br, deflate, gzip;q=0.1", Some("gzip")),
            ("identity, gzip;q=0.5", None),
            ("gzip;q=0", None),
            ("*", None),
            ("br", None),
            ("", None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(ACCEPT_ENCODING, accept.parse().unwrap());
            let coder = coder(&headers);
            assert_eq!(coder.map(|coder| coder.name()), expected, "{accept:?}");
        }
        assert!(coder(&HeaderMap::new()).is_none());
    }
}
