//! Our terminal in raw mode, and given back as it was however we leave.

use std::io::{self, Write};
use std::os::fd::AsFd;

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use super::outer::LEAVE;
use crate::geometry::Size;

/// See the module. Dropping it gives the terminal back, also while a panic goes through.
#[derive(Debug)]
pub(super) struct Guard {
    before: Termios,
}

impl Guard {
    /// Takes the terminal over.
    ///
    /// # Errors
    /// When standard input is none.
    pub(super) fn take() -> io::Result<Guard> {
        let stdin = io::stdin();
        let before = tcgetattr(stdin.as_fd())?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(stdin.as_fd(), OptionalActions::Now, &raw)?;
        Ok(Guard { before })
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // Nothing can be done about a terminal that is gone.
        let mut stdout = io::stdout().lock();
        let _ = stdout.write_all(LEAVE).and_then(|()| stdout.flush());
        let _ = tcsetattr(io::stdin().as_fd(), OptionalActions::Drain, &self.before);
    }
}

/// How large our terminal is; the usual size where it does not say.
pub(super) fn size() -> Size {
    match tcgetwinsize(io::stdout().as_fd()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size { cols: size.ws_col, rows: size.ws_row },
        _ => Size::DEFAULT,
    }
}
