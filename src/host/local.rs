//! The host inside the gateway's own process: its programs end with the gateway.

use std::sync::Arc;

use tokio::sync::{Notify, Semaphore};

use super::ending::{end, end_leftovers};
use super::reading::{Output, Reader, attend, floods};
use super::start::{Started, start};
use super::terminal::PtyTerminal;
use super::{Host, Sink, SpawnRequest, Spawned, Spawning};

/// See the module.
#[derive(Debug)]
pub struct LocalHost {
    /// How many more programs may be read on threads of their own.
    floods: Arc<Semaphore>,
}

impl Default for LocalHost {
    fn default() -> LocalHost {
        LocalHost { floods: floods() }
    }
}

impl Host for LocalHost {
    fn spawn(&self, request: SpawnRequest, sink: Arc<dyn Sink>) -> Spawning {
        let floods = self.floods.clone();
        Box::pin(async move {
            let output = Output { sink, generation: request.generation };
            let Started { master, program, note } = start(request).await?;
            let killed = Arc::new(Notify::new());
            let terminal = PtyTerminal::new(master.clone(), program.pid(), None, Box::new(killed.clone()));
            let watched = terminal.clone();
            tokio::spawn(async move {
                let mut program = program;
                let ended = end(&mut program, &master, &killed);
                // Once it is over nothing more is reported; what reports holds the pane.
                attend(watched, Reader::new(), output, floods, ended).await;
                end_leftovers(program.pid()).await;
            });
            Ok(Spawned { terminal, note })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::time::{Instant, sleep};

    use super::*;
    use crate::geometry::Size;
    use crate::host::{Exit, HasRoom, Terminal, Unwritten};
    use crate::ids::PaneId;
    use crate::pane::log::OutputBuf;
    use crate::pane::respawn::Generation;

    /// How long anything may take to come about, on a busy machine.
    const SOON: Duration = Duration::from_secs(20);

    #[derive(Default)]
    struct Notes {
        printed: AtomicUsize,
        exit: Mutex<Option<Exit>>,
        /// How long output keeps its reader.
        slowness: Duration,
        full: AtomicBool,
    }

    impl Sink for Notes {
        fn output(&self, _: Generation, output: OutputBuf) {
            self.printed.fetch_add(output.payload().len(), Ordering::Relaxed);
            std::thread::sleep(self.slowness);
        }

        fn quiet(&self) {}

        fn is_full(&self) -> bool {
            self.full.load(Ordering::Relaxed)
        }

        fn has_room(&self) -> HasRoom<'_> {
            Box::pin(async {
                while self.is_full() {
                    tokio::task::yield_now().await;
                }
            })
        }

        fn writable(&self, _: Generation) {}

        fn unwritten(&self, _: Generation, _: Unwritten) {}

        fn exited(&self, _: Generation, exit: Exit) {
            *self.exit.lock().unwrap() = Some(exit);
        }
    }

    async fn until(mut holds: impl FnMut() -> bool) {
        let deadline = Instant::now() + SOON;
        while !holds() {
            assert!(Instant::now() < deadline, "waited in vain");
            sleep(Duration::from_millis(10)).await;
        }
    }

    async fn run(host: &LocalHost, script: &str, slowness: Duration) -> (Arc<dyn Terminal>, Arc<Notes>) {
        let notes = Arc::new(Notes { slowness, ..Notes::default() });
        let request = SpawnRequest {
            pane: PaneId(1),
            generation: Generation(1),
            command: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            cwd: "/".into(),
            environment: vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())],
            size: Size::DEFAULT,
        };
        let terminal = host.spawn(request, notes.clone()).await.unwrap().terminal;
        terminal.start();
        (terminal, notes)
    }

    async fn eventually(mut condition: impl FnMut() -> bool) {
        let waiting = async {
            while !condition() {
                sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(SOON, waiting).await.unwrap();
    }

    #[tokio::test]
    async fn an_end_is_reported_while_others_print_on_and_no_thread_is_left_to_read_them() {
        let host = LocalHost { floods: Arc::new(Semaphore::new(0)) };
        // It prints faster than it is read, so there is always more.
        let script = "(trap '' HUP; exec yes) & sleep 0.1; exit 4";
        let (_, notes) = run(&host, script, Duration::from_millis(3)).await;
        eventually(|| *notes.exit.lock().unwrap() == Some(Exit::Code(4))).await;
    }

    #[test]
    fn a_flood_does_not_hold_up_the_end_of_its_runtime() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_, notes) = run(&LocalHost::default(), "exec yes", Duration::ZERO).await;
            eventually(|| notes.printed.load(Ordering::Relaxed) > 16 << 20).await;
        });
        let (ended_tx, ended) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            drop(runtime);
            ended_tx.send(())
        });
        ended.recv_timeout(SOON).unwrap();
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_program_waits_while_its_sink_is_full_and_ends_all_the_same() {
        let host = LocalHost::default();
        let (terminal, notes) = run(&host, "echo start; exec yes", Duration::ZERO).await;
        until(|| notes.printed.load(Ordering::Relaxed) > 1 << 20).await;
        notes.full.store(true, Ordering::Relaxed);
        // What was being reported still comes.
        let printed = || notes.printed.load(Ordering::Relaxed);
        let (mut before, mut unchanged) = (0, 0);
        until(|| {
            unchanged = if before == printed() { unchanged + 1 } else { 0 };
            before = printed();
            unchanged == 10
        })
        .await;
        notes.full.store(false, Ordering::Relaxed);
        until(|| printed() > before + (1 << 20)).await;
        notes.full.store(true, Ordering::Relaxed);
        terminal.kill();
        until(|| notes.exit.lock().unwrap().is_some()).await;
    }
}
