//! Binary frames of both framings.
//!
//! A native output frame ends its header with the channel in big-endian order, so that the last header byte
//! of a channel below 255 is also the whole header of the compact framing: the compact frame is a suffix of
//! the native one, and one encoding serves every viewer.

use bytes::{Bytes, BytesMut};

use super::MAX_OUTPUT_BYTES;

/// The number that stands for a pane on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Channel(pub u32);

impl Channel {
    /// The channel that carries JSON in the compact framing.
    pub const COMPACT_CONTROL: u8 = 255;

    /// Whether the compact framing, with its one byte, reaches this channel.
    #[must_use]
    pub fn is_compact(self) -> bool {
        self.0 < u32::from(Self::COMPACT_CONTROL)
    }
}

/// What a native binary frame from the gateway holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum OutputKind {
    /// The bytes that follow what the viewer had.
    Output = 1,
    /// The last or only part of a snapshot. The viewer resets its terminal, makes it as large as the payload
    /// begins with saying, and applies all parts.
    Restart = 2,
    /// A part of a snapshot, for a viewer to keep until the last part is there.
    RestartPart = 3,
}

/// The length of a native output header: kind, offset (u64), channel (u32), big-endian.
pub const OUTPUT_HEADER: usize = 13;

/// How much of that header comes before the part that the compact framing shares.
pub const COMPACT_SKIP: usize = OUTPUT_HEADER - 1;

/// The length of the size that a restart's payload begins with: columns (u16), rows (u16), big-endian.
pub const RESTART_SIZE: usize = 4;

/// The length of the header of input and reports: kind, channel (u32, big-endian).
pub const INPUT_HEADER: usize = 5;

/// The length of the header of numbered input: kind, channel (u32), number (u64), big-endian.
pub const NUMBERED_HEADER: usize = INPUT_HEADER + 8;

/// Writes a native output header into `header`. `offset` is the position of the first payload byte.
pub fn write_output_header(header: &mut [u8], kind: OutputKind, offset: u64, channel: Channel) {
    header[0] = kind as u8;
    header[1..9].copy_from_slice(&offset.to_be_bytes());
    header[9..13].copy_from_slice(&channel.0.to_be_bytes());
}

/// A whole native output frame with a copy of `payload`.
#[must_use]
pub fn output_frame(kind: OutputKind, offset: u64, channel: Channel, payload: &[&[u8]]) -> Bytes {
    let length: usize = payload.iter().map(|part| part.len()).sum();
    let mut frame = BytesMut::with_capacity(OUTPUT_HEADER + length);
    frame.resize(OUTPUT_HEADER, 0);
    write_output_header(&mut frame, kind, offset, channel);
    for part in payload {
        frame.extend_from_slice(part);
    }
    frame.freeze()
}

/// The native frames of a snapshot: of a screen of `cols` by `rows` cells, as of `offset`.
#[must_use]
pub fn restart_frames(offset: u64, channel: Channel, cols: u16, rows: u16, snapshot: &[u8]) -> Vec<Bytes> {
    let mut parts: Vec<&[u8]> = snapshot.chunks(MAX_OUTPUT_BYTES - RESTART_SIZE).collect();
    let last = parts.pop().unwrap_or_default();
    let frame = |kind, payload: &[&[u8]]| output_frame(kind, offset, channel, payload);
    let mut frames: Vec<Bytes> =
        parts.into_iter().map(|part| frame(OutputKind::RestartPart, &[part])).collect();
    let size = [cols.to_be_bytes(), rows.to_be_bytes()].concat();
    frames.push(frame(OutputKind::Restart, &[&size, last]));
    frames
}

/// The compact frame of a snapshot. That framing has no kinds: the full reset (RIS) that a snapshot begins with does
/// what a restart asks for.
#[must_use]
pub fn compact_restart(channel: Channel, snapshot: &[u8]) -> Bytes {
    let mut frame = BytesMut::with_capacity(1 + snapshot.len());
    frame.extend_from_slice(&channel.0.to_be_bytes()[3..]);
    frame.extend_from_slice(snapshot);
    frame.freeze()
}

/// What a viewer's input frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InputKind {
    /// Keys and pastes: what a person, or a program in their stead, typed.
    Input,
    /// What the viewer's terminal sent by itself: focus and mouse reports, answers to queries. Never wakes
    /// a pane.
    Report,
}

/// A viewer's input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFrame {
    /// Typed, or sent by the terminal itself.
    pub kind: InputKind,
    /// The pane it is for.
    pub channel: Channel,
    /// Its place in everything that the client typed, counted from 1, if it is to be taken exactly once.
    pub number: Option<u64>,
    /// Whether the next numbered frame for this pane belongs to the same paste, so that nobody else's keys
    /// may come between.
    pub more: bool,
    /// The bytes.
    pub payload: Bytes,
}

/// A native binary frame from a viewer, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ViewerFrame {
    /// Bytes for a pane.
    Input(InputFrame),
    /// The viewer's terminal has taken in a pane's output up to an offset.
    Consumed {
        /// The pane's channel.
        channel: Channel,
        /// The offset after the last byte taken in.
        offset: u64,
    },
}

/// A binary frame that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// Nothing in it.
    #[error("empty frame")]
    Empty,
    /// Ends inside its header.
    #[error("frame of {length} bytes ends inside its {header}-byte header")]
    Short {
        /// The frame's length in bytes.
        length: usize,
        /// The header's length in bytes.
        header: usize,
    },
    /// A kind byte that this version does not know.
    #[error(
        "unknown frame kind {kind}; a viewer sends 1 (input), 2 (report), 3 or 4 (numbered input) or 5 (consumed)"
    )]
    UnknownKind {
        /// The byte found.
        kind: u8,
    },
}

impl FrameError {
    /// The offending part of the frame, as `field` of an error message.
    #[must_use]
    pub fn field(&self) -> &'static str {
        match self {
            FrameError::Empty | FrameError::Short { .. } => "frame",
            FrameError::UnknownKind { .. } => "kind",
        }
    }
}

/// Takes a native binary frame from a viewer apart.
///
/// # Errors
/// When it is empty, shorter than its header, or of an unknown kind.
pub fn parse_native(frame: Bytes) -> Result<ViewerFrame, FrameError> {
    let &kind = frame.first().ok_or(FrameError::Empty)?;
    let header = match kind {
        1 | 2 => INPUT_HEADER,
        3..=5 => NUMBERED_HEADER,
        _ => return Err(FrameError::UnknownKind { kind }),
    };
    let Some((head, _)) = frame.split_at_checked(header) else {
        return Err(FrameError::Short { length: frame.len(), header });
    };
    let channel = Channel(big_endian(&head[1..INPUT_HEADER]) as u32);
    let number = (header == NUMBERED_HEADER).then(|| big_endian(&head[INPUT_HEADER..]));
    if let (5, Some(offset)) = (kind, number) {
        return Ok(ViewerFrame::Consumed { channel, offset });
    }
    Ok(ViewerFrame::Input(InputFrame {
        kind: if kind == 2 { InputKind::Report } else { InputKind::Input },
        channel,
        number,
        more: kind == 4,
        payload: frame.slice(header..),
    }))
}

fn big_endian(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

/// A compact frame from a viewer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CompactFrame {
    /// JSON on the control channel.
    Control(Bytes),
    /// Keys for a pane.
    Input(InputFrame),
}

/// Takes a compact frame from a viewer apart.
///
/// # Errors
/// When it is empty.
pub fn parse_compact(frame: Bytes) -> Result<CompactFrame, FrameError> {
    let Some(&channel) = frame.first() else { return Err(FrameError::Empty) };
    let payload = frame.slice(1..);
    Ok(if channel == Channel::COMPACT_CONTROL {
        CompactFrame::Control(payload)
    } else {
        let channel = Channel(u32::from(channel));
        CompactFrame::Input(InputFrame {
            kind: InputKind::Input,
            channel,
            number: None,
            more: false,
            payload,
        })
    })
}

/// The compact frame that carries `json` on the control channel.
#[must_use]
pub fn compact_control(json: &str) -> Bytes {
    let mut frame = BytesMut::with_capacity(1 + json.len());
    frame.extend_from_slice(&[Channel::COMPACT_CONTROL]);
    frame.extend_from_slice(json.as_bytes());
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_compact_frame_is_a_suffix_of_the_native_one() {
        let frame = output_frame(OutputKind::Output, 0x0102_0304_0506_0708, Channel(7), &[b"a", b"bc"]);
        assert_eq!(&frame[..], b"\x01\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\x07abc");
        assert_eq!(&frame[COMPACT_SKIP..], b"\x07abc");
    }

    #[test]
    fn bad_frames_are_named() {
        assert_eq!(parse_native(Bytes::new()), Err(FrameError::Empty));
        assert_eq!(parse_compact(Bytes::new()), Err(FrameError::Empty));
        let short = FrameError::Short { length: 4, header: 5 };
        assert_eq!(parse_native(Bytes::from_static(&[1, 0, 0, 0])), Err(short));
        let short = FrameError::Short { length: 5, header: 13 };
        assert_eq!(parse_native(Bytes::from_static(&[3, 0, 0, 0, 0])), Err(short));
        let unknown = FrameError::UnknownKind { kind: 9 };
        assert_eq!(parse_native(Bytes::from_static(&[9, 0, 0, 0, 0])), Err(unknown));
    }

    #[test]
    fn frames_of_every_kind_are_read() {
        let input = |kind, number, more| {
            let payload = Bytes::from_static(b"ls");
            ViewerFrame::Input(InputFrame { kind, channel: Channel(258), number, more, payload })
        };
        let parsed = |bytes: &'static [u8]| parse_native(Bytes::from_static(bytes)).unwrap();
        assert_eq!(parsed(b"\x01\0\0\x01\x02ls"), input(InputKind::Input, None, false));
        assert_eq!(parsed(b"\x02\0\0\x01\x02ls"), input(InputKind::Report, None, false));
        assert_eq!(
            parsed(b"\x03\0\0\x01\x02\0\0\0\0\0\0\x01\0ls"),
            input(InputKind::Input, Some(256), false)
        );
        assert_eq!(parsed(b"\x04\0\0\x01\x02\0\0\0\0\0\0\0\x07ls"), input(InputKind::Input, Some(7), true));
        let consumed = ViewerFrame::Consumed { channel: Channel(1), offset: 1 << 40 };
        assert_eq!(parsed(b"\x05\0\0\0\x01\0\0\x01\0\0\0\0\0"), consumed);
    }

    proptest! {
        #[test]
        fn any_bytes_parse_or_fail_without_panic(bytes: Vec<u8>) {
            let bytes = Bytes::from(bytes);
            if let Ok(ViewerFrame::Input(frame)) = parse_native(bytes.clone()) {
                prop_assert!(bytes.ends_with(&frame.payload));
            }
            prop_assert_eq!(parse_compact(bytes.clone()).is_err(), bytes.is_empty());
        }
    }
}
