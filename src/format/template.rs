//! The template engine, with bounds on what a template can take.

use std::collections::{BTreeMap, HashSet};

use minijinja::{Environment, ErrorKind, UndefinedBehavior, Value};
use serde_json::value::RawValue;

use super::bounded::Bounded;
use super::syntax::{self, Syntax};
use super::{MAX_TEMPLATE, RenderError, filters};
use crate::domain::stack;

/// The names that a template sees.
pub(crate) type Context = BTreeMap<String, Value>;

/// The largest body: a deployment has 1 MiB at most, and escaping can lengthen it.
pub(crate) const MAX_BODY: usize = 4 * 1024 * 1024;

/// Work allowed: an instruction, or 64 bytes of text, is one. The built-in formats take hundreds, and up to a
/// few 100,000 if a deployment of 1 MiB is one long line. All of it takes well under a second.
const FUEL: u64 = 1_000_000;

/// Renders, and makes sure that JSON came out where JSON is wanted.
pub(crate) fn render(
    source: &str,
    syntax: Syntax,
    context: Context,
) -> Result<String, RenderError> {
    let body = on_deep_stack(source, || {
        let environment = environment(syntax);
        let template = environment
            .template_from_named_str("template", source)
            .map_err(|error| RenderError::from_engine(&error))?;
        let mut body = Bounded::new(MAX_BODY);
        template.render_captured_to(Value::from(context), &mut body).map_err(
            |error| match error.kind() {
                // Only Bounded fails to be written to.
                ErrorKind::WriteFailure => RenderError::BodyTooLarge,
                _ => RenderError::from_engine(&error),
            },
        )?;
        Ok(body.into_bytes())
    })?;
    let body = String::from_utf8(body).map_err(|error| RenderError::NotJson(error.to_string()))?;
    if syntax == Syntax::Json {
        serde_json::from_str::<&RawValue>(&body)
            .map_err(|error| RenderError::NotJson(error.to_string()))?;
    }
    Ok(body)
}

/// The names that a template uses, attributes included: `status`, `deployment.status`.
pub(crate) fn names(source: &str) -> Result<HashSet<String>, RenderError> {
    on_deep_stack(source, || {
        let environment = environment(Syntax::Json);
        let template = environment
            .template_from_named_str("template", source)
            .map_err(|error| RenderError::from_engine(&error))?;
        Ok(template.undeclared_variables(true))
    })
}

fn on_deep_stack<T: Send>(
    source: &str,
    work: impl FnOnce() -> Result<T, RenderError> + Send,
) -> Result<T, RenderError> {
    if source.len() > MAX_TEMPLATE {
        return Err(RenderError::TooLarge(source.len()));
    }
    stack::deep_enough_for(source, work).unwrap_or(Err(RenderError::NoThread))
}

fn environment(syntax: Syntax) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(move |_| syntax.escaping());
    environment.set_formatter(syntax::write);
    environment.set_undefined_behavior(UndefinedBehavior::Chainable);
    environment.set_fuel(Some(FUEL));
    // In a loop it could nest a list deeper than any stack.
    environment.remove_global("namespace");
    // It shows the engine's own notation of all there is.
    environment.remove_global("debug");
    // Null and missing are the same here.
    environment.add_test("none", |value: &Value| value.is_none() || value.is_undefined());
    filters::register(&mut environment);
    environment
}
