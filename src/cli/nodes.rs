//! `everpane nodes`: asks a gateway which nodes it has.

use std::io::{self, IsTerminal};
use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use tokio::time::{Instant, timeout_at};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::http::{HeaderValue, Uri};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::COMMON;
use super::api::Api;
use super::failure::{Failure, Kind};
use super::reach::{Destination, Reach};
use super::roster_table::table;
use super::verb::{self, Manner};
use crate::client::dialling::{DialError, Socket, dial};
use crate::clock::Moment;
use crate::config::Token;
use crate::protocol::node::{NodeEvent, NodeRecord};

/// How long the gateway may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// How old what is shown may be while nothing happens.
const REFRESH_EVERY: Duration = Duration::from_secs(5);

const EXAMPLES: &str = "\
Examples:
  everpane nodes
      The nodes of the gateway on this machine.
  everpane nodes --watch --gateway http://box.lan:7433
      Those of another one, again after each change. Its token is taken from EVERPANE_TOKEN.
  everpane nodes --json --watch
      What happens, as one JSON object per line; the first has all nodes.";

/// What `nodes` can be told.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Args {
    /// Go on until ctrl-c, and show every change
    #[arg(long)]
    watch: bool,
    #[command(flatten)]
    reach: Reach,
    /// Print JSON
    #[arg(long, help_heading = COMMON, display_order = 899)]
    json: bool,
}

/// Prints what is asked for.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let shown = match args.watch {
        true => watch_all(args),
        false => list(args),
    };
    shown.map_err(|failure| failure.in_json(args.json))
}

/// Asks once, as a token for one session may, too.
fn list(args: &Args) -> Result<(), Failure> {
    let nodes: Vec<NodeRecord> = Api::new(args.reach.find()?).get("/nodes")?;
    let manner = Manner { json: args.json, quiet: true };
    manner.show(&nodes, |nodes| table(nodes, now())).map(drop)
}

fn watch_all(args: &Args) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    Ok(runtime.context("cannot start a runtime").and_then(|runtime| runtime.block_on(follow(args)))?)
}

async fn follow(args: &Args) -> anyhow::Result<()> {
    let mut gateway = Connection::open(&args.reach.find()?).await?;
    let first = gateway.next(Instant::now() + ANSWER_WITHIN).await?.context("the gateway says nothing")?;
    let NodeEvent::Init { .. } = serde_json::from_str(&first).context("that is no gateway's answer")? else {
        bail!("that is no gateway's first message");
    };
    match args.json {
        true => watch_json(&mut gateway, first).await,
        false => watch(&mut gateway).await,
    }
}

async fn watch_json(gateway: &mut Connection, first: String) -> anyhow::Result<()> {
    print(&format!("{first}\n"))?;
    loop {
        if let Some(event) = gateway.next(Instant::now() + REFRESH_EVERY).await? {
            print(&format!("{event}\n"))?;
        }
    }
}

async fn watch(gateway: &mut Connection) -> anyhow::Result<()> {
    // On a terminal the old table gives way to the new one; in a file they follow each other.
    let before = if io::stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "\n" };
    let mut nodes = gateway.nodes().await?;
    print(&table(&nodes, now()))?;
    loop {
        let refresh = Instant::now() + REFRESH_EVERY;
        gateway.next(refresh).await?;
        let newer = gateway.nodes().await?;
        if newer != nodes || io::stdout().is_terminal() {
            print(&format!("{before}{}", table(&newer, now())))?;
        }
        nodes = newer;
    }
}

fn now() -> u64 {
    Moment::now().unix_ms / 1000
}

fn print(text: &str) -> anyhow::Result<()> {
    Ok(verb::print(text.as_bytes())?)
}

// The gateway.

struct Connection {
    socket: Socket,
    /// The id of the newest request.
    last_id: u64,
}

impl Connection {
    async fn open(gateway: &Destination) -> Result<Connection, Failure> {
        let url: Uri = gateway.websocket("/ws").parse().map_err(anyhow::Error::from)?;
        let header = |token: &Token| HeaderValue::from_str(&format!("Bearer {}", token.secret()));
        let token = gateway.token.as_ref().map(header).transpose().context("the token")?;
        match dial(&url, token.as_ref(), WebSocketConfig::default(), ANSWER_WITHIN).await {
            Ok(socket) => Ok(Connection { socket, last_id: 0 }),
            Err(DialError::Unauthorized) => Err(Failure::new(
                Kind::Refused,
                format!("the gateway at {url} wants a token: set EVERPANE_TOKEN, or give --token"),
            )),
            Err(error @ DialError::Refused(_)) => {
                Err(Failure::new(Kind::Refused, format!("the gateway at {url}: {error}"))
                    .hint("to watch takes the gateway's own token; `everpane nodes` takes a session's, too"))
            }
            Err(DialError::Silent) => {
                Err(Failure::new(Kind::Unreachable, format!("the gateway at {url} does not answer")))
            }
            Err(error) => {
                Err(Failure::new(Kind::Unreachable, format!("cannot reach the gateway at {url}: {error}")))
            }
        }
    }

    /// The next message; none if there is none before `deadline`.
    async fn next(&mut self, deadline: Instant) -> anyhow::Result<Option<String>> {
        loop {
            let Ok(message) = timeout_at(deadline, self.socket.next()).await else { return Ok(None) };
            match message.context("the gateway is gone")?.context("the connection to the gateway broke")? {
                Message::Text(text) => return Ok(Some(text.as_str().to_owned())),
                Message::Close(frame) => {
                    let why = frame.map(|frame| format!(": {} ({})", frame.reason, frame.code));
                    bail!("the gateway closed the connection{}", why.unwrap_or_default());
                }
                _ => {}
            }
        }
    }

    /// All nodes, as they are now.
    async fn nodes(&mut self) -> anyhow::Result<Vec<NodeRecord>> {
        #[derive(serde::Deserialize)]
        struct Answer {
            #[serde(default)]
            id: Option<u64>,
            #[serde(default)]
            result: Vec<NodeRecord>,
        }
        self.last_id += 1;
        let request = format!(r#"{{"id":{},"method":"list_nodes"}}"#, self.last_id);
        self.socket.send(Message::text(request)).await.context("the connection to the gateway broke")?;
        let deadline = Instant::now() + ANSWER_WITHIN;
        loop {
            let message = self.next(deadline).await?.context("the gateway does not answer")?;
            // Events may come before the answer, which is newer than they are.
            match serde_json::from_str(&message) {
                Ok(Answer { id: Some(id), result }) if id == self.last_id => return Ok(result),
                _ => {}
            }
        }
    }
}
