//! What comes from Kudu: its events, the statuses of its deployments, and their keys.

/// The events that Kudu publishes.
pub(crate) const EVENTS: [&str; 2] = ["PostDeployment", "TriggeredJobFinished"];

/// The statuses of a deployment.
pub(crate) const STATUSES: [&str; 5] = ["pending", "building", "deploying", "failed", "success"];

/// The keys of a deployment that a chat message shows in its own way.
pub(crate) const KEYS: [&str; 8] =
    ["id", "status", "author_email", "author", "message", "deployer", "start_time", "end_time"];

/// The status of a delivery that got no response (Kudu's `last_status`).
pub(crate) const FAILURE: &str = "Failure";
