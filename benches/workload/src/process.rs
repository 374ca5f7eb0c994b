//! What the system counts of this process, read from `/proc`, and the size of files.

use std::fs;
use std::path::Path;

/// Linux reports processor time to programs in hundredths of a second, whatever its own clock is.
const TICKS_PER_SECOND: f64 = 100.0;

/// Processor time used by all threads so far, in seconds.
///
/// # Panics
/// Where there is no `/proc`.
pub fn cpu_seconds() -> f64 {
    let stat = read("/proc/self/stat");
    // The second field is the program's name in parentheses, and may contain spaces.
    let after_name = stat
        .rsplit(')')
        .next()
        .expect("a split has at least one part");
    let ticks = |field: usize| -> f64 {
        let text = after_name.split_whitespace().nth(field);
        text.and_then(|t| t.parse().ok())
            .expect("/proc/self/stat has the field")
    };
    (ticks(11) + ticks(12)) / TICKS_PER_SECOND
}

/// Bytes that this process has caused to be written to the device so far. Pages count when they become dirty in the
/// page cache, once until they are written; what the file system adds for itself does not count.
///
/// # Panics
/// Where there is no `/proc`.
pub fn device_bytes_written() -> u64 {
    field("/proc/self/io", "write_bytes:")
}

/// Memory in use now, in bytes.
///
/// # Panics
/// Where there is no `/proc`.
pub fn resident_bytes() -> u64 {
    field("/proc/self/status", "VmRSS:") * 1_024
}

/// The most memory this process has used at any time, in bytes.
///
/// # Panics
/// Where there is no `/proc`.
pub fn peak_resident_bytes() -> u64 {
    field("/proc/self/status", "VmHWM:") * 1_024
}

/// The bytes that the files of a folder take on disk: allocated blocks, so that a file preallocated with holes counts as
/// what it takes.
///
/// # Panics
/// If the folder cannot be read.
pub fn folder_bytes(folder: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    let entries = fs::read_dir(folder).expect("the folder can be read");
    entries
        .map(|entry| {
            let path = entry.expect("the folder can be read").path();
            let metadata = fs::metadata(&path).expect("the file is there");
            if metadata.is_dir() {
                folder_bytes(&path)
            } else {
                metadata.blocks() * 512
            }
        })
        .sum()
}

fn field(path: &str, name: &str) -> u64 {
    let text = read(path);
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|rest| rest.split_whitespace().next());
    number
        .and_then(|n| n.parse().ok())
        .unwrap_or_else(|| panic!("{path} has no field {name}"))
}

fn read(path: &str) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{path} cannot be read: {error}"))
}
