//! Deliveries over HTTP: many at once, each attempt bounded, everything bounded by the deadline.

mod attempt;
mod errors;
mod fan_out;
mod html;
mod pool;
mod proxy;
mod request;
mod tls;

pub(crate) use fan_out::{FanOut, Update};
pub(crate) use pool::is_for_want_of_a_thread;
pub(crate) use request::{Request, build};
pub(crate) use tls::check_ca;
