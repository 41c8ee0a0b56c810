//! The way to a receiver: addresses, proxies, TLS, and what is heard when a connection ends early.

mod addresses;
mod early_answers;
mod writes;
