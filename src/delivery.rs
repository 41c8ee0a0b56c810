//! Deliveries over HTTP: many at once, each attempt bounded, everything bounded by the deadline.

mod attempt;
mod connection;
mod errors;
mod fan_out;
mod html;
mod pool;
mod proxy;
mod request;

pub(crate) use connection::check_ca;
pub(crate) use fan_out::{FanOut, Update};
pub(crate) use request::{Request, build};
