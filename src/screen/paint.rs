//! Writing cells as bytes: text, and the shortest SGR sequences that lead from one look to the next.

use std::io::Write;

use super::cell::{Cell, Color, ExtraId, Hue, Span, Style};
use super::extras::{Extra, Extras};
use super::row::Row;

/// How many cells are looked at together where most are characters in one look.
const RUN: usize = 8;

/// Erases from the cursor on to the row's end.
const ERASE_TO_END: &[u8] = b"\x1b[K";

/// How cells that nothing was written to are brought over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Gaps {
    /// By moving the cursor: nothing is still written to them.
    Skipped,
    /// As spaces, which are good at any width.
    Spaces,
}

/// Writes cells one after the other, as if at a terminal's cursor.
#[derive(Debug)]
pub(super) struct Painter<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) extras: &'a Extras,
    /// The terminal's pen after what was written. Its character means nothing.
    pub(super) pen: Cell,
    /// Whether the pen had a background.
    colored: bool,
}

impl<'a> Painter<'a> {
    /// One for a terminal whose pen is fresh.
    pub(super) fn new(out: &'a mut Vec<u8>, extras: &'a Extras) -> Painter<'a> {
        Painter { out, extras, pen: Cell::BLANK, colored: false }
    }

    /// Writes a row, from its first column on, but for what is blank at its end. If it continues the row above, its
    /// first character is what makes it come up.
    pub(super) fn row(&mut self, row: &Row, continues: bool) {
        self.cells(row.used(), row.cells().len(), continues, Gaps::Skipped);
    }

    /// Writes the first `len` cells of a row so that they come out right at any width, and leaves the pen fresh.
    #[inline]
    pub(super) fn row_for_any_width(&mut self, row: &Row, len: usize) {
        let used = row.used();
        self.cells(&used[..used.len().min(len)], row.cells().len(), false, Gaps::Spaces);
        let to_end = self.out.ends_with(ERASE_TO_END);
        self.rest();
        if self.colored && !to_end {
            // A row that came up at the screen's end by wrapping is full of the pen's background.
            self.out.extend_from_slice(ERASE_TO_END);
        }
    }

    /// Writes cells so that they come out right wherever the cursor is, and leaves the pen fresh.
    pub(super) fn free_cells(&mut self, cells: &[Cell]) {
        self.cells(cells, usize::MAX, false, Gaps::Spaces);
        self.rest();
    }

    /// Cells from the first of a row of `cols` on.
    #[inline]
    fn cells(&mut self, cells: &[Cell], cols: usize, continues: bool, gaps: Gaps) {
        let end = cells.iter().rposition(|cell| *cell != Cell::BLANK).map_or(0, |last| last + 1);
        let cells = &cells[..end];
        let mut col = 0;
        while let Some(cell) = cells.get(col) {
            if cell.has_character() {
                self.look(cell);
                self.character(cell);
                if col == 0 && continues && cell.background != Color::DEFAULT {
                    // It may have come up full of the pen's background.
                    self.background(&Cell::BLANK);
                    self.out.extend_from_slice(ERASE_TO_END);
                }
                col += if cell.span() == Span::Wide { 2 } else { 1 };
                col += self.run(cells.get(col..).unwrap_or_default());
                continue;
            }
            let len = cells[col..].iter().take_while(|other| *other == cell).count();
            // Erasing to the end from the first column would part the row from the one it continues.
            let can_part = col > 0 || gaps == Gaps::Spaces;
            self.gap(cell, len, col + len == cols && can_part, gaps);
            col += len;
        }
    }

    /// Writes ASCII characters that the pen writes as it is, some at a time, and says how many. Not all that there
    /// may be: it is only the fast way.
    #[inline]
    fn run(&mut self, cells: &[Cell]) -> usize {
        let before = self.out.len();
        let pen = Cell { style: self.pen.style.look(), extra: ExtraId::NONE, ..self.pen };
        for some in cells.chunks_exact(RUN) {
            let differences = some.iter().fold(0, |all, cell| all | cell.ascii_difference(&pen));
            if differences != 0 || self.pen.extra != ExtraId::NONE {
                break;
            }
            let bytes: [u8; RUN] = std::array::from_fn(|at| some[at].character as u8);
            self.out.extend_from_slice(&bytes);
        }
        self.out.len() - before
    }

    /// Brings `len` cells without characters over and leaves the cursor behind them, or anywhere if they go to the
    /// row's end.
    fn gap(&mut self, cell: &Cell, len: usize, to_end: bool, gaps: Gaps) {
        let colored = cell.background != Color::DEFAULT;
        if to_end && colored {
            self.background(cell);
            self.out.extend_from_slice(ERASE_TO_END);
            return;
        }
        match gaps {
            Gaps::Spaces => {
                self.look(cell);
                self.out.extend(std::iter::repeat_n(b' ', len));
            }
            Gaps::Skipped => {
                if colored {
                    self.background(cell);
                    self.numbered(len, 'X');
                }
                self.numbered(len, 'C');
            }
        }
    }

    /// `CSI count last`, without the count where it is one.
    pub(super) fn numbered(&mut self, count: usize, last: char) {
        match count {
            1 => self.write(format_args!("\x1b[{last}")),
            _ => self.write(format_args!("\x1b[{count}{last}")),
        }
    }

    pub(super) fn write(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to memory does not fail.
        let _ = self.out.write_fmt(text);
    }

    #[inline]
    pub(super) fn character(&mut self, cell: &Cell) {
        if cell.span() == Span::Zero {
            // A string terminator on its own does nothing, except that the character has none to combine with.
            self.out.extend_from_slice(b"\x1b\\");
        }
        if cell.character.is_ascii() {
            self.out.push(cell.character as u8);
        } else {
            self.out.extend_from_slice(cell.character.encode_utf8(&mut [0; 4]).as_bytes());
        }
        if cell.extra != ExtraId::NONE {
            self.out.extend_from_slice(self.extras.get(cell.extra).combining.as_bytes());
        }
    }

    /// Makes the pen erase with a cell's background.
    fn background(&mut self, cell: &Cell) {
        if self.pen.background != cell.background {
            let cell = Cell { background: cell.background, ..self.pen };
            self.look(&cell);
        }
    }

    /// Makes the pen fresh.
    pub(super) fn rest(&mut self) {
        self.look(&Cell::BLANK);
    }

    /// Makes the pen write like a cell.
    #[inline]
    pub(super) fn look(&mut self, cell: &Cell) {
        if !self.pen.looks_like(cell) {
            self.change_look(cell);
        }
    }

    #[inline(never)]
    fn change_look(&mut self, cell: &Cell) {
        let (old, new) = (self.extras.get(self.pen.extra), self.extras.get(cell.extra));
        let before = Look::of(&self.pen, old);
        let after = Look::of(cell, new);
        let anew = before != after && self.change_sgr(&before, &after);
        if old.link != new.link {
            let (id, uri) = new.link.as_deref().map_or((None, ""), |link| (link.id.as_deref(), &*link.uri));
            match id {
                Some(id) => self.write(format_args!("\x1b]8;id={id};{uri}\x1b\\")),
                None => self.write(format_args!("\x1b]8;;{uri}\x1b\\")),
            }
        }
        // Setting all anew ends protection as well.
        let was_protected = self.pen.style.has(Style::PROTECTED) && !anew;
        let protected = cell.style.has(Style::PROTECTED);
        if was_protected != protected {
            self.write(format_args!("\x1b[{}\"q", u8::from(protected)));
        }
        self.pen = *cell;
        self.colored |= cell.background != Color::DEFAULT;
    }

    /// Writes the shorter of what changes some attributes and what sets all anew, and says whether it is the latter.
    fn change_sgr(&mut self, before: &Look, after: &Look) -> bool {
        self.out.extend_from_slice(b"\x1b[");
        if *after == Look::FRESH {
            self.out.push(b'm');
            return true;
        }
        let change = Codes::from(before, after);
        let anew =
            if before.style == Look::FRESH.style { None } else { Some(Codes::from(&Look::FRESH, after)) };
        // "0;" and the codes, against the codes.
        let anew = anew.filter(|anew| anew.len + 2 < change.len);
        let starts_over = anew.is_some();
        if starts_over {
            self.out.extend_from_slice(b"0;");
        }
        self.out.extend_from_slice(anew.unwrap_or(change).bytes());
        self.out.push(b'm');
        starts_over
    }
}

/// The SGR parameters that make a pen in any state write like `pen`.
pub(super) fn sgr(pen: &Cell, extras: &Extras) -> String {
    let codes = Codes::from(&Look::FRESH, &Look::of(pen, extras.get(pen.extra)));
    let separator = if codes.len == 0 { "" } else { ";" };
    format!("0{separator}{}", String::from_utf8_lossy(codes.bytes()))
}

/// Whether the line in a row goes on in the next one as printing it would make it: the row is full, or the next one
/// begins with a wide character that did not fit.
pub(super) fn flows_on(row: &Row, next: &Row) -> bool {
    let ([.., last], [first, ..]) = (row.cells(), next.cells()) else { return false };
    let wide_fits = first.span() != Span::Wide || *last != Cell::erased(first.background);
    can_begin(first) && (is_taken(last) || !wide_fits && is_full(row))
}

/// Whether a row is full, or has no more than the last column free.
pub(super) fn is_full(row: &Row) -> bool {
    row.cells().iter().rev().take(2).any(is_taken)
}

/// Whether something was printed to a cell.
pub(super) fn is_taken(cell: &Cell) -> bool {
    cell.has_character() || cell.span() == Span::Rest
}

/// Whether printing a cell's character wraps into a new row: one without width would stay in the old one.
pub(super) fn can_begin(cell: &Cell) -> bool {
    cell.has_character() && cell.span() != Span::Zero
}

/// What SGR says about a cell.
#[derive(Debug, PartialEq, Eq)]
struct Look {
    foreground: Color,
    background: Color,
    underline: Color,
    style: Style,
}

impl Look {
    const FRESH: Look = Look {
        foreground: Color::DEFAULT,
        background: Color::DEFAULT,
        underline: Color::DEFAULT,
        style: Cell::BLANK.style,
    };

    fn of(cell: &Cell, extra: &Extra) -> Look {
        let mut style = cell.style.look();
        style.set(Style::PROTECTED, false);
        Look { foreground: cell.foreground, background: cell.background, underline: extra.underline, style }
    }
}

/// SGR parameters, joined by semicolons.
struct Codes {
    text: [u8; Codes::MOST],
    len: usize,
}

/// The styles that one SGR parameter switches on and another off. Bold and dim have one off switch together.
const SWITCHES: [(Style, u8, u8); 6] = [
    (Style::ITALIC, 3, 23),
    (Style::BLINK, 5, 25),
    (Style::INVERSE, 7, 27),
    (Style::HIDDEN, 8, 28),
    (Style::STRUCK, 9, 29),
    (Style::OVERLINED, 53, 55),
];

impl Codes {
    /// More than all attributes at once need.
    const MOST: usize = 128;

    fn from(before: &Look, after: &Look) -> Codes {
        let mut codes = Codes { text: [0; Codes::MOST], len: 0 };
        codes.weight(before.style, after.style);
        for (style, on, off) in SWITCHES {
            if before.style.has(style) != after.style.has(style) {
                codes.push(&[if after.style.has(style) { on } else { off }]);
            }
        }
        if before.style.underline() != after.style.underline() {
            match after.style.underline() {
                0 => codes.push(&[24]),
                1 => codes.push(&[4]),
                kind => {
                    codes.push(&[4]);
                    codes.byte(b':');
                    codes.byte(b'0' + kind);
                }
            }
        }
        codes.color(30, before.foreground, after.foreground);
        codes.color(40, before.background, after.background);
        codes.color(50, before.underline, after.underline);
        codes
    }

    fn weight(&mut self, before: Style, after: Style) {
        let lost = |style| before.has(style) && !after.has(style);
        let anew = lost(Style::BOLD) || lost(Style::DIM);
        if anew {
            self.push(&[22]);
        }
        for (style, on) in [(Style::BOLD, 1), (Style::DIM, 2)] {
            if after.has(style) && (anew || !before.has(style)) {
                self.push(&[on]);
            }
        }
    }

    /// `base` is 30 for the foreground, 40 for the background, 50 for the underline.
    fn color(&mut self, base: u8, before: Color, after: Color) {
        if before == after {
            return;
        }
        match after.hue() {
            Hue::Default => self.push(&[base + 9]),
            Hue::Named(index @ 0..8) => self.push(&[base + index]),
            Hue::Named(index) => self.push(&[base + 60 + index - 8]),
            Hue::Indexed(index) => self.push(&[base + 8, 5, index]),
            Hue::Rgb(red, green, blue) => self.push(&[base + 8, 2, red, green, blue]),
        }
    }

    fn push(&mut self, numbers: &[u8]) {
        for number in numbers {
            if self.len > 0 {
                self.byte(b';');
            }
            if *number >= 100 {
                self.byte(b'0' + number / 100);
            }
            if *number >= 10 {
                self.byte(b'0' + number / 10 % 10);
            }
            self.byte(b'0' + number % 10);
        }
    }

    fn byte(&mut self, byte: u8) {
        self.text[self.len] = byte;
        self.len += 1;
    }

    fn bytes(&self) -> &[u8] {
        &self.text[..self.len]
    }
}
