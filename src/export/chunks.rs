//! A registry's exposition, a chunk of text at a time.

use std::fmt;

use crate::encode::{Encode, JsonEncoder, TextEncoder};
use crate::export::Format;
use crate::registry::{Gather, Registry};

/// A chunk is handed over once it is at least this long. It is then longer by
/// what one block adds: of histograms with a dozen bounds some 90 KiB.
const CHUNK: usize = 64 * 1024;

/// A registry's exposition in chunks of 64 KiB and more, each made as it is taken.
///
/// So a scrape of any size holds one chunk, and whoever takes it slowly holds no
/// more.
pub(crate) struct Chunks {
    gather: Gather,
    encoder: Box<dyn Encode + Send>,
    at: At,
}

#[derive(Clone, Copy, PartialEq)]
enum At {
    Start,
    Blocks,
    End,
}

impl Chunks {
    pub(crate) fn new(registry: &Registry, format: Format) -> Self {
        let gather = registry.gather();
        let encoder: Box<dyn Encode + Send> = match format {
            Format::Text => Box::new(TextEncoder::default()),
            Format::Json => Box::new(JsonEncoder::new(gather.taken(), gather.uptime())),
        };
        Self {
            gather,
            encoder,
            at: At::Start,
        }
    }
}

impl Iterator for Chunks {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        if self.at == At::End {
            return None;
        }
        let mut out = String::new();
        if self.at == At::Start {
            self.encoder.start(&mut out);
            self.at = At::Blocks;
        }
        while out.len() < CHUNK {
            match self.gather.next() {
                Some(block) => self.encoder.block(&block, &mut out),
                None => {
                    self.encoder.finish(&mut out);
                    self.at = At::End;
                    break;
                }
            }
        }
        Some(out)
    }
}

impl fmt::Debug for Chunks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chunks")
            .field("gather", &self.gather)
            .finish_non_exhaustive()
    }
}
