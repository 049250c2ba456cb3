//! The tape of a PTY: its newest raw output and the newest checkpoint, in memory that a gateway and its host share, so
//! that what the one has read is there for the other, however the one ended.
//!
//! ```text
//!          kept                                  head      cleared
//! ─ ─ ─ ┬───────────────────────────────────────┬──────────┬ ─ ─ ─   counted from the program's first byte
//!       │ output                                │ BLANK …  │         modulo the capacity
//! ```
//!
//! A PTY is read into what was blanked before, and counted after. Who finds the tape of a reader that died in between
//! tells from the blanks what was read. Only blanks that the program itself printed, last of all, are missed; no text
//! holds them, in UTF-8.
//!
//! One process reads the PTY at a time. This and `pty.rs` are the files that may hold `unsafe`: shared memory is
//! reached by pointers.
#![allow(unsafe_code)]

use std::io;
use std::ops::Range;
use std::os::fd::OwnedFd;
use std::ptr;
use std::slice;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use memmap2::MmapRaw;
use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, fcntl_get_seals, ftruncate, memfd_create};

use super::{Checkpoint, Due, MAX_CHECKPOINT_BYTES};

/// The smallest tape, in bytes: as much is read before a checkpoint is asked for as makes a smaller one too short.
pub const MIN_TAPE_BYTES: usize = 512 << 10;

/// What no text holds.
const BLANK: u8 = 0xff;

/// How much is read at a time, at most; the kernel hands out no more at once.
const READ_BYTES: usize = 4 << 10;

/// What a tape begins with.
const MAGIC: u64 = u64::from_le_bytes(*b"evptape1");

/// The first page: words, each 8 bytes.
const HEADER_BYTES: usize = 4 << 10;
const MAGIC_AT: usize = 0;
const HEAD: usize = 1;
const CLEARED: usize = 2;
const GIVEN: usize = 3;

/// A checkpoint's head: checksum of the rest and length of the bytes (4 bytes each), number, place (8 bytes each).
const SLOT_HEADER: usize = 24;
const SLOT_BYTES: usize = MAX_CHECKPOINT_BYTES + HEADER_BYTES;
const SLOTS: usize = 2;

/// See the module.
#[derive(Debug)]
pub(super) struct Tape {
    /// The header, the slots of checkpoints, the ring.
    memory: MmapRaw,
    /// The ring's size in bytes.
    capacity: usize,
    /// Held by who reads the PTY.
    reading: Mutex<()>,
    /// The number of the newest checkpoint, 0 if there is none; held by who writes the next.
    newest: Mutex<u64>,
    /// The newest checkpoint's place.
    checkpoint_at: AtomicU64,
}

impl Tape {
    /// An empty one that keeps about `capacity` bytes of output, and the descriptor of its memory.
    pub(super) fn create(capacity: usize) -> io::Result<(Tape, OwnedFd)> {
        let fd = memfd_create("everpane-tape", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)?;
        ftruncate(&fd, (HEADER_BYTES + SLOTS * SLOT_BYTES + capacity) as u64)?;
        // Memory that shrinks under us would end us.
        fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL)?;
        let tape = Tape::map(&fd)?;
        tape.word(MAGIC_AT).store(MAGIC, Ordering::Release);
        Ok((tape, fd))
    }

    /// The tape that somebody else made, by its memory's descriptor.
    pub(super) fn open(fd: &OwnedFd) -> io::Result<Tape> {
        let wrong = || io::Error::new(io::ErrorKind::InvalidData, "this is no tape");
        if !fcntl_get_seals(fd)?.contains(SealFlags::SHRINK) {
            return Err(wrong());
        }
        let tape = Tape::map(fd)?;
        if tape.word(MAGIC_AT).load(Ordering::Acquire) != MAGIC {
            return Err(wrong());
        }
        tape.look_for_checkpoint();
        Ok(tape)
    }

    fn map(fd: &OwnedFd) -> io::Result<Tape> {
        let memory = MmapRaw::map_raw(fd)?;
        let capacity = memory.len().checked_sub(HEADER_BYTES + SLOTS * SLOT_BYTES + READ_BYTES);
        let capacity = capacity.ok_or(io::ErrorKind::InvalidData)? + READ_BYTES;
        Ok(Tape {
            memory,
            capacity,
            reading: Mutex::new(()),
            newest: Mutex::new(0),
            checkpoint_at: AtomicU64::new(0),
        })
    }

    // Output.

    /// How many bytes the program has printed, as far as they were read and counted.
    pub(super) fn head(&self) -> u64 {
        self.word(HEAD).load(Ordering::Acquire)
    }

    /// The output that is still here.
    pub(super) fn kept(&self) -> Range<u64> {
        let head = self.head();
        let used = self.word(CLEARED).load(Ordering::Acquire).clamp(head, head + READ_BYTES as u64);
        used.saturating_sub(self.capacity as u64)..head
    }

    /// How much of the output was given to a gateway.
    pub(super) fn given(&self) -> u64 {
        self.word(GIVEN).load(Ordering::Acquire)
    }

    /// The output before `to` is given to a gateway.
    pub(super) fn give(&self, to: u64) {
        self.word(GIVEN).fetch_max(to, Ordering::AcqRel);
    }

    /// Reads at most `limit` bytes by `read`, which gets where to and says how many. Returns as `read` did.
    pub(super) fn read<E>(
        &self,
        limit: usize,
        read: impl FnOnce(&mut [u8]) -> Result<usize, E>,
    ) -> Result<usize, E> {
        let _reading = lock(&self.reading);
        let head = self.head();
        let start = self.place(head);
        let length = limit.min(READ_BYTES).min(self.capacity - start);
        let cleared = self.word(CLEARED).load(Ordering::Acquire).saturating_sub(head);
        let cleared = usize::try_from(cleared).unwrap_or(0).min(length);
        // SAFETY: the area is within the ring. Nobody else writes there: this process is the one that reads the PTY,
        // and the lock is held. What others read is before the head.
        let area = unsafe { slice::from_raw_parts_mut(self.ring().add(start), length) };
        if cleared < length {
            area[cleared..].fill(BLANK);
            self.word(CLEARED).store(head + length as u64, Ordering::Release);
        }
        let count = read(area)?.min(length);
        self.word(HEAD).store(head + count as u64, Ordering::Release);
        Ok(count)
    }

    /// Copies output from `from` on, as much as there is and fits. Returns how much.
    pub(super) fn copy(&self, from: u64, into: &mut [u8]) -> usize {
        let kept = self.kept();
        if !kept.contains(&from) {
            return 0;
        }
        let length = usize::try_from(kept.end - from).unwrap_or(usize::MAX).min(into.len());
        let start = self.place(from);
        let first = length.min(self.capacity - start);
        // SAFETY: both parts are within the ring and `into`, which is not in it; what is before the head and kept is
        // not written while it is.
        unsafe {
            ptr::copy_nonoverlapping(self.ring().add(start), into.as_mut_ptr(), first);
            ptr::copy_nonoverlapping(self.ring(), into.as_mut_ptr().add(first), length - first);
        }
        length
    }

    /// Takes over from another process, which is gone: counts what it had read and not counted.
    pub(super) fn recover(&self) {
        self.look_for_checkpoint();
        let _reading = lock(&self.reading);
        let head = self.head();
        let cleared = self.word(CLEARED).load(Ordering::Acquire).saturating_sub(head);
        let start = self.place(head);
        let length = usize::try_from(cleared).unwrap_or(0).min(READ_BYTES).min(self.capacity - start);
        let mut area = [0; READ_BYTES];
        // SAFETY: within the ring, and nobody writes: the lock is held, and the reader is gone.
        unsafe { ptr::copy_nonoverlapping(self.ring().add(start), area.as_mut_ptr(), length) };
        let count = area[..length].iter().rposition(|byte| *byte != BLANK).map_or(0, |last| last + 1);
        self.word(HEAD).store(head + count as u64, Ordering::Release);
    }

    /// Whether more can be read without losing what is needed: what follows the newest checkpoint, or else what was
    /// given to no gateway.
    pub(super) fn has_room(&self) -> bool {
        let kept = self.kept();
        let checkpoint = self.checkpoint_at.load(Ordering::Relaxed);
        let needed = if kept.contains(&checkpoint) { checkpoint } else { self.given().max(kept.start) };
        kept.end + READ_BYTES as u64 <= needed + self.capacity as u64
    }

    // Checkpoints.

    /// The newest whole one.
    pub(super) fn checkpoint(&self) -> Option<Checkpoint> {
        self.newest_slot().map(|(_, checkpoint)| checkpoint)
    }

    /// See [`super::Terminal::checkpoint_due`].
    pub(super) fn due(&self) -> Due {
        let since = self.head().saturating_sub(self.checkpoint_at.load(Ordering::Relaxed));
        let capacity = self.capacity as u64;
        match since {
            _ if since > capacity / 8 * 7 => Due::Late,
            _ if since > capacity / 4 * 3 => Due::Now,
            _ if since > capacity / 2 => Due::Soon,
            _ => Due::Never,
        }
    }

    /// Takes a checkpoint, unless it is too large, in the place of the one before the last.
    pub(super) fn keep(&self, checkpoint: &Checkpoint) {
        if checkpoint.bytes.len() > MAX_CHECKPOINT_BYTES {
            return;
        }
        let mut newest = lock(&self.newest);
        let number = *newest + 1;
        let image = slot_image(number, checkpoint);
        // SAFETY: the image is no larger than a slot, and the lock is held by all who write there.
        unsafe { ptr::copy_nonoverlapping(image.as_ptr(), self.slot(number), image.len()) };
        *newest = number;
        self.checkpoint_at.store(checkpoint.printed, Ordering::Relaxed);
    }

    fn look_for_checkpoint(&self) {
        let mut newest = lock(&self.newest);
        let (number, printed) = self.newest_slot().map_or((0, 0), |(number, kept)| (number, kept.printed));
        *newest = number;
        self.checkpoint_at.store(printed, Ordering::Relaxed);
    }

    fn newest_slot(&self) -> Option<(u64, Checkpoint)> {
        (0..SLOTS as u64).filter_map(|slot| self.read_slot(slot)).max_by_key(|(number, _)| *number)
    }

    fn read_slot(&self, number: u64) -> Option<(u64, Checkpoint)> {
        let mut image = vec![0; SLOT_HEADER];
        self.copy_slot(number, &mut image);
        let length = u32::from_le_bytes(image[4..8].try_into().ok()?) as usize;
        if length > MAX_CHECKPOINT_BYTES {
            return None;
        }
        image.resize(SLOT_HEADER + length, 0);
        self.copy_slot(number, &mut image);
        let whole = crc32fast::hash(&image[4..]).to_le_bytes() == image[..4];
        let number = u64::from_le_bytes(image[8..16].try_into().ok()?);
        let printed = u64::from_le_bytes(image[16..24].try_into().ok()?);
        let bytes = Bytes::from(image).split_off(SLOT_HEADER);
        (whole && number > 0).then_some((number, Checkpoint { printed, bytes }))
    }

    fn copy_slot(&self, number: u64, into: &mut [u8]) {
        // SAFETY: callers want no more than a slot. A torn one is told by its checksum.
        unsafe { ptr::copy_nonoverlapping(self.slot(number), into.as_mut_ptr(), into.len()) };
    }

    // The memory.

    fn word(&self, index: usize) -> &AtomicU64 {
        // SAFETY: the header is mapped, aligned to a page, and holds these words for as long as `self` lives.
        unsafe { AtomicU64::from_ptr(self.memory.as_mut_ptr().cast::<u64>().add(index)) }
    }

    /// Where the checkpoint of this number goes.
    fn slot(&self, number: u64) -> *mut u8 {
        let slot = if number.is_multiple_of(SLOTS as u64) { 0 } else { 1 };
        // SAFETY: the slots follow the header, and the memory is as large as that.
        unsafe { self.memory.as_mut_ptr().add(HEADER_BYTES + slot * SLOT_BYTES) }
    }

    fn ring(&self) -> *mut u8 {
        // SAFETY: the ring follows the slots, and the memory is as large as that.
        unsafe { self.memory.as_mut_ptr().add(HEADER_BYTES + SLOTS * SLOT_BYTES) }
    }

    /// Where in the ring a byte of the output is.
    fn place(&self, offset: u64) -> usize {
        // Less than the capacity.
        (offset % self.capacity as u64) as usize
    }
}

fn slot_image(number: u64, checkpoint: &Checkpoint) -> Vec<u8> {
    let mut image = vec![0; SLOT_HEADER];
    let length = checkpoint.bytes.len() as u32;
    image[4..8].copy_from_slice(&length.to_le_bytes());
    image[8..16].copy_from_slice(&number.to_le_bytes());
    image[16..24].copy_from_slice(&checkpoint.printed.to_le_bytes());
    image.extend_from_slice(&checkpoint.bytes);
    let checksum = crc32fast::hash(&image[4..]).to_le_bytes();
    image[..4].copy_from_slice(&checksum);
    image
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What it guards is whole at every step.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::FileExt;

    use proptest::prelude::*;

    use super::*;

    const CAPACITY: usize = 16 << 10;

    /// The byte that the program prints at an offset; never a blank.
    fn printed(offset: u64) -> u8 {
        (offset.wrapping_mul(31) >> 3) as u8 % 0xff
    }

    /// Reads so much of the program into `area`.
    fn print(area: &mut [u8], from: u64, count: usize) -> usize {
        let count = count.min(area.len());
        for (offset, byte) in (from..).zip(&mut area[..count]) {
            *byte = printed(offset);
        }
        count
    }

    #[derive(Debug, Clone)]
    enum Step {
        /// A read of so many bytes, of which there are this many.
        Read { limit: usize, there: usize },
        /// The reader is killed with so many bytes read and not counted; the next one takes over.
        Kill { uncounted: usize },
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => (1..8000_usize, 0..8000_usize).prop_map(|(limit, there)| Step::Read { limit, there }),
            1 => (0..6000_usize).prop_map(|uncounted| Step::Kill { uncounted }),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn any_history_of_reads_and_kills_keeps_the_bytes(steps in prop::collection::vec(step(), 1..60)) {
            let (mut tape, fd) = Tape::create(CAPACITY).unwrap();
            let mut head = 0;
            for step in steps {
                match step {
                    Step::Read { limit, there } => {
                        let count = tape.read(limit, |area| Ok::<_, ()>(print(area, head, there))).unwrap();
                        head += count as u64;
                    }
                    Step::Kill { uncounted } => {
                        let mut count = 0;
                        let _ = tape.read(READ_BYTES, |area| {
                            count = print(area, head, uncounted);
                            Err::<usize, _>("killed")
                        });
                        head += count as u64;
                        tape = Tape::open(&fd).unwrap();
                        tape.recover();
                    }
                }
                let kept = tape.kept();
                prop_assert_eq!(kept.end, head);
                prop_assert!(kept.end - kept.start >= head.min((CAPACITY - READ_BYTES) as u64));
                let mut bytes = vec![0; CAPACITY];
                let count = tape.copy(kept.start, &mut bytes);
                prop_assert_eq!(count as u64, kept.end - kept.start);
                prop_assert!((kept.start..).zip(&bytes[..count]).all(|(at, byte)| *byte == printed(at)));
            }
        }
    }

    fn checkpoint(printed: u64, fill: u8, length: usize) -> Checkpoint {
        Checkpoint { printed, bytes: vec![fill; length].into() }
    }

    #[test]
    fn a_half_written_checkpoint_is_never_taken() {
        let (tape, fd) = Tape::create(CAPACITY).unwrap();
        assert_eq!(tape.checkpoint(), None);
        let file = File::from(fd.try_clone().unwrap());
        let checkpoints = [checkpoint(1, b'a', 90), checkpoint(2, b'b', 40), checkpoint(3, b'c', 70)];
        let slots = || {
            let mut bytes = vec![0; 2 * SLOT_BYTES];
            file.read_exact_at(&mut bytes, HEADER_BYTES as u64).unwrap();
            bytes
        };
        for (index, next) in checkpoints.iter().enumerate() {
            let before = slots();
            tape.keep(next);
            let after = slots();
            let changed: Vec<_> = (0..before.len()).filter(|at| before[*at] != after[*at]).collect();
            file.write_all_at(&before, HEADER_BYTES as u64).unwrap();
            let last = index.checked_sub(1).map(|last| checkpoints[last].clone());
            for at in changed {
                assert_eq!(Tape::open(&fd).unwrap().checkpoint(), last, "before byte {at}");
                file.write_all_at(&after[at..=at], (HEADER_BYTES + at) as u64).unwrap();
            }
            assert_eq!(Tape::open(&fd).unwrap().checkpoint().as_ref(), Some(next));
        }
        tape.keep(&checkpoint(9, b'x', MAX_CHECKPOINT_BYTES + 1));
        assert_eq!(tape.checkpoint().as_ref(), Some(&checkpoints[2]), "one that is too large is not kept");
        tape.keep(&checkpoint(10, b'y', MAX_CHECKPOINT_BYTES));
        assert_eq!(Tape::open(&fd).unwrap().checkpoint().unwrap().bytes.len(), MAX_CHECKPOINT_BYTES);
    }

    fn read(tape: &Tape, count: usize) {
        let to = tape.head() + count as u64;
        while tape.head() < to {
            let left = (to - tape.head()) as usize;
            tape.read(left, |area| Ok::<_, ()>(area.len())).unwrap();
        }
    }

    #[test]
    fn a_checkpoint_is_due_by_how_much_follows_the_last() {
        let (tape, _) = Tape::create(CAPACITY).unwrap();
        read(&tape, CAPACITY / 2);
        assert_eq!(tape.due(), Due::Never);
        read(&tape, 1);
        assert_eq!(tape.due(), Due::Soon);
        read(&tape, CAPACITY / 4);
        assert_eq!(tape.due(), Due::Now);
        read(&tape, CAPACITY / 8);
        assert_eq!(tape.due(), Due::Late);
        tape.keep(&checkpoint(tape.head() - 10, b'a', 1));
        assert_eq!(tape.due(), Due::Never);
    }

    #[test]
    fn there_is_room_until_what_is_needed_would_go() {
        let (tape, fd) = Tape::create(CAPACITY).unwrap();
        read(&tape, CAPACITY - READ_BYTES);
        assert!(tape.has_room(), "nothing was given, and all of it fits");
        read(&tape, 1);
        assert!(!tape.has_room());
        tape.keep(&checkpoint(2, b'a', 1));
        assert!(tape.has_room());
        assert!(Tape::open(&fd).unwrap().has_room(), "as another process sees it");
        read(&tape, 3 * CAPACITY);
        tape.give(tape.head());
        assert!(tape.has_room(), "the checkpoint is of no more use");
        read(&tape, CAPACITY);
        assert!(!tape.has_room());
    }

    #[test]
    fn what_is_no_tape_is_not_opened() {
        let fd = memfd_create("x", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        ftruncate(&fd, 4 << 20).unwrap();
        assert!(Tape::open(&fd).is_err(), "it might shrink");
        fcntl_add_seals(&fd, SealFlags::SHRINK).unwrap();
        assert!(Tape::open(&fd).is_err(), "it has no magic");
        let small = memfd_create("x", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING).unwrap();
        fcntl_add_seals(&small, SealFlags::SHRINK).unwrap();
        assert!(Tape::open(&small).is_err());
    }
}
