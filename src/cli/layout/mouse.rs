//! The mouse: what a report says, and how a pane's program is told of it.

use super::stdin::MouseReport;
use crate::screen::wants::{MouseEncoding, MouseTracking, Wants};

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Deed {
    /// A button went down.
    Press(Button),
    /// The mouse moved while a button was down.
    Drag,
    /// It moved.
    Move,
    /// A button went up.
    Release,
    /// The wheel turned a notch.
    Wheel {
        /// Away from the hand.
        up: bool,
    },
}

/// Which button.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(super) enum Button {
    Left,
    Middle,
    Right,
}

const MOTION: u16 = 32;
const WHEEL: u16 = 64;
const MORE_BUTTONS: u16 = 128;
const MODIFIERS: u16 = 4 | 8 | 16;

/// What a release is numbered as where it does not say which button.
const RELEASED: u16 = 3;

impl MouseReport {
    /// What happened; nothing that means anything for buttons that few mice have.
    pub(super) fn deed(self) -> Option<Deed> {
        let kind = self.button & !MODIFIERS;
        Some(match kind {
            64 => Deed::Wheel { up: true },
            65 => Deed::Wheel { up: false },
            _ if kind & (WHEEL | MORE_BUTTONS) != 0 => return None,
            _ if self.release => Deed::Release,
            _ if kind & MOTION != 0 => {
                if kind & 3 == RELEASED {
                    Deed::Move
                } else {
                    Deed::Drag
                }
            }
            0 => Deed::Press(Button::Left),
            1 => Deed::Press(Button::Middle),
            2 => Deed::Press(Button::Right),
            _ => Deed::Release,
        })
    }

    /// The bytes that tell a program of it, if it wants to know; the cell is the program's own.
    pub(super) fn encode(self, wants: &Wants) -> Option<Vec<u8>> {
        let is_motion = self.button & MOTION != 0;
        let is_wanted = match wants.mouse {
            MouseTracking::Off => false,
            MouseTracking::Press => !is_motion && !self.release && self.button < WHEEL,
            MouseTracking::Click => !is_motion,
            MouseTracking::Drag => !is_motion || self.button & 3 != RELEASED,
            MouseTracking::Motion => true,
        };
        let button = if wants.mouse == MouseTracking::Press { self.button & !MODIFIERS } else { self.button };
        match wants.mouse_encoding {
            _ if !is_wanted => None,
            MouseEncoding::Sgr => {
                let last = if self.release { 'm' } else { 'M' };
                Some(format!("\x1b[<{button};{};{}{last}", self.x + 1, self.y + 1).into_bytes())
            }
            MouseEncoding::Bytes => {
                let button = if self.release { button & !3 | RELEASED } else { button };
                let byte = |number: u16| u8::try_from(number + 32).ok();
                Some(vec![0x1b, b'[', b'M', byte(button)?, byte(self.x + 1)?, byte(self.y + 1)?])
            }
            // Nobody here knows how large a cell is.
            MouseEncoding::SgrPixels => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(button: u16, release: bool) -> MouseReport {
        MouseReport { button, x: 9, y: 4, release }
    }

    #[test]
    fn reports_say_what_happened() {
        for (button, release, deed) in [
            (0, false, Some(Deed::Press(Button::Left))),
            (18, false, Some(Deed::Press(Button::Right))),
            (0, true, Some(Deed::Release)),
            (32, false, Some(Deed::Drag)),
            (35, false, Some(Deed::Move)),
            (64, false, Some(Deed::Wheel { up: true })),
            (69, false, Some(Deed::Wheel { up: false })),
            (128, false, None),
            (66, false, None),
        ] {
            assert_eq!(report(button, release).deed(), deed, "{button}");
        }
    }

    #[test]
    fn a_program_is_told_what_it_wants_to_know_in_its_encoding() {
        let told = |mouse, mouse_encoding, button, release| {
            report(button, release).encode(&Wants { mouse, mouse_encoding, ..Wants::default() })
        };
        use MouseEncoding::{Bytes, Sgr};
        assert_eq!(told(MouseTracking::Off, Sgr, 0, false), None);
        assert_eq!(told(MouseTracking::Click, Sgr, 0, false).as_deref(), Some(&b"\x1b[<0;10;5M"[..]));
        assert_eq!(told(MouseTracking::Click, Sgr, 0, true).as_deref(), Some(&b"\x1b[<0;10;5m"[..]));
        assert_eq!(told(MouseTracking::Click, Bytes, 0, true).as_deref(), Some(&b"\x1b[M#*%"[..]));
        assert_eq!(told(MouseTracking::Click, Sgr, 32, false), None);
        assert!(told(MouseTracking::Drag, Sgr, 32, false).is_some());
        assert_eq!(told(MouseTracking::Drag, Sgr, 35, false), None);
        assert!(told(MouseTracking::Motion, Sgr, 35, false).is_some());
        assert_eq!(told(MouseTracking::Press, Bytes, 64, false), None);
        let far = MouseReport { x: 300, ..report(0, false) };
        assert_eq!(far.encode(&Wants { mouse: MouseTracking::Click, ..Wants::default() }), None);
    }
}
