//! Shells of this machine under gateways that are killed at any moment: no line is missing, doubled or torn.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod support;

use std::time::{Duration, Instant};

use support::counter::{Counter, FLOOD, counting};
use support::stage::Stage;

/// The first pane counts slowly, the second as fast as it can.
fn script() -> String {
    format!("if mkdir first 2>/dev/null; then\n{}\nelse\n{FLOOD}\nfi", counting("0.01"))
}

#[test]
fn no_line_is_lost_or_doubled_over_twenty_kills_of_the_gateway() {
    let mut stage = Stage::with_script(&script());
    let mut panes = ["slow", "fast"].map(|_| Counter::open(&stage.gateway, "local"));
    let shells = panes.each_mut().map(|pane| pane.key("first"));
    for kill in 0..20_u64 {
        // From at once to a while.
        let lasts = Duration::from_millis(kill * 7919 % 120);
        let end = Instant::now() + lasts;
        panes.iter_mut().for_each(|pane| pane.read_until(end));
        stage.crash_gateway();
        stage.start_again();
        let [slow, fast] = &mut panes;
        slow.come_back(&stage.gateway);
        fast.come_back(&stage.gateway);
    }
    for (pane, shell) in panes.iter_mut().zip(shells) {
        pane.until_more(50);
        assert_eq!(pane.key("last"), shell);
    }
    assert_eq!(stage.shells().len(), 2);
}
