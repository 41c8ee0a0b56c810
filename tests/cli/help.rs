//! The help texts: examples that work as pasted, exit statuses, environment variables, suggestions for typing errors.

use std::thread;

use crate::support::{Sandbox, Shell, on_an_own_network};

/// The verbs, in the order of a day's use.
pub(crate) const VERBS: [&str; 13] = [
    "add",
    "list",
    "publish",
    "run",
    "test",
    "log",
    "health",
    "redeliver",
    "show",
    "edit",
    "remove",
    "listen",
    "completions",
];

/// What each verb can end with; `run` ends as its command does.
const STATUSES: [(&str, &[&str]); 13] = [
    ("add", &["0", "1", "2", "4", "6"]),
    ("list", &["0", "1", "2"]),
    ("publish", &["0", "1", "2", "3", "5", "6", "130"]),
    ("run", &["N", "126", "127", "128+n", "2"]),
    ("test", &["0", "1", "2", "3", "5", "130"]),
    ("log", &["0", "1", "2", "3", "5"]),
    ("health", &["0", "1", "2", "3", "5"]),
    ("redeliver", &["0", "1", "2", "3", "5", "6", "130"]),
    ("show", &["0", "1", "2", "5"]),
    ("edit", &["0", "1", "2", "4", "5", "6"]),
    ("remove", &["0", "1", "2", "5", "6"]),
    ("listen", &["0", "1", "2", "129", "130"]),
    ("completions", &["0", "1", "2"]),
];

/// What an example needs around it: a receiver on the port of the examples with three hooks, a publication to
/// send again, a commit. The file `work` holds the example; its exit status is that of the script.
const SCRIPT: &str = r#"
set -euo pipefail
exec 3< <(exec hooks listen 2>&1 >received)
receiver=$!
trap 'kill "$receiver"' EXIT
read -r line <&3
test "$line" = "listening on http://127.0.0.1:9000"
git init -q .
git -c user.name=A -c user.email=a@example.com commit -q --allow-empty -m 'a commit'
for hook in one two three; do
    hooks -q add --url "http://127.0.0.1:9000/$hook" --event PostDeployment >hook
done
hooks -q publish PostDeployment '{"id":"41"}'
status=0
. ./work || status=$?
exit "$status"
"#;

/// What an example of `listen` needs around it: a hook and a publish, with the example as the receiver. It gets
/// SIGTERM unless it ends by itself.
const LISTEN_SCRIPT: &str = r#"
set -euo pipefail
exec 3< <(. ./work 2>&1)
receiver=$!
read -r line <&3
hooks -q add --url "${line#listening on }/cb" --event PostDeployment >hook
status=0
hooks -q publish PostDeployment '{"id":"42"}' --retries 0 || status=$?
grep -q '"id": "42"' <&3
ended=0
if ! grep -q -- --count work; then
    pkill -P "$receiver" -TERM || kill "$receiver"
    ended=143
fi
received=0
wait "$receiver" || received=$?
test "$received" -eq "$ended"
exit "$status"
"#;

#[track_caller]
fn help(arguments: &[&str]) -> String {
    let sandbox = Sandbox::new();
    let help = sandbox.hooks(arguments).arg("--help").run();
    help.assert_code(0);
    assert_eq!(help.stderr, "");
    help.stdout
}

/// The lines of one section of a help, without the indent.
fn section<'a>(help: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = help.lines().skip_while(|line| *line != heading).skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    lines.map(|line| line.strip_prefix("  ").unwrap_or(line)).collect()
}

/// The examples of a verb, or those of the tool for an empty one.
#[track_caller]
pub(crate) fn examples(verb: &str) -> Vec<String> {
    let arguments: &[&str] = if verb.is_empty() { &[] } else { &[verb] };
    let help = help(arguments);
    section(&help, "Examples:").into_iter().map(str::to_owned).collect()
}

/// Runs one example in its script, on a network of its own.
#[track_caller]
fn assert_works(example: &str, script: &str, status: i32) {
    let sandbox = Sandbox::new();
    sandbox.write("work", format!("{example}\n"));
    sandbox.write("script", script);
    let ran = on_an_own_network(sandbox.hooks::<&str>([]), "bash ./script");
    let ran = ran.env("PATH", Shell::path_with_the_binary()).run();
    ran.assert_code(status);
    assert!(!ran.stderr.contains("error: "), "{example}\n{}", ran.stderr);
}

#[test]
fn the_examples_of_every_verb_work_as_pasted() {
    if !on_an_own_network_is_possible() {
        return;
    }
    thread::scope(|scope| {
        for verb in VERBS {
            scope.spawn(move || {
                for example in examples(verb) {
                    let status = match example.split_once("exit ") {
                        Some((_, code)) => code.trim_end_matches('\'').parse().unwrap(),
                        None if example.contains("--respond") => 3,
                        None => 0,
                    };
                    let script = if verb == "listen" { LISTEN_SCRIPT } else { SCRIPT };
                    assert_works(&example, script, status);
                }
            });
        }
    });
}

#[test]
fn the_examples_of_the_tool_itself_work_one_after_the_other() {
    if !on_an_own_network_is_possible() {
        return;
    }
    let examples = examples("");
    assert!(examples[0].ends_with(" &"), "a receiver comes first: {examples:?}");
    let script = "trap 'kill $!' EXIT; set -e; . ./work";
    assert_works(&examples.join("\n"), script, 0);
}

fn on_an_own_network_is_possible() -> bool {
    crate::support::needs("bash")
        && crate::support::needs("git")
        && crate::support::needs("python3")
        && crate::support::needs_network()
}

#[test]
fn every_verb_has_two_or_three_examples_and_each_is_a_call_of_it() {
    for verb in VERBS {
        let examples = examples(verb);
        assert!((2..=3).contains(&examples.len()), "{verb}: {examples:?}");
        for example in examples {
            assert!(example.contains(&format!("hooks {verb}")), "{verb}: {example}");
        }
    }
}

#[test]
fn an_example_stays_one_line_on_a_narrow_terminal() {
    for verb in VERBS.into_iter().chain([""]) {
        for example in examples(verb) {
            let columns = example.chars().count() + 2;
            assert!(columns <= 80, "{columns} columns: {example}");
        }
    }
}

/// The lines of one section of a verb's page in the manual.
#[track_caller]
pub(crate) fn page_section(verb: &str, title: &str) -> Vec<String> {
    let path = format!("{}/man/hooks-{verb}.1", env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(path).expect("every verb has a page");
    let lines = page.lines().skip_while(|line| *line != format!(".SH \"{title}\""));
    let lines = lines.skip(2).take_while(|line| *line != ".fi");
    lines.map(|line| line.replace("\\-", "-")).collect()
}

#[test]
fn the_whole_help_of_a_verb_is_seen_at_once() {
    for verb in VERBS {
        let sandbox = Sandbox::new();
        for flag in ["--help", "-h"] {
            let help = sandbox.hooks([verb, flag]).env("COLUMNS", "80").run();
            help.assert_code(0);
            let lines = help.stdout.lines().count();
            assert!(lines <= 40, "{verb} {flag}: {lines} lines\n{}", help.stdout);
            let widest = help.stdout.lines().map(|line| line.chars().count()).max();
            assert!(widest <= Some(80), "{verb}: {}", help.stdout);
        }
    }
}

#[test]
fn a_flag_is_told_on_one_line_the_most_used_first() {
    let sandbox = Sandbox::new();
    let add = sandbox.hooks(["add", "--help"]).env("COLUMNS", "80").run();
    let flags: Vec<&str> = section(&add.stdout, "Options:")
        .into_iter()
        .filter_map(|line| line.trim_start().split([' ', '[']).next())
        .collect();
    let expected = [
        "--url",
        "--event",
        "--name",
        "--format",
        "--status",
        "--when",
        "--header",
        "--secret-file",
        "--generate-secret",
        "--template",
        "--expect",
        "--ca-file",
        "--insecure-ssl",
        "--replace",
        "--json",
        "-h,",
    ];
    assert_eq!(flags, expected);
    let run = sandbox.hooks(["run", "--help"]).run();
    let arguments = section(&run.stdout, "Arguments:");
    assert!(arguments[1].starts_with("<COMMAND>..."), "{}", run.stdout);
}

#[test]
fn every_verb_names_the_statuses_it_ends_with() {
    for (verb, statuses) in STATUSES {
        let lines = page_section(verb, "EXIT STATUS");
        let named: Vec<&str> = lines.iter().filter_map(|line| line.split("  ").next()).collect();
        assert_eq!(named, statuses, "{verb}: {lines:#?}");
        if statuses.contains(&"130") {
            assert!(lines.concat().contains("143: by SIGTERM"), "{verb}: {lines:#?}");
        }
        let line = format!("Exit status: {}; ", statuses.join(", "));
        assert!(help(&[verb]).contains(&line), "{verb} lacks {line}");
    }
}

#[test]
fn every_verb_names_its_environment() {
    let limits = ["HOOKS_TIMEOUT", "HOOKS_RETRIES", "HOOKS_DEADLINE", "HOOKS_JOBS"];
    for verb in VERBS {
        let environment = page_section(verb, "ENVIRONMENT").concat();
        // These have no registry.
        let is_without = ["listen", "completions"].contains(&verb);
        assert_eq!(environment.contains("HOOKS_FILE"), !is_without, "{verb}: {environment}");
        let sends = ["publish", "run", "test", "redeliver"].contains(&verb);
        for variable in limits {
            assert_eq!(environment.contains(variable), sends, "{verb}: {variable}: {environment}");
        }
    }
    let help = help(&[]);
    let environment = section(&help, "Environment:").concat();
    for variable in limits.into_iter().chain([
        "HOOKS_FILE",
        "no_proxy",
        "SSL_CERT_FILE",
        "NO_COLOR",
        "TZ",
        "LC_ALL",
        "HOOKS_COMPLETE",
    ]) {
        assert!(environment.contains(variable), "{variable}: {environment}");
    }
}

#[test]
fn without_arguments_it_shows_the_verbs_in_their_order_and_how_to_begin() {
    let sandbox = Sandbox::new();
    let alone = sandbox.hooks::<&str>([]).run();
    alone.assert_code(2);
    assert_eq!(alone.stdout, "");
    let lines = section(&alone.stderr, "Commands:");
    let verbs: Vec<&str> = lines.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(verbs, VERBS);
    assert!(lines.iter().all(|line| line.chars().count() <= 78), "one line a verb: {lines:#?}");
    assert!(alone.stderr.contains("hooks add --help"), "{}", alone.stderr);
    assert_eq!(sandbox.names(), [""; 0], "it makes nothing");
}

#[test]
fn the_short_help_is_a_summary_and_names_the_long_one() {
    let sandbox = Sandbox::new();
    for verb in VERBS {
        let short = sandbox.hooks([verb, "-h"]).run();
        short.assert_code(0);
        assert!(short.stdout.contains("--help"), "{}", short.stdout);
        assert!(!short.stdout.contains("Examples:"), "{}", short.stdout);
        let long = help(&[verb]);
        assert!(short.stdout.lines().count() < long.lines().count(), "{verb}");
    }
}

#[test]
fn help_is_plain_text_of_a_readable_width() {
    for verb in VERBS.into_iter().chain([""]) {
        let arguments: &[&str] = if verb.is_empty() { &[] } else { &[verb] };
        for line in help(arguments).lines() {
            assert!(line.chars().count() <= 100, "{verb}: {line}");
            assert!(!line.contains('\u{1b}') && !line.contains('`'), "{verb}: {line}");
        }
    }
}

/// What somebody types, and what they are told of.
const NEAR_MISSES: [(&[&str], &str); 16] = [
    (&["lst"], "did you mean list?"),
    (&["pubish", "E"], "did you mean publish?"),
    (&["redelivr", "1"], "did you mean redeliver?"),
    (&["tests", "1"], "did you mean test?"),
    (&["add", "--ulr", "http://h/"], "did you mean --url?"),
    (&["add", "--evnt", "E"], "did you mean --event?"),
    (&["add", "--url", "http://h/", "--event", "E", "--format", "slak"], "did you mean slack?"),
    (&["publish", "E", "--status", "sucess"], "did you mean success?"),
    (&["publish", "E", "--dryrun"], "did you mean --dry-run?"),
    (&["publish", "E", "--gti"], "did you mean --git?"),
    (&["edit", "1", "--disabled"], "did you mean --disable?"),
    (&["listen", "--prot", "1"], "did you mean --port?"),
    (&["--fiel", "x", "list"], "did you mean --file?"),
    (&["--color", "nevr", "list"], "did you mean never?"),
    (&["run", "E", "make", "deploy"], "the command goes after --: hooks run EVENT -- COMMAND"),
    (&["redeliver"], "--failed"),
];

#[test]
fn help_followed_by_a_verb_is_the_help_of_the_verb() {
    let sandbox = Sandbox::new();
    let flag = sandbox.hooks(["add", "--help"]).run();
    sandbox.hooks(["help", "add"]).run().assert(0, &flag.stdout, "");
}

#[test]
fn a_usage_error_suggests_the_right_spelling_and_the_help() {
    let sandbox = Sandbox::new();
    for (arguments, suggestion) in NEAR_MISSES {
        let refused = sandbox.hooks(arguments).run();
        refused.assert_code(2).assert_stderr_has(&["error: ", "--help'"]);
        let hint = refused.stderr.lines().find(|line| line.starts_with("hint: "));
        assert!(
            hint.is_some_and(|hint| hint.contains(suggestion)),
            "{arguments:?} suggests no {suggestion}:\n{}",
            refused.stderr
        );
    }
}

#[test]
fn the_version_is_a_result() {
    let version = concat!("hooks ", env!("CARGO_PKG_VERSION"), "\n");
    let sandbox = Sandbox::new();
    sandbox.hooks(["--version"]).run().assert(0, version, "");
}

#[test]
fn the_values_of_the_environment_are_not_shown() {
    let sandbox = Sandbox::new();
    for arguments in [&["--help"][..], &["add", "--help"], &["add", "-h"], &["publish", "--help"]] {
        let help = sandbox
            .hooks(arguments)
            .env("HOOKS_FILE", "/a/s3cret/place")
            .env("HOOKS_JOBS", "3917")
            .run();
        help.assert_code(0).assert_hides("s3cret").assert_hides("3917");
    }
}
