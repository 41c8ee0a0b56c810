//! The man pages, as a reader gets them.

use std::fs;
use std::process::Command;

use crate::help::{VERBS, examples};
use crate::support::{Sandbox, needs};

const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/man");

/// The page that is about no verb.
const TEMPLATES: &str = "hooks-templates.7";

fn pages() -> Vec<String> {
    let entries = fs::read_dir(PAGES).expect("the pages can be listed");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.expect("the pages can be listed");
        entry.file_name().to_string_lossy().into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// The page as text, on a terminal wide enough that nothing is wrapped.
fn read(page: &str) -> String {
    let shown = Command::new("mandoc")
        .args(["-Tutf8", "-Owidth=300", &format!("{PAGES}/{page}")])
        .output()
        .expect("mandoc can be started");
    assert!(shown.status.success(), "{page}");
    // A bold letter is struck twice.
    let mut text = String::new();
    for letter in String::from_utf8_lossy(&shown.stdout).chars() {
        if letter == '\u{8}' {
            text.pop();
        } else {
            text.push(letter);
        }
    }
    text
}

#[test]
fn every_verb_has_a_page_and_every_page_a_verb() {
    let mut wanted = VERBS.map(|verb| format!("hooks-{verb}.1")).to_vec();
    wanted.extend(["hooks.1".to_owned(), TEMPLATES.to_owned()]);
    wanted.sort();
    assert_eq!(pages(), wanted);
}

#[test]
fn mandoc_finds_neither_an_error_nor_a_warning() {
    if !needs("mandoc") {
        return;
    }
    let linted = Command::new("mandoc")
        .args(["-Tlint", "-Wwarning"])
        .args(pages())
        .current_dir(PAGES)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&linted.stdout);
    assert!(linted.status.success() && said.is_empty(), "{said}");
}

#[test]
fn every_page_has_the_sections_of_a_manual_in_their_order() {
    if !needs("mandoc") {
        return;
    }
    let usual = [
        "NAME",
        "SYNOPSIS",
        "DESCRIPTION",
        "OPTIONS",
        "EXIT STATUS",
        "ENVIRONMENT",
        "FILES",
        "EXAMPLES",
        "SEE ALSO",
    ];
    for page in pages().iter().filter(|page| *page != TEMPLATES) {
        let text = read(page);
        let titles: Vec<&str> = text.lines().filter(|line| usual.contains(line)).collect();
        assert_eq!(titles, usual, "{page}");
    }
}

#[test]
fn the_page_on_templates_has_all_of_the_chapter() {
    if !needs("mandoc") {
        return;
    }
    let text = read(TEMPLATES);
    let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let page = words(&text);
    let chapter = include_str!("../../docs/templates.md");
    for line in chapter.lines().filter(|line| !line.starts_with(['|', '#', '`'])) {
        // Links are written in another way.
        if line.contains("](") {
            continue;
        }
        let line = words(&line.replace('`', ""));
        assert!(page.contains(&line), "the page lacks: {line}\n{text}");
    }
    for word in ["VARIABLES", "FILTERS", "message|headline|slack(60)", "cloudevent", "1 m 12 s"] {
        assert!(page.contains(word), "the page lacks: {word}");
    }
}

#[test]
fn what_is_copied_from_a_page_is_what_the_help_says() {
    if !needs("mandoc") {
        return;
    }
    let sandbox = Sandbox::new();
    for verb in VERBS.into_iter().chain([""]) {
        let (page, arguments) = match verb {
            "" => ("hooks.1".to_owned(), vec!["--help"]),
            verb => (format!("hooks-{verb}.1"), vec![verb, "--help"]),
        };
        let text = read(&page);
        for example in examples(verb) {
            let shown = text.lines().any(|line| line.trim() == example);
            assert!(shown, "{page} does not show: {example}\n{text}");
        }
        let help = sandbox.hooks(arguments).run();
        let words = help.stdout.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
        for flag in words.filter(|word| word.starts_with("--") && word.len() > 2) {
            assert!(text.contains(flag), "{page} does not know {flag}");
        }
    }
}

#[test]
fn a_page_names_its_verb_and_what_it_does_for_apropos() {
    if !needs("mandoc") {
        return;
    }
    for verb in VERBS {
        let text = read(&format!("hooks-{verb}.1"));
        let name = text.lines().skip_while(|line| *line != "NAME").nth(1).unwrap();
        let (name, does) = name.trim().split_once(" - ").unwrap();
        assert_eq!(name, format!("hooks-{verb}"));
        let first = Sandbox::new().hooks([verb, "-h"]).run();
        assert_eq!(first.stdout.lines().next(), Some(does));
    }
}
