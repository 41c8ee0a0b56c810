//! An error page in a line: its title, or else its text.

/// Elements whose content is no text.
const NO_TEXT: [&str; 3] = ["script", "style", "head"];

/// The title of an HTML page or, where it has none, its text; white space is one blank. What is broken
/// gives odd text, and never an error.
pub(super) fn text(html: &str) -> String {
    let title = element(html, "title").map(plain);
    title.filter(|title| !title.is_empty()).unwrap_or_else(|| plain(html))
}

/// The content of the first element of this name.
fn element<'a>(html: &'a str, name: &str) -> Option<&'a str> {
    let lower = html.to_ascii_lowercase();
    let start = lower.find(&format!("<{name}"))?;
    let start = start + lower[start..].find('>')? + 1;
    let end = lower[start..].find(&format!("</{name}"))?;
    Some(&html[start..start + end])
}

/// The text between the tags, with the character references that are common.
fn plain(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        text.push(' ');
        let name = tag.split(|c: char| !c.is_ascii_alphanumeric()).next();
        let name = name.unwrap_or_default().to_ascii_lowercase();
        let end = if NO_TEXT.contains(&name.as_str()) {
            tag.to_ascii_lowercase().find(&format!("</{name}"))
        } else {
            None
        };
        let tag = &tag[end.unwrap_or(0)..];
        rest = tag.split_once('>').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    for (reference, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        text = text.replace(reference, character);
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_its_title_or_its_text() {
        let nginx = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>\r\n<center>";
        assert_eq!(text(nginx), "502 Bad Gateway");
        let untitled = "<!DOCTYPE html><HEAD><style>a > b {}</style><title></title></HEAD>\n<p>No \
                        such&nbsp;hook:<br/>\n&lt;a&amp;b&gt;<script>if (1<2) {}</script> end";
        assert_eq!(text(untitled), "No such hook: <a&b> end");
        assert_eq!(text("<TITLE lang=en> It\n works </TITLE >"), "It works");
    }

    #[test]
    fn broken_pages_give_text_and_no_panic() {
        for page in
            ["<", "<title>", "a < b", "<script>", "</title><title", "\u{130}<title>x</title>"]
        {
            let _ = text(page);
        }
        assert_eq!(text("plain"), "plain");
    }
}
