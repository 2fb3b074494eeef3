//! The compressors for gzip and zstd.

use std::io::Write;

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_ENCODING;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::router::scrape::accept_header::preferences;
use crate::router::scrape::compression::Compressor;

/// Returns the compressor that the client prefers. Returns `None` if it accepts no supported
/// coding, or prefers `identity`.
pub(crate) fn negotiate_compressor(headers: &HeaderMap) -> Option<Box<dyn Compressor>> {
    let preferences = preferences(headers, &ACCEPT_ENCODING);
    let is_supported = |name: &str| matches!(name, "gzip" | "x-gzip" | "zstd" | "identity" | "*");
    let best = preferences
        .iter()
        .find(|coding| is_supported(&coding.name))?;
    match best.name.as_str() {
        _ if best.weight == 0 => None,
        "gzip" | "x-gzip" => Some(Box::new(Gzip::new())),
        "zstd" => Zstd::new().map(|zstd| Box::new(zstd) as Box<dyn Compressor>),
        _ => None,
    }
}

/// Gzip at its fastest level. Expositions are so repetitive that even this level reduces them
/// to a twentieth, and the service needs the CPU for its requests.
struct Gzip {
    encoder: GzEncoder<Vec<u8>>,
    is_finished: bool,
}

impl Gzip {
    fn new() -> Self {
        Self {
            encoder: GzEncoder::new(Vec::new(), Compression::fast()),
            is_finished: false,
        }
    }
}

// Writing to a `Vec` does not fail, and neither does compressing.
impl Compressor for Gzip {
    fn content_coding(&self) -> &'static str {
        "gzip"
    }

    fn compress(&mut self, bytes: &[u8]) {
        let _ = self.encoder.write_all(bytes);
    }

    fn finish(&mut self) {
        if !self.is_finished {
            self.is_finished = true;
            let _ = self.encoder.try_finish();
        }
    }

    fn output(&self) -> &[u8] {
        self.encoder.get_ref()
    }

    fn clear_output(&mut self) {
        self.encoder.get_mut().clear();
    }
}

/// Zstd at level 1, the fastest of its regular levels.
struct Zstd {
    encoder: zstd::stream::write::Encoder<'static, Vec<u8>>,
    is_finished: bool,
}

impl Zstd {
    /// Returns `None` if the encoder's memory cannot be allocated.
    fn new() -> Option<Self> {
        let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).ok()?;
        // Repetitions in an exposition are close to each other. A larger window takes memory
        // and gains nothing.
        encoder.window_log(17).ok()?;
        Some(Self {
            encoder,
            is_finished: false,
        })
    }
}

impl Compressor for Zstd {
    fn content_coding(&self) -> &'static str {
        "zstd"
    }

    fn compress(&mut self, bytes: &[u8]) {
        let _ = self.encoder.write_all(bytes);
    }

    fn finish(&mut self) {
        if !self.is_finished {
            self.is_finished = true;
            let _ = self.encoder.do_finish();
        }
    }

    fn output(&self) -> &[u8] {
        self.encoder.get_ref()
    }

    fn clear_output(&mut self) {
        self.encoder.get_mut().clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_preferred_supported_coding_is_used() {
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
            let coding = negotiate_compressor(&headers).map(|encoder| encoder.content_coding());
            assert_eq!(coding, expected, "{accept:?}");
        }
        assert!(negotiate_compressor(&HeaderMap::new()).is_none());
    }
}
