//! Waits, where what is printed and when is up to the test.

use super::*;
use crate::gateway::desk::Refused;
use crate::gateway::panes::Slot;
use crate::protocol::api::{WaitFor, WaitOutcome, WaitRequest};

type Waiting = tokio::task::JoinHandle<Result<WaitOutcome, Refused>>;

fn request(what: WaitFor, since: Option<u64>) -> WaitRequest {
    WaitRequest { what, since, since_prompt: None, timeout_ms: Some(10_000) }
}

impl Stage {
    fn slot(&self) -> Arc<Slot> {
        self.gateway.hub.slot(self.first).unwrap()
    }

    fn onlookers(&self) -> usize {
        self.slot().lock().onlookers.len()
    }

    /// Starts a wait, which looks by the time that this returns.
    async fn wait(&self, request: WaitRequest) -> Waiting {
        let (hub, slot, before) = (self.gateway.hub.clone(), self.slot(), self.onlookers());
        let waiting = tokio::spawn(async move { hub.wait(&slot, request).await });
        eventually(|| self.onlookers() > before).await;
        settle().await;
        waiting
    }
}

#[tokio::test]
async fn what_a_flood_says_once_is_found_though_the_log_holds_little() {
    let stage = Stage::running(settings()).await;
    stage.host.print(0, b"TOKEN was there before\r\n");
    let since = Some(stage.slot().lock().pane.log.head());
    let mut waits = Vec::new();
    for what in [WaitFor::Text("TOKEN 7".to_owned()), WaitFor::Regex("^TOKEN \\d$".to_owned())] {
        for since in [since, None] {
            waits.push(stage.wait(request(what.clone(), since)).await);
        }
    }
    let flood = "x".repeat(1000) + "\r\n";
    for number in 0..2000 {
        stage.host.print(0, flood.as_bytes());
        if number == 1000 {
            stage.host.print(0, b"TOK");
            stage.host.print(0, b"EN 7\r\n");
        }
    }
    for waiting in waits {
        let outcome = waiting.await.unwrap().unwrap();
        assert_eq!((outcome.met, outcome.line.as_deref()), (true, Some("TOKEN 7")));
    }
    assert_eq!(stage.onlookers(), 0);
    stage.host.print(0, flood.as_bytes());
    eventually(|| {
        stage.gateway.hub.keep_up(&stage.slot());
        stage.host.print(0, b".");
        let slot = stage.slot();
        let state = slot.lock();
        state.pane.log.head() - state.pane.log.tail() < 4096
    })
    .await;
}

#[tokio::test]
async fn a_wait_that_is_given_up_leaves_nothing_behind() {
    let stage = Stage::running(settings()).await;
    let waiting = stage.wait(request(WaitFor::Text("never".to_owned()), None)).await;
    assert_eq!(stage.gateway.hub.onlookers.available_permits(), stage.gateway.hub.settings.max_waits - 1);
    waiting.abort();
    assert!(waiting.await.is_err());
    assert_eq!(
        (stage.onlookers(), stage.gateway.hub.onlookers.available_permits()),
        (0, stage.gateway.hub.settings.max_waits)
    );
}

#[tokio::test]
async fn the_end_of_a_program_is_seen_also_if_the_next_one_runs_already() {
    let mut stage = Stage::running(settings()).await;
    let waiting = stage.wait(request(WaitFor::Exit, None)).await;
    let channel = stage.channel(stage.first);
    // Without a turn for the wait in between, as all this is done at once.
    stage.host.end(0);
    assert!(stage.viewer.type_into(channel, b"x"));
    let outcome = waiting.await.unwrap().unwrap();
    assert!(outcome.met);
    stage.starts(2).await;
    let next = stage.wait(request(WaitFor::Exit, None)).await;
    stage.host.come_up(1, usize::MAX);
    eventually(|| stage.live(stage.first)).await;
    settle().await;
    assert!(!next.is_finished(), "the end before counts no more once the next is about to start");
    stage.host.end(1);
    assert!(next.await.unwrap().unwrap().met);
}

#[tokio::test]
async fn a_shutdown_and_a_close_end_waits() {
    let mut stage = Stage::running(settings()).await;
    let other = stage.split(stage.first);
    let waiting = stage.wait(request(WaitFor::Prompt, None)).await;
    stage.close(stage.first);
    assert_eq!(waiting.await.unwrap().unwrap_err().code, "unknown_pane");
    stage.first = other;
    let waiting = stage.wait(request(WaitFor::Prompt, None)).await;
    stage.gateway.hub.shutdown.cancel();
    assert_eq!(waiting.await.unwrap().unwrap_err().code, "shutting_down");
}
