//! What Linux tells a process of itself in files.
//!
//! <https://docs.kernel.org/filesystems/proc.html>, "Process-Specific Subdirectories".

use std::fs;
use std::path::{Path, PathBuf};

use crate::system::kernel_files::{parse_number, read_text};
use crate::system::reading::Process;

/// The files of this process, whatever its number is in the namespace that they show.
#[derive(Debug)]
pub(crate) struct ProcessReader {
    own: PathBuf,
    /// In a second.
    ticks: f64,
    /// Read once, since the kernel works out anew, from a clock that is set, when the machine
    /// began.
    started: Option<f64>,
}

/// What `USER_HZ` is on all but a few machines of long ago.
const TICKS: f64 = 100.0;

impl ProcessReader {
    pub(crate) fn new() -> Self {
        Self::at(Path::new("/proc"))
    }

    fn at(root: &Path) -> Self {
        let own = root.join("self");
        let ticks = fs::read(own.join("auxv"))
            .ok()
            .and_then(|auxv| ticks(&auxv));
        let ticks = ticks.unwrap_or(TICKS);
        let since = times(&own).map(|times| times.started / ticks);
        let booted = read_text(&root.join("stat")).and_then(|stat| named(&stat, "btime "));
        Self {
            own,
            ticks,
            started: booted.zip(since).map(|(booted, since)| booted + since),
        }
    }

    /// Reads what the process uses; a share is worked out elsewhere.
    pub(crate) fn read(&mut self) -> Process {
        // The program's name is in there, which may be cut within a letter.
        let status = fs::read(self.own.join("status")).unwrap_or_default();
        let status = String::from_utf8_lossy(&status);
        let kibibytes = |name| named(&status, name).map(|number| 1_024.0 * number);
        Process {
            cpu_seconds: times(&self.own).map(|times| times.taken / self.ticks),
            cpu_percent: None,
            resident: kibibytes("VmRSS:"),
            address_space: kibibytes("VmSize:"),
            open_files: self.open_files(),
            max_open_files: read_text(&self.own.join("limits"))
                .and_then(|limits| named(&limits, "Max open files ")),
            start_time: self.started,
            threads: named(&status, "Threads:"),
        }
    }

    /// Counts the files that are open, but for the directory that lists them.
    fn open_files(&self) -> Option<f64> {
        let listed = fs::read_dir(self.own.join("fd")).ok()?.count();
        Some(listed.saturating_sub(1) as f64)
    }
}

/// Times in ticks.
struct Times {
    /// CPU time, of the user's and the system's code.
    taken: f64,
    /// From when the machine began until the process did.
    started: f64,
}

fn times(own: &Path) -> Option<Times> {
    // Bytes, since a program may have any name, and the name is in there.
    let stat = fs::read(own.join("stat")).ok()?;
    // It stands in brackets, and may have some of its own.
    let end = stat.iter().rposition(|byte| *byte == b')')?;
    let rest = str::from_utf8(&stat[end + 1..]).ok()?;
    // The first of them is the third of all.
    let fields: Vec<_> = rest.split_whitespace().collect();
    let field = |number: usize| fields.get(number - 3).and_then(|field| parse_number(field));
    Some(Times {
        taken: field(14)? + field(15)?,
        started: field(22)?,
    })
}

/// Returns the first number of the line that begins so.
fn named(text: &str, name: &str) -> Option<f64> {
    let mut lines = text.lines().filter_map(|line| line.strip_prefix(name));
    parse_number(lines.next()?.split_whitespace().next()?)
}

/// Finds how many ticks a second has among the pairs of words that the kernel gave the process.
fn ticks(auxv: &[u8]) -> Option<f64> {
    const SIZE: usize = size_of::<usize>();
    const AT_CLKTCK: usize = 17;

    let word = |bytes: &[u8]| bytes.try_into().ok().map(usize::from_ne_bytes);
    let mut pairs = auxv.chunks_exact(2 * SIZE).map(|pair| pair.split_at(SIZE));
    let (_, ticks) = pairs.find(|(kind, _)| word(kind) == Some(AT_CLKTCK))?;
    word(ticks)
        .filter(|ticks| *ticks > 0)
        .map(|ticks| ticks as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STAT: &str = "7 (a) S 1 1 1 0 -1 4194560 1 0 0 0 150 50 9 9 20 0 3 0 1234 9 9 9\n";

    /// Reads such files, with `btime` as it is in the machine's.
    fn read(test: &str, stat: &[u8], status: &[u8], btime: &str) -> Process {
        let name = format!("tachometer-process-{test}-{}", std::process::id());
        let root = std::env::temp_dir().join(name);
        let own = root.join("self");
        fs::create_dir_all(own.join("fd")).unwrap();
        fs::write(own.join("stat"), stat).unwrap();
        fs::write(own.join("status"), status).unwrap();
        fs::write(root.join("stat"), btime).unwrap();
        let process = ProcessReader::at(&root).read();
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
                resident: Some(4_096.0),
                address_space: Some(8_192.0),
                open_files: Some(0.0),
                start_time: Some(1_012.34),
                threads: Some(3.0),
                ..Process::default()
            };
            assert_eq!(read, expected, "{name:?}");
        }
        // As a name is that was cut within a letter.
        let stat = STAT.replace("(a)", "(\u{fe})").into_bytes();
        let cut: Vec<_> = stat.into_iter().filter(|byte| *byte != 0xbe).collect();
        assert!(str::from_utf8(&cut).is_err());
        let read = read("cut", &cut, b"Name:\t\xc3\nThreads:\t3\n", "");
        assert_eq!((read.cpu_seconds, read.threads), (Some(2.0), Some(3.0)));
    }

    #[test]
    fn what_is_missing_or_makes_no_sense_is_left_out() {
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
            ProcessReader::at(Path::new("/nowhere")).read(),
            Process::default()
        );
    }

    #[test]
    fn the_ticks_of_a_second_are_found_among_what_the_kernel_gave() {
        let auxv = |pairs: &[(usize, usize)]| {
            let words = pairs.iter().flat_map(|(kind, value)| [*kind, *value]);
            words.flat_map(usize::to_ne_bytes).collect::<Vec<_>>()
        };
        assert_eq!(ticks(&auxv(&[(6, 4_096), (17, 250), (0, 0)])), Some(250.0));
        assert_eq!(ticks(&auxv(&[(6, 17), (17, 0)])), None);
        assert_eq!(ticks(&auxv(&[(17, 100)])[1..]), None);
        assert_eq!(ticks(&[]), None);
    }
}
