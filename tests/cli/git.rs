//! Deployments by git: `publish --git`, and pushes that run `hooks`.

mod commit;
mod hook;
mod push;
mod smart_http;
