//! The man pages, which are made from the command line. A test fails when they are stale;
//! `HOOKS_RENEW=1 cargo test generated` writes them anew.

mod markdown;
mod meanings;

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::{Arg, Command, CommandFactory as _};
use clap_mangen::Man;

use super::Cli;

/// The date in the pages' foot, that of the version.
const DATE: &str = "2026-11-24";

/// What the parts of the help begin with that stand in sections of their own.
const LABELS: [&str; 4] = ["Exit status:", "Environment:", "Files:", "Examples:"];

#[test]
fn generated_files_are_not_stale() {
    let mut stale = Vec::new();
    for (path, text) in files() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        if fs::read_to_string(&path).is_ok_and(|present| present == text) {
            continue;
        }
        if std::env::var_os("HOOKS_RENEW").is_some() {
            fs::write(&path, text).expect("a generated file can be written");
        } else {
            stale.push(path);
        }
    }
    assert!(stale.is_empty(), "stale: {stale:?}; renew them: HOOKS_RENEW=1 cargo test generated");
}

#[test]
fn each_verb_is_described_by_the_same_words_in_both_places() {
    let (hooks, mut built) = (Cli::command(), Cli::command());
    built.build();
    let abouts = |hooks: &Command| -> Vec<String> {
        let abouts = hooks.get_subcommands().filter_map(Command::get_about);
        abouts.map(ToString::to_string).collect()
    };
    assert_eq!(abouts(&hooks), abouts(&built));
}

fn files() -> Vec<(String, String)> {
    let mut hooks = Cli::command();
    hooks.build();
    let verbs: Vec<&Command> = hooks.get_subcommands().collect();
    let mut files = vec![("man/hooks.1".to_owned(), page(&hooks, &hooks, &verbs))];
    for verb in &verbs {
        files.push((format!("man/hooks-{}.1", verb.get_name()), page(&hooks, verb, &[])));
    }
    files.push(("man/hooks-templates.7".to_owned(), templates_page()));
    files
}

/// The chapter on templates, for people without the project's folder.
fn templates_page() -> String {
    let version = env!("CARGO_PKG_VERSION");
    format!(
        ".TH HOOKS\\-TEMPLATES 7 {DATE} \"hooks {version}\" \"Miscellaneous Information\"\n\
         .SH NAME\nhooks\\-templates \\- how a template makes a request body from a deployment\n\
         {}.SH \"SEE ALSO\"\n.BR hooks (1),\n.BR hooks\\-add (1),\n.BR hooks\\-edit (1),\n\
         .BR hooks\\-publish (1)\n",
        markdown::page(include_str!("../../docs/templates.md"))
    )
}

fn page(hooks: &Command, command: &Command, verbs: &[&Command]) -> String {
    let version = format!("hooks {}", env!("CARGO_PKG_VERSION"));
    let title = command.get_display_name().unwrap_or("hooks").to_uppercase();
    let man =
        Man::new(command.clone()).title(title).date(DATE).source(version).manual("User Commands");
    let mut text = rendered(|page| {
        man.render_title(page)?;
        man.render_name_section(page)
    });
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    let _ = write!(text, ".SH SYNOPSIS\n{}\n", escaped(usage));
    text += &rendered(|page| man.render_description_section(page));
    let help = after_help(command);
    text += &paragraphs(help.split("\n\n").take_while(|part| !is_labelled(part)));
    // What every verb takes comes last.
    let mut arguments: Vec<Arg> = command.get_arguments().cloned().collect();
    arguments.sort_by_key(Arg::is_global_set);
    // clap wants a version where there is a flag for it.
    let options = Command::new("options").version("any").args(arguments);
    let options = options.disable_help_flag(true).disable_version_flag(true);
    text += &rendered(|page| Man::new(options.clone()).render_options_section(page));
    if !verbs.is_empty() {
        text += ".SH COMMANDS\n";
        for verb in verbs {
            let about = verb.get_about().map(ToString::to_string).unwrap_or_default();
            let _ =
                write!(text, ".TP\n\\fBhooks\\-{}\\fR(1)\n{}\n", verb.get_name(), escaped(&about));
        }
    }
    let (top, name) = (after_help(hooks), command.get_name());
    let [statuses, environment] = match name {
        "hooks" => ["Exit status:", "Environment:"].map(|label| section(&top, label)),
        verb => meanings::sections(verb, &help),
    };
    let examples = section(&help, "Examples:");
    for (title, body) in [
        ("EXIT STATUS", statuses),
        ("ENVIRONMENT", environment),
        ("FILES", section(&top, "Files:")),
        ("EXAMPLES", examples),
    ] {
        let _ = write!(text, ".SH \"{title}\"\n.nf\n{}\n.fi\n", escaped(&body));
    }
    text + &see_also(hooks, command)
}

/// What the library writes, without what mandoc warns of: breaks around empty lines, blanks at line
/// ends.
fn rendered(render: impl Fn(&mut dyn std::io::Write) -> std::io::Result<()>) -> String {
    let mut page = Vec::new();
    render(&mut page).expect("a Vec takes everything");
    let page = String::from_utf8(page).expect("a man page is text");
    let trimmed: Vec<&str> = page.lines().map(str::trim_end).collect();
    (trimmed.join("\n") + "\n").replace(".br\n\n.br\n", ".sp\n")
}

fn after_help(command: &Command) -> String {
    command.get_after_long_help().map(ToString::to_string).unwrap_or_default()
}

/// Whether a part of the help stands in a section of its own.
fn is_labelled(part: &str) -> bool {
    LABELS.iter().any(|label| part.starts_with(label))
}

/// The lines below a label of the help, without their indent.
fn section(help: &str, label: &str) -> String {
    let part = help.split("\n\n").find_map(|part| part.strip_prefix(label)).unwrap_or_default();
    let lines = part.trim_start_matches('\n').lines();
    lines.map(|line| line.strip_prefix("  ").unwrap_or(line)).collect::<Vec<_>>().join("\n")
}

fn paragraphs<'a>(parts: impl Iterator<Item = &'a str>) -> String {
    let mut text = String::new();
    for part in parts {
        let _ = writeln!(text, ".PP\n{}", escaped(part));
    }
    text
}

/// A line must not begin with a control character of roff, and hyphens are hyphens.
fn escaped(text: &str) -> String {
    let escape = |line: &str| {
        let line = line.replace('\\', "\\e").replace('-', "\\-").replace('\'', "\\(aq");
        if line.starts_with('.') { format!("\\&{line}") } else { line }
    };
    text.lines().map(escape).collect::<Vec<_>>().join("\n")
}

fn see_also(hooks: &Command, command: &Command) -> String {
    let mut names: Vec<String> =
        hooks.get_subcommands().map(|verb| format!("hooks\\-{}", verb.get_name())).collect();
    names.push("hooks".to_owned());
    let own = match command.get_name() {
        "hooks" => "hooks".to_owned(),
        verb => format!("hooks\\-{verb}"),
    };
    names.retain(|name| *name != own);
    names.sort();
    let mut links: Vec<String> = names.iter().map(|name| format!(".BR {name} (1)")).collect();
    links.push(".BR hooks\\-templates (7)".to_owned());
    format!(".SH \"SEE ALSO\"\n{}\n", links.join(",\n"))
}
