//! Tests of the pane as a whole, against a terminal that is only pretended.
