//! A terminal with `everpane attach` of one pane in it: keys go in, and what it writes is put on a screen of our own.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Mutex};

use everpane::geometry::Size;
use everpane::screen::{Screen, ScrollbackLimits};
use portable_pty::{CommandBuilder, MasterPty, PtySize, native_pty_system};
use rustix::termios::tcgetattr;

use super::TOKEN;
use super::stage::eventually;

/// How large it is at first.
pub(crate) const SIZE: Size = Size { cols: 100, rows: 12 };

/// A terminal in which `everpane attach` runs.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    pub(crate) child: Box<dyn portable_pty::Child + Send + Sync>,
    /// What it shows; nothing is read while this is locked.
    pub(crate) screen: Arc<Mutex<Screen>>,
    /// The terminal itself, to ask for its settings.
    pub(crate) tty: File,
    /// Its settings before.
    before: String,
}

impl Terminal {
    /// One attached to the gateway at this address, with more arguments.
    pub(crate) fn attach(address: impl std::fmt::Display, arguments: &[&str]) -> Terminal {
        let gateway = format!("http://{address}");
        let reach = ["--gateway", &gateway];
        Terminal::run(&[&reach, arguments].concat(), &[("HOME", "/"), ("EVERPANE_TOKEN", TOKEN)])
    }

    /// One in which `attach` has these arguments and variables, and no others.
    pub(crate) fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Terminal {
        let size = PtySize { rows: SIZE.rows, cols: SIZE.cols, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let tty = OpenOptions::new().read(true).write(true).open(pair.master.tty_name().unwrap()).unwrap();
        let before = settings(&tty);
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_everpane"));
        command.env_clear();
        variables.iter().for_each(|(name, value)| command.env(name, value));
        command.arg("attach");
        command.args(arguments);
        let child = pair.slave.spawn_command(command).unwrap();
        let screen = Arc::new(Mutex::new(Screen::new(SIZE, ScrollbackLimits { lines: 0, bytes: 0 })));
        let mut output = pair.master.try_clone_reader().unwrap();
        let fed = screen.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut bytes) {
                fed.lock().unwrap().feed(&bytes[..count]);
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Terminal { master: pair.master, keys, child, screen, tty, before }
    }

    /// Its path.
    pub(crate) fn path(&self) -> PathBuf {
        self.master.tty_name().unwrap()
    }

    /// Presses keys, or what else a terminal sends.
    pub(crate) fn press(&mut self, keys: &[u8]) {
        self.keys.write_all(keys).unwrap();
        self.keys.flush().unwrap();
    }

    /// What it shows.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.screen.lock().unwrap().text()
    }

    /// Sends a signal to the program.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        assert!(Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    /// Makes it larger or smaller.
    pub(crate) fn resize(&self, cols: u16, rows: u16) {
        self.screen.lock().unwrap().resize(Size { cols, rows });
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// Whether one of its rows has a text.
    pub(crate) fn shows(&self, text: &str) -> bool {
        self.rows().iter().any(|row| row.contains(text))
    }

    /// Waits until it shows a text.
    #[track_caller]
    pub(crate) fn until_shows(&self, text: &str) {
        eventually(&format!("{text:?} in the terminal"), || self.shows(text).then_some(()));
    }

    /// Waits for its end, and returns the exit code. The terminal is as it was.
    pub(crate) fn ended(&mut self) -> u32 {
        let code = eventually("the end", || self.child.try_wait().unwrap()).exit_code();
        assert_eq!(settings(&self.tty), self.before, "the settings of the terminal");
        eventually("the end of all modes", || {
            let screen = self.screen.lock().unwrap();
            (screen.input_modes().is_empty() && screen.cursor().visible).then_some(())
        });
        code
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

/// A terminal's settings, in full.
pub(crate) fn settings(tty: &File) -> String {
    format!("{:?}", tcgetattr(tty).unwrap())
}
