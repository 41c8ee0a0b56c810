//! Completions in real shells: what TAB gives, with the files of `completions/` installed as by a package.

mod errors;

use std::fs;
use std::process::Command;

use serde_json::json;

use crate::help::VERBS;
use crate::support::{Candidate, Sandbox, Shell, Terminal, needs};

/// A sandbox with two hooks, whose URLs hold secrets.
fn two_hooks() -> Sandbox {
    let sandbox = Sandbox::new();
    sandbox.add("https://user:s3cret@ci.example.com/hook", "PostDeployment");
    let token = "https://chat.example.com/hooks/tok3nabcdef0123456789?key=s3cret";
    sandbox.add(token, "repo/main:deployed");
    sandbox
}

/// A registry of one hook that is not in [`two_hooks`].
fn other_registry() -> String {
    let hook =
        json!({"id": 77, "url": "http://other.example/", "event": "Other", "insecure_ssl": false});
    json!({"version": 1, "next_id": 78, "hooks": [hook]}).to_string()
}

/// Writes files into the folder in which the shells run.
fn write_files(sandbox: &Sandbox, names: &[&str]) {
    for name in names {
        let path = sandbox.path().join("current").join(name);
        let folder = path.parent().expect("a file is in a folder");
        fs::create_dir_all(folder).expect("a folder can be made in the sandbox");
        fs::write(path, "{}").expect("the sandbox can be written to");
    }
}

/// Checks in each shell what each line is after one TAB.
#[track_caller]
fn assert_completed(sandbox: &Sandbox, lines: &[(&str, &str)]) {
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, sandbox);
        for (typed, completed) in lines {
            let line = terminal.completed(typed);
            assert_eq!(line, *completed, "{shell:?}: {typed}<TAB>");
        }
    }
}

#[test]
fn the_first_tab_in_a_new_shell_completes() {
    let sandbox = Sandbox::new();
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        assert_eq!(terminal.completed("hooks pub"), "hooks publish ", "{shell:?}");
    }
}

#[test]
fn the_verbs_are_offered_in_the_order_of_the_help_and_described() {
    let sandbox = Sandbox::new();
    for shell in Shell::installed() {
        let offers = Terminal::start(shell, &sandbox).candidates("hooks ");
        let verbs: Vec<&str> = offers.iter().map(|offer| offer.value.as_str()).collect();
        assert_eq!(verbs.get(..VERBS.len()), Some(&VERBS[..]), "{shell:?}");
        if shell != Shell::Bash {
            assert_eq!(
                offers[0].description.as_deref(),
                Some("Registers a hook and prints it"),
                "{shell:?}"
            );
        }
    }
}

#[test]
fn flags_and_their_values_are_completed() {
    assert_completed(
        &Sandbox::new(),
        &[
            ("hooks publish PostDeployment --dry", "hooks publish PostDeployment --dry-run "),
            ("hooks add --forma", "hooks add --format "),
            ("hooks add --format sl", "hooks add --format slack "),
            ("hooks add --format=sl", "hooks add --format=slack "),
            ("hooks --color=al", "hooks --color=always "),
            ("hooks publish E --status suc", "hooks publish E --status success "),
            ("true; A=b:c hooks redeliver --fai", "true; A=b:c hooks redeliver --failed "),
        ],
    );
}

/// What zsh and fish show; bash shows the values alone.
fn described(shell: Shell, offers: &[(&str, &str)]) -> Vec<Candidate> {
    let offer = |(value, description): &(&str, &str)| Candidate {
        value: (*value).to_owned(),
        description: (shell != Shell::Bash).then(|| (*description).to_owned()),
    };
    offers.iter().map(offer).collect()
}

#[test]
fn the_ids_are_offered_with_their_urls_and_without_their_secrets() {
    let sandbox = two_hooks();
    let ids = [
        ("1", "https://user:***@ci.example.com/hook"),
        ("2", "https://chat.example.com/hooks/***?key=***"),
    ];
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        for verb in ["show", "edit", "remove", "remove 1", "rm", "test", "log", "redeliver"] {
            let mut offers = terminal.candidates(&format!("hooks {verb} "));
            offers.truncate(ids.len());
            assert_eq!(offers, described(shell, &ids), "{shell:?}: {verb}");
        }
        let screen = terminal.screen();
        assert!(!screen.contains("s3cret") && !screen.contains("tok3n"), "{shell:?}: {screen}");
    }
}

#[test]
fn a_name_is_offered_beside_its_id_and_completed() {
    let sandbox = Sandbox::new();
    sandbox.add_with("http://h/1", "E", ["--name", "chat"]);
    sandbox.add("http://h/2", "E");
    let hooks = [("1", "http://h/1"), ("chat", "http://h/1"), ("2", "http://h/2")];
    for shell in Shell::installed() {
        let mut offers = Terminal::start(shell, &sandbox).candidates("hooks show ");
        offers.truncate(hooks.len());
        offers.sort_by(|a, b| a.value.cmp(&b.value));
        let mut expected = described(shell, &hooks);
        expected.sort_by(|a, b| a.value.cmp(&b.value));
        assert_eq!(offers, expected, "{shell:?}");
    }
    assert_completed(&sandbox, &[("hooks edit ch", "hooks edit chat ")]);
}

#[test]
fn the_events_are_those_of_the_registry_and_kudus_own() {
    let sandbox = two_hooks();
    let events = [
        ("PostDeployment", "1 hook"),
        ("repo/main:deployed", "1 hook"),
        ("TriggeredJobFinished", "no hook yet"),
    ];
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        for line in
            ["publish ", "run ", "list --event ", "add --url http://h/ --event ", "edit 1 --event "]
        {
            let mut offers = terminal.candidates(&format!("hooks {line}"));
            offers.truncate(events.len());
            assert_eq!(offers, described(shell, &events), "{shell:?}: {line}");
        }
    }
}

#[test]
fn a_list_of_events_is_completed_event_by_event() {
    let sandbox = Sandbox::new();
    sandbox.add("http://h/", "repo.*,Rollback");
    let events = [
        ("PostDeployment", "no hook yet"),
        ("repo.*", "1 hook"),
        ("Rollback", "1 hook"),
        ("TriggeredJobFinished", "no hook yet"),
    ];
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        let mut offers = terminal.candidates("hooks edit 1 --event ");
        offers.truncate(events.len());
        // A shell quotes the star, each in its own way.
        for offer in &mut offers {
            offer.value = offer.value.replace('\\', "");
        }
        assert_eq!(offers, described(shell, &events), "{shell:?}");
        let values = terminal.values("hooks publish ");
        assert!(!values.contains(&"repo.*".to_owned()), "{shell:?}: {values:?}");
    }
    assert_completed(
        &sandbox,
        &[("hooks add --event PostDeployment,Roll", "hooks add --event PostDeployment,Rollback ")],
    );
}

#[test]
fn an_event_with_colons_and_slashes_is_completed_from_any_place_in_it() {
    assert_completed(
        &two_hooks(),
        &[
            ("hooks publish re", "hooks publish repo/main:deployed "),
            ("hooks publish repo/", "hooks publish repo/main:deployed "),
            ("hooks publish repo/main:", "hooks publish repo/main:deployed "),
            ("hooks publish repo/main:de", "hooks publish repo/main:deployed "),
            ("hooks list --event=repo/main:de", "hooks list --event=repo/main:deployed "),
        ],
    );
}

#[test]
fn files_are_completed_where_a_file_is_wanted() {
    let sandbox = Sandbox::new();
    write_files(&sandbox, &["deploy.json", "sub/only.json", "deploy.sh"]);
    assert_completed(
        &sandbox,
        &[
            ("hooks list --file deploy.j", "hooks list --file deploy.json "),
            ("hooks list --file=deploy.j", "hooks list --file=deploy.json "),
            ("hooks list --file sub/", "hooks list --file sub/only.json "),
            ("hooks add --secret-file deploy.j", "hooks add --secret-file deploy.json "),
            ("hooks add --ca-file sub/o", "hooks add --ca-file sub/only.json "),
            ("hooks add --template deploy.j", "hooks add --template deploy.json "),
            ("hooks publish E @deploy.j", "hooks publish E @deploy.json "),
            ("hooks publish E @sub/", "hooks publish E @sub/only.json "),
            ("hooks run E -- ./deploy.s", "hooks run E -- ./deploy.sh "),
            ("hooks run E -- sh -x deploy.s", "hooks run E -- sh -x deploy.sh "),
        ],
    );
}

#[test]
fn where_nothing_matches_the_line_stays_as_it_is() {
    let sandbox = two_hooks();
    write_files(&sandbox, &["9.json", "nothing.json"]);
    let lines = [
        "hooks show 9",
        "hooks publish noth",
        "hooks add --url noth",
        "hooks list --file absent",
        "hooks publish E @absent",
        "hooks noth",
        "hooks --noth",
        "hooks publish E --id noth",
    ];
    assert_completed(&sandbox, &lines.map(|line| (line, line)));
}

#[test]
fn a_folder_is_completed_with_a_slash() {
    let sandbox = Sandbox::new();
    write_files(&sandbox, &["sub/one.json", "sub/two.json"]);
    assert_completed(
        &sandbox,
        &[
            ("hooks list --file su", "hooks list --file sub/"),
            ("hooks publish E @su", "hooks publish E @sub/"),
        ],
    );
}

#[test]
fn a_file_name_with_spaces_and_special_characters_is_one_word() {
    let sandbox = Sandbox::new();
    write_files(&sandbox, &["my hooks.json", "a;$(touch b)"]);
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        let line = terminal.completed("hooks list --file my");
        assert_eq!(line, r"hooks list --file my\ hooks.json ", "{shell:?}");
        let line = terminal.completed("hooks list --file 'my");
        assert_eq!(line, "hooks list --file 'my hooks.json' ", "{shell:?}");
        // The shell itself reads what it has inserted as the name of the file, and runs nothing.
        let line = terminal.completed("echo a; hooks list --file a");
        let word = line.strip_prefix("echo a; hooks list --file ").unwrap();
        terminal.line_after(&format!("cat {word} >read\n"));
        let folder = sandbox.path().join("current");
        assert_eq!(fs::read_to_string(folder.join("read")).unwrap(), "{}", "{shell:?}: {word}");
        assert!(!folder.join("b").exists(), "{shell:?}: {word}");
        fs::remove_file(folder.join("read")).unwrap();
    }
}

#[test]
fn the_registry_named_on_the_command_line_is_read() {
    let sandbox = two_hooks();
    sandbox.write("other.json", other_registry());
    sandbox.write("my other.json", other_registry());
    for shell in Shell::installed() {
        let mut terminal = Terminal::start(shell, &sandbox);
        for line in [
            "hooks --file ../other.json show ",
            "hooks --file=../other.json show ",
            "hooks show --file ../other.json ",
            "hooks --file '../my other.json' show ",
            r"hooks --file ../my\ other.json show ",
            "hooks --file \"../my other.json\" show ",
            "hooks --file ~/other.json show ",
        ] {
            assert_eq!(terminal.values(line)[0], "77", "{shell:?}: {line}");
        }
        let events = terminal.values("hooks --file ../other.json publish ");
        assert_eq!(events[0], "Other", "{shell:?}");
    }
}

#[test]
fn shellcheck_finds_nothing_in_the_completion_of_bash() {
    if !needs("shellcheck") {
        return;
    }
    let checked = Command::new("shellcheck")
        .args(["--shell=bash", "completions/hooks.bash"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(checked.status.success() && said.is_empty(), "{said}");
}

#[test]
fn the_program_prints_the_file_of_each_shell() {
    let sandbox = Sandbox::new();
    for (shell, file) in [("bash", "hooks.bash"), ("zsh", "_hooks"), ("fish", "hooks.fish")] {
        let file = format!("{}/completions/{file}", env!("CARGO_MANIFEST_DIR"));
        let file = fs::read_to_string(file).expect("a stub");
        let printed = sandbox.hooks(["completions", shell]).run();
        printed.assert(0, &file, "");
    }
    let other = sandbox.hooks(["completions", "tcsh"]).run();
    other.assert_code(2).assert_stderr_has(&["bash, zsh, fish"]);
}
