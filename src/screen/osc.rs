//! Operating system commands that change what is shown: colours and hyperlinks. All others pass by.

use std::sync::Arc;

use super::colors::{ColorSlot, Rgb};
use super::extras::{Extra, Link, MAX_LINK_BYTES};
use super::terminal::Terminal;

/// The special colours that one command can set, by the number that it names the first of them by.
const SPECIAL: [ColorSlot; 3] = [ColorSlot::Foreground, ColorSlot::Background, ColorSlot::Cursor];

impl Terminal {
    /// Takes in a command, without its introducer and terminator.
    pub(super) fn operating_system_command(&mut self, body: &[u8]) {
        let body = String::from_utf8_lossy(body);
        let (number, rest) = body.split_once(';').unwrap_or((&body, ""));
        match number {
            "4" => self.set_palette(rest),
            "8" => self.set_link(rest),
            "10" => self.set_special_colors(0, rest),
            "11" => self.set_special_colors(1, rest),
            "12" => self.set_special_colors(2, rest),
            "104" => self.reset_palette(rest),
            "110" => self.reset_color(ColorSlot::Foreground),
            "111" => self.reset_color(ColorSlot::Background),
            "112" => self.reset_color(ColorSlot::Cursor),
            _ => {}
        }
    }

    /// `index;color` pairs.
    fn set_palette(&mut self, pairs: &str) {
        let mut parts = pairs.split(';');
        while let (Some(index), Some(color)) = (parts.next(), parts.next()) {
            if let (Ok(index), Some(color)) = (index.parse(), parse_color(color)) {
                self.colors.insert(ColorSlot::Indexed(index), color);
            }
        }
    }

    /// Colours for the special slots from the one at `first` on.
    fn set_special_colors(&mut self, first: usize, colors: &str) {
        for (slot, color) in SPECIAL[first..].iter().zip(colors.split(';')) {
            if let Some(color) = parse_color(color) {
                self.colors.insert(*slot, color);
            }
        }
    }

    /// Indexes, or none for all.
    fn reset_palette(&mut self, indexes: &str) {
        if indexes.is_empty() {
            self.colors.retain(|slot, _| !matches!(slot, ColorSlot::Indexed(_)));
        }
        for index in indexes.split(';').filter_map(|index| index.parse().ok()) {
            self.reset_color(ColorSlot::Indexed(index));
        }
    }

    fn reset_color(&mut self, slot: ColorSlot) {
        self.colors.remove(&slot);
    }

    /// `parameters;address`; without an address the link ends.
    fn set_link(&mut self, link: &str) {
        let Some((params, uri)) = link.split_once(';') else { return };
        let params = params.trim();
        if uri.is_empty() && !params.is_empty() {
            return;
        }
        let id = params.split(':').find_map(|param| param.strip_prefix("id="));
        let id = id.filter(|id| !id.is_empty() && id.len() <= MAX_LINK_BYTES).map(str::to_owned);
        let link = (!uri.is_empty() && uri.len() <= MAX_LINK_BYTES)
            .then(|| Arc::new(Link { id, uri: uri.to_owned() }));
        let extra = Extra { link, ..self.extras.get(self.pen.extra).clone() };
        self.set_pen_extra(extra);
    }
}

/// What makes eight bits of a number of so many hexadecimal digits.
type Scale = fn(u32, u32) -> u32;

/// A colour as `rgb:r/g/b`, with one to four hexadecimal digits each, or `#rgb`, with one to four.
fn parse_color(spec: &str) -> Option<Rgb> {
    let spec = spec.to_ascii_lowercase();
    let (parts, scale): ([&str; 3], Scale) = if let Some(parts) = spec.strip_prefix("rgb:") {
        let mut parts = parts.split('/');
        let three = [parts.next()?, parts.next()?, parts.next()?];
        if parts.next().is_some() {
            return None;
        }
        // Of the most that the digits can say, rounded.
        (three, |value, digits| {
            let most = (1 << (4 * digits)) - 1;
            (value * 255 * 2 + most) / (most * 2)
        })
    } else {
        let digits = spec.strip_prefix('#')?;
        let len = digits.len() / 3;
        if !digits.is_ascii() || len * 3 != digits.len() {
            return None;
        }
        // The highest eight bits.
        ([&digits[..len], &digits[len..2 * len], &digits[2 * len..]], |value, digits| match digits {
            1 => value << 4,
            _ => value >> (4 * (digits - 2)),
        })
    };
    let len = parts[0].len();
    if !(1..=4).contains(&len) || parts.iter().any(|part| part.len() != len) {
        return None;
    }
    let channel = |part: &str| {
        let all_digits = part.bytes().all(|byte| byte.is_ascii_hexdigit());
        let value = u32::from_str_radix(part, 16).ok().filter(|_| all_digits)?;
        u8::try_from(scale(value, len as u32)).ok()
    };
    Some(Rgb { red: channel(parts[0])?, green: channel(parts[1])?, blue: channel(parts[2])? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_read_as_x_reads_them() {
        let rgb = |red, green, blue| Some(Rgb { red, green, blue });
        for (spec, color) in [
            ("rgb:f/0/8", rgb(255, 0, 136)),
            ("rgb:ff/00/80", rgb(255, 0, 128)),
            ("rgb:fff/000/800", rgb(255, 0, 128)),
            ("RGB:FFFF/0000/8000", rgb(255, 0, 128)),
            ("#f08", rgb(240, 0, 128)),
            ("#ff0080", rgb(255, 0, 128)),
            ("#fff000800", rgb(255, 0, 128)),
            ("#ffff00008000", rgb(255, 0, 128)),
            ("rgb:ff/00", None),
            ("rgb:ff/00/8", None),
            ("rgb:+f/00/80", None),
            ("#ff00", None),
            ("#", None),
            ("?", None),
            ("red", None),
        ] {
            assert_eq!(parse_color(spec), color, "{spec}");
        }
    }
}
