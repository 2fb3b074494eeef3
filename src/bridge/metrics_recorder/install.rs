//! Installing a recorder for the process.

use std::panic::Location;
use std::sync::OnceLock;

use crate::bridge::MetricsRecorder;
use crate::error::Error;

/// The location of the call that installed the recorder of the process, if that was
/// [`MetricsRecorder::install`].
static INSTALLED_AT: OnceLock<&'static Location<'static>> = OnceLock::new();

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
        if ::metrics::set_global_recorder(self).is_ok() {
            INSTALLED_AT.get_or_init(|| location);
            return Ok(());
        }
        Err(match INSTALLED_AT.get() {
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
