//! What a committer wrote is text, whatever it begins with and whatever bytes it has.

use crate::support::{Receiver, Sandbox};

#[test]
fn a_text_that_looks_like_a_flag_is_published() {
    for text in ["- fix the typo", "-v", "--force", "--", "-", "--status=x"] {
        let sandbox = Sandbox::new();
        let receiver = Receiver::new();
        sandbox.add(&receiver.url("/"), "PostDeployment");
        let set = format!("note={text}");
        for flags in [
            vec!["--message", text],
            vec!["--author", text, "--author-email", text],
            vec!["--deployer", text, "--id", text, "--set", &set],
        ] {
            let publish = sandbox.hooks(["publish", "PostDeployment"]).args(&flags);
            publish.run().assert_code(0);
            let run = sandbox.hooks(["run", "PostDeployment"]).args(&flags);
            run.args(["--", "true"]).run().assert_code(0);
        }
        let requests = receiver.wait_for(6);
        for request in &requests[..2] {
            assert_eq!(request.json()["message"], text);
        }
        assert_eq!(requests[5].json()["note"], text);
    }
}

#[cfg(unix)]
#[test]
fn a_text_in_latin_1_is_published_with_marks_for_what_is_no_utf_8() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    let text = OsStr::from_bytes(b"caf\xe9");
    let run = sandbox.hooks(["run", "PostDeployment", "--message"]).arg(text);
    run.args(["--", "true"]).run().assert_code(0);
    let set = OsStr::from_bytes(b"branch=caf\xe9");
    let publish = sandbox.hooks(["publish", "PostDeployment", "--set"]).arg(set);
    publish.run().assert_code(0);
    let requests = receiver.wait_for(2);
    assert_eq!(requests[0].json()["message"], "caf\u{fffd}");
    assert_eq!(requests[1].json()["branch"], "caf\u{fffd}");
}

#[cfg(unix)]
#[test]
fn a_deployments_file_may_have_any_name() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;
    let sandbox = Sandbox::new();
    let receiver = Receiver::new();
    sandbox.add(&receiver.url("/"), "PostDeployment");
    std::fs::write(sandbox.path().join(OsStr::from_bytes(b"caf\xe9.json")), "{\"n\":7}").unwrap();
    let publish = sandbox.hooks(["publish", "PostDeployment"]);
    let publish = publish.arg(OsStr::from_bytes(b"@caf\xe9.json"));
    publish.directory(sandbox.path()).run().assert_code(0);
    assert_eq!(receiver.request().text(), "{\"n\":7}");
}
