//! What a pane's program wants of the terminal in front of it: keys, mouse, cursor. Who shows the pane on a terminal of
//! their own sees to it there.

use super::Screen;
pub use super::modes::{MouseEncoding, MouseTracking};

/// See the module. The default is what a fresh terminal does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wants {
    /// Arrow keys as `ESC O` (DECCKM).
    pub application_cursor: bool,
    /// The number pad's own sequences (DECNKM).
    pub application_keypad: bool,
    /// Marks around what is pasted (2004).
    pub bracketed_paste: bool,
    /// To hear of the focus (1004).
    pub focus: bool,
    /// Which events of the mouse.
    pub mouse: MouseTracking,
    /// How these are written.
    pub mouse_encoding: MouseEncoding,
    /// The kitty keyboard protocol's flags.
    pub keyboard: u8,
    /// The level of XTerm's modifyOtherKeys.
    pub modify_other_keys: u8,
    /// Whether the alternate screen is shown, which has no scrollback.
    pub alternate: bool,
    /// Whether what is shown is not to be looked at yet (2026).
    pub synchronized: bool,
}

/// The cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// Columns to its left.
    pub col: u16,
    /// Rows above it.
    pub row: u16,
    /// Whether it is shown.
    pub visible: bool,
    /// As in DECSCUSR; 0 is the viewer's own.
    pub style: u8,
}

impl Screen {
    /// See [`Wants`].
    #[must_use]
    pub fn wants(&self) -> Wants {
        let modes = &self.terminal.modes;
        let keyboard = &self.terminal.keyboard[usize::from(self.terminal.alternate)];
        Wants {
            application_cursor: modes.application_cursor,
            application_keypad: modes.application_keypad,
            bracketed_paste: modes.bracketed_paste,
            focus: modes.focus,
            mouse: modes.mouse,
            mouse_encoding: modes.mouse_encoding,
            keyboard: keyboard.pushed().last().copied().unwrap_or(keyboard.base()),
            modify_other_keys: modes.modify_other_keys,
            alternate: self.terminal.alternate,
            synchronized: modes.synchronized,
        }
    }

    /// Where the cursor is, and how it looks.
    #[must_use]
    pub fn cursor(&self) -> Cursor {
        let terminal = &self.terminal;
        // One past the last column, it is shown in that.
        let col = terminal.active.col.min(terminal.cols() - 1);
        Cursor {
            col: col as u16,
            row: terminal.active.row as u16,
            visible: terminal.modes.cursor_visible,
            style: terminal.cursor_style,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Size;
    use crate::screen::ScrollbackLimits;

    #[test]
    fn what_a_program_switches_on_is_wanted() {
        let mut screen = Screen::new(Size { cols: 5, rows: 3 }, ScrollbackLimits { lines: 0, bytes: 0 });
        assert_eq!(screen.wants(), Wants::default());
        screen.feed(b"\x1b[?1h\x1b=\x1b[?2004h\x1b[?1004h\x1b[?1002h\x1b[?1006h\x1b[>5u\x1b[>4;2m");
        let wanted = Wants {
            application_cursor: true,
            application_keypad: true,
            bracketed_paste: true,
            focus: true,
            mouse: MouseTracking::Drag,
            mouse_encoding: MouseEncoding::Sgr,
            keyboard: 5,
            modify_other_keys: 2,
            ..Wants::default()
        };
        assert_eq!(screen.wants(), wanted);
        screen.feed(b"\x1b[?1049h");
        assert_eq!(screen.wants(), Wants { alternate: true, keyboard: 0, ..wanted });
    }

    #[test]
    fn the_cursor_stays_within_the_screen() {
        let mut screen = Screen::new(Size { cols: 5, rows: 3 }, ScrollbackLimits { lines: 0, bytes: 0 });
        screen.feed(b"\r\nabcde\x1b[4 q");
        assert_eq!(screen.cursor(), Cursor { col: 4, row: 1, visible: true, style: 4 });
        screen.feed(b"\x1b[?25l");
        assert!(!screen.cursor().visible);
    }
}
