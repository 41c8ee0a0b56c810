//! The template engine, with bounds on what a template can take.

use std::collections::HashSet;
use std::thread;

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use serde_json::value::RawValue;

use super::bounded::Bounded;
use super::syntax::Syntax;
use super::{RenderError, filters};

/// The largest template that is stored and rendered, in bytes.
pub(super) const MAX_TEMPLATE: usize = 64 * 1024;

/// The largest body: a deployment has 1 MiB at most, and escaping can lengthen it.
const MAX_BODY: usize = 4 * 1024 * 1024;

/// Work allowed: an instruction, or 64 bytes of text, is one. The built-in formats take hundreds, and up to a
/// few 100,000 if a deployment of 1 MiB is one long line. All of it takes well under a second.
const FUEL: u64 = 1_000_000;

/// Renders with these names, and makes sure that JSON came out where JSON is wanted.
pub(super) fn render(source: &str, syntax: Syntax, names: Value) -> Result<String, RenderError> {
    check_size(source)?;
    let mut body = Bounded::new(MAX_BODY);
    on_deep_stack(source, refused, || {
        let environment = environment(syntax);
        let template = environment.template_from_named_str("template", source)?;
        template.render_captured_to(names, &mut body)?;
        Ok(())
    })?;
    // The engine writes nothing but text.
    let body = String::from_utf8(body.into_bytes()).unwrap_or_default();
    if syntax == Syntax::Json {
        serde_json::from_str::<&RawValue>(&body).map_err(|error| {
            let hint = "values bring their own quotes: {\"text\": {{ message }}}; for a form or plain text \
                 also give --header 'Content-Type: …'";
            let reason = format!("the template yields no JSON: {error} of its output");
            RenderError { hint: Some(hint.to_owned()), ..RenderError::because(reason) }
        })?;
    }
    Ok(body)
}

/// The names that a template uses, attributes included: `status`, `deployment.status`.
pub(super) fn names(source: &str) -> Result<HashSet<String>, RenderError> {
    check_size(source)?;
    on_deep_stack(source, refused, || {
        let environment = environment(Syntax::Json);
        let template = environment.template_from_named_str("template", source)?;
        Ok(template.undeclared_variables(true))
    })
}

fn check_size(source: &str) -> Result<(), RenderError> {
    if source.len() <= MAX_TEMPLATE {
        return Ok(());
    }
    let size = source.len();
    let reason = format!("the template has {size} bytes, more than the {MAX_TEMPLATE} allowed");
    Err(RenderError::because(reason))
}

fn refused(error: &minijinja::Error) -> RenderError {
    // Only Bounded fails to be written to.
    if error.kind() == ErrorKind::WriteFailure {
        return RenderError::because("the template yields more than 4 MiB");
    }
    let place = error.line().map(|line| format!(" in line {line}")).unwrap_or_default();
    RenderError::from_engine(&format!("the template fails{place}: "), error)
}

fn environment(syntax: Syntax) -> Environment<'static> {
    let mut environment = bounded_environment(FUEL);
    environment.set_auto_escape_callback(move |_| syntax.escaping());
    environment.set_formatter(move |out, state, value| syntax.write(out, state, value));
    // In a loop it could nest a list deeper than any stack.
    environment.remove_global("namespace");
    // It shows the engine's own notation of all there is.
    environment.remove_global("debug");
    filters::register(&mut environment);
    environment
}

/// What templates and conditions have in common.
pub(super) fn bounded_environment(fuel: u64) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(fuel));
    // Null and missing are the same here.
    environment.add_test("none", |value: &Value| value.is_none() || value.is_undefined());
    environment
}

/// The stack, in bytes, that a source of this length may need: the engine walks what it has parsed by recursion.
/// A byte can open one level at most, as each operator of `1+1+1…` does, and a level needs less than 1 KiB:
/// 64 KiB of these overflow an ordinary stack.
pub(super) fn stack_size(length: usize) -> usize {
    2 * 1024 * 1024 + 4 * 1024 * length
}

/// Does this work on a stack that is deep enough for this source; `refused` words the engine's error.
pub(super) fn on_deep_stack<T: Send>(
    source: &str,
    refused: fn(&minijinja::Error) -> RenderError,
    work: impl FnOnce() -> Result<T, minijinja::Error> + Send,
) -> Result<T, RenderError> {
    let done = thread::scope(|scope| {
        let worker = thread::Builder::new().stack_size(stack_size(source.len()));
        worker.spawn_scoped(scope, work).ok()?.join().ok()
    });
    let Some(done) = done else {
        return Err(RenderError::because("the system gives no thread to work in"));
    };
    done.map_err(|error| refused(&error))
}
