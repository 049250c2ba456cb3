//! Offers, loans and returns, in virtual time.

use super::*;

#[test]
fn what_comes_back_unused_is_offered_less_and_less_often() {
    let mut lending = Lending::new();
    let mut now = Instant::now();
    let mut rests = Vec::new();
    for was_of_use in [false, false, false, false, false, false, false, true, false] {
        assert!(lending.may_be_offered(now));
        lending.offered(true, now);
        assert!(!lending.may_be_offered(now) && !lending.is_home() && !lending.is_lent());
        lending.lent();
        assert!(lending.is_lent());
        lending.returned(was_of_use, now);
        let begun = now;
        while !lending.may_be_offered(now) {
            now += Duration::from_millis(10);
        }
        rests.push((now - begun).as_millis());
    }
    assert_eq!(rests, [100, 200, 400, 800, 1600, 3000, 3000, 50, 100]);
}

#[test]
fn it_is_asked_for_once_and_a_late_word_takes_nothing() {
    let now = Instant::now();
    let mut lending = Lending::new();
    assert!(!lending.want_back(), "it is here");
    lending.offered(true, now);
    assert!(lending.want_back() && !lending.want_back());
    lending.returned(true, now);
    lending.lent();
    assert!(lending.is_home(), "of an offer that is over");
    lending.offered(true, now);
    assert!(lending.want_back(), "asked for anew each time");
}

#[test]
fn where_it_is_of_no_use_it_stays() {
    let now = Instant::now();
    let mut lending = Lending::new();
    lending.offered(false, now);
    assert!(lending.is_home() && !lending.may_be_offered(now));
    assert!(lending.may_be_offered(now + LONGEST_REST));
}

#[test]
fn output_that_crosses_an_offer_keeps_it_here() {
    let now = Instant::now();
    let mut lending = Lending::new();
    assert!(!lending.kept(), "nothing is offered");
    lending.offered(true, now);
    assert!(lending.kept() && lending.is_home() && !lending.may_be_offered(now), "the answer is under way");
    assert!(!lending.kept() && !lending.want_back());
    lending.returned(false, now);
    lending.offered(true, now + LONGEST_REST);
    lending.lent();
    assert!(!lending.kept() && lending.is_lent(), "what comes now is there");
}

#[test]
fn keys_that_nobody_reads_bring_it_back() {
    let now = Instant::now();
    let mut lending = Lending::new();
    assert_eq!(
        [lending.look(true), lending.look(true), lending.look(true)],
        [Look::Wait; 3],
        "they are ours"
    );
    lending.offered(true, now);
    lending.lent();
    assert_eq!(
        [lending.look(true), lending.look(false), lending.look(true)],
        [Look::Wait; 3],
        "they are read"
    );
    assert_eq!([lending.look(true), lending.look(true)], [Look::WantBack, Look::GiveUp]);
    lending.returned(false, now);
    assert_eq!(lending.look(true), Look::Wait);
}
