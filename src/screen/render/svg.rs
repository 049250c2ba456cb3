//! Rows as an SVG picture: a grid of cells, in which every run of text has the length that its cells have.

use std::fmt::Write;

use super::Document;
use super::look::{Changed, Look, color_of, escape, hex};
use super::plain::push;
use crate::screen::cell::{Cell, Span, Style};
use crate::screen::colors::ColorSlot;
use crate::screen::extras::Extras;

/// A cell's size, in pixels.
const WIDTH: usize = 9;
const HEIGHT: usize = 18;

/// Where text stands in its row, from the top.
const BASELINE: usize = 14;

/// What is left free around the text.
const MARGIN: usize = 9;

/// See the module.
#[derive(Debug)]
pub(super) struct Svg<'a> {
    changed: &'a Changed,
    /// How wide the widest line is, in columns.
    cols: usize,
    row: usize,
    col: usize,
    backgrounds: String,
    text: String,
}

impl<'a> Svg<'a> {
    /// A picture of at least so many columns.
    pub(super) fn new(changed: &'a Changed, cols: usize) -> Svg<'a> {
        let (backgrounds, text) = (String::new(), String::new());
        Svg { changed, cols, row: 0, col: 0, backgrounds, text }
    }

    /// Cells that look alike.
    fn run(&mut self, cells: &[Cell], extras: &Extras) {
        let look = Look::of(&cells[0], extras, self.changed);
        let (x, y) = (MARGIN + self.col * WIDTH, MARGIN + self.row * HEIGHT);
        let width = cells.len() * WIDTH;
        if let Some(color) = look.background {
            let (out, color) = (&mut self.backgrounds, hex(color));
            let _ = writeln!(
                out,
                "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{HEIGHT}\" fill=\"{color}\"/>"
            );
        }
        if !look.style.has(Style::HIDDEN) {
            self.open(&look);
            let mut at = self.col;
            for piece in cells.chunk_by(|a, b| lines_up(a) && lines_up(b) || b.span() == Span::Rest) {
                self.piece(at, piece, extras);
                at += piece.len();
            }
            self.lines(&look, x, y, width);
            self.close(&look);
        }
        self.col += cells.len();
    }

    fn open(&mut self, look: &Look) {
        if let Some(link) = &look.link {
            self.text.push_str("<a href=\"");
            escape(link, &mut self.text);
            self.text.push_str("\">");
        }
        let color = look.foreground.unwrap_or_else(|| color_of(ColorSlot::Foreground, self.changed));
        let _ = write!(self.text, "<g fill=\"{}\"", hex(color));
        for (style, attribute) in [
            (Style::BOLD, " font-weight=\"bold\""),
            (Style::ITALIC, " font-style=\"italic\""),
            (Style::DIM, " opacity=\".6\""),
        ] {
            if look.style.has(style) {
                self.text.push_str(attribute);
            }
        }
        self.text.push('>');
    }

    fn close(&mut self, look: &Look) {
        self.text.push_str("</g>");
        if look.link.is_some() {
            self.text.push_str("</a>");
        }
        self.text.push('\n');
    }

    /// Characters that can be stretched together.
    fn piece(&mut self, col: usize, cells: &[Cell], extras: &Extras) {
        let mut text = String::new();
        cells.iter().for_each(|cell| push(cell, extras, &mut text));
        if text.trim_matches(' ').is_empty() {
            return;
        }
        let (x, y) = (MARGIN + col * WIDTH, MARGIN + self.row * HEIGHT + BASELINE);
        let length = cells.len() * WIDTH;
        let _ = write!(
            self.text,
            "<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\" lengthAdjust=\"spacingAndGlyphs\">"
        );
        escape(&text, &mut self.text);
        self.text.push_str("</text>");
    }

    /// Underline, overline, and the line through the middle of `width` pixels of text.
    fn lines(&mut self, look: &Look, x: usize, y: usize, width: usize) {
        let color = look.foreground.unwrap_or_else(|| color_of(ColorSlot::Foreground, self.changed));
        let own = look.line.unwrap_or(color);
        let mut line = |down: usize, color, more: &str| {
            let (y, color) = (y + down, hex(color));
            let _ = write!(self.text, "<path d=\"M{x} {y}h{width}\" stroke=\"{color}\"{more}/>");
        };
        if look.style.has(Style::STRUCK) {
            line(HEIGHT / 2, color, "");
        }
        if look.style.has(Style::OVERLINED) {
            line(1, color, "");
        }
        match look.style.underline() {
            0 => {}
            2 => {
                line(BASELINE + 1, own, "");
                line(BASELINE + 3, own, "");
            }
            3 => {
                let waves = "q1.5 -2 3 0t3 0t3 0".repeat(width / WIDTH);
                let (y, color) = (y + BASELINE + 2, hex(own));
                let _ = write!(self.text, "<path d=\"M{x} {y}{waves}\" fill=\"none\" stroke=\"{color}\"/>");
            }
            4 => line(BASELINE + 2, own, " stroke-dasharray=\"1 2\""),
            5 => line(BASELINE + 2, own, " stroke-dasharray=\"5 4\""),
            _ => line(BASELINE + 2, own, ""),
        }
    }
}

impl Document for Svg<'_> {
    fn cells(&mut self, cells: &[Cell], extras: &Extras) {
        for run in cells.chunk_by(|a, b| a.looks_like(b)) {
            self.run(run, extras);
        }
        self.cols = self.cols.max(self.col);
    }

    fn end_line(&mut self) {
        self.row += 1;
        self.col = 0;
    }

    fn finish(self: Box<Self>) -> String {
        let (width, height) = (2 * MARGIN + self.cols * WIDTH, 2 * MARGIN + self.row * HEIGHT);
        let background = hex(color_of(ColorSlot::Background, self.changed));
        // Browsers let no text inherit its white space: each has to be told. Others know `xml:space` alone.
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" \
             viewBox=\"0 0 {width} {height}\" xml:space=\"preserve\" \
             font-family=\"ui-monospace,monospace\" font-size=\"15\">\n\
             <style>text{{white-space:pre}}</style>\n\
             <rect width=\"{width}\" height=\"{height}\" fill=\"{background}\"/>\n{}{}</svg>\n",
            self.backgrounds, self.text
        )
    }
}

/// Whether a character is as wide as its like in every font: the others stand alone, each as wide as its cells.
fn lines_up(cell: &Cell) -> bool {
    cell.character.is_ascii() && cell.span() == Span::Narrow
}
