//! One character cell: sixteen bytes, copied freely, so that rows are filled and moved at memory speed.

/// A colour as SGR names it. The sixteen named colours differ from the first sixteen of the 256: terminals may
/// brighten the former in bold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Color(u32);

/// What a [`Color`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hue {
    /// The terminal's own.
    Default,
    /// One of 16.
    Named(u8),
    /// One of 256.
    Indexed(u8),
    /// Red, green, blue.
    Rgb(u8, u8, u8),
}

impl Color {
    pub(super) const DEFAULT: Color = Color(0);

    const NAMED: u32 = 1 << 24;
    const INDEXED: u32 = 2 << 24;
    const RGB: u32 = 3 << 24;

    pub(super) const fn named(index: u8) -> Color {
        Color(Self::NAMED | index as u32)
    }

    pub(super) const fn indexed(index: u8) -> Color {
        Color(Self::INDEXED | index as u32)
    }

    pub(super) const fn rgb(red: u8, green: u8, blue: u8) -> Color {
        Color(Self::RGB | (red as u32) << 16 | (green as u32) << 8 | blue as u32)
    }

    pub(super) const fn hue(self) -> Hue {
        let [kind, red, green, blue] = self.0.to_be_bytes();
        match kind {
            0 => Hue::Default,
            1 => Hue::Named(blue),
            2 => Hue::Indexed(blue),
            _ => Hue::Rgb(red, green, blue),
        }
    }
}

/// How a cell's character looks, and how wide it is, in sixteen bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct Style(u16);

/// How many columns a cell's character takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(super) enum Span {
    /// One column; a cell without a character as well.
    Narrow = 0,
    /// Two: the next cell is a [`Span::Rest`].
    Wide = 1,
    /// The right half of the wide character before it.
    Rest = 2,
    /// A character without width that found none to combine with: it has a cell to itself.
    Zero = 3,
}

impl Style {
    pub(super) const BOLD: Style = Style(1);
    pub(super) const DIM: Style = Style(1 << 1);
    pub(super) const ITALIC: Style = Style(1 << 2);
    pub(super) const BLINK: Style = Style(1 << 3);
    pub(super) const INVERSE: Style = Style(1 << 4);
    pub(super) const HIDDEN: Style = Style(1 << 5);
    pub(super) const STRUCK: Style = Style(1 << 6);
    pub(super) const OVERLINED: Style = Style(1 << 7);
    /// Selective erasing leaves the cell (DECSCA).
    pub(super) const PROTECTED: Style = Style(1 << 8);

    const UNDERLINE_SHIFT: u16 = 9;
    const UNDERLINE: u16 = 0b111 << Self::UNDERLINE_SHIFT;
    const SPAN_SHIFT: u16 = 12;
    const SPAN: u16 = 0b11 << Self::SPAN_SHIFT;

    #[inline]
    pub(super) const fn has(self, other: Style) -> bool {
        self.0 & other.0 == other.0
    }

    #[inline]
    pub(super) const fn set(&mut self, other: Style, on: bool) {
        if on {
            self.0 |= other.0;
        } else {
            self.0 &= !other.0;
        }
    }

    /// 0 for none, then as in `CSI 4 : n m`: single, double, curly, dotted, dashed.
    #[inline]
    pub(super) const fn underline(self) -> u8 {
        ((self.0 & Self::UNDERLINE) >> Self::UNDERLINE_SHIFT) as u8
    }

    pub(super) const fn set_underline(&mut self, kind: u8) {
        self.0 = self.0 & !Self::UNDERLINE | (kind as u16) << Self::UNDERLINE_SHIFT & Self::UNDERLINE;
    }

    #[inline]
    pub(super) const fn span(self) -> Span {
        match (self.0 & Self::SPAN) >> Self::SPAN_SHIFT {
            0 => Span::Narrow,
            1 => Span::Wide,
            2 => Span::Rest,
            _ => Span::Zero,
        }
    }

    #[inline]
    pub(super) const fn with_span(self, span: Span) -> Style {
        Style(self.0 & !Self::SPAN | (span as u16) << Self::SPAN_SHIFT)
    }

    /// Without what says how wide the character is.
    #[inline]
    pub(super) const fn look(self) -> Style {
        Style(self.0 & !Self::SPAN)
    }
}

/// What few cells have, by its place in the screen's [`Extras`](super::extras::Extras); 0 is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(super) struct ExtraId(pub(super) u16);

impl ExtraId {
    pub(super) const NONE: ExtraId = ExtraId(0);
}

/// See the module. Also the pen: a cell without a character that new ones are copied from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    /// NUL where nothing was written.
    pub(super) character: char,
    pub(super) foreground: Color,
    pub(super) background: Color,
    pub(super) style: Style,
    pub(super) extra: ExtraId,
}

impl Cell {
    /// Nothing, in the terminal's own colours.
    pub(super) const BLANK: Cell = Cell::erased(Color::DEFAULT);

    /// Nothing, on a background.
    #[inline]
    pub(super) const fn erased(background: Color) -> Cell {
        Cell {
            character: '\0',
            foreground: Color::DEFAULT,
            background,
            style: Style(0),
            extra: ExtraId::NONE,
        }
    }

    /// The pen after it is restored while it is `current`: xterm.js saves whether it underlines, but not how, nor
    /// where it links to.
    pub(super) const fn restored_over(mut self, current: &Cell) -> Cell {
        if self.style.underline() != 0 && current.style.underline() != 0 {
            self.style.set_underline(current.style.underline());
        }
        self.extra = current.extra;
        self
    }

    #[inline]
    pub(super) const fn has_character(&self) -> bool {
        self.character != '\0'
    }

    #[inline]
    pub(super) const fn span(&self) -> Span {
        self.style.span()
    }

    /// 0 if it is an ASCII character whose look and width are those of `other`. Without a branch, so that many can
    /// be looked at together.
    #[inline]
    pub(super) const fn ascii_difference(&self, other: &Cell) -> u32 {
        let character = self.character as u32;
        // NUL is none.
        let not_ascii = (character | character.wrapping_sub(1)) & !0x7f;
        let style = (self.style.0 ^ other.style.0) | (self.extra.0 ^ other.extra.0);
        let colors = (self.foreground.0 ^ other.foreground.0) | (self.background.0 ^ other.background.0);
        not_ascii | style as u32 | colors
    }

    /// Whether its colours, style and extras are those of `other`.
    #[inline]
    pub(super) fn looks_like(&self, other: &Cell) -> bool {
        self.foreground == other.foreground
            && self.background == other.background
            && self.style.look() == other.style.look()
            && self.extra == other.extra
    }
}

const _: () = assert!(size_of::<Cell>() == 16);
