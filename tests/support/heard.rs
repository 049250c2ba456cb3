//! A sink that notes what a terminal's host reports.

use std::sync::Mutex;

use everpane::host::{Exit, HasRoom, Sink, Unwritten};
use everpane::pane::log::OutputBuf;
use everpane::pane::respawn::Generation;

/// See the module.
#[derive(Default)]
pub(crate) struct Heard {
    pub(crate) output: Mutex<Vec<u8>>,
    exit: Mutex<Option<Exit>>,
}

impl Heard {
    pub(crate) fn len(&self) -> usize {
        self.output.lock().unwrap().len()
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.output.lock().unwrap()).into_owned()
    }

    pub(crate) fn exit(&self) -> Option<Exit> {
        self.exit.lock().unwrap().clone()
    }
}

impl Sink for Heard {
    fn output(&self, _: Generation, output: OutputBuf) {
        self.output.lock().unwrap().extend_from_slice(output.payload());
    }

    fn quiet(&self) {}

    fn is_full(&self) -> bool {
        false
    }

    fn has_room(&self) -> HasRoom<'_> {
        Box::pin(async {})
    }

    fn writable(&self, _: Generation) {}

    fn unwritten(&self, _: Generation, _: Unwritten) {}

    fn exited(&self, _: Generation, exit: Exit) {
        *self.exit.lock().unwrap() = Some(exit);
    }
}
