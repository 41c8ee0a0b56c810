//! A user's template rendered, or a condition worked out, in a process of its own: this program, started once more.
//!
//! The engine counts instructions and the text that they make, and one instruction can still go on for ever: after
//! `{% set a = [a, a] %}` forty times, `a` has a million million items, and printing or comparing it takes all memory
//! or years. A thread cannot be limited in memory; a process can. The built-in formats need none of this.

use std::borrow::Cow;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, LazyLock, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::syntax::Syntax;
use super::{MAX_TEMPLATE, RenderError, check as check_here, from_template, samples};
use crate::domain::condition::{self, ConditionError};
use crate::domain::deployment::Deployment;
use crate::domain::publication::Publication;
use crate::domain::stack;
use crate::platform;

/// The argument that makes this program a renderer.
pub(crate) const COMMAND: &str = "__render";

/// Memory for a rendering beside its stack, in bytes. A deployment of 1 MiB takes a tenth of it.
const MEMORY: usize = 128 * 1024 * 1024;

/// Processor time for a rendering. One that takes all its fuel needs less.
const TIME: Duration = Duration::from_secs(2);

/// What is to be rendered or worked out: a line of JSON on the renderer's standard input.
#[derive(Serialize, Deserialize)]
struct Job<'a> {
    /// The template, or the condition.
    source: Cow<'a, str>,
    is_condition: bool,
    content_type: Option<Cow<'a, str>>,
    /// What was published; without it the source is checked.
    publication: Option<Published<'a>>,
}

impl<'a> Job<'a> {
    /// A condition to be worked out.
    fn new(source: &'a str, publication: Option<&'a Publication>) -> Self {
        let published = |publication: &'a Publication| Published {
            id: publication.id.as_str().into(),
            event: publication.event.as_str().into(),
            time: publication.time,
            content: publication.deployment.as_str().into(),
        };
        Self {
            source: source.into(),
            is_condition: true,
            content_type: None,
            publication: publication.map(published),
        }
    }

    /// A template instead, in the syntax of this content type.
    fn of_template(self, content_type: Option<&'a str>) -> Self {
        Self { is_condition: false, content_type: content_type.map(Cow::Borrowed), ..self }
    }
}

/// A [`Publication`], for the way to the other process.
#[derive(Serialize, Deserialize)]
struct Published<'a> {
    id: Cow<'a, str>,
    event: Cow<'a, str>,
    time: DateTime<Utc>,
    content: Cow<'a, str>,
}

/// Why there is no rendering: one line, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{reason}")]
pub(crate) struct Refused {
    reason: String,
    /// The next step, where there is one.
    pub(crate) hint: Option<String>,
}

impl Refused {
    fn because(reason: String) -> Self {
        Self { reason, hint: None }
    }
}

impl From<ConditionError> for Refused {
    fn from(error: ConditionError) -> Self {
        Self::because(error.to_string())
    }
}

impl From<RenderError> for Refused {
    fn from(error: RenderError) -> Self {
        Self { reason: error.to_string(), hint: error.hint().map(str::to_owned) }
    }
}

/// Renders a publication by a user's template, for a hook that sends this `Content-Type` itself.
pub(crate) fn render(
    template: &str,
    content_type: Option<&str>,
    publication: &Publication,
) -> Result<String, Refused> {
    ask(&Job::new(template, Some(publication)).of_template(content_type))
}

/// Checks a user's template before it is stored, by rendering samples.
pub(crate) fn check(template: &str, content_type: Option<&str>) -> Result<(), Refused> {
    ask(&Job::new(template, None).of_template(content_type)).map(drop)
}

/// Whether a hook's condition is true of a publication.
pub(crate) fn holds(condition: &str, publication: &Publication) -> Result<bool, Refused> {
    let answer = ask(&Job::new(condition, Some(publication)))?;
    Ok(answer == true.to_string())
}

/// Checks a hook's condition before it is stored, on samples.
pub(crate) fn check_condition(condition: &str) -> Result<(), Refused> {
    ask(&Job::new(condition, None)).map(drop)
}

/// Answers jobs until standard input ends: what the process does that was started with [`COMMAND`].
pub(crate) fn serve() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut deployment = Arc::new(Deployment::empty());
    for line in io::stdin().lock().split(b'\n') {
        let job: Job = serde_json::from_slice(&line?)?;
        let stack = stack::size(job.source.len().min(MAX_TEMPLATE));
        platform::limit_work(MEMORY + stack, TIME);
        serde_json::to_writer(&mut stdout, &answer(&job, &mut deployment))?;
        stdout.write_all(b"\n")?;
        stdout.flush()?;
    }
    Ok(())
}

/// Does a job. The deployment of the last one is most often that of this one, and was read already.
fn answer(job: &Job, deployment: &mut Arc<Deployment>) -> Result<String, Refused> {
    let syntax = Syntax::of(job.content_type.as_deref());
    let Some(published) = &job.publication else {
        if job.is_condition {
            condition::check(&job.source, &samples().map(Deployment::recorded))?;
        } else {
            check_here(&job.source, syntax)?;
        }
        return Ok(String::new());
    };
    if deployment.as_str() != published.content {
        *deployment = Arc::new(Deployment::recorded(published.content.to_string()));
    }
    if job.is_condition {
        let holds = condition::holds(&job.source, &published.event, deployment)?;
        return Ok(holds.to_string());
    }
    let publication = Publication {
        id: published.id.clone().into_owned(),
        event: published.event.clone().into_owned(),
        time: published.time,
        deployment: Arc::clone(deployment),
        test: false,
    };
    Ok(from_template(&job.source, syntax, &publication)?)
}

fn ask(job: &Job) -> Result<String, Refused> {
    let what = if job.is_condition { "condition" } else { "template" };
    let idle = SLOTS.take().and_then(Renderer::if_alive);
    let Ok(mut renderer) = idle.map_or_else(Renderer::start, Ok) else {
        SLOTS.give(None);
        let reason = format!("the system gives no process to work out the {what} in");
        return Err(Refused::because(reason));
    };
    let answer = renderer.ask(job);
    SLOTS.give(answer.is_ok().then_some(renderer));
    answer.unwrap_or_else(|_| {
        let reason = format!("the {what} takes too much time or memory");
        Err(Refused::because(reason))
    })
}

/// A process that renders.
struct Renderer {
    process: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Renderer {
    fn start() -> io::Result<Self> {
        let mut command = Command::new(platform::this_program()?);
        command
            .arg(COMMAND)
            // Nobody reads how far a template had come, and to tell it takes memory.
            .env_remove("RUST_BACKTRACE")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        // Ctrl-C is for the process that the user sees.
        let mut process = platform::in_own_group(&mut command).spawn()?;
        match (process.stdin.take(), process.stdout.take()) {
            (Some(input), Some(output)) => {
                Ok(Self { process, input, output: BufReader::new(output) })
            }
            _ => Err(io::ErrorKind::BrokenPipe.into()),
        }
    }

    fn if_alive(mut self) -> Option<Self> {
        matches!(self.process.try_wait(), Ok(None)).then_some(self)
    }

    /// The answer to a job. An error is the end of the process: most likely it went past its limits.
    fn ask(&mut self, job: &Job) -> io::Result<Result<String, Refused>> {
        let mut line = serde_json::to_vec(job)?;
        line.push(b'\n');
        self.input.write_all(&line)?;
        let mut answer = Vec::new();
        self.output.read_until(b'\n', &mut answer)?;
        Ok(serde_json::from_slice(&answer)?)
    }
}

impl Drop for Renderer {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// As many renderers as there are processors: more would be no faster, and take as many times the memory.
static SLOTS: LazyLock<Slots> = LazyLock::new(|| {
    let count = thread::available_parallelism().map_or(1, usize::from);
    Slots { free: Mutex::new((0..count).map(|_| None).collect()), freed: Condvar::new() }
});

/// Places for renderers, each with the process that rendered there last.
struct Slots {
    free: Mutex<Vec<Option<Renderer>>>,
    freed: Condvar,
}

impl Slots {
    /// Waits for a place.
    fn take(&self) -> Option<Renderer> {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(slot) = free.pop() {
                return slot;
            }
            let waited = self.freed.wait(free);
            free = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn give(&self, renderer: Option<Renderer>) {
        let mut free = self.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push(renderer);
        self.freed.notify_one();
    }
}
