//! What the documents say is so: `docs/design.md` is compared with the program, links and citations with what they lead to.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::Sandbox;

const DESIGN: &str = include_str!("../../docs/design.md");
const TESTING: &str = include_str!("../../docs/testing.md");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// What stands before the number of a section that is cited.
const CITATION: &str = "docs/design.md §";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Adds the files below a folder of the project.
fn add_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    for entry in entries {
        let path = entry.expect("an entry can be read").path();
        if path.is_dir() {
            add_files(&path, found);
        } else {
            found.push(path);
        }
    }
}

/// The documents in the project's folder and in `docs/`.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    add_files(&root().join("docs"), &mut found);
    let entries = fs::read_dir(root()).expect("the project's folder can be read");
    found.extend(entries.map(|entry| entry.expect("an entry can be read").path()));
    found.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    found
}

/// The lines that cite a section which the design does not have, or in another form. In the design itself, the
/// number of a section is enough.
fn wrong_citations(text: &str, is_design: bool) -> Vec<&str> {
    let is_wrong = |line: &&str| {
        let mut numbers = line.split('§').skip(1).peekable();
        let is_odd = numbers.peek().is_some() && !is_design && !line.contains(CITATION);
        is_odd || line.contains("(DESIGN") || !numbers.all(starts_with_section)
    };
    text.lines().filter(is_wrong).collect()
}

fn starts_with_section(text: &str) -> bool {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let number = &text[..end];
    !number.is_empty() && DESIGN.contains(&format!("\n## {number}. "))
}

#[test]
fn every_citation_of_the_design_leads_to_a_section() {
    let mut cited = documents();
    for folder in ["src", "tests", "benches", "examples"] {
        add_files(&root().join(folder), &mut cited);
    }
    // This file has the wrong forms that are looked for.
    cited.retain(|path| !path.ends_with("tests/cli/docs.rs"));
    let (mut wrong, mut citations) = (Vec::new(), 0);
    for path in cited {
        let text = String::from_utf8_lossy(&fs::read(&path).expect("it can be read")).into_owned();
        citations += text.matches(CITATION).count();
        let path = path.strip_prefix(root()).unwrap_or(&path);
        for line in wrong_citations(&text, path == Path::new("docs/design.md")) {
            wrong.push(format!("{}: {}", path.display(), line.trim()));
        }
    }
    assert!(wrong.is_empty(), "wrong citations:\n{}", wrong.join("\n"));
    assert!(citations > 10, "only {citations} citations were found");
}

#[test]
fn a_citation_that_leads_nowhere_is_found() {
    let design = |text| wrong_citations(text, true).len();
    let source = |text| wrong_citations(text, false).len();
    assert_eq!(source("(docs/design.md §4 and §5)"), 0);
    assert_eq!(source("(docs/design.md §99)"), 1);
    assert_eq!(source("(docs/design.md §4 and §99)"), 1);
    assert_eq!(source("(docs/design.md §)"), 1);
    assert_eq!(source("(DESIGN §4)\n(DESIGN \"Exit codes\")\n§4"), 3);
    assert_eq!(design("as §5 has it\nand §99"), 1);
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut checked = 0;
    for document in documents() {
        let text = fs::read_to_string(&document).expect("it can be read");
        let folder = document.parent().expect("a file is in a folder");
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            assert!(folder.join(target).exists(), "{}: {link}", document.display());
            checked += 1;
        }
    }
    assert!(checked > 5, "only {checked} links were found");
}

/// The text below a heading of the design, up to the next one of its level.
#[track_caller]
fn section(heading: &str) -> &'static str {
    let found = DESIGN.split_once(&format!("\n{heading}\n"));
    let (_, below) = found.unwrap_or_else(|| panic!("the design has no heading {heading}"));
    let level = heading.split(' ').next().unwrap_or_default();
    below.split(&format!("\n{level} ")).next().unwrap_or(below)
}

/// The fenced blocks of a language in a text.
fn blocks<'a>(text: &'a str, language: &str) -> Vec<&'a str> {
    let fence = format!("\n```{language}\n");
    let behind_fences = text.split(&*fence).skip(1);
    behind_fences.map(|rest| rest.split("```").next().unwrap_or(rest)).collect()
}

#[test]
fn the_json_of_the_design_parses() {
    let values = blocks(DESIGN, "json");
    let lines = blocks(DESIGN, "jsonl").into_iter().flat_map(str::lines);
    assert!(values.len() >= 4, "only {} examples were found", values.len());
    for json in values.into_iter().chain(lines) {
        if let Err(error) = serde_json::from_str::<serde_json::Value>(json) {
            panic!("{error} in {json}");
        }
    }
}

/// A sandbox with the registry and the journal of the design's examples.
fn as_in_the_design() -> Sandbox {
    let sandbox = Sandbox::new();
    let registry = blocks(section("## 3. The registry file"), "json")[0];
    let journal = blocks(section("## 5. The journal"), "jsonl")[0];
    sandbox.write("hooks.json", registry);
    sandbox.write("hooks.json.journal", journal);
    #[cfg(unix)]
    sandbox.set_mode("hooks.json", 0o600);
    sandbox
}

#[test]
fn the_registry_of_the_design_is_listed_as_the_design_says() {
    let listed = as_in_the_design().hooks(["list", "--json"]).run();
    listed.assert(0, blocks(section("### JSON answers"), "json")[0], "");
}

#[test]
fn the_registry_of_the_design_is_as_it_is_written() {
    let sandbox = as_in_the_design();
    let before = sandbox.registry_bytes();
    sandbox.hooks(["edit", "1", "--disable"]).run().assert_code(0);
    sandbox.hooks(["edit", "1", "--enable"]).run().assert_code(0);
    assert_eq!(sandbox.registry_bytes(), before);
}

#[test]
fn the_journal_of_the_design_is_shown_as_the_design_says() {
    let logged = as_in_the_design().hooks(["log", "--json"]).run();
    logged.assert(0, blocks(section("### JSON answers"), "jsonl")[0], "");
}

#[test]
fn kudus_file_in_the_design_is_a_registry() {
    let sandbox = Sandbox::new();
    sandbox.write("hooks.json", blocks(section("### Kudu's file"), "json")[0]);
    let shown = sandbox.hooks(["show", "635119123456789012"]).run();
    shown.assert_code(0);
}

/// What `hooks --help`, or a verb's page, says of its exit statuses: each code, and what it means.
fn exit_statuses(verb: Option<&str>) -> Vec<(String, String)> {
    let lines = if let Some(verb) = verb {
        super::help::page_section(verb, "EXIT STATUS")
    } else {
        let help = Sandbox::new().hooks(["--help"]).run();
        let below = help.stdout.split_once("Exit status:\n");
        let (_, below) = below.expect("the help has exit statuses");
        let lines = below.lines().take_while(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    };
    let split = |line: &str| {
        let (code, meaning) = line.trim().split_once(' ').expect("a code and its meaning");
        (code.to_owned(), meaning.trim().to_owned())
    };
    lines.iter().map(|line| split(line)).collect()
}

#[test]
fn the_exit_codes_of_the_design_are_those_of_the_help() {
    let codes = section("### Exit codes");
    for (code, meaning) in exit_statuses(None) {
        let row = format!("| {code} | {meaning} |");
        assert!(codes.contains(&row), "the design does not have: {row}");
    }
}

#[test]
fn the_exit_codes_of_each_verb_are_those_of_its_help() {
    let codes = section("### Exit codes");
    for verb in super::help::VERBS {
        let mut has: Vec<String> = Vec::new();
        for (code, meaning) in exit_statuses(Some(verb)) {
            has.push(code);
            has.extend(meaning.contains("143:").then(|| "143".to_owned()));
        }
        let row = format!("| {verb} | {} |", has.join(", "));
        assert!(codes.contains(&row), "the design does not have: {row}");
    }
}

#[test]
fn the_rooms_of_the_design_are_there() {
    let rooms = blocks(section("## 9. Rooms"), "text")[0];
    for line in rooms.lines() {
        let room = line.split(' ').next().unwrap_or_default();
        assert!(root().join(room).exists(), "there is no {room}");
    }
}

#[test]
fn the_dependencies_of_the_design_are_those_of_the_manifest() {
    let section = section("## 10. Dependencies");
    let mut is_dependency = false;
    for line in MANIFEST.lines() {
        if line.starts_with('[') {
            is_dependency = line.ends_with("dependencies]");
            continue;
        }
        if let Some((name, _)) = line.split_once(" = ").filter(|_| is_dependency) {
            assert!(section.contains(&format!("`{name}`")), "the design does not have {name}");
        }
    }
}

/// Modules are named by their path below `tests/cli/`, other files by theirs below the project's folder.
#[test]
fn the_tests_that_prove_the_promises_are_there() {
    let mut checked = 0;
    let rows = TESTING.lines().filter(|line| line.starts_with("| "));
    for row in rows.take_while(|row| !row.starts_with("| variable ")) {
        let place = row.split('|').nth(2).unwrap_or_default();
        for name in place.split('`').skip(1).step_by(2) {
            let module = root().join("tests/cli").join(name.replace("::", "/"));
            let is_there = module.with_extension("rs").exists() || root().join(name).exists();
            assert!(is_there, "there is no {name}");
            checked += 1;
        }
    }
    assert!(checked > 20, "only {checked} names were found");
}
