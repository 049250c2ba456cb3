//! Sessions, tabs and trees of splits: a plain data structure, changed only by [`Op`]s.
