//! A pane's recent raw output: a ring of ready-made frames, addressed by absolute byte offset since the pane
//! was made. Viewers pull from it; it never knows who they are.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};

use crate::protocol::MAX_OUTPUT_BYTES;
use crate::protocol::frame::{Channel, OUTPUT_HEADER, OutputKind, output_frame, write_output_header};

/// Frames smaller than this are joined when several wait: a frame costs a viewer more than its bytes do.
const SMALL: usize = 4 << 10;

/// What small chunks are joined into when there are too many of them.
const JOINED: usize = 16 << 10;

/// More chunks than this are joined, so that a megabyte of single keystrokes does not cost thirty.
const MAX_CHUNKS: usize = 512;

/// Output that has waited for a viewer this long is stale: who interrupts a flood wants to see its end, not its
/// middle.
pub const STALE_AFTER: Duration = Duration::from_millis(25);

/// No more stale output than this, in bytes, is sent as it is: a snapshot would hardly be smaller.
const WORTH_SENDING: u64 = 32 << 10;

/// What stands in the log where the screen's size changes. Terminals ignore it, and it gives the change an offset
/// of its own: who has not had that byte has not had the change.
const RESIZE: &[u8] = b"\0";

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

    /// The buffer, which begins with [`OUTPUT_HEADER`] bytes of room.
    #[must_use]
    pub fn into_buffer(self) -> BytesMut {
        self.0
    }
}

#[derive(Debug)]
struct Chunk {
    offset: u64,
    /// When its first byte was printed.
    at: Instant,
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
    /// The offset that the viewer asks for next.
    pub next: u64,
}

/// What a viewer is to get next.
#[derive(Debug, Clone, PartialEq)]
pub enum Next {
    /// Nothing; it has everything.
    Nothing,
    /// The bytes that follow what it has.
    Output(OutputFrame),
    /// A snapshot: what it lacks is gone.
    Snapshot,
}

/// How far offsets jump when output may be missing that viewers were handed out: further than a pane can have printed
/// since its output was saved last, so that no viewer takes new bytes for ones that it had and we lost.
pub const OFFSET_JUMP: u64 = 1 << 36;

/// See the module.
#[derive(Debug)]
pub struct OutputLog {
    channel: Channel,
    chunks: VecDeque<Chunk>,
    /// The offset that it started at, or one that it goes on from started at.
    first: u64,
    /// The offset after the newest byte.
    head: u64,
    /// Payload bytes held; more than `capacity` only as long as they are needed.
    held: usize,
    capacity: usize,
    /// What lies before this may go; the rest is kept however full the log is.
    needed_from: u64,
    /// The offset after the newest change of size.
    resized_at: u64,
    /// Output that viewers were given by another gateway is coming in again.
    refilling: bool,
    /// Meanwhile: from where on output may come in again though it lies before what is held.
    back_to: u64,
    /// When the newest output came.
    grown_at: Option<Instant>,
}

impl OutputLog {
    /// An empty log that keeps at most `capacity` bytes and starts at `offset`.
    #[must_use]
    pub fn new(channel: Channel, capacity: usize, offset: u64) -> OutputLog {
        OutputLog {
            channel,
            chunks: VecDeque::new(),
            first: offset,
            head: offset,
            held: 0,
            capacity: capacity.max(1),
            needed_from: offset,
            resized_at: offset,
            refilling: false,
            back_to: u64::MAX,
            grown_at: None,
        }
    }

    /// The offset after the newest byte.
    #[must_use]
    pub fn head(&self) -> u64 {
        self.head
    }

    /// The offset from which on none was ever skipped: bytes before it are not to be counted.
    #[must_use]
    pub fn first(&self) -> u64 {
        self.first
    }

    /// When the newest output came, if any did.
    #[must_use]
    pub fn grown_at(&self) -> Option<Instant> {
        self.grown_at
    }

    /// The offset of the oldest byte held.
    #[must_use]
    pub fn tail(&self) -> u64 {
        self.chunks.front().map_or(self.head, |chunk| chunk.offset)
    }

    /// Goes on at offsets that nobody was ever handed out. For a log without output.
    pub fn jump(&mut self) {
        debug_assert!(self.chunks.is_empty(), "nobody needs what it has");
        let capacity = self.capacity;
        *self = OutputLog::new(self.channel, capacity, self.head.saturating_add(OFFSET_JUMP));
    }

    /// Appends what a program printed.
    pub fn append(&mut self, output: OutputBuf, now: Instant) {
        let OutputBuf(mut buffer) = output;
        let length = buffer.len() - OUTPUT_HEADER;
        if length == 0 {
            return;
        }
        let offset = self.head;
        self.grown_at = Some(now);
        self.head += length as u64;
        write_output_header(&mut buffer, OutputKind::Output, offset, self.channel);
        self.chunks.push_back(Chunk { offset, at: now, frame: buffer.freeze() });
        self.held += length;
        self.drop_oldest();
        if self.chunks.len() > MAX_CHUNKS {
            self.join_small_chunks();
        }
    }

    /// Notes that the screen's size changes here.
    pub fn note_resize(&mut self, now: Instant) {
        self.append(OutputBuf::copy_of(RESIZE), now);
        self.resized_at = self.head;
    }

    /// It goes on where another log, which started at `first`, once was.
    pub fn continues(&mut self, first: u64) {
        self.first = self.first.min(first);
    }

    /// Output that viewers were given by another gateway is coming in again, or all of it has: until then who has more
    /// than the log waits for it to get there.
    pub fn set_refilling(&mut self, refilling: bool) {
        self.refilling = refilling;
    }

    /// While it is refilled, it may begin anew as far back as `offset`: see [`OutputLog::begin_at`]. `None` if it will
    /// not any more.
    pub fn set_back_to(&mut self, offset: Option<u64>) {
        self.back_to = offset.unwrap_or(u64::MAX);
    }

    /// Whether a viewer at `cursor` may yet get what it lacks, which lies before what is held.
    #[must_use]
    pub fn may_go_back_to(&self, cursor: u64) -> bool {
        self.refilling && (self.back_to..self.tail()).contains(&cursor)
    }

    /// Begins anew at an offset, to be refilled from there.
    pub fn begin_at(&mut self, offset: u64) {
        *self = OutputLog { first: self.first, ..OutputLog::new(self.channel, self.capacity, offset) };
    }

    /// Whether a viewer at `cursor` can go on from there.
    #[must_use]
    pub fn has(&self, cursor: u64) -> bool {
        (self.tail()..=self.head).contains(&cursor) || self.is_to_come(cursor)
    }

    fn is_to_come(&self, cursor: u64) -> bool {
        // No byte has the last offset: who asks for it wants a snapshot.
        self.refilling && cursor > self.head && cursor != u64::MAX
    }

    /// Nobody needs what lies before `offset` any more.
    pub fn release(&mut self, offset: u64) {
        self.needed_from = offset;
        self.drop_oldest();
    }

    /// Somebody needs what comes after `offset`, as far as it is still there.
    pub fn need(&mut self, offset: u64) {
        self.needed_from = self.needed_from.min(offset);
    }

    /// How much of it is needed, in bytes.
    #[must_use]
    pub fn needed(&self) -> usize {
        usize::try_from(self.head - self.needed_from.min(self.head)).unwrap_or(usize::MAX)
    }

    /// How much more fits before something that is needed would have to be kept beyond the capacity, in bytes.
    #[must_use]
    pub fn room(&self) -> usize {
        self.capacity.saturating_sub(self.needed())
    }

    fn drop_oldest(&mut self) {
        while self.held > self.capacity {
            let Some(oldest) = self.chunks.pop_front_if(|chunk| chunk.end() <= self.needed_from) else {
                return;
            };
            self.held -= oldest.payload().len();
        }
    }

    /// What a viewer gets next that has everything before `cursor`. One that the log no longer reaches back to, or
    /// that never was handed out, needs a snapshot.
    #[must_use]
    pub fn read(&self, cursor: u64) -> Next {
        if self.is_to_come(cursor) {
            return Next::Nothing;
        }
        if cursor < self.tail() || cursor > self.head {
            return Next::Snapshot;
        }
        let first = self.index_of(cursor);
        let Some(chunk) = self.chunks.get(first) else { return Next::Nothing };
        let skip = usize::try_from(cursor - chunk.offset).expect("a chunk fits in memory");
        let length = chunk.payload().len() - skip;
        let alone = first + 1 == self.chunks.len();
        if skip == 0 && length <= MAX_OUTPUT_BYTES && (alone || length >= SMALL) {
            return Next::Output(OutputFrame { frame: chunk.frame.clone(), next: chunk.end() });
        }
        Next::Output(self.gather(first, skip, cursor))
    }

    /// Whether a viewer at `cursor` has not seen the newest size.
    #[must_use]
    pub fn resized_since(&self, cursor: u64) -> bool {
        cursor < self.resized_at
    }

    /// Whether a viewer at `cursor` has fallen so far behind that it is better off with a snapshot.
    #[must_use]
    pub fn is_stale(&self, cursor: u64, now: Instant) -> bool {
        let waits_since = self.chunks.get(self.index_of(cursor)).map_or(now, |chunk| chunk.at);
        self.head.saturating_sub(cursor) > WORTH_SENDING
            && now.saturating_duration_since(waits_since) >= STALE_AFTER
    }

    /// The bytes from `from` up to `to`, at most about `limit` of them, in `parts`; returns where they end.
    pub fn slices(&self, from: u64, to: u64, limit: usize, parts: &mut Vec<Bytes>) -> u64 {
        debug_assert!(from >= self.tail() || from == self.head, "what is needed is kept");
        let mut end = from;
        for chunk in self.chunks.range(self.index_of(from)..) {
            if end >= to || end - from >= limit as u64 {
                break;
            }
            let within = |offset: u64| OUTPUT_HEADER + usize::try_from(offset - chunk.offset).unwrap_or(0);
            let until = chunk.end().min(to);
            parts.push(chunk.frame.slice(within(end)..within(until)));
            end = until;
        }
        end
    }

    /// The index of the chunk with the byte at `cursor`.
    fn index_of(&self, cursor: u64) -> usize {
        self.chunks.partition_point(|chunk| chunk.end() <= cursor)
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
        OutputFrame { frame, next }
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
        let (offset, at) = run.first().map(|chunk| (chunk.offset, chunk.at))?;
        let parts: Vec<&[u8]> = run.iter().map(Chunk::payload).collect();
        let frame = output_frame(OutputKind::Output, offset, self.channel, &parts);
        run.clear();
        Some(Chunk { offset, at, frame })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn log(capacity: usize) -> OutputLog {
        let mut log = OutputLog::new(Channel(3), capacity, 0);
        log.release(u64::MAX);
        log
    }

    fn append(log: &mut OutputLog, bytes: &[u8]) {
        log.append(OutputBuf::copy_of(bytes), Instant::now());
    }

    fn output(log: &OutputLog, cursor: u64) -> OutputFrame {
        match log.read(cursor) {
            Next::Output(frame) => frame,
            other => panic!("{other:?} at {cursor}"),
        }
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
        assert_eq!(log.read(0), Next::Nothing);
        append(&mut log, b"hello");
        let (one, other) = (output(&log, 0), output(&log, 0));
        assert_eq!(payload(&one), b"hello");
        assert_eq!(one.frame.as_ptr(), other.frame.as_ptr(), "encoded once, shared");
        assert_eq!(log.read(5), Next::Nothing);
    }

    #[test]
    fn what_is_needed_stays_however_full_the_log_is() {
        let mut log = OutputLog::new(Channel(3), 10, 0);
        for _ in 0..4 {
            append(&mut log, b"01234567");
        }
        assert_eq!((log.tail(), log.head(), log.room()), (0, 32, 0));
        log.release(16);
        assert_eq!((log.tail(), log.room()), (16, 0));
        log.release(32);
        assert_eq!((log.tail(), log.room()), (24, 10));
    }

    #[test]
    fn a_resize_is_behind_whoever_has_not_had_its_byte() {
        let mut log = log(100);
        append(&mut log, b"before");
        assert!(!log.resized_since(0));
        log.note_resize(Instant::now());
        append(&mut log, b"after");
        assert!(log.resized_since(6) && !log.resized_since(7));
    }

    #[test]
    fn output_is_stale_when_there_is_much_of_it_and_it_has_waited() {
        let mut log = log(1 << 20);
        let start = Instant::now();
        log.append(OutputBuf::copy_of(&[b'a'; 40_000]), start);
        log.append(OutputBuf::copy_of(&[b'b'; 40_000]), start + STALE_AFTER);
        assert!(!log.is_stale(0, start + STALE_AFTER / 2));
        assert!(log.is_stale(0, start + STALE_AFTER));
        assert!(!log.is_stale(40_000, start + STALE_AFTER));
        assert!(!log.is_stale(60_000, start + STALE_AFTER * 100), "little, however old");
    }

    proptest! {
        #[test]
        fn a_viewer_sees_every_byte_it_is_not_told_it_missed(
            capacity in 1usize..200,
            steps in proptest::collection::vec((proptest::collection::vec(any::<u8>(), 0..40), 0u8..3), 1..800),
        ) {
            let mut log = log(capacity);
            let (mut all, mut cursor) = (Vec::new(), 0u64);
            for (bytes, reads) in steps {
                append(&mut log, &bytes);
                all.extend_from_slice(&bytes);
                prop_assert!(log.held <= capacity && log.chunks.len() <= MAX_CHUNKS);
                prop_assert_eq!(log.head(), all.len() as u64);
                for _ in 0..reads {
                    match log.read(cursor) {
                        Next::Nothing => prop_assert_eq!(cursor, log.head()),
                        Next::Snapshot => {
                            prop_assert!(cursor < log.tail());
                            cursor = log.head();
                        }
                        Next::Output(frame) => {
                            let at = usize::try_from(offset(&frame)).unwrap();
                            prop_assert_eq!(offset(&frame), cursor);
                            prop_assert_eq!(payload(&frame), &all[at..at + payload(&frame).len()]);
                            cursor += payload(&frame).len() as u64;
                            prop_assert_eq!(frame.next, cursor);
                        }
                    }
                }
            }
            let mut parts = Vec::new();
            let end = log.slices(log.tail(), log.head(), usize::MAX, &mut parts);
            prop_assert_eq!(end, log.head());
            prop_assert_eq!(parts.concat(), &all[usize::try_from(log.tail()).unwrap()..]);
        }
    }
}
