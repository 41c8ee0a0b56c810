//! What the exit statuses and the variables of each verb mean, for its man page. Which statuses it has, its help says.

/// The sections of a verb's page on exit statuses and on the environment; `help` has the codes.
pub(super) fn sections(verb: &str, help: &str) -> [String; 2] {
    let codes = help.split_once("Exit status: ").and_then(|(_, after)| after.split_once(';'));
    let (codes, _) = codes.expect("the help of each verb has its exit statuses");
    let width = codes.split(", ").map(str::len).max().unwrap_or_default() + 2;
    let statuses = codes.split(", ").map(|code| format!("{code:width$}{}", meaning(verb, code)));
    [statuses.collect::<Vec<_>>().join("\n"), environment(verb)]
}

fn meaning(verb: &str, code: &str) -> &'static str {
    match (verb, code) {
        ("run", "N") => "what the command ended with",
        ("run", "126") => "it could not be run",
        ("run", "127") => "it was not found",
        ("run", "128+n") => "signal n ended it",
        ("run", "2") => "a wrong argument of hooks itself: nothing was run",
        ("add", "0") => "registered, or registered already",
        ("list", "0") => "done, also when there is no hook",
        ("edit", "0") => "changed, or nothing to change",
        ("remove", "0") => "removed",
        ("publish", "0") => "every matching hook accepted it, or no hook matched",
        ("test", "0") => "delivered",
        ("health", "0") => "all is well",
        ("redeliver", "0") => "everything was delivered, or nothing was due",
        ("listen", "0") => "--count requests have arrived",
        (_, "0") => "done",
        ("add" | "edit" | "remove", "1") => "it could not be saved",
        ("list" | "show" | "test", "1") => "the registry could not be read",
        ("publish", "1") => "bad deployment, or the registry could not be read",
        ("log" | "health", "1") => "the journal or the registry could not be read",
        ("redeliver", "1") => "the registry or the journal could not be read",
        ("listen", "1") => "the port could not be had",
        ("completions", "1") => "they could not be written",
        (_, "2") => "a wrong argument",
        ("publish", "3") => "at least one delivery failed",
        ("test", "3") => "not delivered",
        ("log", "3") => "--exit-code: something is shown",
        ("health", "3") => "a hook is failing, or something is owed",
        ("redeliver", "3") => "at least one delivery failed, or what was named could not be sent",
        ("add", "4") => {
            "the URL is registered for another event or with other options, or the name is taken"
        }
        ("edit", "4") => "another hook has that URL or name",
        ("remove", "5") => {
            "no hook has that id or name (nothing is removed then; --force ignores it)"
        }
        ("publish", "5") => "--must-match: no enabled hook gets it",
        ("log", "5") => "no hook has that id or name, now or in the journal; no such publication",
        ("redeliver", "5") => "no hook or no publication has that id or name",
        (_, "5") => "no hook has that id or name",
        ("publish", "6") => "--cloudevent: the registry stayed locked",
        (_, "6") => "the registry stayed locked",
        ("listen", "129") => "its terminal has gone (SIGHUP)",
        ("listen", "130") => "ended by Ctrl-C (143: by SIGTERM)",
        (_, "130") => "interrupted by SIGINT (143: by SIGTERM)",
        _ => panic!("what does {code} of {verb} mean?"),
    }
}

fn environment(verb: &str) -> String {
    let variables: &[&str] = match verb {
        "listen" => &["NO_COLOR  no colour"],
        "completions" => &["HOOKS_COMPLETE  set by the completions when they ask the program"],
        "health" => &[
            "HOOKS_FILE  the registry, as --file",
            "LC_ALL, LC_CTYPE, LANG",
            "            where they do not say UTF-8, the bars are ASCII",
            "TZ          the time zone of what is shown",
        ],
        "run" => &[
            "HOOKS_FILE",
            "     the registry, as --file",
            "HOOKS_TIMEOUT, HOOKS_RETRIES, HOOKS_DEADLINE, HOOKS_JOBS",
            "     the limits, as the flags; a wrong one is warned of, and the default is used",
        ],
        "publish" | "test" | "redeliver" => &[
            "HOOKS_FILE",
            "     the registry, as --file",
            "HOOKS_TIMEOUT, HOOKS_RETRIES, HOOKS_DEADLINE, HOOKS_JOBS",
            "     the limits, as the flags",
        ],
        _ => &["HOOKS_FILE  the registry, as --file"],
    };
    let deployer: &[&str] = match verb {
        "publish" | "run" => &[
            "REMOTE_USER, GL_USER, GITEA_PUSHER_NAME, GL_USERNAME, GITLAB_USER_LOGIN, GITHUB_ACTOR, USER",
            "     who deploys, for --git: the first that is set",
        ],
        _ => &[],
    };
    [variables, deployer].concat().join("\n")
}
