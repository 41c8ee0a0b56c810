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
use super::template::{MAX_TEMPLATE, stack_size};
use super::{RenderError, condition, from_template};
use crate::domain::deployment::Deployment;
use crate::domain::publication::Publication;
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
    /// What the template writes; `None` for a condition.
    syntax: Option<Syntax>,
    /// What was published; without it the source is checked.
    publication: Option<Published<'a>>,
}

/// A [`Publication`], for the way to the other process.
#[derive(Serialize, Deserialize)]
struct Published<'a> {
    id: Cow<'a, str>,
    event: Cow<'a, str>,
    time: DateTime<Utc>,
    content: Cow<'a, str>,
}

impl<'a> Job<'a> {
    fn new(source: &'a str, syntax: Option<Syntax>, publication: Option<&'a Publication>) -> Self {
        let published = |publication: &'a Publication| Published {
            id: publication.id.as_str().into(),
            event: publication.event.as_str().into(),
            time: publication.time,
            content: publication.deployment.as_str().into(),
        };
        Self { source: source.into(), syntax, publication: publication.map(published) }
    }
}

/// Renders a publication by a user's template, for a hook that sends this `Content-Type` itself.
pub(crate) fn render(
    template: &str,
    content_type: Option<&str>,
    publication: &Publication,
) -> Result<String, RenderError> {
    ask(&Job::new(template, Some(Syntax::of(content_type)), Some(publication)))
}

/// Checks a user's template before it is stored, by rendering samples.
pub(crate) fn check(template: &str, content_type: Option<&str>) -> Result<(), RenderError> {
    ask(&Job::new(template, Some(Syntax::of(content_type)), None)).map(drop)
}

/// Whether a hook's condition is true of a publication.
pub(crate) fn holds(condition: &str, publication: &Publication) -> Result<bool, RenderError> {
    let answer = ask(&Job::new(condition, None, Some(publication)))?;
    Ok(answer == true.to_string())
}

/// Checks a hook's condition before it is stored, on samples.
pub(crate) fn check_condition(condition: &str) -> Result<(), RenderError> {
    ask(&Job::new(condition, None, None)).map(drop)
}

/// Answers jobs until standard input ends: what the process does that was started with [`COMMAND`].
pub(crate) fn serve() -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    let mut last = Arc::new(Deployment::empty());
    for line in io::stdin().lock().split(b'\n') {
        let job: Job = serde_json::from_slice(&line?)?;
        let stack = stack_size(job.source.len().min(MAX_TEMPLATE));
        platform::limit_work(MEMORY + stack, TIME);
        serde_json::to_writer(&mut stdout, &answer(job, &mut last))?;
        stdout.write_all(b"\n")?;
        stdout.flush()?;
    }
    Ok(())
}

/// Does a job. The deployment of the last one is most often that of this one, and was read already.
fn answer(job: Job, last: &mut Arc<Deployment>) -> Result<String, RenderError> {
    let Some(Published { id, event, time, content }) = job.publication else {
        let checked = match job.syntax {
            Some(syntax) => super::check(&job.source, syntax),
            None => condition::check(&job.source),
        };
        return checked.map(|()| String::new());
    };
    if last.as_str() != content {
        *last = Arc::new(Deployment::recorded(content.into_owned()));
    }
    let (id, event, deployment) = (id.into_owned(), event.into_owned(), Arc::clone(last));
    let publication = Publication { id, event, time, deployment, test: false };
    match job.syntax {
        Some(syntax) => from_template(&job.source, syntax, &publication),
        None => condition::holds(&job.source, &publication).map(|holds| holds.to_string()),
    }
}

fn ask(job: &Job) -> Result<String, RenderError> {
    let what = if job.syntax.is_some() { "template" } else { "condition" };
    let idle = take_place().and_then(Renderer::if_alive);
    let Ok(mut renderer) = idle.map_or_else(Renderer::start, Ok) else {
        give_place(None);
        let reason = format!("the system gives no process to work out the {what} in");
        return Err(RenderError::because(reason));
    };
    let answer = renderer.ask(job);
    give_place(answer.is_ok().then_some(renderer));
    answer.unwrap_or_else(|_| {
        let reason = format!("the {what} takes too much time or memory");
        Err(RenderError::because(reason))
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
    fn ask(&mut self, job: &Job) -> io::Result<Result<String, RenderError>> {
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

/// Places for renderers, each with the process that rendered there last. They are as many as there are
/// processors: more would be no faster, and take as many times the memory.
static FREE: LazyLock<Mutex<Vec<Option<Renderer>>>> = LazyLock::new(|| {
    let count = thread::available_parallelism().map_or(1, usize::from);
    Mutex::new((0..count).map(|_| None).collect())
});

/// Told when a place is free again.
static FREED: Condvar = Condvar::new();

/// Waits for a place.
fn take_place() -> Option<Renderer> {
    let free = FREE.lock().unwrap_or_else(PoisonError::into_inner);
    let waited = FREED.wait_while(free, |free| free.is_empty());
    waited.unwrap_or_else(PoisonError::into_inner).pop().flatten()
}

fn give_place(renderer: Option<Renderer>) {
    FREE.lock().unwrap_or_else(PoisonError::into_inner).push(renderer);
    FREED.notify_one();
}
