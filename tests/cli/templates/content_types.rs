//! Forms and plain text: a hook whose own content type is not JSON.

use crate::support::{Receiver, Sandbox};

use super::sent;

const FORM: &str = "Content-Type: application/x-www-form-urlencoded";
const TEXT: &str = "content-type: text/plain; charset=utf-8";

const DEPLOYMENT: &str = r#"{"message":"a=b&c d+\u001b[2J\u0000ü\n%41\"'","n":1.5,"t":true,"o":{"k":[1,"&"]},"nil":null}"#;

#[test]
fn a_form_gets_percent_encoded_values() {
    let template = "m={{ message }}&n={{ n }}&t={{ t }}&o={{ o }}&nil={{ nil }}&gone={{ gone }}&raw={{ 'a&b'|safe }}";
    let request = sent(template, ["--header", FORM], DEPLOYMENT);
    assert_eq!(request.the_header("content-type"), &FORM[14..]);
    assert_eq!(request.count("content-type"), 1);
    assert_eq!(
        request.text(),
        "m=a%3Db%26c%20d%2B%1B%5B2J%00%C3%BC%0A%2541%22%27&n=1.5&t=true\
         &o=%7B%22k%22%3A%5B1%2C%22%26%22%5D%7D&nil=&gone=&raw=a&b"
    );
}

#[test]
fn plain_text_gets_values_without_control_characters() {
    let template = "{{ event }}: {{ message }} {{ n }} {{ t }} {{ o }}{{ nil }}{{ gone }}.";
    let request = sent(template, ["--header", TEXT], DEPLOYMENT);
    assert_eq!(request.the_header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(
        request.text(),
        "PostDeployment: a=b&c d+␛[2J␀ü\n%41\"' 1.5 true {\"k\":[1,\"&\"]}."
    );
}

#[test]
fn the_deployments_own_text_is_exact_in_each() {
    let odd = " {\"b\":1e400, \"a\":\"\\u00e9\",\t\"a\":2}\r\n";
    assert_eq!(sent("{{ body }}", ["--header", TEXT], odd).text(), odd);
    let form = sent("b={{ body|base64 }}", ["--header", FORM], odd).text();
    assert_eq!(form, "b=IHsiYiI6MWU0MDAsICJhIjoiXHUwMGU5IiwJImEiOjJ9DQo%3D");
    assert_eq!(sent("[{{ body }}]", [], odd).json()[0], odd);
}

#[test]
fn an_empty_file_is_an_empty_body() {
    let request = sent("", ["--header", TEXT], "{}");
    assert_eq!(request.body, b"");
    assert_eq!(request.the_header("content-length"), "0");
}

/// `edit` refuses a content type with which the hook's template no longer works.
#[test]
fn a_content_type_and_a_template_must_fit_in_edit_too() {
    let (sandbox, receiver) = (Sandbox::new(), Receiver::new());
    sandbox.write("plain", "Deployed {{ id }}");
    sandbox.write("json", "{\"id\": {{ id }} }");
    let url = receiver.url("/");
    let id = sandbox.add_with(&url, "*", ["--template", "plain", "--header", TEXT]);
    let edit = |arguments: &[&str]| sandbox.hooks(["edit", &id]).args(arguments).run();
    let before = sandbox.hook(&id);
    for arguments in [
        &["--header", "Content-Type:"][..],
        &["--header", "content-type: application/json"],
        &["--header", "Content-Type: application/vnd.x+json;v=1", "--header", "X-A: 1"],
    ] {
        edit(arguments).assert_code(2).assert_stderr_has(&[
            "error: could not use the hook's template with this content type: the template yields no JSON",
            "hint: values bring their own quotes",
        ]);
        assert_eq!(sandbox.hook(&id), before);
    }
    edit(&["--header", "X-A: 1"]).assert_code(0);
    edit(&["--header", FORM]).assert_code(0);
    edit(&["--header", "Content-Type:", "--template", "json"]).assert_code(0);
    edit(&["--template", "plain"]).assert_code(2);
    edit(&["--template", "plain", "--header", TEXT]).assert_code(0);
    edit(&["--template", "", "--header", "Content-Type:"]).assert_code(0);
    edit(&["--template", "json"]).assert_code(0);
    sandbox.hooks(["publish", "E", r#"{"id":"7"}"#]).run().assert_code(0);
    assert_eq!(receiver.request().text(), "{\"id\": \"7\" }");
}

#[test]
fn the_hint_of_a_template_without_json_names_the_content_type() {
    let sandbox = Sandbox::new();
    sandbox.write("plain", "Deployed {{ id }}");
    let add = sandbox.hooks_add("http://127.0.0.1:9/", "E").args(["--template", "plain"]);
    add.run().assert(
        2,
        "",
        "error: could not use the template plain: the template yields no JSON: expected value at line 1 column 1 of its output\n\
         hint: values bring their own quotes: {\"text\": {{ message }}}; for a form or plain text also give \
         --header 'Content-Type: …'\n",
    );
}

#[test]
fn a_byte_order_mark_before_a_template_is_dropped() {
    let request = sent("\u{feff}{\"id\": {{ id }} }", [], r#"{"id":"7"}"#);
    assert_eq!(request.text(), "{\"id\": \"7\" }");
    let sandbox = Sandbox::new();
    sandbox.write("utf-16", b"\xFF\xFE{\0}\0");
    let add = sandbox.hooks_add("http://127.0.0.1:9/", "E").args(["--template", "utf-16"]);
    add.run().assert_code(2).assert_stderr_has(&["it is UTF-16 text", "save it as UTF-8"]);
}
