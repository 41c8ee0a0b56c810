//! What follows the options in each verb's `--help`: what it does, and examples that work as pasted. What its exit
//! statuses and variables mean is in its man page alone (`generated/meanings.rs`).

/// Below the list of verbs, in short.
pub(super) const TOP_SHORT: &str = "Try 'hooks add --help', and 'hooks listen' for a receiver \
to try things against.";

/// Below the list of verbs.
pub(super) const TOP: &str = "\
Examples:
  hooks listen --port 9000 &
  hooks add --url http://127.0.0.1:9000/cb --event PostDeployment
  hooks publish PostDeployment '{\"id\":\"42\",\"status\":\"success\"}'
  hooks list

Exit status:
  0    done; for publish: every matching hook accepted it, or no hook matched
  1    it could not be done: bad payload, I/O, unreadable registry
  2    a wrong argument
  3    at least one delivery failed (it is recorded all the same)
  4    the URL is registered already, for another event or with other options; or the name is taken
  5    no hook has that id or name; --must-match: no enabled hook gets the event
  6    the registry stayed locked by another process
  130  interrupted by SIGINT (143: SIGTERM, 129: SIGHUP); what had finished is recorded

Environment:
  HOOKS_FILE       the registry, as --file
  HOOKS_TIMEOUT, HOOKS_RETRIES, HOOKS_DEADLINE, HOOKS_JOBS
                   the limits of a publish, as the flags
  http_proxy, https_proxy, all_proxy, no_proxy
                   proxies, as curl reads them
  SSL_CERT_FILE, SSL_CERT_DIR
                   certificates to trust instead of the system's
  TZ               the time zone of what is shown
  LC_ALL, LC_CTYPE, LANG
                   where they do not say UTF-8, the bars of health are ASCII
  NO_COLOR         no colour
  HOOKS_COMPLETE   set by the shells' completions when they ask the program

Files:
  ~/.config/hooks/hooks.json
                   the registry (below XDG_CONFIG_HOME if that is set)
  hooks.json.journal
                   publications and outcomes, beside the registry
  hooks.json.journal.damaged
                   lines of the journal that could not be read
  hooks.json.lock, hooks.json.tmp
                   the lock, and a registry being written";

pub(super) const ADD: &str = "\
Adding the same URL and events again gives the hook that is there. Other users see the command line: \
--url @FILE, --header @FILE and --secret-file FILE keep secrets off it.

Examples:
  hooks add --url https://example.com/cb --event PostDeployment
  hooks add --url https://example.com/alarm --event '*' --status failed
  hooks add --name ci --url https://example.com/ --event Built --generate-secret

Exit status: 0, 1, 2, 4, 6; meanings, environment: man hooks-add";

pub(super) const LIST: &str = "\
Examples:
  hooks list
  hooks list --event PostDeployment
  hooks list --json

Exit status: 0, 1, 2; meanings, environment: man hooks-list";

pub(super) const SHOW: &str = "\
Examples:
  hooks show 1
  hooks show 1 --json

Exit status: 0, 1, 2, 5; meanings, environment: man hooks-show";

pub(super) const EDIT: &str = "\
Only what is given changes. An empty value clears: --status '', --header 'Name:', --ca-file '', \
--template '', --format raw. A new secret keeps the old one signing for 24 hours.

Examples:
  hooks edit 1 --event '*'
  hooks edit 1 --disable
  hooks edit 1 --generate-secret

Exit status: 0, 1, 2, 4, 5, 6; meanings, environment: man hooks-edit";

pub(super) const REMOVE: &str = "\
It never asks. Ids are never used again.

Examples:
  hooks remove 1
  hooks remove 2 3 --force

Exit status: 0, 1, 2, 5, 6; meanings, environment: man hooks-remove";

pub(super) const PUBLISH: &str = "\
The bytes that arrive are sent as they are, unless a flag changes them. With --git or a field flag, \
standard input is read only for -.

Examples:
  hooks publish PostDeployment '{\"id\":\"42\",\"status\":\"success\"}'
  echo '{\"id\":\"42\"}' | hooks publish PostDeployment --dry-run -
  hooks publish PostDeployment --status failed --set build:=7

Exit status: 0, 1, 2, 3, 5, 6, 130; meanings, environment: man hooks-publish";

pub(super) const RUN: &str = "\
Input, output and signals go to the command. Its status decides between success and failed, and is the \
exit status; what happens to the deliveries only warns.

Examples:
  hooks run PostDeployment -- true
  hooks run PostDeployment --git -- echo deploying
  hooks run PostDeployment --deadline 10s -- sh -c 'exit 3'

Exit status: N, 126, 127, 128+n, 2; meanings, environment: man hooks-run";

pub(super) const TEST: &str = "\
The filter of the hook and whether it is enabled do not matter. The sample is marked: \"test\": true.

Examples:
  hooks test 1
  hooks test 1 --timeout 2s --retries 0

Exit status: 0, 1, 2, 3, 5, 130; meanings, environment: man hooks-test";

pub(super) const LOG: &str = "\
A delivery is delivered, failed, pending (a process is at it), unfinished (that process was killed), \
deferred (publish --defer) or held (its hook was disabled). \
TIME is that of the last try. With -v each comes with its URL, the whole deployment, and the id of the \
publication, for redeliver.

Examples:
  hooks log
  hooks log 1 --failed
  hooks log --event PostDeployment --since 24h

Exit status: 0, 1, 2, 3, 5; meanings, environment: man hooks-log";

pub(super) const HEALTH: &str = "\
A hook is ok, failing (its last delivery failed), disabled, or idle (nothing was sent to it). FAILING \
says how many tries have failed in a row and for how long, OWED how many deliveries are still to be \
sent and how old the oldest is. The bars are the last deliveries: the higher, the longer they took; a \
cross is a failure.

Examples:
  hooks health
  hooks health 1 --since 24h --json
  hooks health --openmetrics

Exit status: 0, 1, 2, 3, 5; meanings, environment: man hooks-health";

pub(super) const REDELIVER: &str = "\
The same bytes go out under the same webhook-id. --failed takes what is due: at once after the first \
failure, then 5 min, 30 min, 2 h, 5 h and 10 h after the last try. One cron line does it:
  */5 * * * *  hooks -q redeliver --failed

Examples:
  hooks redeliver 1
  hooks redeliver --failed
  hooks redeliver --failed --since 7d --dry-run

Exit status: 0, 1, 2, 3, 5, 6, 130; meanings, environment: man hooks-redeliver";

pub(super) const LISTEN: &str = "\
It listens on 127.0.0.1 alone. Its first line on standard error names the address.

Examples:
  hooks listen
  hooks listen --port 0 --count 1
  hooks listen --respond 503

Exit status: 0, 1, 2, 129, 130; meanings, environment: man hooks-listen";

pub(super) const COMPLETIONS: &str = "\
They ask the program, so they know the hooks and events of the registry. A Debian package brings them \
along. Else they belong into a file that the shell looks for:
  bash  ~/.local/share/bash-completion/completions/hooks
  zsh   _hooks in a directory of $fpath, before compinit runs
  fish  ~/.config/fish/completions/hooks.fish

Examples:
  hooks completions bash
  hooks completions fish > hooks.fish

Exit status: 0, 1, 2; meanings, environment: man hooks-completions";
