//! Signatures, and what must not be seen: secrets in a text, control characters on a terminal.

pub(crate) mod escape;
pub(crate) mod redact;
pub(crate) mod signature;
