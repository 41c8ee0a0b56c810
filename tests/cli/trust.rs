//! What people trust the tool with: secrets, signatures, certificates and proxies.

mod arguments;
mod escaping;
mod leaks;
mod masking;
#[cfg(unix)]
mod modes;
#[cfg(unix)]
mod proxies;
mod receivers;
mod signatures;
mod tls;
