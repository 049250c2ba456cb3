//! A pane's output as it is, into a file or a pipe.

use std::io;

use super::session::End;
use super::stdio::Output;
use crate::cli::signals::Signals;
use crate::client::{Client, Event, Status};
use crate::ids::PaneId;

/// Writes the screen of `pane`, which `client` watches, and then all that it prints, until somebody closes it. Who reads
/// slowly is waited for.
///
/// # Errors
/// When it can't be written.
pub(super) async fn record(client: &Client, pane: PaneId) -> io::Result<End> {
    let mut signals = Signals::listen()?;
    let mut output = Output::new();
    loop {
        let event = tokio::select! {
            signal = signals.first() => return Ok(End::Signal(signal)),
            event = client.next() => event,
        };
        let (offset, bytes) = match event {
            Event::Output { offset, bytes, .. } => (offset + bytes.len() as u64, bytes),
            Event::Restart { offset, bytes, .. } => (offset, bytes),
            Event::Status(Status::Closed(closed)) => return Ok(End::Closed(closed)),
            Event::Layout if !client.layout().has(pane) => return Ok(End::PaneClosed),
            Event::Watching { missed: Some(missed), .. } if missed > 0 => {
                tracing::warn!("{missed} bytes were lost while the gateway was away");
                continue;
            }
            _ => continue,
        };
        output.write(bytes);
        tokio::select! {
            signal = signals.first() => return Ok(End::Signal(signal)),
            written = output.idle() => written?,
        }
        client.consumed(pane, offset);
    }
}
