//! Takes frames apart: strictly, as a peer may send anything.

use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{
    ACK, APPLIED, ASK_DIRECTORIES, AnswerText, DIRECTORIES, DISCARD, EXITED, Ended, EndedText, FACTS, FAILED,
    Facts, FrameError, HELLO, Hello, INPUT, INTERRUPT, KEEP, KEPT, KILL, KeptTerminal, KeptText,
    LINK_VERSION, MAX_FRAME_BYTES, MAX_INPUT_BYTES, MAX_OFFSET, MAX_TEXT_BYTES, Number, OUTPUT, READY,
    RESIZE, RESUME, SLEEPING, SPAWN, STARTED, SpawnText, ToGateway, ToNode, output_payload, short,
};
use crate::geometry::Size;
use crate::host::directories::Listing;
use crate::host::{Checkpoint, Exit, Kept, MAX_CHECKPOINT_BYTES, SpawnRequest};
use crate::pane::log::OutputBuf;
use crate::protocol::MAX_OUTPUT_BYTES;

/// A frame being taken apart.
struct Parts {
    kind: u8,
    number: u32,
    /// The whole frame.
    frame: Bytes,
    /// How far it was read.
    at: usize,
}

impl Parts {
    fn of(frame: Bytes) -> Result<Parts, FrameError> {
        let length = frame.len();
        if length > MAX_FRAME_BYTES {
            return Err(FrameError::TooLong { length });
        }
        let mut parts = Parts { kind: 0, number: 0, frame, at: 0 };
        parts.kind = parts.array::<1>()?[0];
        parts.number = u32::from_le_bytes(parts.array()?);
        Ok(parts)
    }

    fn named(&self) -> Number {
        Number(self.number)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], FrameError> {
        let rest = &self.frame[self.at..];
        let found = rest.first_chunk::<N>().ok_or(FrameError::Short { length: self.frame.len() })?;
        self.at += N;
        Ok(*found)
    }

    fn offset(&mut self) -> Result<u64, FrameError> {
        let offset = u64::from_le_bytes(self.array()?);
        self.check(offset <= MAX_OFFSET, "an offset is beyond all reason")?;
        Ok(offset)
    }

    /// The rest, of at most `limit` bytes.
    fn rest(&self, limit: usize) -> Result<Bytes, FrameError> {
        self.check(self.frame.len() - self.at <= limit, "its content is too long")?;
        Ok(self.frame.slice(self.at..))
    }

    fn text(&self) -> Result<String, FrameError> {
        let text = str::from_utf8(&self.frame[self.at..]).map_err(|_| self.malformed("no UTF-8"))?;
        self.check(text.len() <= MAX_TEXT_BYTES, "a text is too long")?;
        Ok(text.to_owned())
    }

    fn json<T: DeserializeOwned>(&self) -> Result<T, FrameError> {
        serde_json::from_slice(&self.frame[self.at..]).map_err(|error| self.malformed(error))
    }

    fn json_and_tail<T: DeserializeOwned>(&mut self, limit: usize) -> Result<(T, Bytes), FrameError> {
        let length = u32::from_le_bytes(self.array()?) as usize;
        let rest = &self.frame[self.at..];
        let text = rest.get(..length).ok_or(FrameError::Short { length: self.frame.len() })?;
        let value = serde_json::from_slice(text).map_err(|error| self.malformed(error))?;
        self.at += length;
        Ok((value, self.rest(limit)?))
    }

    fn end(&self) -> Result<(), FrameError> {
        self.check(self.at == self.frame.len(), "bytes after its end")
    }

    fn malformed(&self, what: impl ToString) -> FrameError {
        FrameError::Malformed { kind: self.kind, what: what.to_string() }
    }

    fn check(&self, holds: bool, what: &str) -> Result<(), FrameError> {
        if holds { Ok(()) } else { Err(self.malformed(what)) }
    }

    fn check_offsets<const N: usize>(&self, offsets: [u64; N]) -> Result<(), FrameError> {
        self.check(offsets.iter().all(|offset| *offset <= MAX_OFFSET), "an offset is beyond all reason")
    }
}

impl ToNode {
    /// Takes a frame from the gateway apart.
    ///
    /// # Errors
    /// When it is no such frame.
    pub fn parse(frame: Bytes) -> Result<ToNode, FrameError> {
        let mut parts = Parts::of(frame)?;
        let number = parts.named();
        match parts.kind {
            HELLO => parse_hello(&parts),
            SPAWN => Ok(ToNode::Spawn { number, request: parse_spawn(&parts)? }),
            INPUT => {
                Ok(ToNode::Input { number, offset: parts.offset()?, bytes: parts.rest(MAX_INPUT_BYTES)? })
            }
            INTERRUPT => {
                let (offset, [key]) = (parts.offset()?, parts.array()?);
                parts.end().map(|()| ToNode::Interrupt { number, offset, key })
            }
            RESIZE => {
                let (cols, rows) = (u16::from_le_bytes(parts.array()?), u16::from_le_bytes(parts.array()?));
                parts.end().map(|()| ToNode::Resize { number, size: Size::clamped(cols, rows) })
            }
            KILL => parts.end().map(|()| ToNode::Kill { number }),
            ACK => {
                let printed = parts.offset()?;
                parts.end().map(|()| ToNode::Ack { number, printed })
            }
            KEEP => {
                let (printed, bytes) = (parts.offset()?, parts.rest(MAX_CHECKPOINT_BYTES)?);
                Ok(ToNode::Keep { number, checkpoint: Checkpoint { printed, bytes } })
            }
            RESUME => {
                let from = parts.offset()?;
                parts.end().map(|()| ToNode::Resume { number, from })
            }
            DISCARD => parts.end().map(|()| ToNode::Discard { number }),
            ASK_DIRECTORIES => Ok(ToNode::Directories { question: number.0, path: parts.text()? }),
            kind => Err(FrameError::UnknownKind { kind }),
        }
    }
}

fn parse_hello(parts: &Parts) -> Result<ToNode, FrameError> {
    let hello: Hello = parts.json()?;
    parts.check(
        hello.version == LINK_VERSION,
        "another version of this wire; upgrade the node or the gateway",
    )?;
    parts.check(hello.gateway.len() <= MAX_TEXT_BYTES, "a text is too long")?;
    Ok(ToNode::Hello(hello))
}

fn parse_spawn(parts: &Parts) -> Result<SpawnRequest, FrameError> {
    let SpawnText { pane, generation, command, cwd, environment, size } = parts.json()?;
    let size = Size::clamped(size.cols, size.rows);
    Ok(SpawnRequest { pane, generation, command, cwd: cwd.into(), environment, size })
}

impl ToGateway {
    /// Takes a frame from a node apart.
    ///
    /// # Errors
    /// When it is no such frame.
    pub fn parse(frame: Bytes) -> Result<ToGateway, FrameError> {
        let mut parts = Parts::of(frame)?;
        let number = parts.named();
        match parts.kind {
            KEPT => parse_kept(&mut parts).map(|kept| ToGateway::Kept(Box::new(kept))),
            READY => parts.end().map(|()| ToGateway::Ready),
            STARTED => {
                let note = Some(parts.text()?).filter(|note| !note.is_empty());
                Ok(ToGateway::Started { number, note })
            }
            FAILED => Ok(ToGateway::Failed { number, reason: parts.text()? }),
            OUTPUT => parse_output(parts),
            APPLIED => {
                let offset = parts.offset()?;
                parts.end().map(|()| ToGateway::Applied { number, offset })
            }
            FACTS => Ok(ToGateway::Facts { number, facts: parse_facts(&parts)? }),
            EXITED => Ok(ToGateway::Exited { number, ended: parse_ended(&mut parts)? }),
            SLEEPING => parts.end().map(|()| ToGateway::Sleeping),
            DIRECTORIES => Ok(ToGateway::Directories { question: number.0, answer: parse_answer(&parts)? }),
            kind => Err(FrameError::UnknownKind { kind }),
        }
    }
}

fn parse_kept(parts: &mut Parts) -> Result<KeptTerminal, FrameError> {
    let (text, bytes): (KeptText, Bytes) = parts.json_and_tail(MAX_CHECKPOINT_BYTES)?;
    let KeptText { pane, generation, output, given, received, applied, checkpoint } = text;
    parts.check_offsets([output.end, received, checkpoint.unwrap_or(0)])?;
    let ordered = output.start <= output.end && given <= output.end && applied <= received;
    parts.check(ordered, "offsets out of order")?;
    parts.check(checkpoint.is_some() || bytes.is_empty(), "bytes after its end")?;
    let checkpoint = checkpoint.map(|printed| Checkpoint { printed, bytes });
    let kept = Kept { pane, generation, output, given, checkpoint };
    Ok(KeptTerminal { number: parts.named(), kept, received, applied })
}

fn parse_output(mut parts: Parts) -> Result<ToGateway, FrameError> {
    let (number, offset) = (parts.named(), parts.offset()?);
    let length = parts.frame.len() - parts.at;
    parts.check((1..=MAX_OUTPUT_BYTES).contains(&length), "output of no sensible length")?;
    // Nobody else has the frame, mostly; then it is kept as it is.
    let output = match parts.frame.try_into_mut() {
        Ok(buffer) => OutputBuf::with_header_room(buffer),
        Err(frame) => OutputBuf::copy_of(output_payload(&frame)),
    };
    Ok(ToGateway::Output { number, offset, output })
}

fn parse_facts(parts: &Parts) -> Result<Facts, FrameError> {
    let facts: Facts = parts.json()?;
    let cwd = facts.cwd.as_ref().map_or(0, |cwd| cwd.as_os_str().len());
    let foreground = facts.foreground.as_ref().map_or(0, String::len);
    parts.check(cwd.max(foreground) <= MAX_TEXT_BYTES, "a text is too long")?;
    Ok(facts)
}

fn parse_ended(parts: &mut Parts) -> Result<Ended, FrameError> {
    let (text, unwritten): (EndedText, Bytes) = parts.json_and_tail(MAX_INPUT_BYTES)?;
    let EndedText { exit, printed, applied, perhaps } = text;
    parts.check_offsets([printed, applied])?;
    parts.check(perhaps <= MAX_INPUT_BYTES, "more input than was on its way")?;
    if let Exit::Signal(name) = &exit {
        parts.check(name.len() <= MAX_TEXT_BYTES, "a text is too long")?;
    }
    Ok(Ended { exit, printed, applied, perhaps, unwritten })
}

fn parse_answer(parts: &Parts) -> Result<Result<Listing, String>, FrameError> {
    Ok(match parts.json()? {
        AnswerText::Listing(listing) => Ok(listing),
        AnswerText::Error(error) => Err(short(&error).to_owned()),
    })
}
