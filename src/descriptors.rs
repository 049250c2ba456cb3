//! How many files, sockets and PTYs this process may have open: more than systems grant to those who don't ask.

use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// Fewer may not be enough for a thousand nodes and those who watch them.
const ENOUGH: u64 = 4096;

/// What we were started with.
static BEFORE: OnceLock<Rlimit> = OnceLock::new();

/// Asks for as many as the system lets us have, and warns if those are few.
pub fn raise() {
    let before = BEFORE.get_or_init(|| getrlimit(Resource::Nofile));
    let raised = Rlimit { current: before.maximum, maximum: before.maximum };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "cannot raise the limit on open files");
    }
    if let Some(few) = getrlimit(Resource::Nofile).current.filter(|most| *most < ENOUGH) {
        tracing::warn!(
            "at most {few} files, sockets and terminals can be open; raise the hard limit (ulimit -Hn) to {ENOUGH} \
             or more for many nodes and viewers"
        );
    }
}

/// Gives a program that we started the limit that we were started with: some still count on a low one.
pub fn restore_for(program: Pid) {
    if let Some(before) = BEFORE.get()
        && let Err(error) = prlimit(Some(program), Resource::Nofile, *before)
    {
        tracing::debug!(%error, "a program keeps our limit on open files");
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn the_limit_is_raised_for_us_and_not_for_our_programs() {
        let started_with = getrlimit(Resource::Nofile);
        raise();
        assert_eq!(getrlimit(Resource::Nofile).current, started_with.maximum);
        let mut program = Command::new("/bin/sleep").arg("60").spawn().unwrap();
        let pid = Pid::from_raw(program.id().try_into().unwrap()).unwrap();
        restore_for(pid);
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", program.id())).unwrap();
        program.kill().unwrap();
        program.wait().unwrap();
        let line = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
        let soft = line.split_whitespace().nth(3).unwrap();
        assert_eq!(soft.parse::<u64>().ok(), started_with.current);
    }
}
