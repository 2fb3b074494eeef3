//! Installing a recorder for the process.

use std::panic::Location;
use std::sync::{Mutex, PoisonError};

use crate::bridge::MetricsRecorder;
use crate::error::Error;

/// The location of the call that installed the recorder of the process, if that was
/// [`MetricsRecorder::install`].
static INSTALLED_AT: Mutex<Option<&'static Location<'static>>> = Mutex::new(None);

impl MetricsRecorder {
    /// Installs the recorder for the whole process.
    ///
    /// Install it before libraries create metrics: a handle that is created earlier never records
    /// anything.
    ///
    /// # Errors
    ///
    /// If a recorder is installed already ([`Error::is_recorder_installed`]). If this function
    /// installed it, the error has the file and line of the first call. The location of another
    /// crate's recorder is unknown.
    #[track_caller]
    pub fn install(self) -> Result<(), Error> {
        let location = Location::caller();
        // Locked until the location is stored: a call on another thread fails before.
        let mut installed_at = INSTALLED_AT.lock().unwrap_or_else(PoisonError::into_inner);
        if ::metrics::set_global_recorder(self).is_ok() {
            *installed_at = Some(location);
            return Ok(());
        }
        Err(match *installed_at {
            Some(location) => Error::recorder_installed(format_args!(
                "a `MetricsRecorder` is installed already, at {location}: install it once, and \
                 pass the registry that it should record in to \
                 `MetricsRecorder::registry`"
            )),
            None => Error::recorder_installed(
                "the process has a recorder of the `metrics` facade already, which \
                 `MetricsRecorder::install` did not install: remove the call that installs it, \
                 such as `PrometheusBuilder::install`, `install_recorder` or \
                 `metrics::set_global_recorder`, or combine the two with `FanoutBuilder` of \
                 metrics-util",
            ),
        })
    }
}
