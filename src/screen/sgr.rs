//! SGR: what the pen writes like.

use vte::Params;

use super::cell::{Cell, Color, Style};
use super::extras::Extra;
use super::terminal::Terminal;

impl Terminal {
    /// Takes an SGR sequence in.
    pub(super) fn set_pen(&mut self, params: &Params) {
        let mut params = params.iter();
        while let Some(values) = params.next() {
            match *values {
                [what @ (38 | 48 | 58), ..] => {
                    if let Some(color) = extended_color(values, &mut params) {
                        self.set_color(what, color);
                    }
                }
                [4, kind, ..] => self.set_underline(if kind > 5 { 1 } else { kind as u8 }),
                [value, ..] => self.set_attribute(value),
                [] => {}
            }
        }
    }

    fn set_color(&mut self, what: u16, color: Color) {
        match what {
            38 => self.pen.foreground = color,
            48 => self.pen.background = color,
            _ => self.set_underline_color(color),
        }
    }

    fn set_underline(&mut self, kind: u8) {
        self.pen.style.set_underline(kind);
    }

    fn set_underline_color(&mut self, underline: Color) {
        let extra = self.extras.get(self.pen.extra);
        if extra.underline != underline {
            let extra = Extra { underline, ..extra.clone() };
            self.set_pen_extra(extra);
        }
    }

    fn set_attribute(&mut self, value: u16) {
        let pen = &mut self.pen;
        match value {
            0 => {
                *pen = Cell { extra: pen.extra, ..Cell::BLANK };
                self.set_underline_color(Color::DEFAULT);
            }
            1 => pen.style.set(Style::BOLD, true),
            2 => pen.style.set(Style::DIM, true),
            3 => pen.style.set(Style::ITALIC, true),
            4 => pen.style.set_underline(1),
            5 => pen.style.set(Style::BLINK, true),
            7 => pen.style.set(Style::INVERSE, true),
            8 => pen.style.set(Style::HIDDEN, true),
            9 => pen.style.set(Style::STRUCK, true),
            21 => pen.style.set_underline(2),
            22 => {
                pen.style.set(Style::BOLD, false);
                pen.style.set(Style::DIM, false);
            }
            23 => pen.style.set(Style::ITALIC, false),
            24 => pen.style.set_underline(0),
            25 => pen.style.set(Style::BLINK, false),
            27 => pen.style.set(Style::INVERSE, false),
            28 => pen.style.set(Style::HIDDEN, false),
            29 => pen.style.set(Style::STRUCK, false),
            30..=37 => pen.foreground = Color::named(value as u8 - 30),
            39 => pen.foreground = Color::DEFAULT,
            40..=47 => pen.background = Color::named(value as u8 - 40),
            49 => pen.background = Color::DEFAULT,
            53 => pen.style.set(Style::OVERLINED, true),
            55 => pen.style.set(Style::OVERLINED, false),
            59 => self.set_underline_color(Color::DEFAULT),
            90..=97 => pen.foreground = Color::named(value as u8 - 90 + 8),
            100..=107 => pen.background = Color::named(value as u8 - 100 + 8),
            _ => {}
        }
    }
}

/// The colour that 38, 48 or 58 sets, with colons or semicolons or both: in the values of its own parameter, or in the
/// parameters that follow, of which it takes as many as it needs.
fn extended_color<'a>(own: &[u16], rest: &mut impl Iterator<Item = &'a [u16]>) -> Option<Color> {
    // What is set, the kind of colour, and for colons the colour space; then up to three numbers. The space is left
    // out after semicolons, and where the colour is an index.
    let mut slots = [0; 6];
    let (mut at, mut spaceless) = (0, false);
    let mut values = own;
    loop {
        slots[at] = values[0];
        if values.len() > 1 {
            for value in &values[1..] {
                at += if slots[1] == 5 && !spaceless { 2 } else { 1 };
                spaceless |= slots[1] == 5;
                let Some(slot) = slots.get_mut(at) else { break };
                *slot = *value;
            }
            break;
        }
        if slots[1] == 5 && at >= 2 || slots[1] == 2 && at == 5 {
            break;
        }
        at += if slots[1] != 0 && !spaceless { 2 } else { 1 };
        spaceless |= slots[1] != 0;
        match rest.next() {
            Some(next) if at < slots.len() => values = next,
            _ => break,
        }
    }
    let [_, kind, _, first, second, third] = slots.map(|value| value as u8);
    match kind {
        5 => Some(Color::indexed(first)),
        2 => Some(Color::rgb(first, second, third)),
        _ => None,
    }
}
