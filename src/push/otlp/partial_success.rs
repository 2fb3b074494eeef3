//! How many points of an accepted request were rejected.
//!
//! Reads the two nested fields of an `ExportMetricsServiceResponse` that matter. A protobuf crate
//! would be a dependency for this message alone.

/// Returns `rejected_data_points` of an `ExportMetricsServiceResponse`, or 0 if the response is
/// not such a message.
///
/// The error message beside it is not read, since it may contain label values.
pub(super) fn rejected_points(response: &[u8]) -> u64 {
    let partial_success = Fields(response).find_map(|field| match field {
        Field::Bytes(1, bytes) => Some(bytes),
        _ => None,
    });
    let rejected = Fields(partial_success.unwrap_or_default()).find_map(|field| match field {
        Field::Number(1, number) => Some(number),
        _ => None,
    });
    // A signed number, which is not negative in a valid message.
    rejected
        .filter(|number| i64::try_from(*number).is_ok())
        .unwrap_or(0)
}

/// The fields of a protobuf message. Malformed bytes end them.
struct Fields<'a>(&'a [u8]);

enum Field<'a> {
    Number(u64, u64),
    Bytes(u64, &'a [u8]),
    /// A field of a fixed size, which no field of these messages has.
    Fixed,
}

impl<'a> Iterator for Fields<'a> {
    type Item = Field<'a>;

    fn next(&mut self) -> Option<Field<'a>> {
        let tag = self.varint()?;
        let field = tag >> 3;
        match tag & 7 {
            0 => self.varint().map(|number| Field::Number(field, number)),
            1 => self.take(8).map(|_| Field::Fixed),
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                self.take(len).map(|bytes| Field::Bytes(field, bytes))
            }
            5 => self.take(4).map(|_| Field::Fixed),
            _ => None,
        }
    }
}

impl<'a> Fields<'a> {
    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (bytes, remaining) = self.0.split_at_checked(len)?;
        self.0 = remaining;
        Some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::rejected_points;

    #[test]
    fn the_number_of_rejected_points_is_read() {
        for (response, rejected) in [
            (&[][..], 0),
            (&[0x0a, 0][..], 0),
            (&[0x0a, 2, 8, 3], 3),
            (&[0x0a, 3, 8, 0xac, 2], 300),
            // With an error message, before and after the number.
            (&[0x0a, 5, 8, 3, 0x12, 1, b'x'], 3),
            (&[0x0a, 5, 0x12, 1, b'x', 8, 3], 3),
            // Only a warning.
            (&[0x0a, 3, 0x12, 1, b'x'], 0),
            // Unknown fields of each type.
            (
                &[
                    0x10, 1, 0x1a, 1, 0, 0x25, 0, 0, 0, 0, 0x29, 0, 0, 0, 0, 0, 0, 0, 0, 0x0a, 2,
                    8, 3,
                ],
                3,
            ),
            // -1
            (
                &[0x0a, 11, 8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
                0,
            ),
        ] {
            assert_eq!(rejected_points(response), rejected, "{response:x?}");
        }
    }

    #[test]
    fn malformed_responses_have_no_rejected_points() {
        for response in [
            &b"<html>"[..],
            br#"{"partialSuccess":{"rejectedDataPoints":"3"}}"#,
            &[0x0a],
            &[0x0a, 9, 8, 3],
            &[0x0a, 1, 8],
            &[0x0a, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            &[0x0f; 20],
            &[255; 20],
        ] {
            assert_eq!(rejected_points(response), 0, "{response:x?}");
        }
        let mut random = fastrand::Rng::with_seed(26);
        for _ in 0..10_000 {
            let len = random.usize(..20);
            let response: Vec<_> = (0..len).map(|_| random.u8(..)).collect();
            rejected_points(&response);
        }
    }
}
