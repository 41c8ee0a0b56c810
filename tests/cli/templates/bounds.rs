//! A template can take neither memory nor time without bound, whatever it does.

use std::process::Command;
use std::time::Duration;

use crate::support::{Receiver, Sandbox, needs, needs_success, scaled};

/// Memory that a run of `hooks`, its renderer included, may take, in KiB.
const MOST_MEMORY: u64 = 320 * 1024;

/// Three samples are rendered within one limit of two to three seconds of processor time; the machine is busy.
const LONGEST: Duration = Duration::from_secs(30);

/// Two lists, and what makes each hold itself twice.
const LISTS: &str = "{% set a = [1] %}{% set b = [1] %}";
const NESTED: &str = "{% set a = [a, a] %}{% set b = [b, b] %}";

fn doubled(start: &str, step: &str, end: &str) -> String {
    format!("{start}{}{end}", step.repeat(40))
}

/// Texts, lists and objects that double forty times.
fn doubling() -> Vec<String> {
    let text = "{% set a = 'xxxxxxxxxx' %}";
    let map = "{% set a = {} %}{% set b = {} %}";
    vec![
        doubled(text, "{% set a = a + a %}", "{{ a|length }}"),
        doubled(text, "{% set a = a ~ a %}", "{{ a|length }}"),
        doubled(text, "{% set a = a * 2 %}", "{{ a|length }}"),
        doubled(text, "{% set a = [a, a]|join %}", "{{ a|length }}"),
        doubled(text, "{% set a = a|replace('x', 'xx') %}", "{{ a|length }}"),
        doubled(text, "{% set a %}{{ a|safe }}{{ a|safe }}{% endset %}", "{{ a|length }}"),
        doubled(LISTS, "{% set a = a + a %}", "{{ a|length }}"),
        doubled(LISTS, "{% set a = a|chain(a) %}", "{{ a }}"),
        doubled(map, "{% set a = {'x': a, 'y': a} %}", "{{ a }}"),
        doubled(map, "{% set a = dict(x=a, y=a) %}", "{{ a ~ '' }}"),
    ]
}

/// One step on lists that hold themselves twice, forty times over.
fn steps_on_nested_lists() -> Vec<String> {
    let ends = [
        "{{ a }}",
        "{{ a ~ '' }}",
        "{{ a|string }}",
        "{{ a|tojson }}",
        "{{ a|pprint }}",
        "{{ a|join }}",
        "{{ a|base64 }}",
        "{{ a|urlencode }}",
        "{{ a|upper }}",
        "{{ a|replace('1', '2') }}",
        "{{ '%s'|format(a) }}",
        "{{ a == b }}",
        "{{ a < b }}",
        "{{ a in [b] }}",
        "{{ a in 'x' }}",
        "{{ [a, b]|sort|length }}",
        "{{ [a, b]|unique|length }}",
        "{{ {a: 1}[b] }}",
        "{{ 1 if a is eq(b) else 2 }}",
        "{% for x in [a, b] %}{{ 1 if loop.changed(x) else 2 }}{% endfor %}",
    ];
    // Each takes all of its time.
    let number = scaled(4, ends.len());
    ends.iter().step_by(ends.len() / number).map(|end| doubled(LISTS, NESTED, end)).collect()
}

/// Single steps that ask for much at once.
fn single_steps() -> Vec<String> {
    let mut steps = [
        "{{ 'x' * 99999999999 }}",
        "{{ [1] * 100000000 }}",
        "{{ [[1] * 100000000] * 100000000 ~ '' }}",
        "{{ ([1] * 100000000)|join(',') }}",
        "{% set a, b = [1] * 100000000 %}1",
        "{% for a in [[1] * 100000000] * 100000000 %}{% endfor %}1",
        "{{ ('x\\n' * 10000000)|lines }}",
        "{{ ('a\\nb' * 100000)|indent(1000000) }}",
        "{{ [[[1]]]|tojson(indent=1000000000) }}",
        "{{ '%1000000000d'|format(1) }}",
        "{{ [1]|batch(100000000, 'x') }}",
        "{{ range(100000)|join('x' * 100000) }}",
        "{% for x in [1, 2, 3] recursive %}{{ loop([1, 2, 3]) }}{% endfor %}",
        "{% for x in range(90000) %}{% for y in range(90000) %}{% endfor %}{% endfor %}1",
        "{% set a = 'é' * 10000000 %}{% for x in range(90000) %}{% set y = a[-1] %}{% endfor %}1",
        "{% set a = 'x' * 9000000 %}{% for x in range(90000) %}{% set y = a|sort %}{% endfor %}1",
    ]
    .map(str::to_owned)
    .to_vec();
    steps.push(format!("{}1", "{% set a = a[:] %}".repeat(3_600)));
    steps.push(format!("{{% set a = [1] %}}{}{{{{ a }}}}", "{% set a = [a] %}".repeat(3_600)));
    steps.push(format!("{{{{ {}1 }}}}", "-".repeat(65_000)));
    steps
}

/// Runs a command and prints the memory, in KiB, that it or a process of its took at most.
const MEASURE: &str = "import resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)";

#[test]
fn what_doubles_is_bounded() {
    assert_bounded(&doubling());
}

#[test]
fn a_step_on_nested_lists_is_bounded() {
    assert_bounded(&steps_on_nested_lists());
}

#[test]
fn a_single_step_is_bounded() {
    assert_bounded(&single_steps());
}

/// That `add` ends soon and takes little memory, whatever it says of these templates.
#[track_caller]
fn assert_bounded(templates: &[String]) {
    if !needs("python3") {
        return;
    }
    let sandbox = Sandbox::new();
    for template in templates {
        sandbox.write("greedy", template);
        let started = std::time::Instant::now();
        let add = ["add", "--url", "http://h/", "--event", "E", "--template", "greedy"];
        let measured = Command::new("python3")
            .args(["-c", MEASURE, Sandbox::BINARY, "--file", "h.json"])
            .args(add)
            .current_dir(sandbox.path())
            .output()
            .expect("python3 is there");
        let said = String::from_utf8_lossy(&measured.stdout);
        let (code, memory) = said.trim().split_once(' ').expect("code and memory");
        let memory: u64 = memory.parse().expect("memory is a number");
        let start: String = template.chars().take(90).collect();
        // A few are harmless after all.
        assert!(["0", "2", "4"].contains(&code), "{code} for {start}");
        assert!(memory < MOST_MEMORY, "{memory} KiB for {start}");
        assert!(started.elapsed() < LONGEST, "{:?} for {start}", started.elapsed());
    }
}

/// A publish with a greedy template among others: that hook alone fails, and the rest is delivered.
#[test]
fn a_greedy_template_fails_its_own_hook_alone() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.write("good", "{\"id\": {{ id }} }");
    for path in ["/1", "/2", "/3"] {
        sandbox.add_with(&receiver.url(path), "*", ["--template", "good"]);
    }
    let list = "{% set a = wish %}{% set b = wish %}";
    let lists = "{% set a = [a, a] %}{% set b = [b, b] %}";
    let wishes = doubled(list, lists, "{% if wish %}{{ a == b }}{% else %}1{% endif %}");
    let everything = doubled(list, lists, "{% if wish %}{{ a ~ '' }}{% else %}1{% endif %}");
    for (path, template) in [("/time", wishes), ("/memory", everything)] {
        sandbox.write("greedy", template);
        sandbox.add_with(&receiver.url(path), "*", ["--template", "greedy"]);
    }
    let publish = sandbox.hooks(["publish", "E", r#"{"id":"7","wish":[1]}"#, "--json"]).run();
    publish.assert_code(3);
    let deliveries = publish.json()["deliveries"].clone();
    for delivery in deliveries.as_array().unwrap() {
        let greedy = ["/time", "/memory"].iter().any(|path| delivery["url"] == receiver.url(path));
        assert_eq!(delivery["delivered"], !greedy, "{delivery}");
        if greedy {
            let reason =
                "its body could not be rendered: the template takes too much time or memory";
            assert_eq!(delivery["reason"], reason);
        }
    }
    assert_eq!(receiver.count(), 3);
}

/// A large deployment is no greedy template.
#[test]
fn a_deployment_of_a_mebibyte_is_within_the_limits() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.write("all", "[{{ body }}, {{ deployment }}]");
    sandbox.add_with(&receiver.url("/"), "*", ["--template", "all"]);
    let limit = 1024 * 1024 - 20;
    for item in ["{}", "[]", "1", "\"\"", "{\"k\":[{}]}", "[[1]]"] {
        let items = vec![item; limit / (item.len() + 1)].join(",");
        let deployment = format!("{{\"items\":[{items}]}}");
        let publish = sandbox.hooks(["publish", "E", "-"]).stdin(deployment.clone());
        publish.run().assert_code(0);
        let body = receiver.requests().pop().unwrap().json();
        assert_eq!(body[0], deployment, "{item}");
    }
}

/// No renderer outlives its publish, and what it waits for is not held.
#[test]
#[cfg(target_os = "linux")]
fn nothing_is_left_running() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.write("good", "{\"id\": {{ id }} }");
    sandbox.add_with(&receiver.url("/"), "*", ["--template", "good"]);
    // The end of `cat` is the end of everything that has the pipe.
    let publish = sandbox.hooks(["publish", "E", "{}"]).shell("\"$@\" 2>&1 | cat");
    publish.limit(LONGEST).run().assert_code(0);
    let listed = needs_success("ps", Command::new("ps").args(["-eo", "args"]));
    let binary = format!("{} __render", Sandbox::BINARY);
    assert!(!listed.unwrap_or_default().lines().any(|line| line == binary));
}
