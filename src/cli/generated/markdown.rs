//! A chapter in Markdown as a man page: headings, paragraphs, code, and tables as lists of terms.

use std::fmt::Write as _;

use super::escaped;

/// The sections of a man page, below its title and name. Lines of code have no spaces to be widened.
pub(super) fn page(markdown: &str) -> String {
    let mut page = String::from(".na\n.SH DESCRIPTION\n");
    let mut lines = markdown.lines().peekable();
    // A line after a heading or a term begins no paragraph of its own.
    let mut is_new = false;
    while let Some(line) = lines.next() {
        if line.starts_with("# ") {
            continue;
        }
        if let Some(title) = line.strip_prefix("## ") {
            let _ = writeln!(page, ".SH \"{}\"", escaped(&title.to_uppercase()));
            is_new = false;
        } else if line.starts_with("```") {
            page += ".PP\n.RS 4\n.nf\n";
            for code in lines.by_ref().take_while(|line| !line.starts_with("```")) {
                let _ = writeln!(page, "{}", escaped(code));
            }
            page += ".fi\n.RE\n";
            is_new = true;
        } else if line.starts_with('|') {
            // The heading of the table and the line below it.
            lines.next();
            while let Some(row) = lines.next_if(|line| line.starts_with('|')) {
                page += &term(row);
            }
            is_new = true;
        } else if line.is_empty() {
            is_new = !page.ends_with("\"\n") && !page.ends_with("DESCRIPTION\n");
        } else {
            if std::mem::take(&mut is_new) {
                page += ".PP\n";
            }
            let _ = writeln!(page, "{}", inline(line));
        }
    }
    page
}

/// A row of a table: its first cell is a term, the others say what it is.
fn term(row: &str) -> String {
    let row = row.replace("\\|", "\u{0}");
    let cells = row.trim_matches('|').split('|').map(|cell| cell.trim().replace('\u{0}', "|"));
    let mut cells = cells.filter(|cell| !cell.is_empty());
    let mut text = format!(".TP\n{}\n", inline(&cells.next().unwrap_or_default()));
    let rest: Vec<String> = cells.map(|cell| inline(&cell)).collect();
    let _ = writeln!(text, "{}", rest.join("\n.br\n"));
    text
}

/// Code in bold, which may be broken between two objects, and links as their text, with the address where that is
/// on the network.
fn inline(text: &str) -> String {
    let mut out = String::new();
    for (number, part) in text.split('`').enumerate() {
        if number % 2 == 1 {
            let code = escaped(part).replace("},{", "},\\:{");
            let _ = write!(out, "\\fB{code}\\fR");
        } else {
            out += &escaped(&without_links(part));
        }
    }
    out
}

fn without_links(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once('[') {
        let parts =
            link.split_once("](").and_then(|(name, after)| Some((name, after.split_once(')')?)));
        let Some((name, (address, after))) = parts else {
            break;
        };
        let _ = write!(out, "{before}{name}");
        if address.starts_with("http") {
            let _ = write!(out, " ({address})");
        }
        rest = after;
    }
    out + rest
}
