//! The runtime that an exporter is started on.

use std::net::{Ipv4Addr, UdpSocket};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::time::sleep;

use crate::error::Error;

/// Returns the current runtime.
///
/// A runtime does not tell whether it has a timer and I/O. Functions that need them panic, so the
/// only check is to call one. The panic hook then prints a message.
///
/// # Errors
///
/// If there is no runtime, or if it lacks a timer, or I/O that is needed.
pub(super) fn current_runtime(needs_io: bool) -> Result<Handle, Error> {
    let runtime = Handle::try_current().map_err(|_| {
        Error::invalid_push(
            "`Otlp::start` needs a tokio runtime: call it in an async function, or after \
             `Runtime::enter`",
        )
    })?;
    if !has_timer() {
        return Err(Error::invalid_push(
            "`Otlp::start` needs a tokio runtime with a timer: call `enable_all` on its builder",
        ));
    }
    if needs_io && !has_io() {
        return Err(Error::invalid_push(
            "`Otlp::start` needs a tokio runtime with I/O for the client that is built in: call \
             `enable_all` on its builder",
        ));
    }
    Ok(runtime)
}

fn has_timer() -> bool {
    catch_unwind(|| drop(sleep(Duration::ZERO))).is_ok()
}

/// Registers a socket that is closed at once. It has no peer.
fn has_io() -> bool {
    let Ok(socket) = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)) else {
        // There may be no loopback interface. Then the first request tells.
        return true;
    };
    if socket.set_nonblocking(true).is_err() {
        return true;
    }
    let register = || drop(tokio::net::UdpSocket::from_std(socket));
    catch_unwind(AssertUnwindSafe(register)).is_ok()
}
