//! What a desk is asked to type.

use std::time::Instant;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;

use super::{Desk, Place, Refused};
use crate::gateway::refusal::Refusal;
use crate::ids::{PaneId, ViewerId};
use crate::pane::keys::{Key, UnknownKey};
use crate::pane::modes::Modes;
use crate::pane::{InputRefused, Typed};
use crate::protocol::api::{InputPart, InputRequest, InputTaken};
use crate::protocol::frame::InputKind;

/// What begins and ends a paste where the program asked for that.
const PASTE: (&[u8], &[u8]) = (b"\x1b[200~", b"\x1b[201~");

impl Desk {
    /// Types into the pane of a place: all of it, or nothing.
    ///
    /// # Errors
    /// For a part that can't be typed, or as viewers' input is refused.
    pub fn input(&self, place: Place, request: InputRequest) -> Result<InputTaken, Refused> {
        let paste = request.paste;
        let parts = request.parts.into_iter().map(Typeable::of).collect::<Result<Vec<_>, _>>()?;
        let slot = self.hub.known(place.pane)?;
        self.hub.with_pane(&slot, |state, terminal, effects| {
            let pane = &mut state.pane;
            if pane.is_closed() {
                return Err(Refusal::UnknownPane(slot.id).into());
            }
            let bytes = typed(&parts, paste, pane.modes());
            let (offset, prompts) = (pane.log.head(), pane.prompts());
            let nobody = ViewerId::NOBODY;
            let input =
                Typed { viewer: nobody, owner: nobody, kind: InputKind::Input, more: false, bytes: &bytes };
            pane.input(input, Instant::now(), terminal, effects).map_err(|error| refused(slot.id, error))?;
            let delivered = terminal.is_some() && pane.pending() == 0;
            Ok(InputTaken { bytes: bytes.len(), offset, prompts, delivered })
        })
    }
}

fn refused(pane: PaneId, InputRefused { code, message, .. }: InputRefused) -> Refused {
    let refused = Refused::new(code, message);
    match code {
        "input_full" => refused.hint("the program does not read; send less, or later"),
        _ => refused.hint(format!("start it with POST /api/v1/panes/{pane}/respawn")),
    }
}

/// A part of input, understood.
enum Typeable {
    Bytes(Vec<u8>),
    Key(Key),
}

impl Typeable {
    fn of(part: InputPart) -> Result<Typeable, Refused> {
        Ok(match part {
            InputPart::Text(text) => Typeable::Bytes(text.into_bytes()),
            InputPart::Base64(text) => Typeable::Bytes(BASE64_STANDARD.decode(&text).map_err(|error| {
                Refused::new("invalid_field", format!("`base64`: {error}")).field("parts")
            })?),
            InputPart::Key(name) => Typeable::Key(Key::named(&name).map_err(unknown_key)?),
        })
    }
}

fn unknown_key(error: UnknownKey) -> Refused {
    let hint = match &error.near {
        Some(near) => format!("did you mean `{near}`?"),
        None => "keys are called like `enter`, `ctrl-c`, `alt-f`, `shift-tab`, `up`, `f5`".to_owned(),
    };
    Refused::new("unknown_key", error.to_string()).hint(hint).field("parts")
}

/// The bytes of parts. What is pasted is what lies between keys.
fn typed(parts: &[Typeable], paste: bool, modes: &Modes) -> Vec<u8> {
    let mut out = Vec::new();
    let is_key = |part: &Typeable| matches!(part, Typeable::Key(_));
    for run in parts.chunk_by(|a, b| !is_key(a) && !is_key(b)) {
        let mut bytes = Vec::new();
        for part in run {
            match part {
                Typeable::Key(key) => key.encode(modes, &mut out),
                Typeable::Bytes(part) => bytes.extend_from_slice(part),
            }
        }
        match paste && !bytes.is_empty() {
            true => put_pasted(&bytes, modes.bracketed_paste, &mut out),
            false => out.append(&mut bytes),
        }
    }
    out
}

/// A paste as a terminal sends it: line ends as the enter key does, and no end of the paste inside it.
fn put_pasted(bytes: &[u8], bracketed: bool, out: &mut Vec<u8>) {
    let (begin, end) = PASTE;
    if bracketed {
        out.extend_from_slice(begin);
    }
    let start = out.len();
    let mut before = 0;
    for &byte in bytes {
        match (before, byte) {
            (b'\r', b'\n') => {}
            (_, b'\n') => out.push(b'\r'),
            _ => out.push(byte),
        }
        before = byte;
        // Looked for in what came out, so that what is taken out can't leave another one behind.
        if bracketed && out[start..].ends_with(end) {
            out.truncate(out.len() - end.len());
        }
    }
    if bracketed {
        out.extend_from_slice(end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Typeable {
        Typeable::Bytes(text.into())
    }

    fn key(name: &str) -> Typeable {
        Typeable::Key(Key::named(name).unwrap())
    }

    #[test]
    fn parts_follow_each_other() {
        let modes = Modes { application_cursor: true, bracketed_paste: true, ..Modes::default() };
        let parts = [text("ls\n"), key("up"), text("é"), key("enter")];
        assert_eq!(typed(&parts, false, &modes), "ls\n\x1bOAé\r".as_bytes());
        assert_eq!(typed(&[], true, &modes), b"");
    }

    #[test]
    fn what_lies_between_keys_is_one_paste() {
        let modes = Modes { bracketed_paste: true, ..Modes::default() };
        let parts = [text("a\r\nb"), text("\n"), key("enter"), text("c")];
        let pasted = b"\x1b[200~a\rb\r\x1b[201~\r\x1b[200~c\x1b[201~";
        assert_eq!(typed(&parts, true, &modes), pasted);
        assert_eq!(typed(&parts, true, &Modes::default()), b"a\rb\r\rc");
    }

    #[test]
    fn nothing_gets_out_of_a_paste() {
        let modes = Modes { bracketed_paste: true, ..Modes::default() };
        for evil in ["\x1b[201~rm", "\x1b[2\x1b[201~01~rm", "\x1b[201~\x1b[201~rm"] {
            assert_eq!(typed(&[text(evil)], true, &modes), b"\x1b[200~rm\x1b[201~", "{evil:?}");
        }
    }
}
