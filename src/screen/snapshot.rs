//! Snapshots: the shortest output that makes a reset terminal show what another one shows, and go on like it.
//!
//! There is no bell in a snapshot, no title, no question and nothing for the clipboard.

use super::buffer::{Buffer, SavedCursor};
use super::cell::{Cell, Color, Span};
use super::charset::Charset;
use super::colors::ColorSlot;
use super::extras::Extra;
use super::history::HistoryRow;
use super::kitty::KeyboardFlags;
use super::modes::{Modes, PASSED_ON};
use super::paint::{Painter, flows_on, is_taken};
use super::row::Row;
use super::terminal::Terminal;

/// Undoes what a reset leaves: newline mode and changed colours.
pub(super) const PRELUDE: &[u8] = b"\x1bc\x1b[20l\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\";

/// A character of two columns.
const WIDE_SPACE: &str = "\u{3000}";

/// Bytes that make a terminal of this size show what `terminal` shows, below as many of the newest `history` rows of
/// scrollback as there are.
pub(super) fn snapshot(terminal: &Terminal, history: usize) -> Vec<u8> {
    let mut out = PRELUDE.to_vec();
    let mut writer = Writer { terminal, painter: Painter::new(&mut out, &terminal.extras) };
    if terminal.alternate {
        writer.primary(&terminal.other, history);
        writer.leave_primary(&terminal.other);
        writer.rows(&terminal.active, Above::Nothing);
    } else {
        writer.hidden_alternate();
        writer.primary(&terminal.active, history);
    }
    writer.margins(&terminal.active);
    writer.keyboard(&terminal.keyboard[usize::from(terminal.alternate)]);
    if terminal.alternate || terminal.active.saved != SavedCursor::HOME {
        writer.save_cursor(&terminal.active.saved);
    }
    writer.finish();
    out
}

/// What switches on all that changes what keys, mouse, focus and pastes send.
pub(super) fn input_modes(terminal: &Terminal) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer { terminal, painter: Painter::new(&mut out, &terminal.extras) };
    writer.keyboard(&terminal.keyboard[usize::from(terminal.alternate)]);
    writer.switches(&[1, 66, 1004, 2004, 1005, 1007, 1015, 2031, 2048]);
    writer.mouse_and_keys();
    out
}

/// What the cursor comes from when it gets to a screen's first row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Above {
    /// The screen is empty.
    Nothing,
    /// History whose last line has ended.
    OtherLine,
    /// History whose last line goes on in the first row.
    SameLine,
}

struct Writer<'a> {
    terminal: &'a Terminal,
    painter: Painter<'a>,
}

impl Writer<'_> {
    fn text(&mut self, text: &str) {
        self.painter.out.extend_from_slice(text.as_bytes());
    }

    /// The primary screen, and what only it has while the other one is shown.
    fn primary(&mut self, buffer: &Buffer, history: usize) {
        let above = self.history(buffer, history);
        self.rows(buffer, above);
        if self.terminal.alternate {
            self.margins(buffer);
            self.keyboard(&self.terminal.keyboard[0]);
        }
    }

    /// Goes from the primary screen to the alternate one, which is empty then. The row that the cursor was in counts
    /// when the size changes.
    fn leave_primary(&mut self, primary: &Buffer) {
        if primary.row == primary.saved.row {
            // Saves the primary screen's cursor as well.
            self.saved_cursor(&primary.saved);
            self.text("\x1b[?1049h");
            self.charset(Charset::Ascii);
        } else {
            self.save_cursor(&primary.saved);
            self.goto(0, primary.row);
            self.text("\x1b[?1047h");
        }
        self.painter.rest();
        if primary.saved.pen.background != Color::DEFAULT {
            // The alternate screen came up full of it.
            self.text("\x1b[2J");
        }
        self.text("\x1b[H");
    }

    /// The alternate screen's saved cursor and keys, while it is not shown.
    fn hidden_alternate(&mut self) {
        let (saved, keyboard) = (self.terminal.other.saved, &self.terminal.keyboard[1]);
        if saved != SavedCursor::HOME || *keyboard != KeyboardFlags::default() {
            self.text("\x1b[?47h");
            self.keyboard(keyboard);
            self.save_cursor(&saved);
            self.painter.rest();
            self.text("\x1b[?47l\x1b[H");
        }
    }

    /// Writes the history, and says what it left above the first row of the screen.
    fn history(&mut self, primary: &Buffer, count: usize) -> Above {
        let mut rows = self.terminal.history.newest(count).peekable();
        if rows.peek().is_none() {
            return Above::Nothing;
        }
        while let Some(HistoryRow { bytes, joined }) = rows.next() {
            self.painter.out.extend_from_slice(bytes);
            if rows.peek().is_some() && !joined {
                self.text("\r\n");
            }
        }
        let first = &primary.rows[0];
        if !first.wrapped {
            return Above::OtherLine;
        }
        if self.terminal.history.flows_into(first) {
            return Above::SameLine;
        }
        self.continued_anyhow();
        Above::Nothing
    }

    /// Makes an empty screen whose first row continues history's last line, though it is not to begin with what was
    /// wrapped: that is there until all history is above the screen.
    fn continued_anyhow(&mut self) {
        self.text(if self.terminal.history.is_full() { " " } else { WIDE_SPACE });
        for _ in 1..self.terminal.rows() {
            self.text("\n");
        }
        self.text("\x1b[H\x1b[2X");
    }

    /// Writes a screen's rows. Those left blank at the end are left out, unless they have to push history out.
    fn rows(&mut self, buffer: &Buffer, above: Above) {
        let is_blank = |row: &Row| !row.wrapped && row.used().iter().all(|cell| *cell == Cell::BLANK);
        let end = match above {
            Above::Nothing => buffer.rows.iter().rposition(|row| !is_blank(row)).map_or(0, |last| last + 1),
            Above::OtherLine | Above::SameLine => buffer.rows.len(),
        };
        for (index, row) in buffer.rows.iter().enumerate().take(end) {
            match index.checked_sub(1) {
                Some(before) if row.wrapped => self.continued(&buffer.rows[before], row),
                Some(_) => self.next_line(row),
                None if above == Above::OtherLine => self.next_line(row),
                None => self.painter.row(row, above == Above::SameLine),
            }
        }
        self.painter.rest();
    }

    fn next_line(&mut self, row: &Row) {
        if self.painter.pen.background != Color::DEFAULT {
            // It would spread over the row if that comes up only now.
            self.painter.rest();
        }
        self.text("\r\n");
        self.painter.row(row, false);
    }

    /// Writes a row that continues the one above, whatever is at the latter's end.
    fn continued(&mut self, above: &Row, row: &Row) {
        if flows_on(above, row) {
            self.painter.row(row, true);
            return;
        }
        let cols = row.cells().len();
        // Only a character at its end makes a row go on in the next; what does not belong is erased afterwards.
        self.painter.rest();
        let full = is_taken(&above.cells()[cols - 1]);
        if !full {
            self.painter.write(format_args!("\x1b[{cols}G "));
        }
        self.text(" \r");
        self.erase_one(&Cell::BLANK);
        if !full {
            self.painter.write(format_args!("\x1b[A\x1b[{cols}G"));
            self.erase_one(&above.cells()[cols - 1]);
            self.text("\x1b[B\r");
        }
        self.painter.row(row, false);
    }

    fn erase_one(&mut self, cell: &Cell) {
        self.painter.look(&Cell::erased(cell.background));
        self.text("\x1b[X");
    }

    /// Scroll region and tab stops.
    fn margins(&mut self, buffer: &Buffer) {
        if !buffer.has_full_region(self.terminal.rows()) {
            self.painter.write(format_args!("\x1b[{};{}r", buffer.top + 1, buffer.bottom + 1));
        }
        if !buffer.has_default_tabs() {
            self.text("\x1b[3g");
            for (col, _) in buffer.tabs.iter().enumerate().filter(|(_, stop)| **stop) {
                self.painter.write(format_args!("\x1b[{}G\x1bH", col + 1));
            }
        }
    }

    fn keyboard(&mut self, keyboard: &KeyboardFlags) {
        if keyboard.base() != 0 {
            self.painter.write(format_args!("\x1b[={}u", keyboard.base()));
        }
        for flags in keyboard.pushed() {
            self.painter.write(format_args!("\x1b[>{flags}u"));
        }
    }

    fn save_cursor(&mut self, saved: &SavedCursor) {
        self.saved_cursor(saved);
        self.text("\x1b7");
        self.charset(Charset::Ascii);
    }

    /// Puts the terminal into the state to be saved.
    fn saved_cursor(&mut self, saved: &SavedCursor) {
        self.goto(saved.col, saved.row);
        self.painter.look(&saved.pen);
        if saved.charset != Charset::Ascii {
            self.charset(saved.charset);
        }
    }

    fn charset(&mut self, set: Charset) {
        let terminal = self.terminal;
        let needless = set == Charset::Ascii
            && terminal.active.saved.charset == set
            && terminal.other.saved.charset == set;
        if !needless {
            self.painter.write(format_args!("\x1b({}", char::from(set.last_byte())));
        }
    }

    fn goto(&mut self, col: usize, row: usize) {
        match (col, row) {
            (0, 0) => self.text("\x1b[H"),
            (0, _) => self.painter.write(format_args!("\x1b[{}H", row + 1)),
            _ => self.painter.write(format_args!("\x1b[{};{}H", row + 1, col + 1)),
        }
    }

    /// Everything that is not of one screen.
    fn finish(&mut self) {
        let terminal = self.terminal;
        self.colors();
        if terminal.modes.origin {
            self.text("\x1b[?6h");
        }
        let printed_last = self.printed_last();
        let restored = terminal.charsets.current != terminal.charsets.designated();
        if restored || printed_last.is_some() {
            self.charsets();
        }
        if restored {
            // Only with a cursor comes a set that is not the designated one.
            self.text("\x1b8");
            self.painter.pen = terminal.active.saved.pen.restored_over(&self.painter.pen);
        }
        if let Some((col, cell)) = printed_last {
            // The character comes last of all: the next one may combine with it, or repeat it.
            self.modes();
            self.print_again(col, &cell);
            return;
        }
        self.cursor(restored);
        if !restored {
            self.charsets();
        }
        self.modes();
    }

    /// Where the last character is, if nothing came after it, and what to print for it.
    fn printed_last(&self) -> Option<(usize, Cell)> {
        let Terminal { active, preceding, charsets, .. } = self.terminal;
        let col = active.col.checked_sub(*preceding).filter(|_| *preceding > 0)?;
        let cell = active.rows[active.row].cells()[col];
        let span = if *preceding == 1 { Span::Narrow } else { Span::Wide };
        let is_it = cell.has_character() && cell.span() == span;
        let character = charsets.current.unmap(cell.character)?;
        (is_it && self.pen_wrote(&cell)).then_some((col, Cell { character, ..cell }))
    }

    /// Whether a cell looks like what the pen writes, combining characters aside.
    fn pen_wrote(&self, cell: &Cell) -> bool {
        let Terminal { pen, extras, .. } = self.terminal;
        let extra = Extra { combining: String::new(), ..extras.get(cell.extra).clone() };
        let cell = Cell { extra: pen.extra, ..*cell };
        cell.looks_like(pen) && extra == *extras.get(pen.extra)
    }

    fn print_again(&mut self, col: usize, cell: &Cell) {
        let terminal = self.terminal;
        self.goto_cursor(col);
        if terminal.modes.insert {
            self.painter.numbered(terminal.preceding, 'P');
        }
        self.painter.look(&terminal.pen);
        self.painter.character(cell);
    }

    /// Puts the cursor where it is, and the pen into the hand.
    fn cursor(&mut self, mapped: bool) {
        let Terminal { active, pen, charsets, .. } = self.terminal;
        let (row, cols) = (&active.rows[active.row], self.terminal.cols());
        let last = cols - if row.cells()[cols - 1].span() == Span::Rest { 2 } else { 1 };
        let cell = &row.cells()[last];
        let set = if mapped { charsets.current } else { Charset::Ascii };
        if active.col < cols {
            self.goto_cursor(active.col);
        } else if cell.has_character() && set.map(cell.character) == cell.character {
            // A full row's cursor gets there only by writing the last character.
            self.goto_cursor(last);
            self.painter.look(cell);
            self.painter.character(cell);
        } else {
            self.goto_cursor(cols - 1);
            if !cell.has_character() && row.cells().iter().all(|other| other == cell) {
                self.painter.look(&Cell::erased(cell.background));
                self.text(" \x1b[1K");
            }
        }
        self.painter.look(pen);
    }

    /// Goes to a column of the cursor's row.
    fn goto_cursor(&mut self, col: usize) {
        let Terminal { active, modes, .. } = self.terminal;
        self.goto(col, if modes.origin { active.row.saturating_sub(active.top) } else { active.row });
    }

    fn colors(&mut self) {
        let mut colors: Vec<_> = self.terminal.colors.iter().collect();
        colors.sort_by_key(|(slot, _)| match slot {
            ColorSlot::Indexed(index) => u16::from(*index),
            ColorSlot::Foreground => 256,
            ColorSlot::Background => 257,
            ColorSlot::Cursor => 258,
            ColorSlot::Selection => 259,
        });
        for (slot, color) in colors {
            let (red, green, blue) = (color.red, color.green, color.blue);
            self.painter.write(format_args!("\x1b]{};#{red:02x}{green:02x}{blue:02x}\x1b\\", slot.command()));
        }
    }

    fn modes(&mut self) {
        let terminal = self.terminal;
        let modes = &terminal.modes;
        if modes.insert {
            self.text("\x1b[4h");
        }
        if modes.newline {
            self.text("\x1b[20h");
        }
        self.switches(&[1, 7, 45, 66, 1004, 2004, 2026]);
        self.switches(&PASSED_ON);
        self.mouse_and_keys();
        if terminal.cursor_style != 0 {
            self.painter.write(format_args!("\x1b[{} q", terminal.cursor_style));
        }
        if let Some(blink) = modes.cursor_blink {
            self.private(12, blink);
        }
        self.private(25, modes.cursor_visible);
    }

    /// Those of some private modes that are not as after a reset.
    fn switches(&mut self, modes: &[u16]) {
        let (ours, fresh) = (&self.terminal.modes, Modes::default());
        for mode in modes.iter().copied().filter(|mode| ours.private(*mode) != fresh.private(*mode)) {
            self.private(mode, ours.private(mode) == Some(true));
        }
    }

    fn mouse_and_keys(&mut self) {
        let modes = &self.terminal.modes;
        for mode in [modes.mouse.mode(), modes.mouse_encoding.mode()].into_iter().flatten() {
            self.private(mode, true);
        }
        if modes.modify_other_keys != 0 {
            self.painter.write(format_args!("\x1b[>4;{}m", modes.modify_other_keys));
        }
    }

    fn private(&mut self, mode: u16, on: bool) {
        self.painter.write(format_args!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }));
    }

    fn charsets(&mut self) {
        let charsets = &self.terminal.charsets;
        for (set, slot) in charsets.designated.iter().zip(['(', ')', '*', '+']) {
            if *set != Charset::Ascii {
                self.painter.write(format_args!("\x1b{slot}{}", char::from(set.last_byte())));
            }
        }
        match charsets.level {
            0 => {}
            1 => self.text("\x0e"),
            2 => self.text("\x1bn"),
            _ => self.text("\x1bo"),
        }
    }
}
