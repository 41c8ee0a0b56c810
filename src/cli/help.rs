//! What follows the options in each verb's `--help`: examples that work as pasted, exit statuses,
//! environment. The man pages take their sections from here, too.

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
  5    no hook has that id or name
  6    the registry stayed locked by another process
  130  interrupted by SIGINT (143: by SIGTERM); what had finished is recorded

Environment:
  HOOKS_FILE       the registry, as --file
  HOOKS_TIMEOUT, HOOKS_RETRIES, HOOKS_DEADLINE, HOOKS_JOBS
                   the limits of a publish, as the flags
  http_proxy, https_proxy, all_proxy, no_proxy
                   proxies, as curl reads them
  SSL_CERT_FILE, SSL_CERT_DIR
                   certificates to trust instead of the system's
  NO_COLOR         no colour

Files:
  ~/.config/hooks/hooks.json
                   the registry (below XDG_CONFIG_HOME if that is set)
  hooks.json.journal
                   publications and outcomes, beside the registry
  hooks.json.lock, hooks.json.tmp
                   the lock, and a registry being written";

pub(super) const ADD: &str = "\
Adding the same URL and events again gives the hook that is there. Other users see the command line: \
--url @FILE, --header @FILE and --secret-file FILE keep secrets off it.

Examples:
  hooks add --url https://example.com/cb --event PostDeployment
  hooks add --url https://example.com/alarm --event '*' --status failed
  hooks add --name ci --url https://example.com/ --event Built --generate-secret

Exit status:
  0  registered, or registered already
  1  it could not be saved
  2  a wrong argument
  4  the URL is registered for another event or with other options, or the name is taken
  6  the registry stayed locked

Environment:
  HOOKS_FILE  the registry, as --file";

pub(super) const LIST: &str = "\
Examples:
  hooks list
  hooks list --event PostDeployment
  hooks list --json

Exit status:
  0  done, also when there is no hook
  1  the registry could not be read
  2  a wrong argument

Environment:
  HOOKS_FILE  the registry, as --file";

pub(super) const SHOW: &str = "\
Examples:
  hooks show 1
  hooks show 1 --json

Exit status:
  0  done
  1  the registry could not be read
  2  a wrong argument
  5  no hook has that id or name

Environment:
  HOOKS_FILE  the registry, as --file";

pub(super) const EDIT: &str = "\
Only what is given changes. An empty value clears: --status '', --header 'Name:', --ca-file '', \
--template '', --format raw. A new secret keeps the old one signing for 24 hours.

Examples:
  hooks edit 1 --event '*'
  hooks edit 1 --disable
  hooks edit 1 --generate-secret

Exit status:
  0  changed, or nothing to change
  1  it could not be saved
  2  a wrong argument
  4  another hook has that URL or name
  5  no hook has that id or name
  6  the registry stayed locked

Environment:
  HOOKS_FILE  the registry, as --file";

pub(super) const REMOVE: &str = "\
It never asks. Ids are never used again.

Examples:
  hooks remove 1
  hooks remove 2 3 --force

Exit status:
  0  removed
  1  it could not be saved
  2  a wrong argument
  5  no hook has that id or name (nothing is removed then; --force ignores it)
  6  the registry stayed locked

Environment:
  HOOKS_FILE  the registry, as --file";

pub(super) const PUBLISH: &str = "\
The bytes that arrive are sent as they are, unless a flag changes them. With --git or a field flag, \
standard input is read only for -.

Examples:
  hooks publish PostDeployment '{\"id\":\"42\",\"status\":\"success\"}'
  echo '{\"id\":\"42\"}' | hooks publish PostDeployment --dry-run -
  hooks publish PostDeployment --status failed --set build:=7

Exit status:
  0    every matching hook accepted it, or no hook matched
  1    bad deployment, or the registry could not be read
  2    a wrong argument
  3    at least one delivery failed
  5    --must-match: no enabled hook gets it
  6    --cloudevent: the registry stayed locked
  130  interrupted by SIGINT (143: by SIGTERM)

Environment:
  HOOKS_FILE
       the registry, as --file
  HOOKS_TIMEOUT, HOOKS_RETRIES, HOOKS_DEADLINE, HOOKS_JOBS
       the limits, as the flags
  REMOTE_USER, GL_USER, GITEA_PUSHER_NAME, GL_USERNAME, GITLAB_USER_LOGIN, GITHUB_ACTOR, USER
       who deploys, for --git: the first that is set";

pub(super) const RUN: &str = "\
Input, output and signals go to the command. Its status decides between success and failed, and is the \
exit status; what happens to the deliveries only warns.

Examples:
  hooks run PostDeployment -- true
  hooks run PostDeployment --git -- echo deploying
  hooks run PostDeployment --deadline 10s -- sh -c 'exit 3'

Exit status:
  N      what the command ended with
  126    it could not be run
  127    it was not found
  128+n  signal n ended it
  2      a wrong argument of hooks itself: nothing was run

Environment:
  HOOKS_FILE
       the registry, as --file
  HOOKS_TIMEOUT, HOOKS_RETRIES, HOOKS_DEADLINE, HOOKS_JOBS
       the limits, as the flags";

pub(super) const TEST: &str = "\
The filter of the hook and whether it is enabled do not matter. The sample is marked: \"test\": true.

Examples:
  hooks test 1
  hooks test 1 --timeout 2s --retries 0

Exit status:
  0    delivered
  1    the registry could not be read
  2    a wrong argument
  3    not delivered
  5    no hook has that id or name
  130  interrupted by SIGINT (143: by SIGTERM)

Environment:
  HOOKS_FILE
       the registry, as --file
  HOOKS_TIMEOUT, HOOKS_RETRIES, HOOKS_DEADLINE, HOOKS_JOBS
       the limits, as the flags";

pub(super) const LOG: &str = "\
A delivery is delivered, failed, pending (a process is at it), unfinished (that process was killed), \
deferred (publish --defer) or held (its hook was disabled). \
TIME is that of the last try. With -v each comes with its URL, the whole deployment, and the id of the \
publication, for redeliver.

Examples:
  hooks log
  hooks log 1 --failed
  hooks log --event PostDeployment --since 24h

Exit status:
  0  done
  1  the journal or the registry could not be read
  2  a wrong argument
  3  --exit-code: something is shown
  5  no hook has that id or name, now or in the journal; no such publication

Environment:
  HOOKS_FILE  the registry, as --file";

pub(super) const HEALTH: &str = "\
A hook is ok, failing (its last delivery failed), disabled, or idle (nothing was sent to it). FAILING \
says how many tries have failed in a row and for how long, OWED how many deliveries are still to be \
sent and how old the oldest is. The bars are the last deliveries: the higher, the longer they took; a \
cross is a failure.

Examples:
  hooks health
  hooks health 1 --since 24h --json
  hooks health --openmetrics

Exit status:
  0  all is well
  1  the journal or the registry could not be read
  2  a wrong argument
  3  a hook is failing, or something is owed
  5  no hook has that id or name

Environment:
  HOOKS_FILE  the registry, as --file
  LC_ALL, LC_CTYPE, LANG
              where they do not say UTF-8, the bars are ASCII
  TZ          the time zone of what is shown";

pub(super) const REDELIVER: &str = "\
The same bytes go out under the same webhook-id. --failed takes what is due: at once after the first \
failure, then 5 min, 30 min, 2 h, 5 h and 10 h after the last try. One cron line does it:
  */5 * * * *  hooks -q redeliver --failed

Examples:
  hooks redeliver 1
  hooks redeliver --failed
  hooks redeliver --failed --since 7d --dry-run

Exit status:
  0    everything was delivered, or nothing was due
  1    the registry or the journal could not be read
  2    a wrong argument
  3    at least one delivery failed, or what was named could not be sent
  5    no hook or no publication has that id or name
  6    the registry stayed locked
  130  interrupted by SIGINT (143: by SIGTERM)

Environment:
  HOOKS_FILE
       the registry, as --file
  HOOKS_TIMEOUT, HOOKS_RETRIES, HOOKS_DEADLINE, HOOKS_JOBS
       the limits, as the flags";

pub(super) const LISTEN: &str = "\
It listens on 127.0.0.1 alone. Its first line on standard error names the address.

Examples:
  hooks listen
  hooks listen --port 0 --count 1
  hooks listen --respond 503

Exit status:
  0    --count requests have arrived
  1    the port could not be had
  2    a wrong argument
  130  ended by Ctrl-C (143: by SIGTERM)

Environment:
  NO_COLOR  no colour";

pub(super) const COMPLETIONS: &str = "\
They ask the program, so they know the hooks and events of the registry. A Debian package brings them \
along. Else they belong into a file that the shell looks for:
  bash  ~/.local/share/bash-completion/completions/hooks
  zsh   _hooks in a directory of $fpath, before compinit runs
  fish  ~/.config/fish/completions/hooks.fish

Examples:
  hooks completions bash
  hooks completions fish > hooks.fish

Exit status:
  0  done
  1  they could not be written
  2  a wrong argument

Environment:
  HOOKS_COMPLETE  set by the completions when they ask the program";
