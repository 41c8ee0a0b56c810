//! A `post-receive` hook of five lines, as people write it by hand.

use crate::support::{PLAIN, Receiver, Repository, Sandbox};

#[test]
fn a_hook_of_five_lines_publishes_each_branch() {
    let sandbox = Sandbox::new();
    let hook = "#!/bin/sh\n\
        while read -r old new ref; do\n\
            case $new in *[!0]*) hooks publish PostDeployment --git \"$new\" --set ref=\"$ref\" ;; esac\n\
        done\n";
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let repository = Repository::new(&sandbox);
    repository.install(hook);
    repository.commit("old", PLAIN);
    repository.push(&["old"]).run().assert_code(0);
    for branch in ["a", "b", "c"] {
        repository.commit(branch, PLAIN);
    }
    repository.push(&["a", "b", ":old", "c"]).run().assert_code(0);
    let refs: Vec<_> = receiver.requests().iter().map(|r| r.json()["ref"].clone()).collect();
    assert_eq!(refs, ["old", "a", "b", "c"].map(|name| format!("refs/heads/{name}")));
}

#[test]
fn ref_lines_on_standard_input_are_named_in_the_error() {
    let sandbox = Sandbox::new();
    let receiver = Receiver::never();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let repository = Repository::new(&sandbox);
    repository.install("#!/bin/sh\nhooks publish PostDeployment\n");
    repository.commit("main", PLAIN);
    let pushed = repository.push(&["main"]).run();
    pushed.assert_code(0).assert_stderr_has(&[
        "remote: error: could not read the deployment from standard input: it holds git's ref lines",
        "--git \"$new\"",
    ]);
}
