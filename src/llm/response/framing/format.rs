//! The formats of a response body: as declared by its headers, and as detected in its bytes.

/// The format that the headers of a response declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeclaredFormat {
    /// Server-sent events.
    Sse,
    /// One JSON text per line, each of which is an event.
    JsonLines,
    /// An event stream of AWS.
    AwsEventStream,
    /// Anything else, which should be JSON.
    Other,
    /// A body that is not read, such as audio.
    Opaque,
}

/// The format that the first bytes of a response show.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum DetectedFormat {
    /// Not known yet. The number is that of the bytes of a byte order mark so far.
    Unknown(usize),
    /// Server-sent events.
    Sse,
    /// One JSON text per line.
    JsonLines,
    /// Messages of an AWS event stream.
    AwsEventStream,
    /// One JSON text, or several.
    Json,
    /// One JSON array, whose elements are events.
    JsonArray,
    /// The bytes after such an array.
    AfterJsonArray,
    /// None of these.
    Unrecognized,
    /// The body is not read, or not any further.
    Ignored,
}

const BYTE_ORDER_MARK: [u8; 3] = [0xEF, 0xBB, 0xBF];

impl DeclaredFormat {
    /// Returns the format that a byte shows, which comes after `mark_len` bytes of a byte order
    /// mark.
    pub(crate) fn detect(self, byte: u8, mark_len: usize) -> DetectedFormat {
        match byte {
            // The first byte of a message's length, which is less than 2^24.
            0 => DetectedFormat::AwsEventStream,
            _ if self == Self::AwsEventStream => DetectedFormat::AwsEventStream,
            _ if BYTE_ORDER_MARK.get(mark_len) == Some(&byte) => {
                DetectedFormat::Unknown(mark_len + 1)
            }
            b' ' | b'\t' | b'\n' | b'\r' => DetectedFormat::Unknown(mark_len),
            b'{' if self == Self::JsonLines => DetectedFormat::JsonLines,
            b'{' => DetectedFormat::Json,
            b'[' => DetectedFormat::JsonArray,
            // `data`, `event`, `id`, `retry`, or a comment.
            b'd' | b'e' | b'i' | b'r' | b':' => DetectedFormat::Sse,
            _ if self == Self::Sse => DetectedFormat::Sse,
            _ => DetectedFormat::Unrecognized,
        }
    }
}

impl DetectedFormat {
    /// Returns true if the body consists of events.
    pub(crate) fn is_streamed(self) -> bool {
        matches!(
            self,
            Self::Sse
                | Self::JsonLines
                | Self::AwsEventStream
                | Self::JsonArray
                | Self::AfterJsonArray
        )
    }
}
