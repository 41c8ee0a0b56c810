//! bash, zsh and fish in a terminal, with the completions installed as by a package.

use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Duration;

use super::capture::Capture;
use super::process::TIMEOUT;
use super::sandbox::Sandbox;

/// The key that lists what the shell offers.
const LIST: &str = "\u{14}";
/// The keys that print the line as it is now, and empty it.
const SHOW: &str = "\u{18}\u{10}";

/// A shell that the tool has completions for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// A completion that a shell offers, with its description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Candidate {
    pub(crate) value: String,
    /// bash shows no descriptions.
    pub(crate) description: Option<String>,
}

/// An interactive shell in a terminal, in the folder `current` of the sandbox.
pub(crate) struct Terminal {
    shell: Shell,
    child: Child,
    keyboard: ChildStdin,
    screen: Capture,
    /// How many lines were shown, and how much of the screen that was.
    shown: usize,
    seen: usize,
}

impl Shell {
    /// Those that are installed; on CI all of them have to be.
    pub(crate) fn installed() -> Vec<Self> {
        let mut shells = vec![Self::Bash, Self::Zsh, Self::Fish];
        shells.retain(|shell| super::needs("script") && super::needs(shell.name()));
        shells
    }

    /// A PATH on which `hooks` is the binary under test.
    pub(crate) fn path_with_the_binary() -> OsString {
        let folder = Path::new(Sandbox::BINARY).parent();
        let folder = folder.expect("the binary is in a folder").to_owned();
        let others = std::env::var_os("PATH").unwrap_or_default();
        let folders = std::iter::once(folder).chain(std::env::split_paths(&others));
        std::env::join_paths(folders).expect("the binary's folder can be in a PATH")
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bash => "bash",
            Self::Zsh => "zsh",
            Self::Fish => "fish",
        }
    }

    /// The completion in the sources, and where a package installs it.
    fn completion(self) -> [&'static str; 2] {
        match self {
            Self::Bash => ["hooks.bash", "usr/share/bash-completion/completions/hooks"],
            Self::Zsh => ["_hooks", "usr/share/zsh/vendor-completions/_hooks"],
            Self::Fish => ["hooks.fish", "usr/share/fish/vendor_completions.d/hooks.fish"],
        }
    }

    /// What is in the shell's start-up file: how its completions are loaded, as far as that is not its
    /// own doing, and the two keys.
    fn start_up(self) -> [&'static str; 2] {
        match self {
            // As the package bash-completion loads a command's file at the first TAB.
            Self::Bash => [
                "bashrc",
                r#"
PS1='ready\n> '
load() { . "$XDG_DATA_DIRS/bash-completion/completions/${1##*/}" && return 124; }
complete -D -F load -o bashdefault -o default
bind 'set enable-bracketed-paste off'
bind 'set completion-query-items 0'
bind 'set page-completions off'
bind '"\C-t": insert-completions'
show() { printf '\n<%d:%s>\n' $((++shown)) "$READLINE_LINE"; READLINE_LINE=; }
bind -x '"\C-x\C-p": show'
"#,
            ],
            Self::Zsh => [
                ".zshrc",
                r#"
PS1=$'ready\n> '
unset zle_bracketed_paste
setopt no_list_packed
LISTMAX=10000
fpath=($XDG_DATA_DIRS/zsh/vendor-completions $fpath)
autoload -Uz compinit && compinit -u -D
bindkey '^T' list-choices
show() { print -r -- $'\n'"<$((++shown)):$BUFFER>"; BUFFER= }
zle -N show
bindkey '^X^P' show
"#,
            ],
            Self::Fish => [
                "init.fish",
                r"
set -g fish_greeting
set -g shown 0
function fish_prompt; printf 'ready\n> '; end
function offers; printf '\n<offers>\n'; complete -C (commandline | string collect); printf '<end>\n'; end
function show
    set -g shown (math $shown + 1)
    printf '\n<%s:%s>\n' $shown (commandline | string collect)
    commandline --replace ''
end
bind \ct offers
bind \cx\cp show
",
            ],
        }
    }

    fn command(self) -> &'static str {
        match self {
            Self::Bash => "exec bash --noprofile --rcfile ../bashrc -i",
            Self::Zsh => "exec zsh -d -i",
            Self::Fish => "exec fish --init-command 'source ../init.fish'",
        }
    }
}

impl Terminal {
    #[track_caller]
    pub(crate) fn start(shell: Shell, sandbox: &Sandbox) -> Self {
        let share = sandbox.path().join("usr/share");
        let [source, installed] = shell.completion();
        let source = format!("{}/completions/{source}", env!("CARGO_MANIFEST_DIR"));
        let installed = sandbox.path().join(installed);
        for folder in [installed.parent().expect("it is in a folder"), &current_folder(sandbox)] {
            fs::create_dir_all(folder).expect("a folder can be made in the sandbox");
        }
        fs::copy(&source, installed).expect("the completion can be copied");
        let [name, text] = shell.start_up();
        sandbox.write(name, text);

        // Wide and high, so that nothing is wrapped, scrolled or asked about.
        let command = format!("stty cols 1000 rows 500; {}", shell.command());
        let mut child = Command::new("script")
            .args(["-qec", &command, "/dev/null"])
            .current_dir(current_folder(sandbox))
            .env_clear()
            .envs(sandbox.environment())
            .env("PATH", Shell::path_with_the_binary())
            .env("XDG_DATA_DIRS", share)
            .env("ZDOTDIR", sandbox.path())
            .env("TERM", "dumb")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a terminal can be started");
        let terminal = Self {
            shell,
            keyboard: child.stdin.take().expect("standard input is piped"),
            screen: Capture::of(child.stdout.take().expect("standard output is piped")),
            child,
            shown: 0,
            seen: 0,
        };
        // Keys that are typed before the shell reads them would be echoed twice.
        terminal.screen.line("ready", TIMEOUT);
        terminal
    }

    /// Types this, and gives the line as it then stands.
    #[track_caller]
    pub(crate) fn line_after(&mut self, keys: &str) -> String {
        self.type_and_show(keys).0
    }

    /// The line after the start of a word and one TAB.
    #[track_caller]
    pub(crate) fn completed(&mut self, line: &str) -> String {
        self.line_after(&format!("{line}\t"))
    }

    /// What is offered behind this line, which ends in a blank or within a word.
    #[track_caller]
    pub(crate) fn candidates(&mut self, line: &str) -> Vec<Candidate> {
        let (completed, screen) = self.type_and_show(&format!("{line}{LIST}"));
        match self.shell {
            Shell::Bash => {
                let inserted = completed.strip_prefix(line).unwrap_or_default();
                inserted.split_whitespace().map(Candidate::plain).collect()
            }
            Shell::Zsh => {
                let listed = screen.lines().skip_while(|shown| !shown.contains(line));
                let listed = listed.skip(1).take_while(|shown| *shown != "ready");
                listed.flat_map(Candidate::listed).collect()
            }
            Shell::Fish => {
                let listed = screen.lines().skip_while(|shown| *shown != "<offers>");
                let listed = listed.skip(1).take_while(|shown| *shown != "<end>");
                listed.map(Candidate::tabbed).collect()
            }
        }
    }

    /// The values that are offered behind this line.
    #[track_caller]
    pub(crate) fn values(&mut self, line: &str) -> Vec<String> {
        let offers = self.candidates(line).into_iter();
        offers.map(|offer| offer.value).collect()
    }

    /// All that was on the screen, up to the last line that was shown.
    pub(crate) fn screen(&self) -> String {
        let mut screen =
            String::from_utf8_lossy(&self.screen.finish(Duration::ZERO)).replace('\r', "");
        let mark = screen.rfind(&self.mark()).expect("a line was shown");
        screen.truncate(mark);
        screen
    }

    fn mark(&self) -> String {
        format!("<{}:", self.shown)
    }

    /// The line after these keys, and what appeared on the screen meanwhile.
    #[track_caller]
    fn type_and_show(&mut self, keys: &str) -> (String, String) {
        self.shown += 1;
        write!(self.keyboard, "{keys}{SHOW}").expect("the terminal takes keys");
        let mark = self.mark();
        let line = self.screen.line(&mark, TIMEOUT);
        let line = line.strip_prefix(&mark).and_then(|line| line.strip_suffix('>'));
        let screen = self.screen();
        let seen = screen[self.seen..].to_owned();
        self.seen = screen.len();
        (line.expect("a line is shown whole").to_owned(), seen)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // The shell gets SIGHUP when its terminal ends.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Candidate {
    fn plain(value: &str) -> Self {
        Self { value: value.to_owned(), description: None }
    }

    /// A line of fish's: the value, a tab, the description.
    fn tabbed(line: &str) -> Self {
        let (value, description) = line.split_once('\t').unwrap_or((line, ""));
        Self {
            value: value.to_owned(),
            description: (!description.is_empty()).then(|| description.to_owned()),
        }
    }

    /// A line of zsh's: one value with its description, or several without.
    fn listed(line: &str) -> Vec<Self> {
        match line.split_once(" -- ") {
            Some((value, description)) => vec![Self {
                value: value.trim_end().to_owned(),
                description: Some(description.trim_end().to_owned()),
            }],
            None => line
                .split("  ")
                .map(str::trim)
                .filter(|value| !value.is_empty())
                .map(Self::plain)
                .collect(),
        }
    }
}

/// The folder in which the shells run.
fn current_folder(sandbox: &Sandbox) -> PathBuf {
    sandbox.path().join("current")
}
