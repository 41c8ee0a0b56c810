//! `hooks completions`: the stub of a shell, for who installed the binary alone.

use anyhow::Result;

use super::context::Context;
use crate::cli::{Completions, Shell};
use crate::exit::Exit;

pub(super) fn run(context: &Context, arguments: &Completions) -> Result<Exit> {
    let stub = match arguments.shell {
        Shell::Bash => include_str!("../../completions/hooks.bash"),
        Shell::Zsh => include_str!("../../completions/_hooks"),
        Shell::Fish => include_str!("../../completions/hooks.fish"),
    };
    context.output.json(stub.trim_end())?;
    Ok(Exit::Done)
}
