//! What people trust the tool with: secrets, signatures, certificates, proxies and files that others may touch.

mod arguments;
#[cfg(target_os = "linux")]
mod attributes;
mod escaping;
#[cfg(target_os = "linux")]
mod files;
mod leaks;
#[cfg(target_os = "linux")]
mod lost_locks;
mod masking;
#[cfg(unix)]
mod modes;
#[cfg(unix)]
mod proxies;
mod receivers;
#[cfg(target_os = "linux")]
mod shared_files;
mod signatures;
mod tls;
