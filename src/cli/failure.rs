//! What goes wrong in a command: a sentence for people, what to do about it, and an exit code that scripts can rely on.

use std::fmt;
use std::io::{self, Write};

use crate::config::{ConfigError, TokenError};
use crate::protocol::api::ProblemDetails;

/// What kind of failure it is; each has an exit code of its own. docs/cli.md lists them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Anything else.
    Other,
    /// The command line, or the config file, asks for what cannot be.
    Usage,
    /// There is no such session, tab, pane, viewer or node.
    NotFound,
    /// The gateway does not do it, or not for us.
    Refused,
    /// The time was up.
    TimedOut,
    /// No gateway answers.
    Unreachable,
    /// Nobody reads what we print any more: no failure of ours, and nobody to tell.
    Unheard,
}

impl Kind {
    /// The exit code.
    pub(super) fn code(self) -> u8 {
        match self {
            Kind::Unheard => 0,
            Kind::Other => 1,
            Kind::Usage => 2,
            Kind::NotFound => 3,
            Kind::Refused => 4,
            Kind::TimedOut => 5,
            Kind::Unreachable => 6,
        }
    }

    /// The word for it where the gateway gave none.
    fn word(self) -> &'static str {
        match self {
            Kind::Other | Kind::Unheard => "failed",
            Kind::Usage => "usage",
            Kind::NotFound => "not_found",
            Kind::Refused => "refused",
            Kind::TimedOut => "timed_out",
            Kind::Unreachable => "unreachable",
        }
    }

    /// What a refusal of the gateway with this HTTP status is.
    fn of_status(status: u16) -> Kind {
        match status {
            400 | 405 | 415 | 422 => Kind::Usage,
            404 | 410 => Kind::NotFound,
            408 | 504 => Kind::TimedOut,
            401 | 403 | 409 | 413 | 421 | 423 | 429 | 503 => Kind::Refused,
            _ => Kind::Other,
        }
    }
}

/// Why a command did not do what it was asked to.
#[derive(Debug)]
pub(super) struct Failure {
    /// What kind it is.
    pub(super) kind: Kind,
    /// What went wrong, in a sentence.
    pub(super) message: String,
    /// What to do about it.
    pub(super) hint: Option<String>,
    /// What the gateway said, where it refused.
    problem: Option<Box<ProblemDetails>>,
    /// The exit code in place of the kind's.
    code: Option<u8>,
    /// Whether it is told in JSON.
    json: bool,
}

impl Failure {
    /// One of that kind.
    pub(super) fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, problem: None, code: None, json: false }
    }

    /// With what to do about it.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With an exit code in place of the kind's: of a command that passes on the codes of another.
    pub(super) fn exiting(mut self, code: u8) -> Self {
        self.code = Some(code);
        self
    }

    /// Told in JSON, or in words.
    pub(super) fn in_json(mut self, json: bool) -> Self {
        self.json = json;
        self
    }

    /// The exit code.
    pub(super) fn code(&self) -> u8 {
        self.code.filter(|_| self.kind != Kind::Unheard).unwrap_or(self.kind.code())
    }

    /// Tells it on stderr. Nobody listening there is no reason to fail otherwise.
    pub(super) fn tell(&self) {
        if self.kind != Kind::Unheard {
            let _ = io::stderr().lock().write_all(self.text().as_bytes());
        }
    }

    fn text(&self) -> String {
        match (serde_json::to_string(&self.details()), &self.hint) {
            (Ok(json), _) if self.json => format!("{json}\n"),
            (_, Some(hint)) => format!("everpane: {}\nhint: {}\n", one_line(&self.message), one_line(hint)),
            (_, None) => format!("everpane: {}\n", one_line(&self.message)),
        }
    }

    /// As problem details: the gateway's, or of the same shape. What never was an answer has status 0.
    fn details(&self) -> ProblemDetails {
        let code = self.kind.word();
        match &self.problem {
            Some(problem) => (**problem).clone(),
            None => ProblemDetails {
                kind: format!("about:blank#{code}"),
                status: 0,
                title: one_line(&self.message),
                code: code.to_owned(),
                message: one_line(&self.message),
                hint: self.hint.clone(),
                field: None,
            },
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Failure {}

impl From<ProblemDetails> for Failure {
    fn from(problem: ProblemDetails) -> Self {
        let mut failure = Failure::new(Kind::of_status(problem.status), problem.message.clone());
        failure.hint = problem.hint.as_deref().map(in_commands).or_else(|| match problem.status {
            401 => Some("give the gateway's token with EVERPANE_TOKEN or --token".to_owned()),
            _ => None,
        });
        failure.problem = Some(Box::new(problem));
        failure
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        error.downcast::<Failure>().unwrap_or_else(|error| match error.downcast_ref::<io::Error>() {
            Some(broken) if broken.kind() == io::ErrorKind::BrokenPipe => unheard(),
            _ => Failure::new(Kind::Other, format!("{error:#}")),
        })
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let file = match &error {
            ConfigError::Invalid { file, .. } | ConfigError::UnknownKey { file, .. } => Some(file.clone()),
            _ => None,
        };
        let mut failure = Failure::new(Kind::Usage, format!("{:#}", anyhow::Error::new(error)));
        failure.hint =
            file.map(|file| format!("`everpane config check {}` shows all that is wrong", file.display()));
        failure
    }
}

impl From<TokenError> for Failure {
    fn from(error: TokenError) -> Self {
        Failure::new(Kind::Usage, error.to_string())
    }
}

/// Failing to print: to a pipe that nobody reads any more, as `head` leaves it, is none.
impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => unheard(),
            _ => Failure::new(Kind::Other, error.to_string()),
        }
    }
}

/// A hint of the gateway, which names what its API takes, for who typed a command and wants to know another.
fn in_commands(hint: &str) -> String {
    const KNOWN: [(&str, &str); 5] = [
        ("GET /api/v1/sessions", "`everpane ls`"),
        ("POST /api/v1/sessions", "`everpane new`"),
        ("GET /api/v1/nodes", "`everpane nodes`"),
        ("GET /api/v1/viewers", "`everpane viewers`"),
        ("`ifIdle`", "`--if-idle`"),
    ];
    let respawn = hint.split_once("POST /api/v1/panes/").and_then(|(before, rest)| {
        let (pane, after) = rest.split_once("/respawn")?;
        Some(format!("{before}`everpane respawn {pane}`{after}"))
    });
    let known = || KNOWN.iter().fold(hint.to_owned(), |hint, (asked, typed)| hint.replace(asked, typed));
    respawn.unwrap_or_else(known)
}

fn unheard() -> Failure {
    Failure::new(Kind::Unheard, "nobody reads this")
}

/// One line whatever the causes hold, for whoever reads it in a log; and nothing that a terminal would obey.
fn one_line(text: &str) -> String {
    let text: String = text.chars().map(|char| if char.is_control() { ' ' } else { char }).collect();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(status: u16) -> ProblemDetails {
        ProblemDetails {
            kind: "about:blank#unknown_pane".to_owned(),
            status,
            title: "There is no pane p9.".to_owned(),
            code: "unknown_pane".to_owned(),
            message: "There is no pane p9.".to_owned(),
            hint: None,
            field: Some("pane".to_owned()),
        }
    }

    #[test]
    fn each_refusal_has_its_exit_code() {
        let cases = [
            (400, 2),
            (401, 4),
            (403, 4),
            (404, 3),
            (409, 4),
            (422, 2),
            (429, 4),
            (500, 1),
            (503, 4),
            (504, 5),
        ];
        for (status, code) in cases {
            assert_eq!(Failure::from(problem(status)).code(), code, "{status}");
        }
        assert_eq!(Failure::new(Kind::Unreachable, "away").code(), 6);
        assert_eq!(Failure::new(Kind::Unreachable, "away").exiting(125).code(), 125);
    }

    #[test]
    fn what_is_wrong_is_a_line_and_what_to_do_another() {
        let failure = Failure::new(Kind::Other, "it\nbroke\x1b[2J").hint("mend it");
        assert_eq!(failure.text(), "everpane: it broke [2J\nhint: mend it\n");
        assert_eq!(Failure::new(Kind::Other, "it broke").text(), "everpane: it broke\n");
    }

    #[test]
    fn in_json_it_is_problem_details_whoever_refuses() {
        let theirs: ProblemDetails =
            serde_json::from_str(&Failure::from(problem(404)).in_json(true).text()).unwrap();
        assert_eq!(theirs, problem(404));
        let ours = Failure::new(Kind::TimedOut, "too late").hint("wait longer").in_json(true);
        let ours: ProblemDetails = serde_json::from_str(&ours.text()).unwrap();
        assert_eq!(
            (ours.code.as_str(), ours.status, ours.hint.as_deref()),
            ("timed_out", 0, Some("wait longer"))
        );
    }

    #[test]
    fn a_hint_is_of_the_kind_that_was_asked_for() {
        let hinted =
            |hint: &str| Failure::from(ProblemDetails { hint: Some(hint.to_owned()), ..problem(409) });
        let respawn = hinted("start it with POST /api/v1/panes/p9/respawn");
        assert_eq!(respawn.hint.as_deref(), Some("start it with `everpane respawn p9`"));
        assert!(respawn.in_json(true).text().contains("POST /api/v1/panes/p9/respawn"), "a program can");
        assert_eq!(
            hinted("GET /api/v1/nodes lists them").hint.as_deref(),
            Some("`everpane nodes` lists them")
        );
        assert_eq!(hinted("name it by its id").hint.as_deref(), Some("name it by its id"));
    }

    #[test]
    fn a_failure_keeps_its_kind_on_its_way_up() {
        let up: anyhow::Error = Failure::new(Kind::NotFound, "no").into();
        assert_eq!(Failure::from(up).kind, Kind::NotFound);
        assert_eq!(Failure::from(anyhow::anyhow!("a").context("b")).message, "b: a");
    }

    #[test]
    fn of_a_config_file_the_rest_that_is_wrong_is_a_command_away() {
        let line = 3;
        let wrong = ConfigError::Invalid { file: "a.toml".into(), line, message: "no".to_owned() };
        let hint = Failure::from(wrong).hint.unwrap();
        assert_eq!(hint, "`everpane config check a.toml` shows all that is wrong");
        let missing =
            ConfigError::Unreadable { file: "a.toml".into(), source: io::ErrorKind::NotFound.into() };
        assert_eq!(Failure::from(missing).hint, None, "a file that is not there has nothing wrong in it");
    }

    #[test]
    fn a_pipe_that_nobody_reads_is_no_failure() {
        let failure = Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)).exiting(125);
        assert_eq!(failure.code(), 0);
        assert_eq!(Failure::from(io::Error::from(io::ErrorKind::StorageFull)).code(), 1);
    }
}
