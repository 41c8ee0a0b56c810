//! Templates: what they see, what they write, what they may take. `add/templates.rs` has what `add` says of them.

mod bounds;
mod content_types;
mod documentation;
mod recipes;

use crate::support::{Receiver, Request, Sandbox};

/// What a hook with this template and these options sends when a deployment is published.
#[track_caller]
fn sent<const N: usize>(template: &str, options: [&str; N], deployment: &str) -> Request {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.write("template", template);
    let add = sandbox.hooks_add(&receiver.url("/"), "PostDeployment");
    let add = add.args(["--template", "template"]).args(options);
    add.run().assert_code(0);
    let publish = sandbox.hooks(["publish", "PostDeployment", "-"]).stdin(deployment);
    publish.run().assert_code(0);
    receiver.request()
}
