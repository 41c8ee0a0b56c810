//! `examples/ci-step.sh` in the environments that GitHub and GitLab document for a job, and in none of them.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

use super::ci_step::{STEP, checkout};
use crate::support::{Invocation, PLAIN, Receiver, Repository, Sandbox};

/// "Default environment variables" of GitHub's documentation, with its values where it gives them.
const GITHUB: &str = include_str!("../fixtures/github.env");
/// "Predefined CI/CD variables reference" of GitLab's, for the pipeline of a branch.
const GITLAB: &str = include_str!("../fixtures/gitlab.env");

/// A job's checkout whose newest commit has this hash, and the hooks that wait for it.
struct Job<'a> {
    sandbox: &'a Sandbox,
    repository: Repository<'a>,
    hash: String,
    receiver: Receiver,
}

impl<'a> Job<'a> {
    fn new(sandbox: &'a Sandbox) -> Self {
        let (repository, _, hash) = checkout(sandbox);
        Self { sandbox, repository, hash, receiver: Receiver::new() }
    }

    /// `sh ci-step.sh true` with this environment, and nothing of the machine's.
    fn step(&self, environment: &str) -> Invocation<'a> {
        let checkout = self.sandbox.path().join("checkout");
        let registry = json!([{"id": "1", "url": self.receiver.url("/"), "event": "*"}]);
        let mut step = self
            .repository
            .call(&checkout, &["sh", "-c", "echo deployed; exit 7"])
            .shell(&format!(r#"shift; exec sh "{STEP}" "$@""#))
            .without_env("HOOKS_FILE")
            .without_env("HOME")
            .without_env("XDG_CONFIG_HOME")
            .env("HOOKS_REGISTRY", registry.to_string());
        for line in environment.lines() {
            let (name, value) = line.split_once('=').expect("a variable a line");
            let value = value
                .replace("[COMMIT]", &self.hash)
                .replace("[CHECKOUT]", &checkout.to_string_lossy())
                .replace("[TEMP]", &self.sandbox.path().to_string_lossy());
            step = step.env(name, value);
        }
        step
    }

    /// The deployment that the step published, without its times.
    #[track_caller]
    fn published(&self, step: Invocation) -> Value {
        let ran = step.run();
        ran.assert_code(7);
        assert_eq!(ran.stdout, "deployed\n");
        let requests = self.receiver.requests();
        let mut deployment = requests.last().expect("it was published").json();
        for time in ["start_time", "end_time"] {
            let removed = deployment.as_object_mut().and_then(|keys| keys.remove(time));
            assert!(removed.is_some(), "{time} is missing");
        }
        deployment
    }

    /// What every deployment of this job has, and these keys.
    fn deployment(&self, keys: &Value) -> Value {
        let mut deployment = json!({
            "id": self.hash,
            "author": PLAIN.author,
            "author_email": PLAIN.email,
            "message": PLAIN.message,
            "status": "failed",
        });
        let all = deployment.as_object_mut().expect("it is an object");
        all.extend(keys.as_object().expect("it is an object").clone());
        deployment
    }
}

/// The environment with this line in place of the one of the same name.
fn with(environment: &str, line: &str) -> String {
    let (name, _) = line.split_once('=').expect("a variable");
    let others = environment
        .lines()
        .filter(|other| other.split_once('=').is_none_or(|(other, _)| other != name));
    others.chain([line]).collect::<Vec<_>>().join("\n")
}

#[test]
fn githubs_environment_gives_a_complete_deployment() {
    let sandbox = Sandbox::new();
    let job = Job::new(&sandbox);
    let wanted = job.deployment(&json!({
        "deployer": "octocat",
        "repository": "octocat/Hello-World",
        "ref": "refs/heads/feature-branch-1",
        "url": "https://github.com/octocat/Hello-World/actions/runs/1658821493",
    }));
    assert_eq!(job.published(job.step(GITHUB)), wanted);
}

#[test]
fn gitlabs_environment_gives_a_complete_deployment() {
    let sandbox = Sandbox::new();
    let job = Job::new(&sandbox);
    for (line, reference) in [
        ("CI=true", "refs/heads/feature-branch-1"),
        ("CI_COMMIT_TAG=v1.0", "refs/tags/v1.0"),
        ("CI_MERGE_REQUEST_REF_PATH=refs/merge-requests/1/head", "refs/merge-requests/1/head"),
    ] {
        let wanted = job.deployment(&json!({
            "deployer": "tanuki",
            "repository": "group/site",
            "ref": reference,
            "url": "https://gitlab.example.com/group/site/-/jobs/50",
        }));
        assert_eq!(job.published(job.step(&with(GITLAB, line))), wanted);
    }
}

#[test]
fn what_is_not_known_is_left_out() {
    let sandbox = Sandbox::new();
    let job = Job::new(&sandbox);
    let bare = "TMPDIR=[TEMP]\nUSER=ulla";
    let wanted = job.deployment(&json!({"deployer": "ulla"}));
    assert_eq!(job.published(job.step(bare)), wanted);
    // One variable alone, or all but one.
    for environment in [GITHUB, GITLAB] {
        for line in environment.lines() {
            let (name, _) = line.split_once('=').expect("a variable");
            if !(name.starts_with("GITHUB_R")
                || name.starts_with("GITHUB_S")
                || name.starts_with("CI_"))
            {
                continue;
            }
            for environment in [with(bare, line), with(environment, &format!("{name}="))] {
                let deployment = job.published(job.step(&environment));
                let keys = deployment.as_object().expect("it is an object");
                for (key, value) in keys {
                    let text = value.as_str().unwrap_or("no text");
                    assert!(!text.is_empty(), "{name}: {key} is empty");
                    let path = text.trim_start_matches("https://");
                    assert!(!path.contains("//") && !path.ends_with('/'), "{name}: {text}");
                }
                let known: BTreeSet<&str> = keys.keys().map(String::as_str).collect();
                assert!(known.contains("id") && known.contains("status"), "{name}");
            }
        }
    }
}

#[test]
fn without_a_place_for_the_registry_it_deploys_and_writes_it_nowhere() {
    let sandbox = Sandbox::new();
    let job = Job::new(&sandbox);
    for environment in ["RUNNER_TEMP=/nowhere/at/all", "TMPDIR=/nowhere/at/all"] {
        let ran = job.step(environment).run();
        ran.assert_code(7).assert_stderr_has(&[
            "warning: there is no place for the registry: deploying without telling anybody",
        ]);
        assert_eq!(ran.stdout, "deployed\n");
        assert!(!Path::new("/hooks.json").exists());
    }
    assert_eq!(job.receiver.count(), 0);
    // It was given the registry, and has called nobody.
    job.step("TMPDIR=[TEMP]").run().assert_code(7);
}

#[test]
fn without_hooks_it_deploys_all_the_same() {
    let sandbox = Sandbox::new();
    let job = Job::new(&sandbox);
    let ran = job.step("PATH=/usr/bin:/bin\nTMPDIR=[TEMP]").run();
    ran.assert(
        7,
        "deployed\n",
        "warning: there is no hooks in PATH: deploying without telling anybody\n",
    );
    job.step("TMPDIR=[TEMP]").run().assert_code(7);
}
