//! `everpane attach`: what is in a gateway, on this terminal.

use super::failure::Failure;
use super::layout;
use super::reach::Reach;

/// What `attach` can be told.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The session to show: its name or id [default: what the other viewers look at]
    session: Option<String>,
    /// Only look: nothing is typed, and nothing changed
    #[arg(long)]
    read_only: bool,
    /// Have no say in the sizes of panes
    #[arg(long)]
    no_resize: bool,
    #[command(flatten)]
    layout: layout::Args,
    #[command(flatten)]
    reach: Reach,
}

/// Attaches until somebody leaves.
pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let wishes = layout::Wishes {
        session: args.session.clone(),
        read_only: args.read_only,
        no_resize: args.no_resize,
    };
    layout::run(&args.layout, &wishes, &args.reach)
}
