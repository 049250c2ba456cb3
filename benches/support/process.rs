//! What a process has used, from `/proc`.

use anyhow::{Context, Result};

/// The processor time, in seconds, that the threads of process `pid` have used so far. Threads that have ended
/// are not in it.
///
/// # Errors
/// When there is no such process.
pub(crate) fn cpu_seconds(pid: u32) -> Result<f64> {
    let mut nanoseconds = 0;
    for task in std::fs::read_dir(format!("/proc/{pid}/task"))? {
        // Not `stat`: that counts in hundredths of a second.
        let schedstat = std::fs::read_to_string(task?.path().join("schedstat"))?;
        nanoseconds += schedstat.split(' ').next().context("an empty schedstat")?.parse::<u64>()?;
    }
    Ok(nanoseconds as f64 / 1e9)
}

/// The memory, in bytes, that process `pid` holds.
///
/// # Errors
/// When there is no such process.
pub(crate) fn resident_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmRSS:")
}

/// The most memory, in bytes, that process `pid` has held so far.
///
/// # Errors
/// When there is no such process.
pub(crate) fn peak_bytes(pid: u32) -> Result<u64> {
    status_bytes(pid, "VmHWM:")
}

/// The memory, in bytes, that process `pid` holds; of what it shares with others, its share.
///
/// # Errors
/// When there is no such process.
pub(crate) fn proportional_bytes(pid: u32) -> Result<u64> {
    bytes_in(&format!("/proc/{pid}/smaps_rollup"), "Pss:")
}

/// The process whose arguments, without the name of the program, are these.
///
/// # Errors
/// When the processes can't be listed.
pub(crate) fn running(arguments: &[&str]) -> Result<Option<u32>> {
    for entry in std::fs::read_dir("/proc")? {
        let Ok(pid) = entry?.file_name().to_string_lossy().parse() else { continue };
        // Whatever has ended by now is none.
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        if line.trim_end_matches('\0').split('\0').skip(1).eq(arguments.iter().copied()) {
            return Ok(Some(pid));
        }
    }
    Ok(None)
}

fn status_bytes(pid: u32, name: &str) -> Result<u64> {
    bytes_in(&format!("/proc/{pid}/status"), name)
}

fn bytes_in(file: &str, name: &str) -> Result<u64> {
    let figures = std::fs::read_to_string(file)?;
    let line = figures.lines().find_map(|line| line.strip_prefix(name)).context("no such figure")?;
    let kib: u64 = line.split_whitespace().next().context("an empty figure")?.parse()?;
    Ok(kib << 10)
}
