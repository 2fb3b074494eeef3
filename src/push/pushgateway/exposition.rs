//! The metrics as the body of a request.

use bytes::Bytes;

use crate::encode::{Buffer, Encode, TextEncoder, TextFormat};
use crate::error::Error;
use crate::push::pushgateway::group::Group;
use crate::registry::{Delivery, Registry};
use crate::snapshot::{Escaping, SeriesBlock};

/// Reads a registry, and encodes it as text. It runs collectors, so it is called on a thread for
/// blocking work.
///
/// # Errors
///
/// If a metric has a label of the group. The Pushgateway would replace its values.
pub(super) fn read(registry: &Registry, group: &Group) -> Result<(Bytes, Delivery), Error> {
    let (reader, delivery) = registry.reader_for_delivery();
    let mut encoder = TextEncoder::new(TextFormat::Prometheus, Escaping::default(), false);
    let mut buffer = Buffer::default();
    encoder.start(&mut buffer);
    for block in reader {
        check_labels(&block, group)?;
        encoder.block(&block, &mut buffer);
        for series in 0..block.labels.len() {
            encoder.series(&block, series, &mut buffer);
        }
    }
    encoder.finish(false, &mut buffer);
    Ok((Bytes::from(buffer.into_string()), delivery))
}

fn check_labels(block: &SeriesBlock, group: &Group) -> Result<(), Error> {
    for labels in block.labels.iter() {
        for (name, _) in labels.pairs() {
            let name = Escaping::default().label_name(&name).into_owned();
            if group.contains(&name) {
                return Err(Error::failed_push(format_args!(
                    "the metric {:?} has the label {name:?}, which is also a label of the group: \
                     the Pushgateway would replace its values; rename the label, or group by \
                     another one with `Pushgateway::grouping`",
                    block.desc.name()
                )));
            }
        }
    }
    Ok(())
}
