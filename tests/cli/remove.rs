//! `hooks remove`.

use crate::support::Sandbox;

fn three_hooks() -> Sandbox {
    let sandbox = Sandbox::new();
    for name in ["a", "b", "c"] {
        sandbox.add(&format!("https://h.example/{name}"), "PostDeployment");
    }
    sandbox
}

#[test]
fn removing_one_of_three_leaves_the_two_others_as_they_were() {
    let sandbox = three_hooks();
    let (first, third) = (sandbox.hook("1"), sandbox.hook("3"));
    sandbox.hooks(["remove", "2"]).run().assert_code(0);
    assert_eq!(sandbox.ids(), ["1", "3"]);
    assert_eq!((sandbox.hook("1"), sandbox.hook("3")), (first, third));
}

#[test]
fn several_ids_go_at_once_and_rm_is_the_same_verb() {
    let sandbox = three_hooks();
    sandbox.hooks(["rm", "3", "1", "3"]).run().assert_code(0);
    assert_eq!(sandbox.ids(), ["2"]);
}

#[test]
fn an_id_is_never_used_again() {
    let sandbox = three_hooks();
    sandbox.hooks(["remove", "3"]).run().assert_code(0);
    assert_eq!(sandbox.add("https://h.example/d", "PostDeployment"), "4");
    sandbox.hooks(["remove", "1", "2", "4"]).run().assert_code(0);
    assert_eq!(sandbox.ids(), Vec::<String>::new());
    assert_eq!(sandbox.add("https://h.example/a", "PostDeployment"), "5");
}

#[test]
fn an_unknown_id_is_an_error_that_removes_nothing() {
    let sandbox = three_hooks();
    let before = sandbox.registry_bytes();
    for (ids, named) in [(&["1", "7"][..], "7"), (&["8", "2", "7"], "8 or 7")] {
        let said = format!("error: no hook has the id {named}\nhint: see 'hooks list'\n");
        let remove = sandbox.hooks(["remove"]).args(ids);
        remove.run().assert(5, "", &said);
        assert_eq!(sandbox.registry_bytes(), before);
    }
}

#[test]
fn force_ignores_unknown_ids_and_removes_the_others() {
    let sandbox = three_hooks();
    sandbox.hooks(["remove", "--force", "1", "7"]).run().assert_code(0);
    assert_eq!(sandbox.ids(), ["2", "3"]);
    sandbox.hooks(["remove", "--force", "7"]).run().assert_code(0);
    assert_eq!(sandbox.ids(), ["2", "3"]);
}

#[test]
fn force_without_a_registry_makes_none() {
    let sandbox = Sandbox::new();
    sandbox.hooks(["remove", "--force", "7"]).run().assert_code(0);
    assert!(!sandbox.has("hooks.json"));
    sandbox.hooks(["remove", "7"]).run().assert_code(5);
    assert!(!sandbox.has("hooks.json"));
}

#[test]
fn removing_never_asks_and_shows_what_it_removed() {
    let sandbox = three_hooks();
    sandbox.add("https://h.example/d", "Other");
    let listed = sandbox.hooks(["list", "--event", "PostDeployment"]).run();
    let remove = sandbox.hooks(["remove", "3", "1", "2", "--force", "7"]);
    remove.stdin_left_open().run().assert(0, &listed.stdout, "note: removed 3 hooks\n");
    assert_eq!(sandbox.ids(), ["4"]);
    let listed = sandbox.hooks(["list"]).run();
    sandbox.hooks(["remove", "4", "-q"]).run().assert(0, &listed.stdout, "");
    let id = sandbox.add("https://h.example/e", "Other");
    let removed = sandbox.hooks(["remove", &id]).run();
    assert_eq!(removed.stderr, "note: removed 1 hook\n");
    sandbox.hooks(["remove", "--force", "7"]).run().assert(0, "", "");
}

#[test]
fn what_is_neither_an_id_nor_a_name_is_a_wrong_argument() {
    let sandbox = three_hooks();
    for id in ["x y", "-1", "1.5", "", "18446744073709551616", "0x1"] {
        sandbox.hooks(["remove", "--", id]).run().assert_code(2).assert_stderr_has(&["error: "]);
    }
    sandbox.hooks(["remove"]).run().assert_code(2);
    assert_eq!(sandbox.ids(), ["1", "2", "3"]);
}
