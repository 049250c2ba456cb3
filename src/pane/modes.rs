//! The terminal modes that programs switch on and, when they die, leave on: what they are now, and the bytes that
//! undo them. Knows nothing of where sequences begin and end in a stream.

#[cfg(test)]
mod tests;

/// Pops more keyboard flags than any emulator stacks; a pop that empties the stack clears the flags too.
const POP_ALL_KEYBOARD: &[u8] = b"\x1b[<9999u\x1b[=0u";

/// Private modes that change what keys, mouse, focus, paste and resizing send.
const INPUT_SWITCHES: [u16; 11] = [1, 66, 1004, 1005, 1006, 1007, 1015, 1016, 2004, 2031, 2048];

/// Private modes that change what is shown and need no particular order.
const SCREEN_SWITCHES: [u16; 5] = [5, 7, 12, 25, 45];

const ORIGIN: u16 = 6;
const MARGINS: u16 = 69;
const SYNCHRONIZED: u16 = 2026;

/// Which screen shows, and by which private mode it was entered: leaving must use the same one, since 1049 also
/// restores a cursor that the others never saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ActiveScreen {
    /// The main screen, the one with scrollback.
    #[default]
    Main,
    /// The alternate screen, entered by private mode 47.
    Alternate47,
    /// The alternate screen, entered by private mode 1047.
    Alternate1047,
    /// The alternate screen, entered by private mode 1049, which saved the main screen's cursor.
    Alternate1049,
}

impl ActiveScreen {
    fn entered_by(mode: u16) -> Option<Self> {
        match mode {
            47 => Some(Self::Alternate47),
            1047 => Some(Self::Alternate1047),
            1049 => Some(Self::Alternate1049),
            _ => None,
        }
    }

    /// The private mode that enters and leaves this screen; `None` for the main one.
    fn private_mode(self) -> Option<u16> {
        match self {
            Self::Main => None,
            Self::Alternate47 => Some(47),
            Self::Alternate1047 => Some(1047),
            Self::Alternate1049 => Some(1049),
        }
    }
}

/// What mouse events a program asked for. Each request replaces the one before, and withdrawing any of them ends
/// them all, as in xterm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MouseTracking {
    /// None: the mouse belongs to the viewer.
    #[default]
    Off,
    /// Mode 9: presses only.
    Press,
    /// Mode 1000: presses and releases.
    Buttons,
    /// Mode 1002: presses, releases, and motion while a button is down.
    Drag,
    /// Mode 1003: everything that the mouse does.
    Motion,
}

impl MouseTracking {
    fn asked_by(mode: u16) -> Option<Self> {
        match mode {
            9 => Some(Self::Press),
            1000 => Some(Self::Buttons),
            1002 => Some(Self::Drag),
            1003 => Some(Self::Motion),
            _ => None,
        }
    }

    /// The private mode that asks for this; `None` when off.
    fn private_mode(self) -> Option<u16> {
        match self {
            Self::Off => None,
            Self::Press => Some(9),
            Self::Buttons => Some(1000),
            Self::Drag => Some(1002),
            Self::Motion => Some(1003),
        }
    }
}

/// One screen's stack of kitty keyboard flags. The lowest entry is what applies when nothing was pushed. Holds eight
/// entries; one pushed on a full stack drops the lowest, as the kitty protocol has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeyboardStack {
    /// The flags, five bits each; those above `top` are 0.
    entries: [u8; 8],
    /// Index of the entry in force; equally, how many pushes are not popped yet.
    top: u8,
}

impl KeyboardStack {
    /// The flags in force, five bits; 0 is the classic keyboard.
    pub fn flags(&self) -> u8 {
        self.entries[usize::from(self.top)]
    }

    /// How many pushes are not popped yet, 0 to 7.
    pub fn depth(&self) -> u8 {
        self.top
    }

    fn is_default(&self) -> bool {
        *self == Self::default()
    }

    fn push(&mut self, flags: u8) {
        if usize::from(self.top) + 1 < self.entries.len() {
            self.top += 1;
        } else {
            self.entries.copy_within(1.., 0);
        }
        self.entries[usize::from(self.top)] = flags;
    }

    fn pop(&mut self, count: u16) {
        if count > u16::from(self.top) {
            *self = Self::default();
            return;
        }
        for _ in 0..count {
            self.entries[usize::from(self.top)] = 0;
            self.top -= 1;
        }
    }

    /// Changes the flags in force: `how` 1 replaces them, 2 adds to them, 3 takes away from them.
    fn set(&mut self, flags: u8, how: u16) {
        let entry = &mut self.entries[usize::from(self.top)];
        match how {
            1 => *entry = flags,
            2 => *entry |= flags,
            3 => *entry &= !flags,
            _ => {}
        }
    }
}

/// The modes of a terminal as the output so far has set them. The default value is a freshly reset terminal; a
/// boolean is true when the mode is *not* as after a reset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Modes {
    /// Which screen shows.
    pub screen: ActiveScreen,
    /// The mouse events asked for.
    pub mouse: MouseTracking,
    /// Mode 1005: mouse coordinates as UTF-8. Encodings are kept apart because emulators know different ones.
    pub mouse_utf8: bool,
    /// Mode 1006: mouse reports as `CSI < … M`.
    pub mouse_sgr: bool,
    /// Mode 1007 is off: the wheel sends no arrow keys on the alternate screen.
    pub wheel_keys_off: bool,
    /// Mode 1015: mouse reports as `CSI … M`.
    pub mouse_urxvt: bool,
    /// Mode 1016: as 1006, in pixels.
    pub mouse_pixels: bool,
    /// Mode 1004: gaining and losing focus is reported.
    pub focus_reports: bool,
    /// Mode 2004: pastes are bracketed.
    pub bracketed_paste: bool,
    /// Mode 1: arrow keys send their application sequences.
    pub application_cursor: bool,
    /// Mode 66 or `ESC =`: the keypad sends its application sequences.
    pub application_keypad: bool,
    /// Mode 2048: resizes are reported in band.
    pub resize_reports: bool,
    /// Mode 2031: a change between light and dark is reported.
    pub scheme_reports: bool,
    /// xterm's modifyOtherKeys level; 0 is off.
    pub modify_other_keys: u8,
    /// Kitty keyboard flags of the main screen.
    pub main_keyboard: KeyboardStack,
    /// Kitty keyboard flags of the alternate screen.
    pub alternate_keyboard: KeyboardStack,
    /// Mode 7 is off: text does not wrap at the right edge.
    pub wrap_off: bool,
    /// Mode 45: going back wraps at the left edge.
    pub reverse_wrap: bool,
    /// Mode 6: cursor addresses count from the scroll region's corner.
    pub origin: bool,
    /// ANSI mode 4: text pushes what is right of it aside.
    pub insert: bool,
    /// ANSI mode 20: a line feed also returns the carriage.
    pub linefeed: bool,
    /// Mode 5: colours of the whole screen are swapped.
    pub reverse_video: bool,
    /// Mode 25 is off: the cursor does not show.
    pub cursor_hidden: bool,
    /// Mode 12: the cursor blinks.
    pub cursor_blink: bool,
    /// DECSCUSR's number, 0 to 6; 0 is the viewer's own choice.
    pub cursor_style: u8,
    /// Scroll region as first and last row, from 1; last 0 is the bottom of the screen.
    pub scroll_region: Option<(u16, u16)>,
    /// Mode 69: left and right margins may be set.
    pub margins_allowed: bool,
    /// Margins as first and last column, from 1; last 0 is the right edge.
    pub margins: Option<(u16, u16)>,
    /// The final bytes that designated G0 and G1; `None` is ASCII.
    pub charsets: [Option<u8>; 2],
    /// SO was the last of SO and SI: text is in G1.
    pub shifted_out: bool,
    /// Text attributes may not be the default ones: the last SGR was no plain reset, or a saved cursor came back.
    pub pen: bool,
    /// A hyperlink is open.
    pub hyperlink: bool,
    /// Mode 2026: the screen is held until the program has finished drawing.
    pub synchronized: bool,
}

const _: () = assert!(size_of::<Modes>() <= 64, "it is copied for every viewer that joins");

impl Modes {
    /// Appends what turns off everything that changes what keys, mouse, focus, pastes and resizes send to the
    /// program. For the moment a program died: its screen stays as it is.
    pub fn input_reset(&self, out: &mut Vec<u8>) {
        if let Some(mode) = self.mouse.private_mode() {
            put_private(out, mode, false);
        }
        for mode in INPUT_SWITCHES.into_iter().filter(|mode| self.differs(*mode)) {
            put_private(out, mode, default_on(mode));
        }
        if !self.keyboard().is_default() {
            out.extend_from_slice(POP_ALL_KEYBOARD);
        }
        if self.modify_other_keys != 0 {
            put(out, "\x1b[>4;0m");
        }
    }

    /// Appends what else has to be undone before a fresh shell starts below the old output. Text stays, and so does
    /// the cursor, but for leaving an alternate screen that saved one.
    pub fn screen_reset(&self, out: &mut Vec<u8>) {
        if self.synchronized {
            put_private(out, SYNCHRONIZED, false);
        }
        self.leave_alternate(out);
        self.reset_hidden_keyboard(out);
        self.reset_regions(out);
        if self.insert {
            put(out, "\x1b[4l");
        }
        if self.linefeed {
            put(out, "\x1b[20l");
        }
        for mode in SCREEN_SWITCHES.into_iter().filter(|mode| self.differs(*mode)) {
            put_private(out, mode, default_on(mode));
        }
        self.reset_charsets(out);
        if self.cursor_style != 0 {
            put(out, "\x1b[0 q");
        }
        if self.hyperlink {
            put(out, "\x1b]8;;\x1b\\");
        }
        // Last, because restoring a cursor, on leaving the alternate screen or above, restores its attributes.
        if self.pen || self.screen != ActiveScreen::Main || self.has_regions() {
            put(out, "\x1b[0m");
        }
    }

    /// The keyboard flags of the screen that shows.
    pub fn keyboard(&self) -> &KeyboardStack {
        match self.screen {
            ActiveScreen::Main => &self.main_keyboard,
            _ => &self.alternate_keyboard,
        }
    }

    fn leave_alternate(&self, out: &mut Vec<u8>) {
        if let Some(mode) = self.screen.private_mode() {
            put_private(out, mode, false);
        }
    }

    /// `input_reset` reached the keyboard of the screen that showed; the other one's flags would come back with it.
    fn reset_hidden_keyboard(&self, out: &mut Vec<u8>) {
        match self.screen {
            ActiveScreen::Main if !self.alternate_keyboard.is_default() => {
                behind_the_scenes(out, |out| out.extend_from_slice(POP_ALL_KEYBOARD));
            }
            ActiveScreen::Main => {}
            _ if !self.main_keyboard.is_default() => out.extend_from_slice(POP_ALL_KEYBOARD),
            _ => {}
        }
    }

    fn has_regions(&self) -> bool {
        self.origin || self.margins_allowed || self.scroll_region.is_some()
    }

    /// Undoes scroll region, margins and origin mode with the cursor staying in its place. All of them send it home,
    /// hence the save and restore around them; but the saved cursor holds origin mode too, so restoring it turns the
    /// mode on again, and turning it off once more would send the cursor home. Only a soft reset ends origin mode
    /// and leaves the cursor alone, in xterm and xterm.js alike. An emulator without soft reset (alacritty) does not
    /// save origin mode, so there the first `?6l` holds. What else a soft reset ends is to be ended here anyway.
    fn reset_regions(&self, out: &mut Vec<u8>) {
        if !self.has_regions() {
            return;
        }
        put(out, "\x1b7");
        if self.origin {
            put_private(out, ORIGIN, false);
        }
        if self.margins_allowed {
            put_private(out, MARGINS, false);
        }
        if self.scroll_region.is_some() {
            put(out, "\x1b[r");
        }
        put(out, "\x1b8");
        if self.origin {
            put(out, "\x1b[!p");
        }
    }

    fn reset_charsets(&self, out: &mut Vec<u8>) {
        for (slot, _) in "()".chars().zip(self.charsets).filter(|(_, charset)| charset.is_some()) {
            put(out, &format!("\x1b{slot}B"));
        }
        if self.shifted_out {
            put(out, "\x0f");
        }
    }

    /// Whether the switch of private mode `mode` is not as after a reset.
    fn differs(&self, mode: u16) -> bool {
        let mut copy = *self;
        copy.switch(mode).is_some_and(|differs| *differs)
    }

    /// The field behind a private mode that is a plain switch.
    fn switch(&mut self, mode: u16) -> Option<&mut bool> {
        Some(match mode {
            1 => &mut self.application_cursor,
            5 => &mut self.reverse_video,
            ORIGIN => &mut self.origin,
            7 => &mut self.wrap_off,
            12 => &mut self.cursor_blink,
            25 => &mut self.cursor_hidden,
            45 => &mut self.reverse_wrap,
            66 => &mut self.application_keypad,
            MARGINS => &mut self.margins_allowed,
            1004 => &mut self.focus_reports,
            1005 => &mut self.mouse_utf8,
            1006 => &mut self.mouse_sgr,
            1007 => &mut self.wheel_keys_off,
            1015 => &mut self.mouse_urxvt,
            1016 => &mut self.mouse_pixels,
            2004 => &mut self.bracketed_paste,
            SYNCHRONIZED => &mut self.synchronized,
            2031 => &mut self.scheme_reports,
            2048 => &mut self.resize_reports,
            _ => return None,
        })
    }
}

/// What the filter tells.
impl Modes {
    /// A control sequence ended: `body` is what stood between `CSI` and the final byte `last`.
    #[inline]
    pub(super) fn control(&mut self, body: &[u8], last: u8) {
        match last {
            // By far the most frequent one, so it is not parsed: only `CSI m` and `CSI 0 m` surely reset the pen.
            b'm' if !matches!(body.first(), Some(b'<'..=b'?')) => self.pen = body.iter().any(|b| *b != b'0'),
            b'h' | b'l' | b'm' | b'n' | b'p' | b'q' | b'r' | b's' | b'u' => {
                if let Some(control) = Control::parse(body) {
                    self.apply(&control, last);
                }
            }
            _ => {}
        }
    }

    /// An escape sequence ended: `ESC intermediate last`.
    pub(super) fn escape(&mut self, intermediate: Option<u8>, last: u8) {
        match (intermediate, last) {
            (None, b'c') => *self = Self::default(),
            (None, b'=') => self.application_keypad = true,
            (None, b'>') => self.application_keypad = false,
            (None, b'8') => self.pen = true,
            (Some(b'('), _) => self.charsets[0] = Some(last).filter(|charset| *charset != b'B'),
            (Some(b')'), _) => self.charsets[1] = Some(last).filter(|charset| *charset != b'B'),
            _ => {}
        }
    }

    fn apply(&mut self, control: &Control<'_>, last: u8) {
        match (control.prefix, control.intermediate, last) {
            (Some(b'?'), None, b'h' | b'l') => {
                control.params().for_each(|mode| self.set_private(mode, last == b'h'));
            }
            (None, None, b'h' | b'l') => control.params().for_each(|mode| self.set_ansi(mode, last == b'h')),
            (None, None, b'r') => replace_span(&mut self.scroll_region, control),
            // Without mode 69 this one saves the cursor.
            (None, None, b's') if self.margins_allowed => replace_span(&mut self.margins, control),
            (None, None, b'u') => self.pen = true,
            (None, Some(b' '), b'q') => {
                if let Ok(style @ 0..=6) = u8::try_from(control.param(0, 0)) {
                    self.cursor_style = style;
                }
            }
            (None, Some(b'!'), b'p') => self.soft_reset(),
            (Some(b'>'), None, b'm') if matches!(control.param(0, 4), 4) => {
                self.modify_other_keys = u8::try_from(control.param(1, 0)).unwrap_or(0);
            }
            (Some(b'>'), None, b'n') if control.param(0, 0) == 4 => self.modify_other_keys = 0,
            (Some(prefix @ b'<'..=b'>'), None, b'u') => self.set_keyboard(prefix, control),
            _ => {}
        }
    }

    fn set_private(&mut self, mode: u16, on: bool) {
        if let Some(screen) = ActiveScreen::entered_by(mode) {
            match (on, self.screen) {
                (true, ActiveScreen::Main) => self.screen = screen,
                (true, _) => {}
                (false, _) => self.screen = ActiveScreen::Main,
            }
        }
        if matches!(mode, 1048 | 1049) && !on {
            self.pen = true;
        }
        if let Some(mouse) = MouseTracking::asked_by(mode) {
            self.mouse = if on { mouse } else { MouseTracking::Off };
        }
        if mode == MARGINS && !on {
            self.margins = None;
        }
        if let Some(differs) = self.switch(mode) {
            *differs = on != default_on(mode);
        }
    }

    fn set_ansi(&mut self, mode: u16, on: bool) {
        match mode {
            4 => self.insert = on,
            20 => self.linefeed = on,
            _ => {}
        }
    }

    fn set_keyboard(&mut self, prefix: u8, control: &Control<'_>) {
        let stack = match self.screen {
            ActiveScreen::Main => &mut self.main_keyboard,
            _ => &mut self.alternate_keyboard,
        };
        // The protocol has five flags; emulators drop the other bits.
        let flags = (control.param(0, 0) & 0x1f) as u8;
        match prefix {
            b'>' => stack.push(flags),
            b'=' => stack.set(flags, control.param(1, 1)),
            _ => stack.pop(control.param(0, 1)),
        }
    }

    /// DECSTR. It keeps the screen, the mouse and what else came after the VT220.
    fn soft_reset(&mut self) {
        *self = Self {
            application_cursor: false,
            application_keypad: false,
            wrap_off: false,
            reverse_wrap: false,
            origin: false,
            insert: false,
            cursor_hidden: false,
            scroll_region: None,
            margins_allowed: false,
            margins: None,
            charsets: [None; 2],
            shifted_out: false,
            pen: false,
            ..*self
        };
    }
}

/// The body of a control sequence, taken apart.
struct Control<'a> {
    /// One of `<=>?` in front.
    prefix: Option<u8>,
    /// Digits, colons and semicolons.
    params: &'a [u8],
    /// The byte before the final one, if it is from 0x20 to 0x2f.
    intermediate: Option<u8>,
}

impl<'a> Control<'a> {
    /// `None` if the parts are not in their order, or there are several intermediates: nothing here has them.
    fn parse(body: &'a [u8]) -> Option<Self> {
        let (prefix, rest) = match body {
            [prefix @ b'<'..=b'?', rest @ ..] => (Some(*prefix), rest),
            _ => (None, body),
        };
        let (intermediate, params) = match rest {
            [params @ .., last @ b' '..=b'/'] => (Some(*last), params),
            _ => (None, rest),
        };
        params.iter().all(|b| matches!(b, b'0'..=b';')).then_some(Self { prefix, params, intermediate })
    }

    /// The parameters: 0 where one is left out, sub-parameters dropped.
    fn params(&self) -> impl Iterator<Item = u16> {
        self.params.split(|b| *b == b';').map(|param| {
            param
                .iter()
                .take_while(|b| **b != b':')
                .fold(0u16, |number, digit| number.saturating_mul(10).saturating_add(u16::from(digit - b'0')))
        })
    }

    /// Parameter `index`, or `default` if it is 0 or left out.
    fn param(&self, index: usize, default: u16) -> u16 {
        self.params().nth(index).filter(|param| *param != 0).unwrap_or(default)
    }
}

/// Takes a region's first and last line from `control`; one that ends where it starts, or before, changes nothing.
fn replace_span(span: &mut Option<(u16, u16)>, control: &Control<'_>) {
    let (first, last) = (control.param(0, 1), control.param(1, 0));
    if last == 0 || first < last {
        *span = Some((first, last)).filter(|whole| *whole != (1, 0));
    }
}

/// Whether private mode `mode` is on after a reset; 1007 is in terminals that know it.
fn default_on(mode: u16) -> bool {
    matches!(mode, 7 | 25 | 1007)
}

fn put(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

fn put_private(out: &mut Vec<u8>, mode: u16, on: bool) {
    put(out, &format!("\x1b[?{mode}{}", if on { 'h' } else { 'l' }));
}

/// Does something on the alternate screen while the main one shows. By mode 47, which moves no cursor.
fn behind_the_scenes(out: &mut Vec<u8>, act: impl FnOnce(&mut Vec<u8>)) {
    put_private(out, 47, true);
    act(out);
    put_private(out, 47, false);
}
