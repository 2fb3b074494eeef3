//! Reads this process from `/proc/self`.
//!
//! The metrics need seven values from a few short files, so they are parsed here.
//!
//! <https://docs.kernel.org/filesystems/proc.html>, "Process-Specific Subdirectories".

use std::fs;
use std::path::{Path, PathBuf};

use crate::system::kernel_files::{parse_number, read_text};
use crate::system::reading::Process;

/// Reads the files of this process. `self` works in any PID namespace.
#[derive(Debug)]
pub(crate) struct ProcessReader {
    /// `/proc/self`.
    directory: PathBuf,
    ticks_per_second: f64,
    /// Read once: the kernel computes the boot time from the wall clock each time, so it changes
    /// if the clock is set.
    start_time: Option<f64>,
}

/// The value of `USER_HZ` on all current platforms.
const DEFAULT_TICKS_PER_SECOND: f64 = 100.0;

impl ProcessReader {
    pub(crate) fn new() -> Self {
        Self::from_root(Path::new("/proc"))
    }

    fn from_root(root: &Path) -> Self {
        let directory = root.join("self");
        let auxv = fs::read(directory.join("auxv")).ok();
        let ticks_per_second = auxv.and_then(|auxv| parse_ticks_per_second(&auxv));
        let ticks_per_second = ticks_per_second.unwrap_or(DEFAULT_TICKS_PER_SECOND);
        let since_boot = read_times(&directory).map(|times| times.start / ticks_per_second);
        let boot_time = read_text(&root.join("stat")).and_then(|stat| find_number(&stat, "btime "));
        Self {
            directory,
            ticks_per_second,
            start_time: boot_time
                .zip(since_boot)
                .map(|(boot_time, since_boot)| boot_time + since_boot),
        }
    }

    /// Reads everything except the CPU percentage.
    pub(crate) fn read(&mut self) -> Process {
        // The file contains the program's name, which may be cut within a character.
        let status = fs::read(self.directory.join("status")).unwrap_or_default();
        let status = String::from_utf8_lossy(&status);
        let kibibytes = |name| find_number(&status, name).map(|number| 1_024.0 * number);
        Process {
            cpu_seconds: read_times(&self.directory).map(|times| times.cpu / self.ticks_per_second),
            cpu_percent: None,
            resident_memory: kibibytes("VmRSS:"),
            virtual_memory: kibibytes("VmSize:"),
            open_files: self.count_open_files(),
            max_open_files: read_text(&self.directory.join("limits"))
                .and_then(|limits| find_number(&limits, "Max open files ")),
            start_time: self.start_time,
            threads: find_number(&status, "Threads:"),
        }
    }

    fn count_open_files(&self) -> Option<f64> {
        let count = fs::read_dir(self.directory.join("fd")).ok()?.count();
        // The directory itself is open while it is read.
        Some(count.saturating_sub(1) as f64)
    }
}

/// Times in ticks.
struct Times {
    /// User and system CPU time.
    cpu: f64,
    /// The start of the process, since boot.
    start: f64,
}

fn read_times(directory: &Path) -> Option<Times> {
    // Bytes, since the file contains the program's name, which may be any bytes.
    let stat = fs::read(directory.join("stat")).ok()?;
    // The name is in parentheses, and may contain parentheses.
    let name_end = stat.iter().rposition(|byte| *byte == b')')?;
    let fields = str::from_utf8(&stat[name_end + 1..]).ok()?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    // The numbers are those of proc(5). The first field after the name has number 3.
    let field = |number: usize| fields.get(number - 3).and_then(|field| parse_number(field));
    Some(Times {
        cpu: field(14)? + field(15)?,
        start: field(22)?,
    })
}

/// Returns the first number after `prefix`, in the line that starts with it.
fn find_number(text: &str, prefix: &str) -> Option<f64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(prefix));
    parse_number(lines.next()?.split_whitespace().next()?)
}

/// Finds `AT_CLKTCK` in the auxiliary vector: pairs of native-endian words.
fn parse_ticks_per_second(auxv: &[u8]) -> Option<f64> {
    const WORD_SIZE: usize = size_of::<usize>();
    const AT_CLKTCK: usize = 17;

    let word = |bytes: &[u8]| bytes.try_into().ok().map(usize::from_ne_bytes);
    let pairs = auxv.chunks_exact(2 * WORD_SIZE);
    let mut pairs = pairs.map(|pair| pair.split_at(WORD_SIZE));
    let (_, ticks) = pairs.find(|(kind, _)| word(kind) == Some(AT_CLKTCK))?;
    word(ticks)
        .filter(|ticks| *ticks > 0)
        .map(|ticks| ticks as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "7 (a) S 1 1 1 0 -1 4194560 1 0 0 0 150 50 9 9 20 0 3 0 1234 9 9 9\n";

    /// Writes the files of a process, and reads them. `btime` is the content of `/proc/stat`.
    fn read(test: &str, stat: &[u8], status: &[u8], btime: &str) -> Process {
        let name = format!("tachometer-process-{test}-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let directory = root.join("self");
        fs::create_dir_all(directory.join("fd")).unwrap();
        fs::write(directory.join("stat"), stat).unwrap();
        fs::write(directory.join("status"), status).unwrap();
        fs::write(root.join("stat"), btime).unwrap();
        let process = ProcessReader::from_root(&root).read();
        fs::remove_dir_all(root).unwrap();
        process
    }

    #[test]
    fn a_process_of_any_name_is_read() {
        for (at, name) in ["a", "a) R (b", ") 1 2 3 4", "a\nb c", "\u{1f980}"]
            .iter()
            .enumerate()
        {
            let stat = STAT.replace("(a)", &format!("({name})"));
            let status = format!("Name:\t{name}\nVmSize:\t  8 kB\nVmRSS:\t 4 kB\nThreads:\t3\n");
            let read = read(
                &format!("name-{at}"),
                stat.as_bytes(),
                status.as_bytes(),
                "cpu 1\nbtime 1000\n",
            );
            let expected = Process {
                cpu_seconds: Some(2.0),
                resident_memory: Some(4_096.0),
                virtual_memory: Some(8_192.0),
                open_files: Some(0.0),
                start_time: Some(1_012.34),
                threads: Some(3.0),
                ..Process::default()
            };
            assert_eq!(read, expected, "{name:?}");
        }
        // The name is cut within a character.
        let stat = STAT.replace("(a)", "(\u{fe})").into_bytes();
        let cut: Vec<_> = stat.into_iter().filter(|byte| *byte != 0xbe).collect();
        assert!(str::from_utf8(&cut).is_err());
        let read = read("cut", &cut, b"Name:\t\xc3\nThreads:\t3\n", "");
        assert_eq!((read.cpu_seconds, read.threads), (Some(2.0), Some(3.0)));
    }

    #[test]
    fn missing_and_malformed_values_are_omitted() {
        let none = Process {
            open_files: Some(0.0),
            ..Process::default()
        };
        for (at, stat) in [
            "",
            "7 (a)",
            "7 (a) S 1",
            ")",
            "(",
            "\0",
            &STAT.replace("50", "x"),
        ]
        .into_iter()
        .enumerate()
        {
            let read = read(
                &format!("none-{at}"),
                stat.as_bytes(),
                b"VmRSS:\nThreads:\t-1\n",
                "btime\n",
            );
            assert_eq!(read, none, "{stat:?}");
        }
        assert_eq!(
            ProcessReader::from_root(Path::new("/nowhere")).read(),
            Process::default()
        );
    }

    #[test]
    fn ticks_per_second_are_read_from_the_auxiliary_vector() {
        let auxv = |pairs: &[(usize, usize)]| {
            let words = pairs.iter().flat_map(|(kind, value)| [*kind, *value]);
            words.flat_map(usize::to_ne_bytes).collect::<Vec<_>>()
        };
        assert_eq!(
            parse_ticks_per_second(&auxv(&[(6, 4_096), (17, 250), (0, 0)])),
            Some(250.0)
        );
        assert_eq!(parse_ticks_per_second(&auxv(&[(6, 17), (17, 0)])), None);
        assert_eq!(parse_ticks_per_second(&auxv(&[(17, 100)])[1..]), None);
        assert_eq!(parse_ticks_per_second(&[]), None);
    }
}
