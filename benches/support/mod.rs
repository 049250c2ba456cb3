//! What the benchmark is made of: the contenders, the viewer that all of them serve, the program that runs
//! inside their PTYs, and the measurements.

pub(crate) mod everpane;
pub(crate) mod line;
pub(crate) mod machine;
pub(crate) mod measure;
pub(crate) mod mix;
pub(crate) mod models;
pub(crate) mod node;
pub(crate) mod process;
pub(crate) mod program;
pub(crate) mod pty;
pub(crate) mod relay;
pub(crate) mod search;
pub(crate) mod server;
pub(crate) mod stats;
pub(crate) mod table;
pub(crate) mod tmux;
pub(crate) mod viewer;
