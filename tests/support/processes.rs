//! The processes of this machine, as `/proc` has them.

use std::fs;
use std::path::Path;

/// A process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) parent: u32,
    /// The id of its session: of the process that leads it.
    pub(crate) session: u32,
    /// Its controlling terminal's device number; 0 if it has none.
    pub(crate) terminal: i64,
    /// `R`, `S`, `Z` and so on, as ps shows it.
    pub(crate) state: char,
}

impl Process {
    /// The process of this id, if there is one.
    pub(crate) fn of(pid: u32) -> Option<Process> {
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        // The name, in parentheses, may hold anything.
        let fields: Vec<&str> = stat.rsplit_once(") ")?.1.split(' ').collect();
        Some(Process {
            pid,
            state: fields[0].chars().next()?,
            parent: fields[1].parse().ok()?,
            session: fields[3].parse().ok()?,
            terminal: fields[4].parse().ok()?,
        })
    }

    /// All there are.
    pub(crate) fn all() -> Vec<Process> {
        let names =
            fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().into_string().ok());
        names.filter_map(|name| Process::of(name.parse().ok()?)).collect()
    }

    /// The children of `pid`, zombies too.
    pub(crate) fn children_of(pid: u32) -> Vec<Process> {
        Process::all().into_iter().filter(|process| process.parent == pid).collect()
    }

    /// Those with `NAME=value` in the environment that they were started with.
    pub(crate) fn with_variable(name: &str, value: &Path) -> Vec<Process> {
        let wanted = format!("{name}={}", value.display());
        Process::all().into_iter().filter(|process| process.environment().contains(&wanted)).collect()
    }

    /// The environment that it was started with; empty for a zombie.
    pub(crate) fn environment(&self) -> Vec<String> {
        let text = fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        text.split(|byte| *byte == 0).map(|variable| String::from_utf8_lossy(variable).into_owned()).collect()
    }

    /// What it was started with, its own name first; empty for a zombie.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let text = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let words = text.split(|byte| *byte == 0).map(|word| String::from_utf8_lossy(word).into_owned());
        words.filter(|word| !word.is_empty()).collect()
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap().count()
    }

    /// Whether it has this file open.
    pub(crate) fn has_open(&self, file: &Path) -> bool {
        let open = fs::read_dir(format!("/proc/{}/fd", self.pid)).unwrap();
        open.flatten().any(|entry| fs::read_link(entry.path()).is_ok_and(|at| at == file))
    }

    /// How much memory it has in use, in bytes.
    pub(crate) fn resident_bytes(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    }

    /// How many threads it has.
    pub(crate) fn threads(&self) -> usize {
        fs::read_dir(format!("/proc/{}/task", self.pid)).unwrap().count()
    }

    /// Lets it have so many descriptors open at most.
    pub(crate) fn limit_descriptors(&self, count: usize) {
        let pid = rustix::process::Pid::from_raw(self.pid.try_into().unwrap());
        let limit = rustix::process::Rlimit { current: Some(count as u64), maximum: Some(count as u64) };
        rustix::process::prlimit(pid, rustix::process::Resource::Nofile, limit).unwrap();
    }

    /// Sends it a signal by name. One that is gone is left alone.
    pub(crate) fn signal(&self, name: &str) {
        let pid = rustix::process::Pid::from_raw(self.pid.try_into().unwrap()).unwrap();
        let signal = match name {
            "KILL" => rustix::process::Signal::KILL,
            "STOP" => rustix::process::Signal::STOP,
            "CONT" => rustix::process::Signal::CONT,
            "TERM" => rustix::process::Signal::TERM,
            "USR1" => rustix::process::Signal::USR1,
            _ => panic!("which signal is {name}?"),
        };
        let _ = rustix::process::kill_process(pid, signal);
    }
}
