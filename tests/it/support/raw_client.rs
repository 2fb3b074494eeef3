//! An HTTP/1.1 client without a library, which can break off at any byte.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

pub(crate) struct RawClient(TcpStream);

impl RawClient {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self(TcpStream::connect(address).await.unwrap())
    }

    /// Sends a request whose body is `length` bytes long, and sends `now` bytes of it.
    pub(crate) async fn send(&mut self, path: &str, length: usize, now: usize) {
        let mut request =
            format!("POST {path} HTTP/1.1\r\nhost: here\r\ncontent-length: {length}\r\n\r\n");
        request.push_str(&"u".repeat(now));
        self.0.write_all(request.as_bytes()).await.unwrap();
    }

    /// Reads one response to its end, and returns the length of its body.
    pub(crate) async fn finish(&mut self) -> usize {
        const BLANK: &str = "\r\n\r\n";

        let mut answer = String::new();
        let head = loop {
            if let Some(head) = answer.find(BLANK) {
                break head + BLANK.len();
            }
            answer.push_str(&self.read().await);
        };
        assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
        let mut body = answer.split_off(head);
        if let Some((_, length)) = answer.split_once("\r\ncontent-length: ") {
            let length = length.lines().next().unwrap().parse().unwrap();
            while body.len() < length {
                body.push_str(&self.read().await);
            }
            return body.len();
        }
        while !body.ends_with("\r\n0\r\n\r\n") {
            body.push_str(&self.read().await);
        }
        // Every other line is a chunk, and none of the chunks has a line's end in it.
        body.split("\r\n").skip(1).step_by(2).map(str::len).sum()
    }

    async fn read(&mut self) -> String {
        let mut bytes = vec![0; 1 << 16];
        let length = self.0.read(&mut bytes).await.unwrap();
        assert!(length > 0, "the server hung up");
        bytes.truncate(length);
        String::from_utf8(bytes).unwrap()
    }

    /// Waits until there is something to read, and reads no more than one byte of it.
    pub(crate) async fn peep(&mut self) {
        assert_eq!(self.0.read(&mut [0]).await.unwrap(), 1);
    }

    /// Shuts down the write half, and reads the response, if any.
    pub(crate) async fn half_close(&mut self) {
        self.0.shutdown().await.unwrap();
        self.until_closed().await;
    }

    /// Reads until the connection ends.
    pub(crate) async fn until_closed(&mut self) {
        let _ = self.0.read_to_end(&mut Vec::new()).await;
    }

    /// Makes dropping it reset the connection instead of closing it.
    pub(crate) fn reset_when_dropped(&self) {
        self.0.set_zero_linger().unwrap();
    }
}
