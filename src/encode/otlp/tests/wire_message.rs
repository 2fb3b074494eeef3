//! A decoder of the wire format of protobuf, which knows no message.

/// The fields of a message, in their order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WireMessage(Vec<(u64, WireValue)>);

#[derive(Debug, Clone, PartialEq)]
enum WireValue {
    Varint(u64),
    Fixed(u64),
    Bytes(Vec<u8>),
}

impl WireMessage {
    pub(crate) fn new(mut bytes: &[u8]) -> Self {
        let mut fields = Vec::new();
        while !bytes.is_empty() {
            let tag = varint(&mut bytes);
            let value = match tag & 7 {
                0 => WireValue::Varint(varint(&mut bytes)),
                1 => WireValue::Fixed(u64::from_le_bytes(take(&mut bytes, 8).try_into().unwrap())),
                2 => {
                    let len = usize::try_from(varint(&mut bytes)).unwrap();
                    WireValue::Bytes(take(&mut bytes, len).to_vec())
                }
                other => panic!("no wire type of OTLP: {other}"),
            };
            fields.push((tag >> 3, value));
        }
        Self(fields)
    }

    fn all(&self, field: u64) -> impl Iterator<Item = &WireValue> {
        let fields = self.0.iter().filter(move |(number, _)| *number == field);
        fields.map(|(_, value)| value)
    }

    /// Returns the only value of a field, if there is one.
    fn one(&self, field: u64) -> Option<&WireValue> {
        let mut all = self.all(field);
        let value = all.next();
        assert_eq!(all.next(), None, "field {field} is repeated");
        value
    }

    pub(crate) fn has_field(&self, field: u64) -> bool {
        self.all(field).next().is_some()
    }

    pub(crate) fn messages(&self, field: u64) -> Vec<Self> {
        let bytes = self.all(field).map(|value| match value {
            WireValue::Bytes(bytes) => Self::new(bytes),
            other => panic!("no message in field {field}: {other:?}"),
        });
        bytes.collect()
    }

    pub(crate) fn message(&self, field: u64) -> Self {
        let mut messages = self.messages(field);
        assert_eq!(messages.len(), 1, "messages in field {field}");
        messages.remove(0)
    }

    pub(crate) fn bytes(&self, field: u64) -> &[u8] {
        match self.one(field) {
            Some(WireValue::Bytes(bytes)) => bytes,
            None => &[],
            other => panic!("no bytes in field {field}: {other:?}"),
        }
    }

    pub(crate) fn text(&self, field: u64) -> &str {
        std::str::from_utf8(self.bytes(field)).unwrap()
    }

    pub(crate) fn varint(&self, field: u64) -> Option<u64> {
        match self.one(field) {
            Some(WireValue::Varint(number)) => Some(*number),
            None => None,
            other => panic!("no varint in field {field}: {other:?}"),
        }
    }

    pub(crate) fn sint(&self, field: u64) -> i64 {
        let number = self.varint(field).unwrap();
        (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
    }

    pub(crate) fn fixed(&self, field: u64) -> Option<u64> {
        match self.one(field) {
            Some(WireValue::Fixed(number)) => Some(*number),
            None => None,
            other => panic!("no fixed number in field {field}: {other:?}"),
        }
    }

    pub(crate) fn double(&self, field: u64) -> Option<f64> {
        self.fixed(field).map(f64::from_bits)
    }

    /// Returns packed numbers of eight bytes.
    pub(crate) fn packed_fixed(&self, field: u64) -> Vec<u64> {
        let (numbers, rest) = self.bytes(field).as_chunks();
        assert!(rest.is_empty());
        numbers.iter().copied().map(u64::from_le_bytes).collect()
    }

    pub(crate) fn packed_varints(&self, field: u64) -> Vec<u64> {
        let mut bytes = self.bytes(field);
        let mut numbers = Vec::new();
        while !bytes.is_empty() {
            numbers.push(varint(&mut bytes));
        }
        numbers
    }
}

fn take<'b>(bytes: &mut &'b [u8], len: usize) -> &'b [u8] {
    let (taken, rest) = bytes.split_at(len);
    *bytes = rest;
    taken
}

fn varint(bytes: &mut &[u8]) -> u64 {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = take(bytes, 1)[0];
        number |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return number;
        }
    }
    panic!("a varint has more than ten bytes");
}
