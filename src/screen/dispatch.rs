//! Escape and control sequences: which does what.

use vte::{Params, Perform};

use super::cell::{Span, Style};
use super::charset::Charset;
use super::terminal::Terminal;

/// A terminal at work on one sequence.
pub(super) struct Performer<'a> {
    pub(super) terminal: &'a mut Terminal,
    /// Whether the sequence came to its end.
    pub(super) done: bool,
}

impl Perform for Performer<'_> {
    fn print(&mut self, character: char) {
        self.done = true;
        self.terminal.print(character);
    }

    fn execute(&mut self, control: u8) {
        self.terminal.control(control);
    }

    fn csi_dispatch(&mut self, params: &Params, intermediates: &[u8], _ignore: bool, last: char) {
        self.done = true;
        self.terminal.control_sequence(params, intermediates, last);
        self.terminal.preceding = 0;
    }

    fn esc_dispatch(&mut self, intermediates: &[u8], _ignore: bool, last: u8) {
        self.done = true;
        self.terminal.escape_sequence(intermediates, last);
        self.terminal.preceding = 0;
    }

    fn terminated(&self) -> bool {
        self.done
    }
}

/// The first value of a sequence's parameter, 0 where there is none.
fn value(params: &Params, place: usize) -> u16 {
    params.iter().nth(place).and_then(|values| values.first().copied()).unwrap_or(0)
}

/// The first parameter as a count: at least one.
fn count(params: &Params) -> usize {
    usize::from(value(params, 0).max(1))
}

impl Terminal {
    /// A C0 control.
    pub(super) fn control(&mut self, control: u8) {
        match control {
            // DEL is not even there.
            0x7f => return,
            0x08 => self.backspace(),
            b'\t' if self.active.col < self.cols() => self.active.col = self.active.next_tab(),
            b'\n' | 0x0b | 0x0c => self.line_feed(),
            b'\r' => self.active.col = 0,
            0x0e => self.charsets.shift(1),
            0x0f => self.charsets.shift(0),
            _ => {}
        }
        self.preceding = 0;
    }

    #[inline]
    fn line_feed(&mut self) {
        if self.modes.newline {
            self.active.col = 0;
        }
        if self.active.row == self.active.bottom {
            self.scroll(false);
        } else if self.active.row + 1 < self.rows() {
            self.active.row += 1;
            self.active.current().wrapped = false;
        }
        self.active.col = self.active.col.min(self.cols() - 1);
    }

    fn backspace(&mut self) {
        if !self.modes.reverse_wrap {
            self.leave_margin();
            self.active.col = self.active.col.saturating_sub(1);
            return;
        }
        self.confine_cursor(self.cols());
        if self.active.col > 0 {
            self.active.col -= 1;
        } else if self.active.row > self.active.top
            && self.active.row <= self.active.bottom
            && self.active.current().wrapped
        {
            self.unwrap();
        }
        self.leave_margin();
    }

    /// Goes back to the end of the row above, which this one continued.
    fn unwrap(&mut self) {
        self.active.current().wrapped = false;
        self.active.row -= 1;
        let last_col = self.cols() - 1;
        self.active.col = last_col;
        let last = self.active.current().cells()[last_col];
        if !last.has_character() && last.span() == Span::Narrow {
            // A wide character that wrapped left the cell empty.
            self.active.col -= 1;
        }
    }

    /// `ESC`, intermediates, final byte.
    fn escape_sequence(&mut self, intermediates: &[u8], last: u8) {
        match (intermediates, last) {
            ([], b'7') => self.save_cursor(),
            ([], b'8') => self.restore_cursor(),
            ([], b'D') => self.index_confined(),
            ([], b'E') => {
                self.active.col = 0;
                self.index_confined();
            }
            ([], b'H') => {
                let col = self.active.col;
                if let Some(stop) = self.active.tabs.get_mut(col) {
                    *stop = true;
                }
            }
            ([], b'M') => {
                self.leave_margin();
                self.reverse_index();
            }
            ([], b'=') => self.modes.application_keypad = true,
            ([], b'>') => self.modes.application_keypad = false,
            ([], b'c') => self.reset(),
            ([], b'~') => self.charsets.shift(1),
            ([], b'n' | b'}') => self.charsets.shift(2),
            ([], b'o' | b'|') => self.charsets.shift(3),
            ([b'#'], b'8') => self.fill_with_e(),
            ([b'%'], b'@' | b'G') => {
                self.charsets.shift(0);
                self.charsets.designate(0, Charset::Ascii);
            }
            ([b'('], _) => self.designate(0, last),
            ([b')' | b'-'], _) => self.designate(1, last),
            ([b'*' | b'.'], _) => self.designate(2, last),
            ([b'+'], _) => self.designate(3, last),
            _ => {}
        }
    }

    /// Gives a level the character set of this name, if there is one.
    fn designate(&mut self, level: u8, last: u8) {
        if let Some(set) = Charset::designated(last) {
            self.charsets.designate(level, set);
        }
    }

    fn index_confined(&mut self) {
        self.leave_margin();
        self.index();
        self.leave_margin();
    }

    /// `CSI`, parameters, intermediates, final byte. A prefix such as `?` comes with the intermediates.
    fn control_sequence(&mut self, params: &Params, intermediates: &[u8], last: char) {
        match intermediates {
            [] => self.plain_sequence(params, last),
            b"?" => self.private_sequence(params, last),
            b"!" if last == 'p' => self.soft_reset(),
            b" " => self.spaced_sequence(params, last),
            b"'" => self.column_sequence(params, last),
            b"\"" if last == 'q' => match value(params, 0) {
                0 | 2 => self.pen.style.set(Style::PROTECTED, false),
                1 => self.pen.style.set(Style::PROTECTED, true),
                _ => {}
            },
            b">" if last == 'u' => self.keyboard().push(value(params, 0)),
            b"<" if last == 'u' => self.keyboard().pop(value(params, 0)),
            b"=" if last == 'u' => self.keyboard().set(value(params, 0), value(params, 1)),
            b">" if last == 'm' => match value(params, 0) {
                4 => self.modes.modify_other_keys = value(params, 1).min(2) as u8,
                0 => self.modes.modify_other_keys = 0,
                _ => {}
            },
            _ => {}
        }
    }

    fn private_sequence(&mut self, params: &Params, last: char) {
        match last {
            'h' => params.iter().for_each(|values| self.set_private_mode(values[0], true)),
            'l' => params.iter().for_each(|values| self.set_private_mode(values[0], false)),
            'J' => {
                self.leave_margin();
                self.erase_in_display(value(params, 0), true);
            }
            'K' => {
                self.leave_margin();
                self.erase_in_line(value(params, 0), true);
            }
            _ => {}
        }
    }

    /// Sequences with a space before their final byte.
    fn spaced_sequence(&mut self, params: &Params, last: char) {
        match last {
            '@' => self.shift_columns(0, count(params), false),
            'A' => self.shift_columns(0, count(params), true),
            'q' => {
                let style = value(params, 0);
                if style <= 6 {
                    self.cursor_style = style as u8;
                }
            }
            _ => {}
        }
    }

    /// Sequences with an apostrophe before their final byte.
    fn column_sequence(&mut self, params: &Params, last: char) {
        match last {
            '}' => self.shift_columns(self.active.col, count(params), true),
            '~' => self.shift_columns(self.active.col, count(params), false),
            _ => {}
        }
    }

    fn plain_sequence(&mut self, params: &Params, last: char) {
        match last {
            'm' => self.set_pen(params),
            'A'..='H' | '`' | 'a' | 'd' | 'e' | 'f' | 'I' | 'Z' => self.move_cursor(params, last),
            'J' | 'K' => {
                self.confine_cursor(self.cols());
                match last {
                    'J' => self.erase_in_display(value(params, 0), false),
                    _ => self.erase_in_line(value(params, 0), false),
                }
            }
            '@' | 'L' | 'M' | 'P' | 'X' => self.edit(params, last),
            'S' | 'T' => {
                self.leave_margin();
                match last {
                    'S' => self.scroll_up(count(params)),
                    _ => self.scroll_down(count(params)),
                }
            }
            'b' => self.repeat(count(params)),
            'g' => self.clear_tabs(value(params, 0)),
            'h' => params.iter().for_each(|values| self.set_mode(values[0], true)),
            'l' => params.iter().for_each(|values| self.set_mode(values[0], false)),
            'r' => self.set_region(usize::from(value(params, 0)), usize::from(value(params, 1))),
            's' => self.save_cursor(),
            'u' => self.restore_cursor(),
            _ => {}
        }
    }

    fn edit(&mut self, params: &Params, last: char) {
        self.leave_margin();
        let count = count(params);
        match last {
            '@' => self.insert_characters(count),
            'L' => self.insert_lines(count),
            'M' => self.delete_lines(count),
            'P' => self.delete_characters(count),
            _ => self.erase_characters(count),
        }
    }

    fn move_cursor(&mut self, params: &Params, last: char) {
        let count = count(params);
        if matches!(last, 'I' | 'Z') {
            self.tabulate(count, last == 'I');
            return;
        }
        if matches!(last, 'H' | 'f') {
            let col = usize::from(value(params, 1).max(1)) - 1;
            self.move_to(col, count - 1);
            return;
        }
        let Self { active, .. } = self;
        // Relative moves start from inside the screen, and up and down stop at the scroll region's edge, unless the
        // cursor is beyond it already.
        let (up, down) = (active.row.checked_sub(active.top), active.bottom.checked_sub(active.row));
        match last {
            'A' | 'F' => active.row = active.row.saturating_sub(up.map_or(count, |room| count.min(room))),
            'B' | 'E' => active.row += down.map_or(count, |room| count.min(room)),
            'e' => active.row += count,
            'C' | 'a' => active.col += count,
            'D' => active.col = active.col.min(active.tabs.len() - 1).saturating_sub(count),
            'd' => return self.move_to(self.active.col, count - 1),
            _ => active.col = count - 1,
        }
        if matches!(last, 'E' | 'F') {
            active.col = 0;
        }
        if self.modes.origin {
            // xterm.js counts the row from the region's first here, too, although it is not one of a sequence.
            self.active.row += self.active.top;
        }
        self.leave_margin();
    }

    fn tabulate(&mut self, count: usize, forward: bool) {
        if self.active.col < self.cols() {
            for _ in 0..count.min(self.cols()) {
                self.active.col = if forward { self.active.next_tab() } else { self.active.previous_tab() };
            }
        }
    }

    fn clear_tabs(&mut self, what: u16) {
        let col = self.active.col;
        match what {
            0 => self.active.tabs.iter_mut().skip(col).take(1).for_each(|stop| *stop = false),
            3 => self.active.tabs.fill(false),
            _ => {}
        }
    }

    /// DECSTBM: rows count from 1; 0 is the default.
    fn set_region(&mut self, top: usize, bottom: usize) {
        let top = top.max(1);
        let bottom = if bottom == 0 { self.rows() } else { bottom.min(self.rows()) };
        if bottom > top {
            (self.active.top, self.active.bottom) = (top - 1, bottom - 1);
            self.move_to(0, 0);
        }
    }

    fn set_mode(&mut self, mode: u16, on: bool) {
        match mode {
            4 => self.modes.insert = on,
            20 => self.modes.newline = on,
            _ => {}
        }
    }

    fn set_private_mode(&mut self, mode: u16, on: bool) {
        match (mode, on) {
            (2, true) => (0..4).for_each(|level| self.charsets.designate(level, Charset::Ascii)),
            (6, _) => {
                self.modes.origin = on;
                self.move_to(0, 0);
            }
            (47 | 1047, true) => self.enter_alternate(),
            (47 | 1047, false) => self.leave_alternate(),
            (1048, true) => self.save_cursor(),
            (1048, false) => self.restore_cursor(),
            (1049, true) => {
                self.save_cursor();
                self.enter_alternate();
            }
            (1049, false) => {
                self.leave_alternate();
                self.restore_cursor();
            }
            _ => self.modes.set_private(mode, on),
        }
    }
}
