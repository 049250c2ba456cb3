//! The binary frames between a gateway and a node: `[kind u8][number u32]`, then what the kind asks for. Numbers are in
//! little-endian order. What a peer sends is parsed strictly and bounded; docs/nodes.md has the table.

use std::ops::Range;
use std::path::PathBuf;

use bytes::{Bytes, BytesMut};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::geometry::Size;
use crate::host::directories::Listing;
use crate::host::{Checkpoint, Exit, Kept, MAX_CHECKPOINT_BYTES, SpawnRequest};
use crate::ids::PaneId;
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;
use crate::protocol::MAX_OUTPUT_BYTES;
use crate::protocol::frame::OUTPUT_HEADER;

/// The version of this wire, told in the first frame.
pub const LINK_VERSION: u32 = 1;

/// The largest frame, in bytes; a larger one ends the connection.
pub const MAX_FRAME_BYTES: usize = 1 << 20;

/// The most input in one frame, in bytes.
pub const MAX_INPUT_BYTES: usize = 64 << 10;

/// The longest text for people, and the longest id of a gateway, in bytes.
const MAX_TEXT_BYTES: usize = 4 << 10;

/// No terminal prints or is typed so much: offsets up to here can be added to without care.
const MAX_OFFSET: u64 = 1 << 60;

/// The length of the header of every frame.
const HEADER: usize = 5;

/// The length of a header with an offset. Buffers of output have as much room in front of them, so that a node sends
/// what it read, and a gateway keeps what it got, without a copy.
const OFFSET_HEADER: usize = HEADER + 8;
const _: () = assert!(OFFSET_HEADER == OUTPUT_HEADER);

/// What stands for a terminal on the wire. The gateway hands them out, each once while it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Number(pub u32);

/// A frame that makes no sense, or makes none here. The connection that it came over is to be closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Longer than [`MAX_FRAME_BYTES`].
    #[error("frame of {length} bytes; at most {MAX_FRAME_BYTES} are allowed")]
    TooLong {
        /// The frame's length in bytes.
        length: usize,
    },
    /// Shorter than its kind asks for.
    #[error("frame of {length} bytes ends too early")]
    Short {
        /// The frame's length in bytes.
        length: usize,
    },
    /// A kind that this version does not know, or that the other side sends.
    #[error("unknown frame kind {kind}")]
    UnknownKind {
        /// The byte found.
        kind: u8,
    },
    /// Something in it is not what its kind asks for.
    #[error("malformed frame of kind {kind}: {what}")]
    Malformed {
        /// The frame's kind.
        kind: u8,
        /// What is wrong.
        what: String,
    },
    /// It does not belong here; what came before does not fit to it.
    #[error("frame out of turn: {what}")]
    OutOfTurn {
        /// What is wrong.
        what: &'static str,
    },
    /// Output is missing before this.
    #[error("output of terminal {number} goes on at {found}, but is had up to {expected}", number = number.0)]
    Gap {
        /// The terminal.
        number: Number,
        /// Where its output should go on.
        expected: u64,
        /// Where it did.
        found: u64,
    },
}

/// What a node does with a program that prints more than its ring holds, while no gateway is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WhenFull {
    /// It waits.
    #[default]
    Wait,
    /// Its oldest output is dropped.
    Drop,
}

/// The gateway's first frame.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`LINK_VERSION`].
    pub version: u32,
    /// Which gateway this is, the same over its restarts. What the node keeps for another one ends.
    pub gateway: String,
    /// How much output of each terminal the node keeps, in bytes.
    pub ring_bytes: usize,
    /// What it does when that is full.
    pub when_full: WhenFull,
    /// How much output of each terminal may be on its way without having been acknowledged, in bytes.
    pub window_bytes: u32,
}

/// What the gateway can't see of a terminal by itself.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Facts {
    /// Whether the program reads raw, byte by byte.
    pub raw: bool,
    /// The keys that the terminal takes for interrupt, quit and suspend now; 0 where there is none.
    pub interrupt_keys: [u8; 3],
    /// The directory that the program is in.
    pub cwd: Option<PathBuf>,
    /// What runs in the foreground, if that is not the program.
    pub foreground: Option<String>,
    /// For how long, in milliseconds, the terminal had not been used when this was said.
    pub idle_ms: u64,
}

/// A terminal that a node kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptTerminal {
    /// What the gateway called it.
    pub number: Number,
    /// As the seam has it.
    pub kept: Kept,
    /// How much input the node received: what follows is to be sent again.
    pub received: u64,
    /// How much of that its program got.
    pub applied: u64,
}

/// How a terminal ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How its program did.
    pub exit: Exit,
    /// How much it printed.
    pub printed: u64,
    /// How much input it got.
    pub applied: u64,
    /// Of how many bytes of that nobody can tell.
    pub perhaps: usize,
    /// What it did not get of that after all, besides what was not applied.
    pub unwritten: Bytes,
}

/// A frame from the gateway to a node.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "numbers name terminals, offsets count bytes of input or output since its start"
)]
pub enum ToNode {
    /// Who speaks; the first frame. The node answers with what it kept.
    Hello(Hello),
    /// Start a program.
    Spawn { number: Number, request: SpawnRequest },
    /// Input, of which the first byte is at `offset`.
    Input { number: Number, offset: u64, bytes: Bytes },
    /// A key at `offset` that interrupts: what was typed before it and not received will never come.
    Interrupt { number: Number, offset: u64, key: u8 },
    /// The terminal's size.
    Resize { number: Number, size: Size },
    /// Hang up on the program.
    Kill { number: Number },
    /// Output up to here is in the gateway's hands.
    Ack { number: Number, printed: u64 },
    /// Keep a checkpoint.
    Keep { number: Number, checkpoint: Checkpoint },
    /// Report output from here on, and everything else.
    Resume { number: Number, from: u64 },
    /// Nobody wants the terminal any more, or its end was heard of: end it, forget it.
    Discard { number: Number },
    /// Which folders are in `path`? The answer has the same `question`.
    Directories { question: u32, path: String },
}

/// A frame from a node to the gateway.
#[derive(Debug)]
#[allow(
    missing_docs,
    reason = "numbers name terminals, offsets count bytes of input or output since its start"
)]
pub enum ToGateway {
    /// One terminal that was kept.
    Kept(Box<KeptTerminal>),
    /// Those were all that were kept.
    Ready,
    /// A program was started; people should know `note` about it.
    Started { number: Number, note: Option<String> },
    /// It was not, for this reason.
    Failed { number: Number, reason: String },
    /// What a program printed, from `offset` on.
    Output { number: Number, offset: u64, output: OutputBuf },
    /// The program has input up to here.
    Applied { number: Number, offset: u64 },
    /// What is new about a terminal.
    Facts { number: Number, facts: Facts },
    /// A program ended, and all that it printed was reported.
    Exited { number: Number, ended: Ended },
    /// The node will be gone for a while.
    Sleeping,
    /// The answer to a question.
    Directories { question: u32, answer: Result<Listing, String> },
}

// Kinds. The two directions share none, so that a frame can't be taken for its mirror image.

const HELLO: u8 = 0x01;
const SPAWN: u8 = 0x02;
const INPUT: u8 = 0x03;
const INTERRUPT: u8 = 0x04;
const RESIZE: u8 = 0x05;
const KILL: u8 = 0x06;
const ACK: u8 = 0x07;
const KEEP: u8 = 0x08;
const RESUME: u8 = 0x09;
const DISCARD: u8 = 0x0a;
const ASK_DIRECTORIES: u8 = 0x0b;
const KEPT: u8 = 0x81;
const READY: u8 = 0x82;
const STARTED: u8 = 0x83;
const FAILED: u8 = 0x84;
const OUTPUT: u8 = 0x85;
const APPLIED: u8 = 0x86;
const FACTS: u8 = 0x87;
const EXITED: u8 = 0x88;
const SLEEPING: u8 = 0x89;
const DIRECTORIES: u8 = 0x8a;

// The JSON in frames.

#[derive(Serialize, Deserialize)]
struct SpawnText {
    pane: PaneId,
    generation: Generation,
    command: Vec<String>,
    cwd: String,
    environment: Vec<(String, String)>,
    size: Size,
}

#[derive(Serialize, Deserialize)]
struct KeptText {
    pane: PaneId,
    generation: Generation,
    output: Range<u64>,
    given: u64,
    received: u64,
    applied: u64,
    /// Where the checkpoint is that follows.
    checkpoint: Option<u64>,
}

#[derive(Serialize, Deserialize)]
struct EndedText {
    exit: Exit,
    printed: u64,
    applied: u64,
    perhaps: usize,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum AnswerText {
    Listing(Listing),
    Error(String),
}

// Encoding.

fn frame(kind: u8, number: u32, parts: &[&[u8]]) -> Bytes {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut frame = BytesMut::with_capacity(HEADER + length);
    frame.extend_from_slice(&[kind]);
    frame.extend_from_slice(&number.to_le_bytes());
    for part in parts {
        frame.extend_from_slice(part);
    }
    frame.freeze()
}

fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("texts, numbers and lists of them are JSON")
}

/// JSON, its length before it and bytes after it.
fn json_and_tail<T: Serialize>(kind: u8, number: Number, value: &T, tail: &[u8]) -> Bytes {
    let json = json(value);
    let length = u32::try_from(json.len()).expect("the JSON of a frame is short");
    frame(kind, number.0, &[&length.to_le_bytes(), &json, tail])
}

/// A frame of output around `payload`, which is copied.
#[must_use]
pub fn output_frame(number: Number, offset: u64, payload: &[&[u8]]) -> Bytes {
    let offset = offset.to_le_bytes();
    let parts: Vec<&[u8]> = std::iter::once(&offset[..]).chain(payload.iter().copied()).collect();
    frame(OUTPUT, number.0, &parts)
}

/// Makes a frame of what a program printed from `offset` on, without a copy.
#[must_use]
pub fn into_output_frame(number: Number, offset: u64, output: OutputBuf) -> Bytes {
    let mut buffer = output.into_buffer();
    buffer[0] = OUTPUT;
    buffer[1..HEADER].copy_from_slice(&number.0.to_le_bytes());
    buffer[HEADER..OFFSET_HEADER].copy_from_slice(&offset.to_le_bytes());
    buffer.freeze()
}

/// What a frame made by [`output_frame`] or [`into_output_frame`] carries.
#[must_use]
pub fn output_payload(frame: &Bytes) -> &[u8] {
    &frame[OFFSET_HEADER..]
}

impl ToNode {
    /// The frame.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        match self {
            ToNode::Hello(hello) => frame(HELLO, 0, &[&json(hello)]),
            ToNode::Spawn { number, request } => frame(SPAWN, number.0, &[&json(&spawn_text(request))]),
            ToNode::Input { number, offset, bytes } => {
                frame(INPUT, number.0, &[&offset.to_le_bytes(), bytes])
            }
            ToNode::Interrupt { number, offset, key } => {
                frame(INTERRUPT, number.0, &[&offset.to_le_bytes(), &[*key]])
            }
            ToNode::Resize { number, size } => {
                frame(RESIZE, number.0, &[&size.cols.to_le_bytes(), &size.rows.to_le_bytes()])
            }
            ToNode::Kill { number } => frame(KILL, number.0, &[]),
            ToNode::Ack { number, printed } => frame(ACK, number.0, &[&printed.to_le_bytes()]),
            ToNode::Keep { number, checkpoint } => {
                frame(KEEP, number.0, &[&checkpoint.printed.to_le_bytes(), &checkpoint.bytes])
            }
            ToNode::Resume { number, from } => frame(RESUME, number.0, &[&from.to_le_bytes()]),
            ToNode::Discard { number } => frame(DISCARD, number.0, &[]),
            ToNode::Directories { question, path } => frame(ASK_DIRECTORIES, *question, &[path.as_bytes()]),
        }
    }
}

fn spawn_text(request: &SpawnRequest) -> SpawnText {
    SpawnText {
        pane: request.pane,
        generation: request.generation,
        command: request.command.clone(),
        // A name that is no text has no place in JSON; the nearest parent is taken where this is not found.
        cwd: request.cwd.to_string_lossy().into_owned(),
        environment: request.environment.clone(),
        size: request.size,
    }
}

impl ToGateway {
    /// The frame.
    #[must_use]
    pub fn encode(self) -> Bytes {
        match self {
            ToGateway::Kept(terminal) => encode_kept(&terminal),
            ToGateway::Ready => frame(READY, 0, &[]),
            ToGateway::Started { number, note } => {
                frame(STARTED, number.0, &[short(note.as_deref().unwrap_or_default()).as_bytes()])
            }
            ToGateway::Failed { number, reason } => frame(FAILED, number.0, &[short(&reason).as_bytes()]),
            ToGateway::Output { number, offset, output } => into_output_frame(number, offset, output),
            ToGateway::Applied { number, offset } => frame(APPLIED, number.0, &[&offset.to_le_bytes()]),
            ToGateway::Facts { number, facts } => frame(FACTS, number.0, &[&json(&facts)]),
            ToGateway::Exited { number, ended } => {
                let Ended { exit, printed, applied, perhaps, unwritten } = ended;
                json_and_tail(EXITED, number, &EndedText { exit, printed, applied, perhaps }, &unwritten)
            }
            ToGateway::Sleeping => frame(SLEEPING, 0, &[]),
            ToGateway::Directories { question, answer } => {
                let answer = match answer {
                    Ok(listing) => AnswerText::Listing(listing),
                    Err(error) => AnswerText::Error(short(&error).to_owned()),
                };
                frame(DIRECTORIES, question, &[&json(&answer)])
            }
        }
    }
}

fn encode_kept(terminal: &KeptTerminal) -> Bytes {
    let KeptTerminal { number, kept, received, applied } = terminal;
    let text = KeptText {
        pane: kept.pane,
        generation: kept.generation,
        output: kept.output.clone(),
        given: kept.given,
        received: *received,
        applied: *applied,
        checkpoint: kept.checkpoint.as_ref().map(|checkpoint| checkpoint.printed),
    };
    let bytes = kept.checkpoint.as_ref().map(|checkpoint| &checkpoint.bytes[..]).unwrap_or_default();
    json_and_tail(KEPT, *number, &text, bytes)
}

/// The beginning of a text, as long as may be said.
fn short(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_TEXT_BYTES)]
}

// Parsing.

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
