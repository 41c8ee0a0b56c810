//! Deployments by git: `publish --git`, and pushes that run `hooks`.

mod commit;
#[cfg(target_os = "linux")]
mod gitolite;
mod hook;
#[cfg(target_os = "linux")]
mod limit;
mod push;
mod push_budget;
mod smart_http;
