//! A file for the textfile collector of Prometheus's node exporter.

use std::collections::hash_map::RandomState;
use std::fs::{self, File, OpenOptions};
use std::hash::BuildHasher;
use std::io;
use std::path::{Path, PathBuf};

use crate::export::Format;
use crate::registry::Registry;

impl Registry {
    /// Writes all metrics to a file, in Prometheus's text format 0.0.4.
    ///
    /// Prometheus's node exporter exposes the files whose names end with `.prom` in the directory of
    /// its flag `--collector.textfile.directory`. So a job that ends before it is scraped, such as a
    /// cron job, can report its result:
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let directory = std::env::temp_dir();
    /// use std::time::SystemTime;
    ///
    /// use tachometer::Registry;
    ///
    /// let registry = Registry::new();
    /// let success = registry.gauge("backup_last_success_timestamp_seconds", "Time of the last backup.")?;
    /// success.set(SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_secs_f64());
    /// registry.write_textfile(directory.join("backup.prom"))?;
    /// # std::fs::remove_file(directory.join("backup.prom"))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Readers of the file see either its old content or all of the new one: the metrics are written
    /// to a temporary file in the same directory, which then replaces the file. Its name does not
    /// end with `.prom`. On Unix the file has the mode 0644, whatever the umask is. A symbolic link
    /// is replaced, not followed. If the process is killed, a temporary file may remain.
    ///
    /// The metrics remain in the file until it is replaced or removed. Series do not
    /// [expire](crate::Family::expire_after) because of it, as nothing shows that the file was read.
    /// This method blocks. Call it on a blocking thread if the runtime must not wait for the disk.
    ///
    /// # Errors
    ///
    /// If the directory does not exist or cannot be written to, if the file cannot be replaced, or if
    /// the disk is full. The text names the file. The temporary file is removed.
    #[doc(alias("node_exporter", "prom"))]
    pub fn write_textfile(&self, path: impl AsRef<Path>) -> io::Result<()> {
        let path = path.as_ref();
        self.replace_file(path).map_err(|error| {
            let remedy = match error.kind() {
                io::ErrorKind::NotFound => "; does its directory exist?",
                io::ErrorKind::PermissionDenied => {
                    "; may this process write to its directory, and replace the file?"
                }
                _ => "",
            };
            let text = format!(
                "cannot write the metrics to {}: {error}{remedy}",
                path.display()
            );
            io::Error::new(error.kind(), text)
        })
    }

    fn replace_file(&self, path: &Path) -> io::Result<()> {
        if path.file_name().is_none() {
            let text = "the path has no file name; add one that ends with `.prom`";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let (temporary, mut file) = TemporaryFile::create(path.parent().unwrap_or(path))?;
        self.export(Format::Text).write_to(&mut file)?;
        make_readable(&file)?;
        // Otherwise the file may be empty after a crash of the machine.
        file.sync_all()?;
        drop(file);
        temporary.replace(path)
    }
}

/// Lets the node exporter read the file, which usually runs as another user.
#[cfg(unix)]
fn make_readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;

    file.set_permissions(fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn make_readable(_file: &File) -> io::Result<()> {
    Ok(())
}

/// A file that is removed unless it replaces another one.
struct TemporaryFile(Option<PathBuf>);

impl TemporaryFile {
    /// Creates a file with a random name.
    fn create(directory: &Path) -> io::Result<(Self, File)> {
        let random = RandomState::new().hash_one(0);
        let path = directory.join(format!(".tachometer-{random:016x}.tmp"));
        // It follows no symbolic link, and opens no file that exists.
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        // Other users cannot open it before it is complete.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&path)?;
        Ok((Self(Some(path)), file))
    }

    /// Renames the file. If that fails, it is removed.
    fn replace(mut self, target: &Path) -> io::Result<()> {
        if let Some(path) = &self.0 {
            fs::rename(path, target)?;
        }
        self.0 = None;
        Ok(())
    }
}

impl Drop for TemporaryFile {
    fn drop(&mut self) {
        if let Some(path) = &self.0 {
            // The error that is returned to the caller explains more.
            let _ = fs::remove_file(path);
        }
    }
}
