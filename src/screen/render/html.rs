//! Rows as an HTML page.

use std::fmt::Write;

use super::Document;
use super::look::{Changed, Look, color_of, escape, hex};
use super::plain::push;
use crate::screen::cell::{Cell, Style};
use crate::screen::colors::ColorSlot;
use crate::screen::extras::Extras;

/// The classes of styles.
const CLASSES: [(Style, &str); 4] =
    [(Style::BOLD, "b"), (Style::DIM, "d"), (Style::ITALIC, "i"), (Style::HIDDEN, "h")];

/// The kinds of underlines, from 1.
const UNDERLINES: [&str; 5] = ["solid", "double", "wavy", "dotted", "dashed"];

const STYLE: &str = "pre{font:14px/1.3 ui-monospace,monospace;margin:1em}\
.b{font-weight:bold}.d{opacity:.6}.i{font-style:italic}.h{visibility:hidden}\
a{color:inherit}";

/// See the module.
#[derive(Debug)]
pub(super) struct Html<'a> {
    changed: &'a Changed,
    body: String,
}

impl<'a> Html<'a> {
    pub(super) fn new(changed: &'a Changed) -> Html<'a> {
        Html { changed, body: String::new() }
    }

    fn span(&mut self, look: &Look, text: &str) {
        let attributes = attributes(look);
        if let Some(link) = &look.link {
            self.body.push_str("<a href=\"");
            escape(link, &mut self.body);
            self.body.push_str("\">");
        }
        if !attributes.is_empty() {
            let _ = write!(self.body, "<span{attributes}>");
        }
        escape(text, &mut self.body);
        if !attributes.is_empty() {
            self.body.push_str("</span>");
        }
        if look.link.is_some() {
            self.body.push_str("</a>");
        }
    }
}

impl Document for Html<'_> {
    fn cells(&mut self, cells: &[Cell], extras: &Extras) {
        for run in cells.chunk_by(|a, b| a.looks_like(b)) {
            let look = Look::of(&run[0], extras, self.changed);
            let mut text = String::new();
            run.iter().for_each(|cell| push(cell, extras, &mut text));
            self.span(&look, &text);
        }
    }

    fn end_line(&mut self) {
        self.body.push('\n');
    }

    fn finish(self: Box<Self>) -> String {
        let own = |slot| hex(color_of(slot, self.changed));
        let (foreground, background) = (own(ColorSlot::Foreground), own(ColorSlot::Background));
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"/><title>Everpane</title>\n\
             <style>body{{color:{foreground};background:{background}}}{STYLE}</style></head>\n\
             <body><pre>{}</pre></body></html>\n",
            self.body
        )
    }
}

/// The class and the style of a span.
fn attributes(look: &Look) -> String {
    let classes: Vec<_> =
        CLASSES.iter().filter(|(style, _)| look.style.has(*style)).map(|(_, class)| *class).collect();
    let mut style = String::new();
    for (name, color) in [("color", look.foreground), ("background", look.background)] {
        if let Some(color) = color {
            let _ = write!(style, "{name}:{};", hex(color));
        }
    }
    style.push_str(&decoration(look));
    let mut attributes = String::new();
    for (name, value) in [("class", classes.join(" ")), ("style", style)] {
        if !value.is_empty() {
            let _ = write!(attributes, " {name}=\"{value}\"");
        }
    }
    attributes
}

fn decoration(look: &Look) -> String {
    let underline = look.style.underline();
    let lines = [
        (underline > 0, " underline"),
        (look.style.has(Style::STRUCK), " line-through"),
        (look.style.has(Style::OVERLINED), " overline"),
    ];
    let lines: String = lines.iter().filter(|(on, _)| *on).map(|(_, name)| *name).collect();
    if lines.is_empty() {
        return String::new();
    }
    let kind = UNDERLINES.get(usize::from(underline).saturating_sub(1)).unwrap_or(&"solid");
    let color = look.line.map(|color| format!(" {}", hex(color))).unwrap_or_default();
    format!("text-decoration:{} {kind}{color};", lines.trim_start())
}
