//! A wall clock that some processes have to themselves, and that a test steps while they run. Their monotonic clock is the
//! machine's own.

use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::process::Command;
use std::time::{SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use super::processes::Process;

/// An hour, in seconds.
pub(crate) const HOUR: i64 = 3600;

/// What stands in for the C library's clock.
const SHIM: &str = include_str!("wall_clock.c");

/// See the module.
pub(crate) struct WallClock {
    dir: TempDir,
    /// How far it is ahead, in seconds; all who have it read along.
    offset: File,
}

impl WallClock {
    /// One that is right, until it is stepped.
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let [source, shim] = ["wall_clock.c", "wall_clock.so"].map(|name| dir.path().join(name));
        fs::write(&source, SHIM).unwrap();
        let flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o"];
        assert!(Command::new("cc").args(flags).args([&shim, &source]).status().unwrap().success());
        let options = File::options().read(true).write(true).create_new(true).clone();
        let offset = options.open(dir.path().join("offset")).unwrap();
        offset.write_all_at(&0_i64.to_ne_bytes(), 0).unwrap();
        Self { dir, offset }
    }

    /// What makes it the clock of a process that is started with it.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.dir.path().join(name).to_str().unwrap().to_owned();
        let variable = |name: &str, value| (name.to_owned(), value);
        vec![variable("LD_PRELOAD", path("wall_clock.so")), variable("WALL_CLOCK_OFFSET", path("offset"))]
    }

    /// Sets it forward by so many seconds, or back.
    pub(crate) fn step(&self, seconds: i64) {
        let offset = self.offset() + seconds;
        self.offset.write_all_at(&offset.to_ne_bytes(), 0).unwrap();
    }

    /// What it says, in seconds since the Unix epoch.
    pub(crate) fn now(&self) -> u64 {
        let right = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
        right.checked_add_signed(self.offset()).unwrap()
    }

    /// Whether a process has it.
    pub(crate) fn is_of(&self, process: &Process) -> bool {
        let maps = fs::read_to_string(format!("/proc/{}/maps", process.pid)).unwrap();
        [&self.dir.path().join("wall_clock.so"), &self.dir.path().join("offset")]
            .iter()
            .all(|path| maps.contains(path.to_str().unwrap()))
    }

    fn offset(&self) -> i64 {
        let mut bytes = [0; size_of::<i64>()];
        self.offset.read_exact_at(&mut bytes, 0).unwrap();
        i64::from_ne_bytes(bytes)
    }
}
