//! A pane's recent raw output: a ring of ready-made frames, addressed by absolute byte offset since the pane
//! was made. Viewers pull from it; it never knows who they are.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::modes::Modes;
use crate::protocol::MAX_OUTPUT_BYTES;
use crate::protocol::frame::{Channel, OUTPUT_HEADER, OutputKind, output_frame, write_output_header};

/// Frames smaller than this are joined when several wait: a frame costs a viewer more than its bytes do.
const SMALL: usize = 4 << 10;

/// What small chunks are joined into when there are too many of them.
const JOINED: usize = 16 << 10;

/// More chunks than this are joined, so that a megabyte of single keystrokes does not cost thirty.
const MAX_CHUNKS: usize = 512;

/// Output on its way into the log, with room in front for the frame's header.
#[derive(Debug)]
pub struct OutputBuf(BytesMut);

impl OutputBuf {
    /// Takes over a buffer whose first [`OUTPUT_HEADER`] bytes are room for the header.
    ///
    /// # Panics
    /// When the buffer is shorter than that.
    #[must_use]
    pub fn with_header_room(buffer: BytesMut) -> OutputBuf {
        assert!(buffer.len() >= OUTPUT_HEADER, "an output buffer has room for its header");
        OutputBuf(buffer)
    }

    /// An empty one with room for a payload of `capacity` bytes.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> OutputBuf {
        let mut buffer = BytesMut::with_capacity(OUTPUT_HEADER + capacity);
        buffer.resize(OUTPUT_HEADER, 0);
        OutputBuf(buffer)
    }

    /// A copy of `payload`.
    #[must_use]
    pub fn copy_of(payload: &[u8]) -> OutputBuf {
        let mut output = OutputBuf::with_capacity(payload.len());
        output.push(payload);
        output
    }

    /// Appends to the payload.
    pub fn push(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Shortens the payload to `length` bytes; a shorter one stays as it is.
    pub fn truncate(&mut self, length: usize) {
        self.0.truncate(OUTPUT_HEADER + length);
    }

    /// The bytes that the program printed.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        &self.0[OUTPUT_HEADER..]
    }
}

/// What the terminal was like before a chunk's first byte.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct ChunkStart {
    /// The modes in force.
    pub modes: Modes,
    /// Whether the byte before it ended inside an escape sequence or a character.
    pub torn: bool,
}

#[derive(Debug)]
struct Chunk {
    offset: u64,
    start: ChunkStart,
    /// Header and payload, as sent to native viewers.
    frame: Bytes,
}

impl Chunk {
    fn payload(&self) -> &[u8] {
        &self.frame[OUTPUT_HEADER..]
    }

    fn end(&self) -> u64 {
        self.offset + self.payload().len() as u64
    }
}

/// A frame for a viewer, and where the viewer stands after it.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputFrame {
    /// The frame in the native framing; the compact one is a suffix of it.
    pub frame: Bytes,
    /// Whether it continues what the viewer had.
    pub kind: OutputKind,
    /// The offset that the viewer asks for next.
    pub next: u64,
}

/// See the module.
#[derive(Debug)]
pub struct OutputLog {
    channel: Channel,
    chunks: VecDeque<Chunk>,
    /// The offset after the newest byte.
    head: u64,
    /// Payload bytes held; never more than `capacity`.
    held: usize,
    capacity: usize,
}

impl OutputLog {
    /// An empty log that keeps at most `capacity` bytes and starts at `offset`.
    #[must_use]
    pub fn new(channel: Channel, capacity: usize, offset: u64) -> OutputLog {
        OutputLog { channel, chunks: VecDeque::new(), head: offset, held: 0, capacity: capacity.max(1) }
    }

    /// The offset after the newest byte.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The offset of the oldest byte held.
    #[must_use]
    pub fn tail(&self) -> u64 {
        self.chunks.front().map_or(self.head, |chunk| chunk.offset)
    }

    /// Appends what a program printed.
    pub fn append(&mut self, output: OutputBuf, start: ChunkStart) {
        let OutputBuf(mut buffer) = output;
        let mut length = buffer.len() - OUTPUT_HEADER;
        if length == 0 {
            return;
        }
        let mut offset = self.head;
        self.head += length as u64;
        let mut start = start;
        if length > self.capacity {
            // Only its end fits. What the terminal was like there is not known, so it counts as torn.
            let cut = length - self.capacity;
            offset += cut as u64;
            length = self.capacity;
            let _ = buffer.split_to(cut);
            start.torn = true;
        }
        write_output_header(&mut buffer, OutputKind::Output, offset, self.channel);
        self.chunks.push_back(Chunk { offset, start, frame: buffer.freeze() });
        self.held += length;
        while self.held > self.capacity {
            let oldest = self.chunks.pop_front().expect("bytes are held, so there is a chunk");
            self.held -= oldest.payload().len();
        }
        if self.chunks.len() > MAX_CHUNKS {
            self.join_small_chunks();
        }
    }

    /// The next frame for a viewer that has everything before `cursor`, or `None` when it has everything.
    ///
    /// A cursor that the ring no longer reaches back to, or that was never handed out, yields a
    /// [`OutputKind::Restart`] frame whose payload brings a fresh terminal into the modes in force where the
    /// ring begins; that payload has no offsets.
    #[must_use]
    pub fn read(&self, cursor: u64) -> Option<OutputFrame> {
        if cursor < self.tail() || cursor > self.head {
            return Some(self.restart());
        }
        let first = self.chunks.partition_point(|chunk| chunk.end() <= cursor);
        let chunk = self.chunks.get(first)?;
        let skip = usize::try_from(cursor - chunk.offset).expect("a chunk fits in memory");
        let length = chunk.payload().len() - skip;
        let alone = first + 1 == self.chunks.len();
        if skip == 0 && length <= MAX_OUTPUT_BYTES && (alone || length >= SMALL) {
            let frame = chunk.frame.clone();
            return Some(OutputFrame { frame, kind: OutputKind::Output, next: chunk.end() });
        }
        Some(self.gather(first, skip, cursor))
    }

    /// Copies as much as fits into one frame, from `skip` bytes into chunk `first` on.
    fn gather(&self, first: usize, skip: usize, cursor: u64) -> OutputFrame {
        let mut parts: Vec<&[u8]> = Vec::new();
        let mut room = MAX_OUTPUT_BYTES;
        for (index, chunk) in self.chunks.iter().enumerate().skip(first) {
            let payload = &chunk.payload()[if index == first { skip } else { 0 }..];
            let part = &payload[..payload.len().min(room)];
            parts.push(part);
            room -= part.len();
            if room == 0 {
                break;
            }
        }
        let next = cursor + (MAX_OUTPUT_BYTES - room) as u64;
        let frame = output_frame(OutputKind::Output, cursor, self.channel, &parts);
        OutputFrame { frame, kind: OutputKind::Output, next }
    }

    /// Where a viewer that has nothing of what the ring holds begins.
    #[must_use]
    pub fn restart_offset(&self) -> u64 {
        self.restart_chunk().map_or(self.head, |chunk| chunk.offset)
    }

    /// The first chunk before which no sequence is cut, if there is one.
    fn restart_chunk(&self) -> Option<&Chunk> {
        self.chunks.iter().find(|chunk| !chunk.start.torn).or(self.chunks.front())
    }

    fn restart(&self) -> OutputFrame {
        let from = self.restart_chunk();
        let (offset, start) =
            from.map_or((self.head, ChunkStart::default()), |chunk| (chunk.offset, chunk.start));
        let mut preamble = Vec::new();
        start.modes.restore(&mut preamble);
        let frame = output_frame(OutputKind::Restart, offset, self.channel, &[&preamble]);
        OutputFrame { frame, kind: OutputKind::Restart, next: offset }
    }

    /// The last `limit` bytes or fewer, whole chunks only: where they begin, what the terminal was like there,
    /// and the bytes.
    #[must_use]
    pub fn recent(&self, limit: usize) -> (u64, ChunkStart, Vec<Bytes>) {
        let mut size = 0;
        let count = self.chunks.iter().rev().take_while(|chunk| {
            size += chunk.payload().len();
            size <= limit
        });
        let first = self.chunks.len() - count.count();
        let parts = self.chunks.range(first..).map(|chunk| chunk.frame.slice(OUTPUT_HEADER..)).collect();
        let (offset, start) = self
            .chunks
            .get(first)
            .map_or((self.head, ChunkStart::default()), |chunk| (chunk.offset, chunk.start));
        (offset, start, parts)
    }

    fn join_small_chunks(&mut self) {
        let mut joined: VecDeque<Chunk> = VecDeque::with_capacity(self.chunks.len() / 2);
        let mut run: Vec<Chunk> = Vec::new();
        let mut run_bytes = 0;
        for chunk in std::mem::take(&mut self.chunks) {
            let length = chunk.payload().len();
            if run_bytes + length > JOINED {
                joined.extend(self.join(&mut run));
                run_bytes = 0;
            }
            run_bytes += length;
            run.push(chunk);
        }
        joined.extend(self.join(&mut run));
        self.chunks = joined;
    }

    fn join(&self, run: &mut Vec<Chunk>) -> Option<Chunk> {
        if run.len() <= 1 {
            return run.pop();
        }
        let (offset, start) = run.first().map(|chunk| (chunk.offset, chunk.start))?;
        let parts: Vec<&[u8]> = run.iter().map(Chunk::payload).collect();
        let frame = output_frame(OutputKind::Output, offset, self.channel, &parts);
        run.clear();
        Some(Chunk { offset, start, frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn log(capacity: usize) -> OutputLog {
        OutputLog::new(Channel(3), capacity, 0)
    }

    fn append(log: &mut OutputLog, bytes: &[u8]) {
        log.append(OutputBuf::copy_of(bytes), ChunkStart::default());
    }

    fn payload(frame: &OutputFrame) -> &[u8] {
        &frame.frame[OUTPUT_HEADER..]
    }

    fn offset(frame: &OutputFrame) -> u64 {
        u64::from_be_bytes(frame.frame[1..9].try_into().unwrap())
    }

    #[test]
    fn a_viewer_at_the_head_gets_nothing_and_one_behind_gets_the_very_frame() {
        let mut log = log(100);
        assert_eq!(log.read(0), None);
        append(&mut log, b"hello");
        let (one, other) = (log.read(0).unwrap(), log.read(0).unwrap());
        assert_eq!(payload(&one), b"hello");
        assert_eq!(one.frame.as_ptr(), other.frame.as_ptr(), "encoded once, shared");
        assert_eq!(log.read(5), None);
    }

    #[test]
    fn a_cursor_out_of_the_ring_restarts_where_nothing_is_torn() {
        let mut log = log(10);
        append(&mut log, b"0123456789");
        log.append(OutputBuf::copy_of(b"abcd"), ChunkStart { torn: true, ..ChunkStart::default() });
        append(&mut log, b"efg");
        for cursor in [0, 9, 18, u64::MAX] {
            let restart = log.read(cursor).unwrap();
            assert_eq!((restart.kind, restart.next, offset(&restart)), (OutputKind::Restart, 14, 14));
        }
        assert_eq!(payload(&log.read(14).unwrap()), b"efg");
    }

    proptest! {
        #[test]
        fn a_viewer_sees_every_byte_it_is_not_told_it_missed(
            capacity in 1usize..200,
            steps in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..40), 0u8..3), 1..800),
        ) {
            let mut log = log(capacity);
            let (mut all, mut cursor, mut expected) = (Vec::new(), 0u64, 0u64);
            for (bytes, reads) in steps {
                append(&mut log, &bytes);
                all.extend_from_slice(&bytes);
                prop_assert!(log.held <= capacity && log.chunks.len() <= MAX_CHUNKS);
                prop_assert_eq!(log.head(), all.len() as u64);
                for _ in 0..reads {
                    let Some(frame) = log.read(cursor) else { break };
                    match frame.kind {
                        OutputKind::Restart => expected = frame.next,
                        OutputKind::Output => {
                            let at = usize::try_from(offset(&frame)).unwrap();
                            prop_assert_eq!(offset(&frame), expected);
                            prop_assert_eq!(payload(&frame), &all[at..at + payload(&frame).len()]);
                            expected += payload(&frame).len() as u64;
                        }
                    }
                    prop_assert_eq!(frame.next, expected);
                    cursor = frame.next;
                }
            }
            let (offset, _, parts) = log.recent(usize::MAX);
            prop_assert_eq!(parts.concat(), &all[usize::try_from(offset).unwrap()..]);
        }
    }
}
