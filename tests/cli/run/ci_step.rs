//! `examples/ci-step.sh`: a deployment from a CI job.

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Invocation, PLAIN, Receiver, Repository, Sandbox, Signal, needs};

pub(super) const STEP: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/ci-step.sh");

/// A job's checkout: one commit deep, on no branch. Returns it and the commit's hash.
pub(super) fn checkout(sandbox: &Sandbox) -> (Repository<'_>, std::path::PathBuf, String) {
    let repository = Repository::new(sandbox);
    repository.commit("main", PLAIN);
    let hash = repository.commit("main", PLAIN);
    repository.push(&["main"]).run().assert_code(0);
    let url = format!("file://{}", repository.bare().display());
    let clone = ["clone", "-q", "--depth=1", "-b", "main", &url, "checkout"];
    repository.git(sandbox.path(), &clone);
    let checkout = sandbox.path().join("checkout");
    repository.git(&checkout, &["checkout", "-q", "--detach"]);
    (repository, checkout, hash)
}

/// `sh ci-step.sh …`, as a runner does it.
fn step<'a>(repository: &Repository<'a>, checkout: &Path, command: &[&str]) -> Invocation<'a> {
    repository
        .call(checkout, command)
        .shell(&format!(r#"shift; exec sh "{STEP}" "$@""#))
        .without_env("HOOKS_FILE")
        .without_env("HOME")
        .without_env("XDG_CONFIG_HOME")
        .env("RUNNER_TEMP", checkout.with_file_name(""))
        .env("GITHUB_ACTOR", "octo")
        .env("GITHUB_REF", "refs/heads/main")
        .env("GITHUB_REPOSITORY", "acme/site")
        .env("GITHUB_RUN_ID", "4711")
        .env("GITHUB_SERVER_URL", "https://git.example")
}

#[test]
fn it_deploys_and_publishes_the_checked_out_commit() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    let (repository, checkout, hash) = checkout(&sandbox);
    // Kudu's own file will do, too.
    let registry = json!([{"id": "1", "url": receiver.url("/"), "event": "PostDeployment", "insecure_ssl": false}]);
    for (code, status) in [(0, "success"), (7, "failed")] {
        let script = r#"echo "deploying to $1"; exit "$2""#;
        let command = ["sh", "-c", script, "deploy", "production", &code.to_string()];
        let ran = step(&repository, &checkout, &command)
            .env("GITHUB_SHA", &hash)
            .env("HOOKS_REGISTRY", registry.to_string())
            .run();
        ran.assert(
            code,
            "deploying to production\n",
            &format!(
                "note: publishing PostDeployment with the status {status} to 1 hook\n\
                 delivered  hook 1  http://127.0.0.1:[PORT]/  200 OK ([MS])\n"
            ),
        );
        let deployment = receiver.requests().pop().unwrap().json();
        assert_eq!(deployment["id"], json!(hash));
        assert_eq!(deployment["author"], PLAIN.author);
        assert_eq!(deployment["deployer"], "octo");
        assert_eq!(deployment["status"], status);
        assert_eq!(deployment["ref"], "refs/heads/main");
        assert_eq!(deployment["url"], "https://git.example/acme/site/actions/runs/4711");
    }
}

#[test]
fn without_a_registry_or_with_a_damaged_one_it_deploys() {
    let sandbox = Sandbox::new();
    let (repository, checkout, _) = checkout(&sandbox);
    for (registry, said) in [
        (None, "note: no hook is to be called for PostDeployment"),
        (Some(""), "note: no hook is to be called for PostDeployment"),
        (Some("{ broken"), "warning: not published, and not kept for later: "),
    ] {
        let mut call = step(&repository, &checkout, &["sh", "-c", "echo deployed; exit 7"]);
        if let Some(registry) = registry {
            call = call.env("HOOKS_REGISTRY", registry);
        }
        let ran = call.run();
        ran.assert_code(7).assert_stderr_has(&[said]);
        assert_eq!(ran.stdout, "deployed\n");
    }
}

#[test]
fn the_registry_is_readable_by_its_owner_alone_and_hidden_from_the_command() {
    use std::os::unix::fs::PermissionsExt as _;
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    let (repository, checkout, _) = checkout(&sandbox);
    let url = receiver.url("/s3cr3t-t0k3n-1234567890");
    let registry = json!([{"id": "1", "url": url, "event": "PostDeployment"}]).to_string();
    let ran = step(&repository, &checkout, &["sh", "-c", r#"env; echo "file=$HOOKS_FILE""#])
        .env("HOOKS_REGISTRY", &registry)
        .run();
    ran.assert_code(0).assert_hides("s3cr3t");
    let file = ran.stdout.lines().find_map(|line| line.strip_prefix("file="));
    let file = file.unwrap().replace("[DIR]", &sandbox.path().to_string_lossy());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(Path::new(&file)), 0o600);
    assert_eq!(mode(Path::new(&file).parent().unwrap()), 0o700);
    let text: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(text["hooks"][0]["last_status"], "OK");
}

#[test]
fn a_cancelled_job_ends_the_command_and_is_published_as_failed() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    let (repository, checkout, _) = checkout(&sandbox);
    let registry =
        json!([{"id": "1", "url": receiver.url("/"), "event": "PostDeployment"}]).to_string();
    let script = "trap 'exit 7' TERM; echo ready; while :; do sleep 0.1; done";
    let running =
        step(&repository, &checkout, &["sh", "-c", script]).env("HOOKS_REGISTRY", registry).spawn();
    running.stdout_line("ready");
    running.signal(Signal::Terminate);
    running.wait().assert_code(7);
    assert_eq!(receiver.request().json()["status"], "failed");
}

#[test]
fn shellcheck_finds_nothing_in_the_examples() {
    if !needs("shellcheck") {
        return;
    }
    for example in ["post-receive", "ci-step.sh"] {
        let checked = Command::new("shellcheck")
            .args(["--shell=sh", "--enable=all", "--exclude=SC2250,SC2312"])
            .arg(format!("{}/examples/{example}", env!("CARGO_MANIFEST_DIR")))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&checked.stdout);
        assert!(checked.status.success() && said.is_empty(), "{said}");
    }
}
