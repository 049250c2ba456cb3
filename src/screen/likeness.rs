//! Whether two terminals show the same, and go on alike whatever comes.

use super::buffer::{Buffer, SavedCursor};
use super::cell::{Cell, ExtraId};
use super::history::{History, HistoryRow};
use super::row::Row;
use super::terminal::Terminal;

/// Two terminals, to be compared.
#[derive(Clone, Copy)]
struct Pair<'a>(&'a Terminal, &'a Terminal);

impl Terminal {
    /// Whether all is the same that output or a change of size can change, or that can change what these do. How
    /// much scrollback each may keep is not looked at.
    pub(super) fn is_like(&self, other: &Terminal) -> bool {
        // Named one by one, so that none is forgotten.
        let Terminal { size, active, other: hidden, alternate, pen, charsets, modes, .. } = self;
        let Terminal { cursor_style, colors, keyboard, preceding, extras: _, history: _, .. } = self;
        let pair = Pair(self, other);
        let modes_alike = (size, alternate, charsets, modes, cursor_style, colors, keyboard, preceding)
            == (
                &other.size,
                &other.alternate,
                &other.charsets,
                &other.modes,
                &other.cursor_style,
                &other.colors,
                &other.keyboard,
                &other.preceding,
            );
        // Of the cursor of the screen that is not shown only the row counts, when the size changes.
        modes_alike
            && pair.cells(pen, &other.pen)
            && active.col == other.active.col
            && pair.buffers(active, &other.active)
            && pair.buffers(hidden, &other.other)
            && pair.histories()
    }
}

impl Pair<'_> {
    fn buffers(self, one: &Buffer, other: &Buffer) -> bool {
        let Buffer { rows, col: _, row, top, bottom, tabs, saved } = one;
        (row, top, bottom, tabs) == (&other.row, &other.top, &other.bottom, &other.tabs)
            && self.saved(saved, &other.saved)
            && rows.len() == other.rows.len()
            && rows.iter().zip(&other.rows).all(|(one, other)| self.rows(one, other))
            && rows.iter().zip(&other.rows).skip(1).all(|(one, other)| one.wrapped == other.wrapped)
    }

    fn saved(self, one: &SavedCursor, other: &SavedCursor) -> bool {
        let SavedCursor { col, row, pen, charset } = one;
        (col, row, charset) == (&other.col, &other.row, &other.charset) && self.cells(pen, &other.pen)
    }

    fn rows(self, one: &Row, other: &Row) -> bool {
        let used = one.used().len().max(other.used().len());
        let mut cells = one.cells()[..used].iter().zip(&other.cells()[..used]);
        cells.all(|(one, other)| self.cells(one, other))
    }

    #[inline]
    fn cells(self, one: &Cell, other: &Cell) -> bool {
        one == other && one.extra == ExtraId::NONE || self.cells_with_extras(one, other)
    }

    /// Ids are each terminal's own; what they stand for counts.
    fn cells_with_extras(self, one: &Cell, other: &Cell) -> bool {
        Cell { extra: ExtraId::NONE, ..*one } == Cell { extra: ExtraId::NONE, ..*other }
            && self.0.extras.get(one.extra) == self.1.extras.get(other.extra)
    }

    fn histories(self) -> bool {
        let Pair(one, other) = self;
        let len = one.history.len();
        // Whether the newest row goes on, the screen's first row says.
        let row = |(index, row)| {
            let HistoryRow { bytes, joined } = row;
            (bytes, joined && index + 1 < len)
        };
        let rows = |history| History::newest(history, usize::MAX).enumerate().map(row);
        len == other.history.len()
            && goes_on(one) == goes_on(other)
            && rows(&one.history).eq(rows(&other.history))
    }
}

/// Whether the history's last line goes on in the primary screen's first row. Its flag alone says nothing if the row
/// does not begin with what was wrapped.
fn goes_on(terminal: &Terminal) -> bool {
    let Terminal { active, other, alternate, history, .. } = terminal;
    let primary = if *alternate { other } else { active };
    let first = &primary.rows[0];
    history.len() > 0 && first.wrapped && history.flows_into(first)
}
