//! Workers that change one registry and publish from it, each with a model of what must be there.

use std::collections::{BTreeMap, HashSet};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Process, Receiver, Rng, Sandbox};

/// How long a call takes on a machine that has nothing else to do.
const FIRST_GUESS: Duration = Duration::from_millis(8);

/// The hooks of one worker by their URL, without what a publish changes.
type Hooks = BTreeMap<String, Value>;

/// Processes of one worker run one after the other; those of the others at the same time.
pub(super) struct Worker<'a> {
    number: usize,
    sandbox: &'a Sandbox,
    receiver: &'a Receiver,
    chance: Rng,
    pub(super) hooks: Hooks,
    /// The URL that each id was given to.
    pub(super) ids: BTreeMap<u64, String>,
    steps: usize,
    /// About when half of the calls of a verb have ended.
    usual: BTreeMap<&'static str, Duration>,
    /// How many calls of a verb were killed.
    pub(super) killed: BTreeMap<&'static str, usize>,
    /// How many calls came to their end.
    pub(super) finished: usize,
    /// Publications that were acknowledged.
    pub(super) published: Vec<Value>,
}

/// A call, and what it makes of the hooks.
struct Step {
    verb: &'static str,
    arguments: Vec<String>,
    after: Hooks,
}

impl<'a> Worker<'a> {
    pub(super) fn new(
        number: usize,
        sandbox: &'a Sandbox,
        receiver: &'a Receiver,
        seed: u64,
    ) -> Self {
        Self {
            number,
            sandbox,
            receiver,
            chance: Rng::of(seed + number as u64),
            hooks: Hooks::new(),
            ids: BTreeMap::new(),
            steps: 0,
            usual: BTreeMap::new(),
            killed: BTreeMap::new(),
            finished: 0,
            published: Vec::new(),
        }
    }

    pub(super) fn kills(&self) -> usize {
        self.killed.values().sum()
    }

    fn event(&self) -> String {
        format!("Event{}", self.number)
    }

    fn prefix(&self) -> String {
        self.receiver.url(&format!("/{}/", self.number))
    }

    /// The worker's hooks, as the registry has them now; it must parse at any moment.
    fn registered(&mut self) -> Hooks {
        let registry = self.sandbox.registry();
        let hooks = registry["hooks"].as_array().expect("an array of hooks");
        let next = registry["next_id"].as_u64().expect("a next id");
        let ids: Vec<_> = hooks.iter().map(|hook| hook["id"].as_u64().expect("an id")).collect();
        let unique: HashSet<_> = ids.iter().collect();
        assert!(
            unique.len() == ids.len() && ids.iter().all(|id| *id < next),
            "ids are used twice: {registry:#}"
        );
        let mine = hooks
            .iter()
            .filter(|hook| hook["url"].as_str().is_some_and(|url| url.starts_with(&self.prefix())));
        let found: Hooks = mine
            .map(|hook| {
                let url = hook["url"].as_str().unwrap_or_default().to_owned();
                (url, configured(hook))
            })
            .collect();
        for (url, hook) in &found {
            let id = hook["id"].as_u64().expect("an id");
            let first = self.ids.entry(id).or_insert_with(|| url.clone());
            assert_eq!(first, url, "the id {id} was used again");
        }
        found
    }

    fn choose(&mut self) -> Step {
        self.steps += 1;
        let mut after = self.hooks.clone();
        let count = self.hooks.len();
        let one = self
            .hooks
            .iter()
            .nth(self.chance.below(count))
            .map(|(url, hook)| (url.clone(), hook.clone()));
        let (verb, arguments): (&str, Vec<String>) = match (self.chance.below(10), one) {
            (0..3, Some((url, mut hook))) => {
                let value = self.steps.to_string();
                hook["headers"] = json!({ "X-Step": value });
                let id = hook["id"].to_string();
                after.insert(url, hook);
                let header = format!("X-Step: {value}");
                ("edit", vec![id, "--header".into(), header])
            }
            (3..5, Some((_, _))) => {
                let content = format!("{{\"step\":{}}}", self.steps);
                ("publish", vec![self.event(), content, "--json".into()])
            }
            (5, Some(_)) => ("redeliver", vec!["--failed".into(), "--now".into()]),
            (6.., Some((url, hook))) if count >= 4 => {
                after.remove(&url);
                ("remove", vec![hook["id"].to_string()])
            }
            _ => {
                let url = format!("{}{}", self.prefix(), self.steps);
                let hook = json!({"url": url, "event": self.event(), "insecure_ssl": false});
                after.insert(url.clone(), hook);
                let event = self.event();
                ("add", vec!["--url".into(), url, "--event".into(), event, "--json".into()])
            }
        };
        Step { verb, arguments, after }
    }

    /// Makes one call, disturbs it at some moment of its life, and looks at what there is. It may fail where a
    /// receiver or a lock does.
    pub(super) fn step(&mut self, may_fail: bool, disturb: impl FnOnce(&mut Rng, &Process)) {
        let step = self.choose();
        let mut call = self
            .sandbox
            .hooks([step.verb])
            .args(&step.arguments)
            .env("HOOKS_DEADLINE", "2s")
            .env("HOOKS_RETRIES", "0");
        if step.verb == "redeliver" {
            // What another worker's redelivery fails to send is not this one's to answer for.
            call = call.arg("--json");
        }
        let usual = self.usual.entry(step.verb).or_insert(FIRST_GUESS);
        let running = call.spawn();
        // The one sleep that is meant: a moment that nothing announces.
        thread::sleep(self.chance.moment(*usual * 2));
        disturb(&mut self.chance, &running);
        let ended = running.wait();
        let code = ended.code();
        // Nearer to the life of a call, however busy the machine is.
        *usual = usual.mul_f64(if code.is_none() { 1.1 } else { 0.9 });
        if let Some(code) = code {
            self.finished += 1;
            let undelivered = step.verb == "redeliver" || (may_fail && step.verb == "publish");
            let fine = code == 0 || (undelivered && code == 3) || (may_fail && code == 6);
            assert!(fine, "{} ended with {code}\n{}", ended.command, ended.stderr);
        } else {
            *self.killed.entry(step.verb).or_default() += 1;
        }
        let answer = serde_json::from_str::<Value>(&ended.stdout).ok();
        let acknowledged = code == Some(0) || answer.is_some();
        let found = self.registered();
        let is_after = same(&found, &step.after);
        assert!(
            is_after || (!acknowledged && same(&found, &self.hooks)),
            "{} (acknowledged: {acknowledged}) left {found:#?}\nbefore: {:#?}\nasked for: {:#?}",
            ended.command,
            self.hooks,
            step.after
        );
        self.hooks = found;
        if step.verb == "publish" {
            self.published.extend(answer);
        }
        let names = self.sandbox.names();
        let known = ["", ".journal", ".journal.damaged", ".lock", ".tmp"]
            .map(|suffix| format!("hooks.json{suffix}"));
        assert!(names.iter().all(|name| known.contains(name)), "files pile up: {names:?}");
    }
}

/// A hook without what a publish changes.
fn configured(hook: &Value) -> Value {
    let mut hook = hook.clone();
    let keys = hook.as_object_mut().expect("a hook is an object");
    keys.retain(|key, _| !key.starts_with("last_"));
    hook
}

/// Equal, where a hook that was just asked for has no id yet.
fn same(found: &Hooks, wanted: &Hooks) -> bool {
    found.len() == wanted.len()
        && wanted.iter().all(|(url, hook)| {
            let Some(there) = found.get(url) else {
                return false;
            };
            let mut there = there.clone();
            if hook.get("id").is_none()
                && let Some(keys) = there.as_object_mut()
            {
                keys.remove("id");
            }
            there == *hook
        })
}
