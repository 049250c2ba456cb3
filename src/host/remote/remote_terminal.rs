//! One terminal as the gateway's end of the link knows it: what it has of its output, what is owed to the node.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::frame::{Facts, FrameError, Hello, KeptTerminal, Number, ToNode};
use super::unacknowledged_share;
use super::unapplied::Unapplied;
use crate::geometry::Size;
use crate::host::{Checkpoint, Due, Sink};
use crate::ids::PaneId;
use crate::pane::log::OutputBuf;
use crate::pane::respawn::Generation;
use crate::protocol::MAX_OUTPUT_BYTES;

/// How far the output is of a terminal that reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reporting {
    /// It was not asked to yet.
    Not,
    /// It is to be asked.
    Asked,
    /// It does.
    Under,
}

/// See the module.
pub(super) struct RemoteState {
    pub(super) pane: PaneId,
    pub(super) generation: Generation,
    pub(super) sink: Arc<dyn Sink>,
    /// Whether the terminal was started or resumed over the present connection: else nothing may be sent to it.
    pub(super) linked: bool,
    reporting: Reporting,
    pub(super) input: Unapplied,
    /// A write came to an end early, so the sink is to be told when there is room.
    pub(super) blocked: bool,
    /// How much output the sink got.
    printed: u64,
    /// How much of it the sink had got when it last had room for more.
    taken: u64,
    /// How much output the node was told that we have.
    acknowledged: u64,
    /// Whether it is time to tell the node how much we have.
    ack_due: bool,
    /// Whether the sink is full, and somebody waits for it to have room.
    pub(super) sink_full: bool,
    /// How much had been printed at the newest checkpoint.
    checkpoint_at: u64,
    checkpoint: Option<Checkpoint>,
    size: Option<Size>,
    killed: bool,
    pub(super) facts: Facts,
    used_at: Instant,
}

impl RemoteState {
    /// A terminal that was just started.
    pub(super) fn started(
        pane: PaneId,
        generation: Generation,
        sink: Arc<dyn Sink>,
        now: Instant,
    ) -> RemoteState {
        RemoteState {
            pane,
            generation,
            sink,
            linked: true,
            reporting: Reporting::Not,
            input: Unapplied::at(0),
            blocked: false,
            printed: 0,
            taken: 0,
            acknowledged: 0,
            ack_due: false,
            sink_full: false,
            checkpoint_at: 0,
            checkpoint: None,
            size: None,
            killed: false,
            facts: Facts::default(),
            used_at: now,
        }
    }

    /// A terminal that the node kept, for a gateway that does not know it.
    pub(super) fn adopted(kept: &KeptTerminal, sink: Arc<dyn Sink>, now: Instant) -> RemoteState {
        let input = Unapplied::at(kept.received);
        let known = RemoteState::started(kept.kept.pane, kept.kept.generation, sink, now);
        RemoteState { input, ..known }
    }

    /// Goes on with it over a new connection, from `from` in its output on.
    pub(super) fn resume(&mut self, kept: &KeptTerminal, from: u64, sink: Arc<dyn Sink>) {
        self.sink = sink;
        self.linked = true;
        self.reporting = Reporting::Not;
        self.input.resume(kept.received, kept.applied);
        (self.printed, self.taken, self.acknowledged) = (from, from, from);
        (self.ack_due, self.sink_full) = (false, false);
        self.checkpoint_at = kept.kept.checkpoint.as_ref().map_or(0, |checkpoint| checkpoint.printed);
    }

    /// The connection is gone: nothing more comes, nothing more goes.
    pub(super) fn unlink(&mut self) {
        self.linked = false;
        self.reporting = Reporting::Not;
    }

    /// How much output the sink got.
    pub(super) fn printed(&self) -> u64 {
        self.printed
    }

    pub(super) fn is_reporting(&self) -> bool {
        self.reporting == Reporting::Under
    }

    pub(super) fn start(&mut self) {
        if self.linked && self.reporting == Reporting::Not {
            self.reporting = Reporting::Asked;
        }
    }

    pub(super) fn write(&mut self, input: &[u8], now: Instant) -> usize {
        let taken = if self.linked { self.input.push(input) } else { 0 };
        self.blocked |= taken < input.len();
        self.used_at = now;
        taken
    }

    pub(super) fn interrupt(&mut self, key: u8) -> bool {
        let interrupts = self.linked && key != 0 && self.facts.interrupt_keys.contains(&key);
        if interrupts {
            self.input.interrupt(key);
        }
        interrupts
    }

    pub(super) fn resize(&mut self, size: Size) {
        self.size = Some(size);
    }

    pub(super) fn kill(&mut self) {
        self.killed = true;
    }

    pub(super) fn keep(&mut self, checkpoint: Checkpoint) {
        self.checkpoint_at = self.checkpoint_at.max(checkpoint.printed);
        self.checkpoint = Some(checkpoint);
    }

    pub(super) fn checkpoint_due(&self, hello: &Hello) -> Due {
        // What a node surely keeps of acknowledged output, and the newest of it may not be acknowledged yet.
        let kept = hello.ring_bytes as u64 - unacknowledged_share(hello.ring_bytes);
        match self.printed.saturating_sub(self.checkpoint_at) {
            // What is on its way to us comes on top.
            since if since >= kept / 8 * 5 => Due::Late,
            since if since >= kept / 2 => Due::Now,
            since if since >= kept / 4 => Due::Soon,
            _ => Due::Never,
        }
    }

    /// Takes output from `offset` on, and gives what the sink lacks of it.
    pub(super) fn output(
        &mut self,
        number: Number,
        offset: u64,
        output: OutputBuf,
        hello: &Hello,
        now: Instant,
    ) -> Result<Option<OutputBuf>, FrameError> {
        let found = offset;
        let known = self.printed.checked_sub(offset).ok_or(FrameError::Gap {
            number,
            expected: self.printed,
            found,
        })?;
        let length = output.payload().len() as u64;
        if known >= length {
            return Ok(None);
        }
        let on_its_way = offset + length - self.acknowledged;
        if on_its_way > u64::from(hello.window_bytes) + MAX_OUTPUT_BYTES as u64 {
            return Err(FrameError::OutOfTurn { what: "more output than the window" });
        }
        self.printed = offset + length;
        self.used_at = now;
        Ok(Some(match usize::try_from(known) {
            Ok(known) if known > 0 => OutputBuf::copy_of(&output.payload()[known..]),
            _ => output,
        }))
    }

    /// The sink took what there was and has room: the node may be told, when it is worth a frame.
    pub(super) fn took_output(&mut self, hello: &Hello) -> bool {
        let window = u64::from(hello.window_bytes).min(unacknowledged_share(hello.ring_bytes));
        self.taken = self.printed;
        self.ack_due |= self.taken - self.acknowledged >= window / 4;
        self.ack_due
    }

    pub(super) fn learn(&mut self, facts: Facts, now: Instant) {
        let idle = Duration::from_millis(facts.idle_ms);
        self.used_at = now.checked_sub(idle).unwrap_or(now).min(self.used_at);
        self.facts = facts;
    }

    /// For how long it has not been used.
    pub(super) fn idle(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.used_at)
    }

    /// The next frame that is owed to the node.
    pub(super) fn next(&mut self, number: Number) -> Option<Bytes> {
        self.owed(number).map(|frame| frame.encode())
    }

    fn owed(&mut self, number: Number) -> Option<ToNode> {
        if !self.linked {
            return None;
        }
        if self.reporting == Reporting::Asked {
            self.reporting = Reporting::Under;
            return Some(ToNode::Resume { number, from: self.printed });
        }
        if std::mem::take(&mut self.killed) {
            return Some(ToNode::Kill { number });
        }
        if let Some(size) = self.size.take() {
            return Some(ToNode::Resize { number, size });
        }
        if let Some(input) = self.input.next(number) {
            return Some(input);
        }
        // Before what lets the node drop output that follows the checkpoint before.
        if let Some(checkpoint) = self.checkpoint.take() {
            return Some(ToNode::Keep { number, checkpoint });
        }
        let ack_due = std::mem::take(&mut self.ack_due);
        ack_due.then(|| {
            // Not what the sink has got since it is full, or the program would not wait for it.
            self.acknowledged = self.taken;
            ToNode::Ack { number, printed: self.taken }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::remote::frame::{LINK_VERSION, WhenFull};
    use crate::host::remote::tests::pretended::Notes;

    const NUMBER: Number = Number(1);

    const RING_BYTES: usize = 1 << 20;

    /// So much that it is to be acknowledged.
    const MUCH: u64 = 32 << 10;

    fn hello() -> Hello {
        Hello {
            version: LINK_VERSION,
            gateway: "g".to_owned(),
            ring_bytes: RING_BYTES,
            when_full: WhenFull::Wait,
            window_bytes: 4 * MUCH as u32,
        }
    }

    fn terminal() -> RemoteState {
        RemoteState::started(PaneId(1), Generation(1), Arc::new(Notes::default()), Instant::now())
    }

    fn print(terminal: &mut RemoteState, bytes: u64) {
        let output = OutputBuf::copy_of(&vec![b'x'; bytes as usize]);
        let taken = terminal.output(NUMBER, terminal.printed(), output, &hello(), Instant::now());
        assert!(taken.unwrap().is_some());
    }

    #[test]
    fn what_comes_once_the_sink_is_full_is_not_acknowledged_with_what_came_before() {
        let mut terminal = terminal();
        print(&mut terminal, MUCH);
        assert!(terminal.took_output(&hello()));
        // Before anybody got to send it.
        print(&mut terminal, MUCH);
        assert_eq!(terminal.owed(NUMBER), Some(ToNode::Ack { number: NUMBER, printed: MUCH }));
        assert_eq!(terminal.owed(NUMBER), None);
        assert!(terminal.took_output(&hello()), "it has room again");
        assert_eq!(terminal.owed(NUMBER), Some(ToNode::Ack { number: NUMBER, printed: 2 * MUCH }));
    }
}
