//! What whoever runs the server meets.
