//! What colours the terminals have: the page's dark theme (`web/src/term/theme.ts`) and xterm's 256 colours.
//! Viewers may show others, a light page does; programs get one answer all the same.

/// A colour, eight bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rgb {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

impl Rgb {
    /// From `0xrrggbb`.
    const fn hex(value: u32) -> Rgb {
        let [_, red, green, blue] = value.to_be_bytes();
        Rgb { red, green, blue }
    }
}

/// Something that has a colour, which programs may ask for and change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColorSlot {
    /// One of the palette.
    Indexed(u8),
    /// Text that has no colour of its own.
    Foreground,
    /// What is behind such text.
    Background,
    /// The cursor.
    Cursor,
    /// What is behind selected text.
    Selection,
}

impl ColorSlot {
    /// What the operating system command of this number asks for and changes.
    #[must_use]
    pub fn of_command(number: u32) -> Option<ColorSlot> {
        match number {
            10 => Some(ColorSlot::Foreground),
            11 => Some(ColorSlot::Background),
            12 => Some(ColorSlot::Cursor),
            17 => Some(ColorSlot::Selection),
            _ => None,
        }
    }

    /// What asks for it and changes it: an operating system command's number, and in the palette the index.
    #[must_use]
    pub fn command(self) -> String {
        match self {
            ColorSlot::Indexed(index) => format!("4;{index}"),
            ColorSlot::Foreground => "10".to_owned(),
            ColorSlot::Background => "11".to_owned(),
            ColorSlot::Cursor => "12".to_owned(),
            ColorSlot::Selection => "17".to_owned(),
        }
    }

    /// Its colour as long as no program changed it.
    #[must_use]
    pub fn default_color(self) -> Rgb {
        match self {
            ColorSlot::Indexed(index) => indexed(index),
            ColorSlot::Foreground => FOREGROUND,
            ColorSlot::Background => BACKGROUND,
            ColorSlot::Cursor => CURSOR,
            ColorSlot::Selection => SELECTION,
        }
    }
}

const FOREGROUND: Rgb = Rgb::hex(0xd5dae3);
const BACKGROUND: Rgb = Rgb::hex(0x12151c);
const CURSOR: Rgb = Rgb::hex(0x5eead4);
const SELECTION: Rgb = Rgb::hex(0x2f4858);

/// The first colours of the palette, from black to bright white.
const NAMED: [Rgb; 16] = [
    Rgb::hex(0x2a303c),
    Rgb::hex(0xf07178),
    Rgb::hex(0x9bd18b),
    Rgb::hex(0xe7c077),
    Rgb::hex(0x7aa9f7),
    Rgb::hex(0xc594f0),
    Rgb::hex(0x62cfd6),
    Rgb::hex(0xc3cad6),
    Rgb::hex(0x626d80),
    Rgb::hex(0xff8f94),
    Rgb::hex(0xb5e6a6),
    Rgb::hex(0xf7d696),
    Rgb::hex(0x9dc2ff),
    Rgb::hex(0xd9b3ff),
    Rgb::hex(0x8ae6ec),
    Rgb::hex(0xf2f5fa),
];

/// The palette: 16 named colours, a cube of 6 × 6 × 6, 24 greys.
fn indexed(index: u8) -> Rgb {
    match index {
        0..=15 => NAMED[usize::from(index)],
        16..=231 => {
            let place = index - 16;
            Rgb { red: cube_level(place / 36), green: cube_level(place / 6 % 6), blue: cube_level(place % 6) }
        }
        232..=255 => {
            let level = 8 + (index - 232) * 10;
            Rgb { red: level, green: level, blue: level }
        }
    }
}

/// The brightness of a step from 0 to 5.
fn cube_level(step: u8) -> u8 {
    if step == 0 { 0 } else { 55 + step * 40 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The colour that the dark theme gives `name`.
    fn themed(name: &str) -> Rgb {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("web/src/term/theme.ts");
        let theme = std::fs::read_to_string(path).expect("the page's theme");
        let dark =
            theme.split("const DARK").nth(1).and_then(|rest| rest.split("};").next()).expect("a dark theme");
        let start = dark.find(&format!(" {name}: \"#")).expect("the colour's name") + name.len() + 5;
        Rgb::hex(u32::from_str_radix(&dark[start..start + 6], 16).expect("six hexadecimal digits"))
    }

    #[test]
    fn the_colours_are_those_of_the_page() {
        let plain =
            ["black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"].map(str::to_owned);
        let bright = plain.clone().map(|name| format!("bright{}{}", name[..1].to_uppercase(), &name[1..]));
        for (index, name) in (0..).zip(plain.iter().chain(&bright)) {
            assert_eq!(ColorSlot::Indexed(index).default_color(), themed(name), "{name}");
        }
        for (number, name) in
            [(10, "foreground"), (11, "background"), (12, "cursor"), (17, "selectionBackground")]
        {
            let slot = ColorSlot::of_command(number).expect("a colour of the theme");
            assert_eq!(slot.default_color(), themed(name), "{name}");
        }
    }

    #[test]
    fn the_rest_of_the_palette_is_a_cube_and_a_ramp() {
        for (index, color) in [
            (16, 0x000000),
            (17, 0x00005f),
            (21, 0x0000ff),
            (67, 0x5f87af),
            (231, 0xffffff),
            (232, 0x080808),
            (255, 0xeeeeee),
        ] {
            assert_eq!(ColorSlot::Indexed(index).default_color(), Rgb::hex(color), "{index}");
        }
    }
}
