//! A terminal with `everpane attach --layout` in it: keys go in, and what it draws is put on a screen of our own.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use everpane::geometry::Size;
use everpane::screen::{Screen, ScrollbackLimits};
use memchr::memmem;
use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use super::TOKEN;
use super::stage::eventually;

/// What ends each picture: up to here all sequences are whole.
const PICTURE_ENDS: &[u8] = b"\x1b[?2026l";

/// See the module.
pub(crate) struct Terminal {
    master: Box<dyn MasterPty + Send>,
    keys: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    shown: Arc<Mutex<Shown>>,
    before: String,
}

struct Shown {
    screen: Screen,
    /// All that came.
    bytes: Vec<u8>,
    /// How much of that is on the screen.
    taken: usize,
}

impl Terminal {
    /// One of 80 columns and 24 rows, attached to a gateway with more arguments.
    pub(crate) fn attach(gateway: SocketAddr, arguments: &[&str]) -> Self {
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).unwrap();
        let before = settings(&*pair.master);
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_everpane"));
        command.env_clear();
        for (name, value) in [
            ("PATH", "/usr/bin:/bin"),
            ("HOME", "/"),
            ("TERM", "xterm-256color"),
            ("EDITOR", "vi"),
            ("EVERPANE_TOKEN", TOKEN),
        ] {
            command.env(name, value);
        }
        command.args(["attach", "--layout", "--gateway", &format!("http://{gateway}")]);
        command.args(arguments);
        let child = pair.slave.spawn_command(command).unwrap();
        let mut output = pair.master.try_clone_reader().unwrap();
        let keys = pair.master.take_writer().unwrap();
        let screen = Screen::new(Size { cols: 80, rows: 24 }, ScrollbackLimits { lines: 0, bytes: 0 });
        let shown = Arc::new(Mutex::new(Shown { screen, bytes: Vec::new(), taken: 0 }));
        let to_show = shown.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(count @ 1..) = output.read(&mut buffer) {
                to_show.lock().unwrap().take(&buffer[..count]);
            }
        });
        // The slave stays open with the master, so that its settings can be read after the end.
        Self { master: pair.master, keys, child, shown, before }
    }

    /// Presses keys, or what else a terminal sends.
    pub(crate) fn press(&mut self, keys: impl AsRef<[u8]>) {
        self.keys.write_all(keys.as_ref()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Makes it larger or smaller.
    pub(crate) fn resize(&self, cols: u16, rows: u16) {
        self.shown.lock().unwrap().screen.resize(Size { cols, rows });
        self.master.resize(PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// What it shows.
    pub(crate) fn rows(&self) -> Vec<String> {
        self.shown.lock().unwrap().screen.text()
    }

    /// Waits until what it shows is right, and gives that.
    pub(crate) fn until(&self, what: &str, is_right: impl Fn(&[String]) -> bool) -> Vec<String> {
        let last = std::cell::RefCell::new(Vec::new());
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            eventually(what, || {
                *last.borrow_mut() = self.rows();
                is_right(&last.borrow()).then(|| last.borrow().clone())
            })
        }));
        outcome
            .unwrap_or_else(|_| panic!("waited in vain for {what}; it shows\n{}", last.borrow().join("\n")))
    }

    /// Waits until it shows a text.
    pub(crate) fn until_shows(&self, text: &str) -> Vec<String> {
        self.until(text, |rows| rows.iter().any(|row| row.contains(text)))
    }

    /// Waits until a text is gone.
    pub(crate) fn until_gone(&self, text: &str) -> Vec<String> {
        self.until(&format!("the end of {text}"), |rows| !rows.iter().any(|row| row.contains(text)))
    }

    /// Waits until these bytes have come.
    pub(crate) fn until_came(&self, bytes: &[u8]) {
        eventually("bytes", || memmem::find(&self.shown.lock().unwrap().bytes, bytes));
    }

    /// Sends a signal to the client.
    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.process_id().unwrap().to_string();
        assert!(std::process::Command::new("kill").args(["-s", signal, &pid]).status().unwrap().success());
    }

    /// Waits until the client has ended, and its terminal is as it was found.
    pub(crate) fn until_left(&mut self) -> u32 {
        let status = eventually("the client's end", || self.child.try_wait().unwrap());
        assert_eq!(settings(&*self.master), self.before, "the terminal's settings");
        eventually("the old screen", || {
            let mut shown = self.shown.lock().unwrap();
            shown.take_rest();
            (!shown.screen.wants().alternate).then_some(())
        });
        let shown = self.shown.lock().unwrap();
        assert_eq!(shown.screen.wants(), everpane::screen::wants::Wants::default());
        assert!(shown.screen.cursor().visible);
        status.exit_code()
    }
}

impl Shown {
    fn take(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
        if let Some(end) = memmem::rfind(&self.bytes, PICTURE_ENDS).map(|at| at + PICTURE_ENDS.len()) {
            self.show(end);
        }
    }

    fn take_rest(&mut self) {
        self.show(self.bytes.len());
    }

    fn show(&mut self, end: usize) {
        if end > self.taken {
            self.screen.feed(&self.bytes[self.taken..end]);
            self.taken = end;
        }
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The line discipline's settings, in full.
fn settings(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().unwrap())
}
