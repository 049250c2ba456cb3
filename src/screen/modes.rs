//! A terminal's modes: what a program switched on and off.

/// Which mouse events are reported (the DEC modes 9, 1000, 1002, 1003: one at a time).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MouseTracking {
    /// None.
    #[default]
    Off,
    /// 9: presses.
    Press,
    /// 1000: presses and releases.
    Click,
    /// 1002: and motion while a button is down.
    Drag,
    /// 1003: and all motion.
    Motion,
}

impl MouseTracking {
    /// The tracking that a DEC private mode switches on.
    pub(super) fn of_mode(mode: u16) -> Option<MouseTracking> {
        Some(match mode {
            9 => MouseTracking::Press,
            1000 => MouseTracking::Click,
            1002 => MouseTracking::Drag,
            1003 => MouseTracking::Motion,
            _ => return None,
        })
    }

    /// The DEC private mode that switches it on.
    pub(super) fn mode(self) -> Option<u16> {
        Some(match self {
            MouseTracking::Off => return None,
            MouseTracking::Press => 9,
            MouseTracking::Click => 1000,
            MouseTracking::Drag => 1002,
            MouseTracking::Motion => 1003,
        })
    }
}

/// How mouse events are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MouseEncoding {
    /// A byte for each number, as at first.
    #[default]
    Bytes,
    /// 1006: SGR, in cells.
    Sgr,
    /// 1016: SGR, in pixels.
    SgrPixels,
}

impl MouseEncoding {
    /// The DEC private mode that switches it on.
    pub(super) fn mode(self) -> Option<u16> {
        match self {
            MouseEncoding::Bytes => None,
            MouseEncoding::Sgr => Some(1006),
            MouseEncoding::SgrPixels => Some(1016),
        }
    }
}

/// DEC private modes that change nothing here, only what a viewer's terminal shows or sends: reverse video, two old
/// encodings of the mouse, scrolling keys on the alternate screen, reports of colour scheme and size.
pub(super) const PASSED_ON: [u16; 6] = [5, 1005, 1007, 1015, 2031, 2048];

/// See the module. What a reset leaves is the default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Modes {
    /// IRM.
    pub(super) insert: bool,
    /// LNM: a line feed is a carriage return as well.
    pub(super) newline: bool,
    /// DECOM.
    pub(super) origin: bool,
    /// DECAWM.
    pub(super) autowrap: bool,
    /// 45.
    pub(super) reverse_wrap: bool,
    /// DECCKM.
    pub(super) application_cursor: bool,
    /// DECNKM.
    pub(super) application_keypad: bool,
    /// 2004.
    pub(super) bracketed_paste: bool,
    /// 1004.
    pub(super) focus: bool,
    /// 2026.
    pub(super) synchronized: bool,
    /// DECTCEM.
    pub(super) cursor_visible: bool,
    /// 12, if a program said so.
    pub(super) cursor_blink: Option<bool>,
    pub(super) mouse: MouseTracking,
    pub(super) mouse_encoding: MouseEncoding,
    /// By place in [`PASSED_ON`].
    pub(super) passed_on: [bool; PASSED_ON.len()],
    /// XTMODKEYS of resource 4 (modifyOtherKeys).
    pub(super) modify_other_keys: u8,
}

impl Default for Modes {
    fn default() -> Modes {
        Modes {
            insert: false,
            newline: false,
            origin: false,
            autowrap: true,
            reverse_wrap: false,
            application_cursor: false,
            application_keypad: false,
            bracketed_paste: false,
            focus: false,
            synchronized: false,
            cursor_visible: true,
            cursor_blink: None,
            mouse: MouseTracking::Off,
            mouse_encoding: MouseEncoding::Bytes,
            // Terminals that know alternate scrolling have it on.
            passed_on: PASSED_ON.map(|mode| mode == 1007),
            modify_other_keys: 0,
        }
    }
}

impl Modes {
    /// What a full reset leaves. In xterm.js these outlive it: newline mode and blinking, which are settings there,
    /// and whether the cursor is hidden.
    pub(super) fn reset(&mut self) {
        *self = Modes {
            newline: self.newline,
            cursor_blink: self.cursor_blink,
            cursor_visible: self.cursor_visible,
            ..Modes::default()
        };
    }

    /// What a soft reset (DECSTR) leaves.
    pub(super) fn soft_reset(&mut self) {
        let defaults = Modes::default();
        self.insert = defaults.insert;
        self.origin = defaults.origin;
        self.autowrap = defaults.autowrap;
        self.reverse_wrap = defaults.reverse_wrap;
        self.application_cursor = defaults.application_cursor;
        self.application_keypad = defaults.application_keypad;
        self.bracketed_paste = defaults.bracketed_paste;
        self.focus = defaults.focus;
        self.synchronized = defaults.synchronized;
        self.cursor_visible = defaults.cursor_visible;
    }

    /// Switches a DEC private mode that is nothing but a switch.
    pub(super) fn set_private(&mut self, mode: u16, on: bool) {
        if let Some(tracking) = MouseTracking::of_mode(mode) {
            self.mouse = if on { tracking } else { MouseTracking::Off };
        } else if let Some(place) = PASSED_ON.iter().position(|known| *known == mode) {
            self.passed_on[place] = on;
        } else {
            self.set_switch(mode, on);
        }
    }

    fn set_switch(&mut self, mode: u16, on: bool) {
        match mode {
            1 => self.application_cursor = on,
            7 => self.autowrap = on,
            12 => self.cursor_blink = Some(on),
            25 => self.cursor_visible = on,
            45 => self.reverse_wrap = on,
            66 => self.application_keypad = on,
            1004 => self.focus = on,
            1006 => self.mouse_encoding = if on { MouseEncoding::Sgr } else { MouseEncoding::Bytes },
            1016 => self.mouse_encoding = if on { MouseEncoding::SgrPixels } else { MouseEncoding::Bytes },
            2004 => self.bracketed_paste = on,
            2026 => self.synchronized = on,
            _ => {}
        }
    }

    /// Whether a DEC private mode is on; `None` if it is not one of those kept here.
    pub(super) fn private(&self, mode: u16) -> Option<bool> {
        if let Some(tracking) = MouseTracking::of_mode(mode) {
            return Some(self.mouse == tracking);
        }
        if let Some(place) = PASSED_ON.iter().position(|known| *known == mode) {
            return Some(self.passed_on[place]);
        }
        Some(match mode {
            1 => self.application_cursor,
            6 => self.origin,
            7 => self.autowrap,
            12 => self.cursor_blink.unwrap_or(false),
            25 => self.cursor_visible,
            45 => self.reverse_wrap,
            66 => self.application_keypad,
            1004 => self.focus,
            1006 => self.mouse_encoding == MouseEncoding::Sgr,
            1016 => self.mouse_encoding == MouseEncoding::SgrPixels,
            2004 => self.bracketed_paste,
            2026 => self.synchronized,
            _ => return None,
        })
    }
}
