//! Exports of a registry in an exposition format: to a string, bytes or a writer.
//!
//! ```
//! use tachometer::Registry;
//! use tachometer::export::Format;
//!
//! let registry = Registry::new();
//! registry.counter("jobs_total", "Jobs done.")?.inc();
//! assert_eq!(
//!     registry.export_prometheus(),
//!     "# HELP jobs_total Jobs done.\n# TYPE jobs_total counter\njobs_total 1\n"
//! );
//!
//! // To a file, such as for Prometheus's node exporter, without holding all of it in memory.
//! let mut file = Vec::new();
//! registry.export(Format::OpenMetrics).filter_names(["jobs_total"]).write_to(&mut file)?;
//! assert!(file.ends_with(b"jobs_total 1\n# EOF\n"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod chunk_encoder;
mod format;
mod summary;
mod textfile;

#[cfg(feature = "axum")]
pub(crate) use chunk_encoder::ChunkEncoder;
#[cfg(not(feature = "axum"))]
use chunk_encoder::ChunkEncoder;
use chunk_encoder::ExportState;
pub use format::Format;

use std::{fmt, io};

use crate::encode::{Encode, JsonEncoder, ProtobufEncoder, TextEncoder, TextFormat};
use crate::registry::{Delivery, Registry};
use crate::snapshot::Escaping;

/// An export of a registry: choose its options, then write it.
///
/// See the [module](self) for an example.
#[derive(Clone)]
#[must_use = "nothing is written until `write_to` or `to_bytes` is called"]
pub struct Export {
    registry: Registry,
    format: Format,
    escaping: Escaping,
    /// `None` is the default of the format.
    created: Option<bool>,
    name_filter: Option<Vec<String>>,
    limit: usize,
    is_delivery: bool,
}

impl fmt::Debug for Export {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Export")
            .field("format", &self.format)
            .field("escaping", &self.escaping)
            .field("created", &self.created)
            .finish_non_exhaustive()
    }
}

impl Export {
    /// Sets how names with special characters are escaped; the default is underscores. JSON never
    /// escapes names.
    pub fn escaping(self, escaping: Escaping) -> Self {
        Self { escaping, ..self }
    }

    /// Sets whether OpenMetrics and protobuf contain the creation time of each counter and
    /// histogram. By default protobuf contains them and OpenMetrics does not, since there they add
    /// a line per series. The other formats never contain them.
    pub fn created_timestamps(self, created: bool) -> Self {
        Self {
            created: Some(created),
            ..self
        }
    }

    /// Exports only the metrics with these names. The name of a counter may be given with or without
    /// `_total`. Unknown names are ignored.
    pub fn filter_names(self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let names = names.into_iter().map(Into::into);
        Self {
            name_filter: Some(names.collect()),
            ..self
        }
    }

    /// Exports only the first `limit` series. If there are more, JSON ends with
    /// `"truncated": true`.
    pub fn limit(self, limit: usize) -> Self {
        Self { limit, ..self }
    }

    /// Lets series expire once [`ChunkEncoder::complete_delivery`] was called for an export that
    /// contains their last value.
    #[cfg_attr(
        not(feature = "axum"),
        expect(dead_code, reason = "the router delivers exports")
    )]
    pub(crate) fn for_delivery(self) -> Self {
        Self {
            is_delivery: true,
            ..self
        }
    }

    /// Writes the export, in chunks of about 60 KiB.
    ///
    /// # Errors
    ///
    /// Returns the error of the writer.
    pub fn write_to(self, writer: &mut impl io::Write) -> io::Result<()> {
        let mut chunks = self.into_chunks();
        while !chunks.is_last() {
            chunks.next_chunk();
            writer.write_all(chunks.chunk())?;
        }
        Ok(())
    }

    /// Returns the export.
    #[must_use]
    pub fn to_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        // Writing to a vector returns no error.
        let _ = self.write_to(&mut bytes);
        bytes
    }

    /// Returns an encoder of chunks. The registry is read from the first chunk on.
    pub(crate) fn into_chunks(self) -> ChunkEncoder {
        ChunkEncoder::new(self)
    }

    fn start(self) -> (ExportState, Option<Delivery>) {
        let (mut reader, delivery) = if self.is_delivery {
            let (reader, delivery) = self.registry.reader_for_delivery();
            (reader, Some(delivery))
        } else {
            (self.registry.reader(), None)
        };
        if let Some(names) = self.name_filter {
            reader = reader.filter_names(names);
        }
        let encoder: Box<dyn Encode + Send> = match self.format {
            Format::Text | Format::TextV1 => {
                let dialect = TextFormat::Prometheus;
                Box::new(TextEncoder::new(dialect, self.escaping, false))
            }
            Format::OpenMetrics => {
                let dialect = TextFormat::OpenMetrics;
                let created = self.created.unwrap_or(false);
                Box::new(TextEncoder::new(dialect, self.escaping, created))
            }
            Format::Protobuf => {
                let created = self.created.unwrap_or(true);
                Box::new(ProtobufEncoder::new(self.escaping, created))
            }
            Format::Json => Box::new(JsonEncoder::new(reader.read_at(), reader.uptime())),
        };
        let state = ExportState { reader, encoder };
        (state, delivery)
    }
}

impl Registry {
    /// Starts an export of all metrics in a format. See the [module](crate::export) for an example.
    pub fn export(&self, format: Format) -> Export {
        Export {
            registry: self.clone(),
            format,
            escaping: Escaping::default(),
            created: None,
            name_filter: None,
            limit: usize::MAX,
            is_delivery: false,
        }
    }

    /// Returns all metrics in Prometheus's text format 0.0.4.
    #[must_use]
    pub fn export_prometheus(&self) -> String {
        self.export_text(Format::Text)
    }

    /// Returns all metrics as JSON: `{"timestamp", "uptime_seconds", "metrics":
    /// {KEY: {"type", "value", "timestamp", "labels", "help"}}}`.
    ///
    /// The key is the metric's name, or `name{k="v"}` for a series with labels.
    /// A histogram's value is `{"count", "sum", "min", "max", "mean", "buckets"}`,
    /// and `"p50"`, `"p95"`, `"p99"` when it is not empty.
    #[must_use]
    pub fn export_json(&self) -> String {
        self.export_text(Format::Json)
    }

    fn export_text(&self, format: Format) -> String {
        let bytes = self.export(format).to_bytes();
        // These formats are valid UTF-8, so nothing is ever replaced.
        String::from_utf8(bytes)
            .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
    }
}
