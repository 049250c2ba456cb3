//! What cells look like in colours that are known, and text that can stand in a document.

use std::collections::HashMap;

use crate::screen::cell::{Cell, Color, Hue, Style};
use crate::screen::colors::{ColorSlot, Rgb};
use crate::screen::extras::Extras;

/// Colours that a program changed.
pub(super) type Changed = HashMap<ColorSlot, Rgb>;

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Look {
    /// `None` for the document's own.
    pub(super) foreground: Option<Rgb>,
    /// The same.
    pub(super) background: Option<Rgb>,
    /// The colour of the underline; `None` for the foreground.
    pub(super) line: Option<Rgb>,
    pub(super) style: Style,
    /// An address of the web.
    pub(super) link: Option<String>,
}

impl Look {
    pub(super) fn of(cell: &Cell, extras: &Extras, changed: &Changed) -> Look {
        let extra = extras.get(cell.extra);
        // Of the named colours bold text has the bright ones.
        let foreground = match cell.foreground.hue() {
            Hue::Named(index @ 0..8) if cell.style.has(Style::BOLD) => Color::named(index + 8),
            _ => cell.foreground,
        };
        let mut look = Look {
            foreground: rgb(foreground, changed),
            background: rgb(cell.background, changed),
            line: rgb(extra.underline, changed),
            style: cell.style.look(),
            link: extra.link.as_ref().map(|link| link.uri.clone()).filter(|uri| is_of_the_web(uri)),
        };
        if look.style.has(Style::INVERSE) {
            let own = |slot| Some(color_of(slot, changed));
            let foreground = look.background.or_else(|| own(ColorSlot::Background));
            look.background = look.foreground.or_else(|| own(ColorSlot::Foreground));
            look.foreground = foreground;
        }
        look
    }
}

/// A slot's colour.
pub(super) fn color_of(slot: ColorSlot, changed: &Changed) -> Rgb {
    changed.get(&slot).copied().unwrap_or_else(|| slot.default_color())
}

fn rgb(color: Color, changed: &Changed) -> Option<Rgb> {
    match color.hue() {
        Hue::Default => None,
        Hue::Named(index) | Hue::Indexed(index) => Some(color_of(ColorSlot::Indexed(index), changed)),
        Hue::Rgb(red, green, blue) => Some(Rgb { red, green, blue }),
    }
}

/// As documents write it.
pub(super) fn hex(Rgb { red, green, blue }: Rgb) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn is_of_the_web(uri: &str) -> bool {
    let scheme = uri.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https"))
}

/// Text as it stands in elements and in attributes, of HTML and of XML.
pub(super) fn escape(text: &str, out: &mut String) {
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // XML knows no such characters.
            '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ if character.is_control() => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
}
