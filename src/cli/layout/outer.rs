//! The terminal that we draw on: its modes, so that its keys come as the focused pane's program wants them, and frames
//! of which only what changed is written.

use std::io::Write;

use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::geometry::Size;
use crate::screen::wants::{MouseTracking, Wants};

/// Ends everything that [`Outer`] may have switched on, and shows what was there before.
pub(super) const LEAVE: &[u8] = b"\x1b[?2026l\x1b[<u\x1b[>4m\x1b[?1l\x1b>\x1b[?1003l\x1b[?1002l\x1b[?1006l\
    \x1b[?1004l\x1b[?2004l\x1b[0 q\x1b[m\x1b[?25h\x1b[?1049l";

/// What [`LEAVE`] ends. Keys of the kitty protocol are on a stack: one entry is ours.
const ENTER: &[u8] = b"\x1b[?1049h\x1b[>0u\x1b[?2004h\x1b[?1004h\x1b[?25l\x1b[m\x1b[H\x1b[2J";

/// How keys and mouse are to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Modes {
    application_cursor: bool,
    application_keypad: bool,
    keyboard: u8,
    modify_other_keys: u8,
    mouse: Mouse,
}

/// Which mouse events are to come, all in SGR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Mouse {
    #[default]
    Off,
    Drag,
    Motion,
}

impl Modes {
    /// As they are wanted by the program whose pane gets the keys; by nobody where we take them ourselves.
    pub(super) fn of(wants: Option<&Wants>, mouse: bool) -> Modes {
        let wants = wants.copied().unwrap_or_default();
        Modes {
            application_cursor: wants.application_cursor,
            application_keypad: wants.application_keypad,
            keyboard: wants.keyboard,
            modify_other_keys: wants.modify_other_keys,
            mouse: match wants.mouse {
                _ if !mouse => Mouse::Off,
                MouseTracking::Motion => Mouse::Motion,
                _ => Mouse::Drag,
            },
        }
    }

    /// What leads here from other modes.
    fn write_change(self, before: Modes, out: &mut Vec<u8>) {
        let mut change = |changed: bool, bytes: &[u8]| {
            if changed {
                out.extend_from_slice(bytes);
            }
        };
        let switch = |on: bool, bytes: [&'static [u8]; 2]| bytes[usize::from(on)];
        change(
            self.application_cursor != before.application_cursor,
            switch(self.application_cursor, [b"\x1b[?1l", b"\x1b[?1h"]),
        );
        change(
            self.application_keypad != before.application_keypad,
            switch(self.application_keypad, [b"\x1b>", b"\x1b="]),
        );
        change(self.keyboard != before.keyboard, format!("\x1b[={};1u", self.keyboard).as_bytes());
        change(
            self.modify_other_keys != before.modify_other_keys,
            format!("\x1b[>4;{}m", self.modify_other_keys).as_bytes(),
        );
        let mouse: &[u8] = match self.mouse {
            Mouse::Off => b"\x1b[?1003l\x1b[?1002l\x1b[?1006l",
            Mouse::Drag => b"\x1b[?1003l\x1b[?1002h\x1b[?1006h",
            Mouse::Motion => b"\x1b[?1003h\x1b[?1006h",
        };
        change(self.mouse != before.mouse, mouse);
    }
}

/// Where the cursor is shown, and how (as in DECSCUSR).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cursor {
    pub(super) x: u16,
    pub(super) y: u16,
    pub(super) style: u8,
}

/// A picture of the whole terminal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Frame {
    pub(super) cells: Buffer,
    /// `None` hides it.
    pub(super) cursor: Option<Cursor>,
    pub(super) modes: Modes,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Outer {
    /// What it shows; `None` if nobody knows.
    shown: Option<Frame>,
    modes: Modes,
    style: u8,
}

impl Outer {
    /// One that was not entered yet, with the bytes that do that.
    pub(super) fn enter() -> (Outer, &'static [u8]) {
        (Outer { shown: None, modes: Modes::default(), style: 0 }, ENTER)
    }

    /// Something else may have been drawn on it.
    pub(super) fn forget(&mut self) {
        self.shown = None;
    }

    /// The bytes that make it show `frame`; none if it does.
    pub(super) fn show(&mut self, frame: Frame) -> Vec<u8> {
        if self.shown.as_ref() == Some(&frame) {
            return Vec::new();
        }
        let mut out = b"\x1b[?2026h\x1b[?25l".to_vec();
        let nothing = match self.shown.take() {
            Some(shown) if shown.cells.area == frame.cells.area => shown.cells,
            _ => {
                out.extend_from_slice(b"\x1b[m\x1b[H\x1b[2J");
                Buffer::empty(frame.cells.area)
            }
        };
        let changed = nothing.diff(&frame.cells);
        // Writing to memory does not fail.
        let _ = CrosstermBackend::new(&mut out).draw(changed.into_iter());
        frame.modes.write_change(self.modes, &mut out);
        self.modes = frame.modes;
        if let Some(Cursor { x, y, style }) = frame.cursor {
            if style != self.style {
                let _ = write!(out, "\x1b[{style} q");
                self.style = style;
            }
            let _ = write!(out, "\x1b[{};{}H\x1b[?25h", y + 1, x + 1);
        }
        out.extend_from_slice(b"\x1b[?2026l");
        self.shown = Some(frame);
        out
    }
}

/// An empty picture of a terminal of this size.
pub(super) fn canvas(size: Size) -> Buffer {
    Buffer::empty(Rect { x: 0, y: 0, width: size.cols, height: size.rows })
}

/// The bytes that put `text` into the clipboard of our terminal, if it lets us (OSC 52).
pub(super) fn clipboard(text: &str) -> Vec<u8> {
    use base64::Engine;
    format!("\x1b]52;c;{}\x1b\\", base64::engine::general_purpose::STANDARD.encode(text)).into_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use ratatui::style::{Color, Modifier};

    use super::*;
    use crate::screen::{Screen, ScrollbackLimits};

    const SIZE: Size = Size { cols: 12, rows: 4 };

    fn frame(texts: &[(u16, u16, String, u8)]) -> Frame {
        let mut cells = canvas(SIZE);
        for (x, y, text, look) in texts {
            let style = ratatui::style::Style::new()
                .fg(Color::Indexed(*look))
                .add_modifier(if *look % 2 == 0 { Modifier::BOLD } else { Modifier::REVERSED });
            cells.set_stringn(*x, *y, text, usize::from(SIZE.cols - x), style);
        }
        Frame { cells, cursor: Some(Cursor { x: 1, y: 1, style: 0 }), modes: Modes::default() }
    }

    fn terminal() -> Screen {
        Screen::new(SIZE, ScrollbackLimits { lines: 0, bytes: 0 })
    }

    #[test]
    fn what_is_shown_already_is_not_written_again() {
        let (mut outer, _) = Outer::enter();
        let picture = frame(&[(0, 0, "hello".into(), 1)]);
        assert!(!outer.show(picture.clone()).is_empty());
        assert!(outer.show(picture.clone()).is_empty());
        let one = outer.show(frame(&[(0, 0, "hallo".into(), 1)]));
        let one = String::from_utf8_lossy(&one);
        assert!(one.contains("ma\x1b") && !one.contains("llo"), "{one:?}");
        outer.forget();
        assert!(String::from_utf8_lossy(&outer.show(picture)).contains("hello"));
    }

    #[test]
    fn keys_come_as_the_program_wants_them_and_everything_is_undone() {
        let mut screen = terminal();
        let fresh = screen.wants();
        let (mut outer, enter) = Outer::enter();
        screen.feed(enter);
        let wants = Wants { application_cursor: true, keyboard: 5, modify_other_keys: 1, ..Wants::default() };
        let modes = Modes::of(Some(&wants), true);
        screen.feed(&outer.show(Frame { modes, ..frame(&[]) }));
        let on = screen.wants();
        assert!(on.application_cursor && on.bracketed_paste && on.focus && on.alternate);
        assert_eq!((on.keyboard, on.modify_other_keys, on.mouse), (5, 1, MouseTracking::Drag));
        screen.feed(&outer.show(Frame { modes: Modes::of(None, false), ..frame(&[]) }));
        assert_eq!((screen.wants().keyboard, screen.wants().mouse), (0, MouseTracking::Off));
        screen.feed(&outer.show(Frame { modes, cursor: None, ..frame(&[]) }));
        screen.feed(LEAVE);
        assert_eq!((screen.wants(), screen.cursor().visible), (fresh, true));
    }

    proptest! {
        #[test]
        fn whatever_changes_the_terminal_shows_the_last_frame(
            frames in proptest::collection::vec(
                proptest::collection::vec((0u16..12, 0u16..4, "[a-c 日é]{0,6}", 0u8..4), 0..4),
                1..5,
            ),
        ) {
            let (mut outer, _) = Outer::enter();
            let mut screen = terminal();
            for texts in &frames {
                screen.feed(&outer.show(frame(texts)));
            }
            let mut fresh = terminal();
            let (mut other, _) = Outer::enter();
            fresh.feed(&other.show(frame(&frames[frames.len() - 1])));
            prop_assert_eq!(screen.text(), fresh.text());
        }
    }
}
