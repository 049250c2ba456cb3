//! A real program in a real PTY, over wires that break.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::frame::WhenFull;
use super::super::{PtyService, RemoteHost, Taken};
use super::pair::{defaults, hello, request};
use super::pretended::Notes;
use crate::host::local::LocalHost;
use crate::host::{Exit, Host, Kept};

/// How long anything may take to come about.
const SOON: Duration = Duration::from_secs(20);

async fn eventually(mut holds: impl FnMut() -> bool) {
    let deadline = Instant::now() + SOON;
    while !holds() {
        assert!(Instant::now() < deadline, "waited in vain");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// Carries frames between both ends until `frames` of them came to the gateway. What the node kept.
async fn carry(host: &RemoteHost, service: &PtyService, frames: usize, on_ready: impl Fn(Vec<Kept>)) {
    let (mut gateway_in, mut gateway_out) = host.connect();
    let (mut node_in, mut node_out) = service.connect();
    let mut carried = 0;
    while carried < frames {
        tokio::select! {
            Some(frame) = gateway_out.next() => node_in.take(frame).unwrap(),
            Some(frame) = node_out.next() => {
                carried += 1;
                if let Taken::Ready(kept) = gateway_in.take(frame).unwrap() {
                    on_ready(kept);
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_real_program_prints_and_reads_over_connections_that_break() {
    let host = RemoteHost::new(hello("g", WhenFull::Wait));
    let service = Arc::new(PtyService::new(Arc::new(LocalHost::default()), defaults()));
    let notes = Arc::new(Notes::default());
    let carrying = {
        let (host, service, notes) = (host.clone(), service.clone(), notes.clone());
        tokio::spawn(async move {
            for frames in 20.. {
                let (resuming, notes) = (host.clone(), notes.clone());
                let on_ready = move |kept: Vec<Kept>| {
                    for kept in kept {
                        if let Some(terminal) = resuming.resume(&kept, notes.printed(), notes.clone()) {
                            terminal.start();
                        }
                    }
                };
                carry(&host, &service, frames, on_ready).await;
            }
        })
    };
    let mut ask = request(1, 1);
    let script = "stty -echo; printf ready; read a; printf \"got:$a:\"; seq 1 60000; exit 3";
    ask.command = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let spawned = loop {
        if let Ok(spawned) = host.spawn(ask.clone(), notes.clone()).await {
            break spawned;
        }
        tokio::task::yield_now().await;
    };
    spawned.terminal.start();
    eventually(|| notes.output.lock().unwrap().starts_with(b"ready")).await;
    assert_eq!(spawned.terminal.write(b"answer\r"), 7);
    eventually(|| notes.exit().is_some()).await;
    assert_eq!(notes.exit(), Some(Exit::Code(3)));
    let numbers: String = (1..=60000).map(|number| format!("{number}\r\n")).collect();
    let output = notes.output.lock().unwrap().clone();
    assert_eq!(String::from_utf8(output).unwrap(), format!("readygot:answer:{numbers}"));
    carrying.abort();
    tokio::time::timeout(SOON, service.end()).await.unwrap();
}
