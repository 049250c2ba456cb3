//! Copy and scroll mode: a cursor on a page that stands still, a selection, a search.

use super::copy_keys::{Command, Move};
use super::page::{Page, Place};
use super::search::{Match, Search};

/// How many rows of scrollback are looked at, as many as tmux keeps.
pub(super) const COPY_ROWS: usize = 2000;

/// The largest number that may stand before a command.
const MAX_COUNT: usize = 9999;

/// What is selected between the anchor and the cursor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Everything, in reading order.
    Text,
    /// Whole rows.
    Rows,
}

/// What comes of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Nothing but what is shown.
    Stay,
    /// Copy mode ends.
    Leave,
    /// It ends, and this is to be copied.
    Copy(String),
    /// Ask for something to search for.
    AskFor {
        /// Towards the end.
        forward: bool,
    },
    /// A search found nothing.
    NotFound,
}

/// See the module.
#[derive(Debug, Clone)]
pub(super) struct CopyMode {
    page: Page,
    cols: usize,
    rows: usize,
    /// The first row in view.
    top: usize,
    cursor: Place,
    anchor: Option<(Place, Extent)>,
    search: Option<Search>,
    /// The number typed before a command.
    count: Option<usize>,
}

impl CopyMode {
    /// Begins at the end of `page`, with the cursor in a row and column of the screen that is `rows` high.
    pub(super) fn new(page: Page, cols: usize, rows: usize, cursor: Place) -> CopyMode {
        let top = page.lines.len().saturating_sub(rows);
        let cursor = Place { row: top + cursor.row, col: cursor.col };
        let mut mode = CopyMode { page, cols, rows, top, cursor, anchor: None, search: None, count: None };
        mode.confine();
        mode
    }

    /// The rows in view.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &super::page::Line)> {
        self.page.lines.iter().enumerate().skip(self.top).take(self.rows)
    }

    /// Where the cursor is in view.
    pub(super) fn cursor(&self) -> (u16, u16) {
        (self.cursor.col as u16, self.cursor.row.saturating_sub(self.top) as u16)
    }

    /// How many rows are below the view, and how many rows there are above the last view.
    pub(super) fn position(&self) -> (usize, usize) {
        (self.last_top() - self.top, self.last_top())
    }

    /// Whether a place is selected.
    pub(super) fn is_selected(&self, place: Place) -> bool {
        self.selection().is_some_and(|(from, to)| (from..=to).contains(&place))
    }

    /// What was found, if something was searched for.
    pub(super) fn matches(&self) -> &[Match] {
        self.search.as_ref().map_or(&[], |search| &search.matches)
    }

    /// The place of a cell in view.
    pub(super) fn place_at(&self, col: u16, row: u16) -> Place {
        Place { row: self.top + usize::from(row), col: usize::from(col) }
    }

    /// The view has another size.
    pub(super) fn resize(&mut self, cols: usize, rows: usize) {
        let below = self.page.lines.len().saturating_sub(self.top + self.rows);
        (self.cols, self.rows) = (cols, rows);
        self.top = self.page.lines.len().saturating_sub(below + rows);
        self.confine();
    }

    /// A page that goes further back takes the place of the one looked at; the view stays on the same text.
    pub(super) fn extend(&mut self, page: Page) {
        let newer = (0..self.rows.min(page.lines.len())).find(|newer| self.shows_the_same(&page, *newer));
        let end = page.lines.len() - newer.unwrap_or(0);
        let Some(shift) = end.checked_sub(self.page.lines.len()) else { return };
        self.page = page;
        self.top += shift;
        self.cursor.row += shift;
        if let Some((anchor, _)) = &mut self.anchor {
            anchor.row += shift;
        }
        if let Some(search) = self.search.take() {
            self.search = Some(Search::new(&self.page, &search.wanted, search.forward));
        }
        self.confine();
    }

    /// Whether our last rows are those of `page` but for its `newer` newest.
    fn shows_the_same(&self, page: &Page, newer: usize) -> bool {
        let ours = self.page.lines.iter().rev().take(self.rows);
        let theirs = page.lines.iter().rev().skip(newer);
        ours.zip(theirs).all(|(ours, theirs)| ours.cells == theirs.cells)
    }

    /// Does a command.
    pub(super) fn command(&mut self, command: Command) -> Outcome {
        if let Command::Digit(digit) = command {
            if digit == 0 && self.count.is_none() {
                return self.command(Command::Move(Move::LineStart));
            }
            self.count = Some((self.count.unwrap_or(0) * 10 + usize::from(digit)).min(MAX_COUNT));
            return Outcome::Stay;
        }
        let count = self.count.take().unwrap_or(1);
        match command {
            Command::Digit(_) => {}
            Command::Move(motion) => {
                for _ in 0..count {
                    self.go(motion);
                }
            }
            Command::Select => self.toggle(Extent::Text),
            Command::SelectRows => self.toggle(Extent::Rows),
            Command::ClearSelection => self.anchor = None,
            Command::OtherEnd => {
                if let Some((anchor, _)) = &mut self.anchor {
                    std::mem::swap(anchor, &mut self.cursor);
                    self.follow();
                }
            }
            Command::Copy => return self.selected().map_or(Outcome::Leave, Outcome::Copy),
            Command::SearchForward => return Outcome::AskFor { forward: true },
            Command::SearchBackward => return Outcome::AskFor { forward: false },
            Command::Again => return self.search_again(false),
            Command::AgainBackward => return self.search_again(true),
            Command::Leave => return Outcome::Leave,
        }
        Outcome::Stay
    }

    /// Searches from the cursor on.
    pub(super) fn search(&mut self, wanted: &str, forward: bool) -> Outcome {
        self.search = Some(Search::new(&self.page, wanted, forward));
        self.search_again(false)
    }

    fn search_again(&mut self, turned: bool) -> Outcome {
        let Some(search) = &self.search else { return Outcome::NotFound };
        let Some(found) = search.next(self.cursor, search.forward != turned) else {
            return Outcome::NotFound;
        };
        self.cursor = found;
        self.follow();
        Outcome::Stay
    }

    /// Moves the view; the cursor stays in it.
    pub(super) fn scroll(&mut self, up: bool, rows: usize) {
        self.top = if up { self.top.saturating_sub(rows) } else { (self.top + rows).min(self.last_top()) };
        self.cursor.row = self.cursor.row.clamp(self.top, self.top + self.rows.saturating_sub(1));
        self.confine();
    }

    /// Whether nothing is below the view and nothing is selected: who scrolled here has come back.
    pub(super) fn is_back(&self) -> bool {
        self.top == self.last_top() && self.anchor.is_none()
    }

    /// Puts the cursor somewhere, and selects nothing.
    pub(super) fn point(&mut self, to: Place) {
        self.anchor = None;
        self.cursor = to;
        self.follow();
    }

    /// Puts the cursor somewhere, and selects from `anchor` to it.
    pub(super) fn select(&mut self, anchor: Place, to: Place) {
        self.anchor = Some((anchor, Extent::Text));
        self.cursor = to;
        self.follow();
    }

    /// The text selected.
    pub(super) fn selected(&self) -> Option<String> {
        let (from, to) = self.selection()?;
        Some(self.page.text(from, to)).filter(|text| !text.is_empty())
    }

    /// First and last place selected.
    fn selection(&self) -> Option<(Place, Place)> {
        let (anchor, extent) = self.anchor?;
        let (from, to) = (anchor.min(self.cursor), anchor.max(self.cursor));
        Some(match extent {
            Extent::Text => (from, to),
            Extent::Rows => (Place { col: 0, ..from }, Place { col: self.cols.saturating_sub(1), ..to }),
        })
    }

    fn toggle(&mut self, extent: Extent) {
        self.anchor = match self.anchor {
            Some((_, current)) if current == extent => None,
            Some((anchor, _)) => Some((anchor, extent)),
            None => Some((self.cursor, extent)),
        };
    }

    fn go(&mut self, motion: Move) {
        let page = self.rows.saturating_sub(2).max(1);
        let last = self.page.lines.len().saturating_sub(1);
        let bottom = (self.top + self.rows.saturating_sub(1)).min(last);
        match motion {
            Move::Left if self.cursor.col > 0 => self.cursor.col -= 1,
            Move::Left if self.cursor.row > 0 => {
                self.cursor.row -= 1;
                self.cursor.col = self.line_end();
            }
            Move::Left => {}
            Move::Right if self.cursor.col < self.line_end() => self.cursor.col += 1,
            Move::Right if self.cursor.row < last => self.cursor = Place { row: self.cursor.row + 1, col: 0 },
            Move::Right => {}
            Move::Up => self.cursor.row = self.cursor.row.saturating_sub(1),
            Move::Down => self.cursor.row = (self.cursor.row + 1).min(last),
            Move::LineStart => self.cursor.col = 0,
            Move::FirstText => self.cursor.col = self.first_text(),
            Move::LineEnd => self.cursor.col = self.line_end(),
            Move::NextWord => self.cursor = self.word_after(self.cursor, WordEdge::Start),
            Move::WordEnd => self.cursor = self.word_after(self.cursor, WordEdge::End),
            Move::PreviousWord => self.cursor = self.word_before(self.cursor),
            Move::Top => self.cursor = Place { row: 0, col: 0 },
            Move::Bottom => self.cursor = Place { row: last, col: 0 },
            Move::ViewTop => self.cursor.row = self.top,
            Move::ViewMiddle => self.cursor.row = (self.top + bottom) / 2,
            Move::ViewBottom => self.cursor.row = bottom,
            Move::PageUp => return self.page(true, page),
            Move::PageDown => return self.page(false, page),
            Move::HalfUp => return self.page(true, (self.rows / 2).max(1)),
            Move::HalfDown => return self.page(false, (self.rows / 2).max(1)),
            Move::ScrollUp => return self.scroll(true, 1),
            Move::ScrollDown => return self.scroll(false, 1),
            Move::PreviousParagraph => self.cursor = Place { row: self.gap_before(), col: 0 },
            Move::NextParagraph => self.cursor = Place { row: self.gap_after(), col: 0 },
        }
        self.follow();
    }

    /// Moves view and cursor alike.
    fn page(&mut self, up: bool, rows: usize) {
        let offset = self.cursor.row - self.top;
        let before = self.top;
        self.top = if up { self.top.saturating_sub(rows) } else { (self.top + rows).min(self.last_top()) };
        self.cursor.row = self.top + offset;
        if self.top == before {
            self.cursor.row = if up { 0 } else { self.page.lines.len().saturating_sub(1) };
        }
        self.confine();
    }

    fn line_end(&self) -> usize {
        self.page.lines.get(self.cursor.row).map_or(0, |line| line.last_col())
    }

    fn first_text(&self) -> usize {
        let line = self.page.lines.get(self.cursor.row);
        line.and_then(|line| line.cells.iter().position(|cell| cell.symbol() != " ")).unwrap_or(0)
    }

    /// The kind of what is at a place: of blanks none.
    fn kind_at(&self, place: Place) -> Option<CharKind> {
        let cell = self.page.lines.get(place.row)?.cells.get(place.col)?;
        let char = cell.symbol().chars().next().unwrap_or('\u{a0}');
        match char {
            ' ' => None,
            _ if char.is_alphanumeric() || char == '_' || char == '\u{a0}' => Some(CharKind::Word),
            _ => Some(CharKind::Punctuation),
        }
    }

    /// The next place in reading order, the end of the row being a blank.
    fn after(&self, place: Place) -> Option<Place> {
        let line = self.page.lines.get(place.row)?;
        if place.col < line.cells.len() {
            return Some(Place { col: place.col + 1, ..place });
        }
        (place.row + 1 < self.page.lines.len()).then_some(Place { row: place.row + 1, col: 0 })
    }

    fn before(&self, place: Place) -> Option<Place> {
        if place.col > 0 {
            return Some(Place { col: place.col - 1, ..place });
        }
        let row = place.row.checked_sub(1)?;
        Some(Place { row, col: self.page.lines[row].cells.len() })
    }

    fn word_after(&self, from: Place, edge: WordEdge) -> Place {
        let mut places = std::iter::successors(Some(from), |place| self.after(*place));
        let first = self.kind_at(from);
        match edge {
            WordEdge::Start => {
                let mut rest = places.skip_while(|place| first.is_some() && self.kind_at(*place) == first);
                rest.find(|place| self.kind_at(*place).is_some()).unwrap_or(from)
            }
            WordEdge::End => {
                places.next();
                let Some(start) = places.find(|place| self.kind_at(*place).is_some()) else { return from };
                let kind = self.kind_at(start);
                let word = std::iter::successors(Some(start), |place| self.after(*place));
                word.take_while(|place| self.kind_at(*place) == kind).last().unwrap_or(start)
            }
        }
    }

    fn word_before(&self, from: Place) -> Place {
        let places = std::iter::successors(self.before(from), |place| self.before(*place));
        let mut rest = places.skip_while(|place| self.kind_at(*place).is_none());
        let Some(end) = rest.next() else { return Place { row: 0, col: 0 } };
        let kind = self.kind_at(end);
        let word = std::iter::successors(Some(end), |place| self.before(*place));
        word.take_while(|place| self.kind_at(*place) == kind).last().unwrap_or(end)
    }

    fn is_gap(&self, row: usize) -> bool {
        self.page.lines[row].cells.iter().all(|cell| cell.symbol() == " ")
    }

    fn gap_before(&self) -> usize {
        let mut rows = (0..self.cursor.row).rev().skip_while(|row| self.is_gap(*row));
        rows.find(|row| self.is_gap(*row)).unwrap_or(0)
    }

    fn gap_after(&self) -> usize {
        let last = self.page.lines.len().saturating_sub(1);
        let mut rows = (self.cursor.row + 1..=last).skip_while(|row| self.is_gap(*row));
        rows.find(|row| self.is_gap(*row)).unwrap_or(last)
    }

    fn last_top(&self) -> usize {
        self.page.lines.len().saturating_sub(self.rows)
    }

    /// Brings the view to the cursor.
    fn follow(&mut self) {
        self.confine();
        if self.cursor.row < self.top {
            self.top = self.cursor.row;
        } else if self.cursor.row >= self.top + self.rows {
            self.top = self.cursor.row + 1 - self.rows;
        }
    }

    fn confine(&mut self) {
        self.cursor.row = self.cursor.row.min(self.page.lines.len().saturating_sub(1));
        self.cursor.col = self.cursor.col.min(self.cols.saturating_sub(1));
        self.top = self.top.min(self.last_top());
    }
}

/// What words are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum CharKind {
    Word,
    Punctuation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum WordEdge {
    Start,
    End,
}

#[cfg(test)]
mod tests;
