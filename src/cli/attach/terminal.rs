//! Our own terminal: raw while a pane is in it, and given back exactly as it was found, whatever ends us.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Mutex, Once, PoisonError};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

use crate::geometry::Size;

/// Switches everything off that a program may have left on, where nobody can say what it was: after it the other screen is
/// gone and keys, mouse and cursor are as usual.
pub(super) const MODES_OFF: &[u8] = b"\x18\x1b[?2026l\x1b[<9u\x1b[=0u\x1b[?1049l\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\
\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l\x1b[?2004l\x1b[?2031l\x1b[?2048l\x1b[?1l\x1b>\x1b[>4;0m\x1b[?6l\x1b[r\
\x1b[4l\x1b[20l\x1b[?5l\x1b[?45l\x1b[?7h\x1b[?25h\x1b(B\x0f\x1b[0 q\x1b[0m";

/// Leaves the picture, in a panic: the cursor goes below it, and the title is given back.
const LEAVE: &[u8] = b"\x1b[999H\r\n\x1b[23;0t";

/// What is to be given back; none if nothing was taken.
static TAKEN: Mutex<Option<Taken>> = Mutex::new(None);

struct Taken {
    terminal: OwnedFd,
    before: Termios,
}

impl Taken {
    fn give_back(&self) -> io::Result<()> {
        Ok(tcsetattr(&self.terminal, OptionalActions::Now, &self.before)?)
    }
}

/// A terminal that is raw until this is dropped, or the program panics.
pub(in crate::cli) struct Raw(());

impl Raw {
    /// Makes `terminal` raw. There can be one at a time.
    ///
    /// # Errors
    /// When it is no terminal.
    pub(in crate::cli) fn take(terminal: impl AsFd) -> io::Result<Raw> {
        give_back_in_panics();
        let before = tcgetattr(&terminal)?;
        let mut raw = before.clone();
        raw.make_raw();
        let terminal = terminal.as_fd().try_clone_to_owned()?;
        tcsetattr(&terminal, OptionalActions::Now, &raw)?;
        *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) = Some(Taken { terminal, before });
        Ok(Raw(()))
    }

    /// Makes it raw again, after a shell took it while we were stopped.
    pub(in crate::cli) fn again(&self) -> io::Result<()> {
        let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(Taken { terminal, before }) = &*taken else { return Ok(()) };
        let mut raw = before.clone();
        raw.make_raw();
        Ok(tcsetattr(terminal, OptionalActions::Now, &raw)?)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        if let Some(taken) = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).take() {
            // A terminal that is gone needs nothing.
            let _ = taken.give_back();
        }
    }
}

/// From now on, whoever panics gives the terminal back before anything is said about it.
fn give_back_in_panics() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            // Who panics while it is taken or given back has it in a state of its own.
            if let Some(taken) = TAKEN.try_lock().ok().and_then(|mut taken| taken.take()) {
                let mut terminal = io::stdout();
                let _ = terminal.write_all(&[MODES_OFF, LEAVE].concat()).and_then(|()| terminal.flush());
                let _ = taken.give_back();
            }
            hook(panic);
        }));
    });
}

/// How large a terminal is; one that does not say is taken to have the usual size.
pub(in crate::cli) fn size(terminal: impl AsFd) -> Size {
    match tcgetwinsize(terminal) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size::clamped(size.ws_col, size.ws_row),
        _ => Size::DEFAULT,
    }
}

#[cfg(test)]
mod tests {
    use rustix::pty::{OpenptFlags, grantpt, ioctl_tiocgptpeer, openpt, unlockpt};

    use super::*;

    /// What `tcgetattr` says, in full.
    fn settings(terminal: &OwnedFd) -> String {
        format!("{:?}", tcgetattr(terminal).unwrap())
    }

    #[test]
    fn the_terminal_is_given_back_as_it_was_also_in_a_panic() {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&ours).unwrap();
        unlockpt(&ours).unwrap();
        let terminal = ioctl_tiocgptpeer(&ours, OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        let before = settings(&terminal);
        let raw = Raw::take(&terminal).unwrap();
        let during = settings(&terminal);
        assert_ne!(during, before);
        drop(raw);
        assert_eq!(settings(&terminal), before);
        let panicked = std::thread::scope(|scope| {
            let panics = || {
                let _raw = Raw::take(&terminal).unwrap();
                let before_the_drop = std::panic::catch_unwind(|| panic!("on purpose"));
                assert!(before_the_drop.is_err());
                settings(&terminal)
            };
            scope.spawn(panics).join().unwrap()
        });
        assert_eq!(panicked, before, "given back while the panic is told of");
    }
}
