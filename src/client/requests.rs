//! Requests that wait for their answers.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::ids::{PaneId, SessionId, TabId};
use crate::protocol::server::ErrorMessage;

/// How many requests may wait: the gateway reads no more of a client that does not take its answers.
const MAX_WAITING: usize = 64;

/// What a request made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Made {
    /// A session.
    pub session: Option<SessionId>,
    /// A tab.
    pub tab: Option<TabId>,
    /// A pane.
    pub pane: Option<PaneId>,
}

/// Why a request was not done.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum RequestError {
    /// The gateway says why.
    #[error("{}", .0.message)]
    Refused(ErrorMessage),
    /// There is no connection, or it broke: what was asked may have been done all the same.
    #[error("there is no connection to the gateway")]
    Disconnected,
    /// Too many requests are not answered yet.
    #[error("too many requests are not answered yet")]
    TooMany,
}

/// Where an answer goes.
pub(super) type Answer = oneshot::Sender<Result<Made, RequestError>>;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Requests {
    waiting: BTreeMap<u64, Answer>,
    last: u64,
}

impl Requests {
    /// A number for a request whose answer goes to `answer`; none if there are too many.
    pub(super) fn add(&mut self, answer: Answer) -> Option<u64> {
        if self.waiting.len() >= MAX_WAITING {
            // Who does not wait any more does not hear it.
            let _ = answer.send(Err(RequestError::TooMany));
            return None;
        }
        self.last += 1;
        self.waiting.insert(self.last, answer);
        Some(self.last)
    }

    /// The gateway answered. Whether somebody waited for that.
    pub(super) fn answer(&mut self, number: u64, outcome: Result<Made, ErrorMessage>) -> bool {
        let Some(answer) = self.waiting.remove(&number) else { return false };
        let _ = answer.send(outcome.map_err(RequestError::Refused));
        true
    }

    /// The connection is gone, and with it all answers.
    pub(super) fn disconnected(&mut self) {
        for (_, answer) in std::mem::take(&mut self.waiting) {
            let _ = answer.send(Err(RequestError::Disconnected));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_request_gets_one_answer() {
        let mut requests = Requests::default();
        let (first, mut first_rx) = oneshot::channel();
        let (second, mut second_rx) = oneshot::channel();
        let number = requests.add(first).unwrap();
        requests.add(second).unwrap();
        let made = Made { pane: Some(PaneId(1)), ..Made::default() };
        assert!(requests.answer(number, Ok(made)) && !requests.answer(number, Ok(made)));
        assert_eq!(first_rx.try_recv(), Ok(Ok(made)));
        requests.disconnected();
        assert_eq!(second_rx.try_recv(), Ok(Err(RequestError::Disconnected)));
    }

    #[test]
    fn too_many_are_refused() {
        let mut requests = Requests::default();
        let mut answers = Vec::new();
        for _ in 0..MAX_WAITING {
            let (answer, answer_rx) = oneshot::channel();
            requests.add(answer).unwrap();
            answers.push(answer_rx);
        }
        let (answer, mut answer_rx) = oneshot::channel();
        assert_eq!(requests.add(answer), None);
        assert_eq!(answer_rx.try_recv(), Ok(Err(RequestError::TooMany)));
    }
}
