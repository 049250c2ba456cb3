//! Whether two terminals show the same, and go on alike whatever comes.

use std::collections::VecDeque;

use super::buffer::{Buffer, SavedCursor};
use super::cell::{Cell, ExtraId};
use super::extras::Extras;
use super::history::HistoryRow;
use super::row::Row;
use super::terminal::Terminal;
use super::unpack::Unpacked;

/// What the cells of two terminals have, which are to be compared.
#[derive(Clone, Copy)]
struct Pair<'a>(&'a Extras, &'a Extras);

impl Terminal {
    /// Whether all is the same that output or a change of size can change, or that can change what these do. How
    /// much scrollback each may keep is not looked at.
    pub(super) fn is_like(&self, other: &Terminal) -> bool {
        // Named one by one, so that none is forgotten.
        let Terminal { size, active, other: hidden, alternate, pen, charsets, modes, .. } = self;
        let Terminal { cursor_style, colors, keyboard, preceding, extras: _, history: _, .. } = self;
        let pair = Pair(&self.extras, &other.extras);
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
            && histories(self, other)
    }
}

impl Pair<'_> {
    fn buffers(self, one: &Buffer, other: &Buffer) -> bool {
        let Buffer { rows, col: _, row, top, bottom, tabs, saved } = one;
        (row, top, bottom, tabs) == (&other.row, &other.top, &other.bottom, &other.tabs)
            && self.saved(saved, &other.saved)
            && self.all_rows(rows, &other.rows)
    }

    fn all_rows(self, some: &VecDeque<Row>, others: &VecDeque<Row>) -> bool {
        some.len() == others.len() && some.iter().zip(others).all(|(one, other)| self.rows(one, other))
    }

    fn saved(self, one: &SavedCursor, other: &SavedCursor) -> bool {
        let SavedCursor { col, row, pen, charset } = one;
        (col, row, charset) == (&other.col, &other.row, &other.charset) && self.cells(pen, &other.pen)
    }

    fn rows(self, one: &Row, other: &Row) -> bool {
        let used = one.used().len().max(other.used().len());
        let mut cells = one.cells()[..used].iter().zip(&other.cells()[..used]);
        one.wrapped == other.wrapped && cells.all(|(one, other)| self.cells(one, other))
    }

    #[inline]
    fn cells(self, one: &Cell, other: &Cell) -> bool {
        one == other && one.extra == ExtraId::NONE || self.cells_with_extras(one, other)
    }

    /// Ids are each terminal's own; what they stand for counts.
    fn cells_with_extras(self, one: &Cell, other: &Cell) -> bool {
        Cell { extra: ExtraId::NONE, ..*one } == Cell { extra: ExtraId::NONE, ..*other }
            && self.0.get(one.extra) == self.1.get(other.extra)
    }
}

/// Whether there are the same lines. How they are wrapped is not looked at: those too far up to take part in a change of
/// size keep their rows, and are wrapped anew once they do take part in one.
fn histories(one: &Terminal, other: &Terminal) -> bool {
    let rows: Vec<_> = one.history.newest(usize::MAX).collect();
    let other_rows: Vec<_> = other.history.newest(usize::MAX).collect();
    let lines = rows.chunk_by(|row, _| row.joined);
    let other_lines = other_rows.chunk_by(|row, _| row.joined);
    one.history.is_full() == other.history.is_full()
        && lines.clone().count() == other_lines.clone().count()
        && lines.zip(other_lines).all(|(line, other)| line == other || wrap_alike(line, other, one.size.cols))
}

fn wrap_alike(line: &[HistoryRow<'_>], other: &[HistoryRow<'_>], cols: u16) -> bool {
    let wrapped = |line: &[HistoryRow<'_>]| {
        let mut unpacked = Unpacked::new(cols, Extras::new());
        line.iter().for_each(|row| unpacked.add(*row));
        unpacked.finish()
    };
    let ((rows, extras), (other_rows, other_extras)) = (wrapped(line), wrapped(other));
    Pair(&extras, &other_extras).all_rows(&rows, &other_rows)
}
