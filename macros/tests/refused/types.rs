use tachometer::timed;

#[timed("seconds", outcome)]
fn returns() -> Result<u8, String> {
    5
}

#[timed("seconds", outcome)]
async fn waits() -> Result<u8, String> {
    "five"
}

#[timed("seconds")]
fn plain(text: &str) -> u8 {
    text
}

#[timed("seconds", registry = 5)]
fn registry() {}

fn main() {}
