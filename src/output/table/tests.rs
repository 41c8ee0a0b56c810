use super::*;

fn table<'a>(rows: &[[&'a str; 4]]) -> Table<'a> {
    let mut table = Table::new(&[
        Column::new("ID", Fit::Whole),
        Column::new("NAME", Fit::End(4)).optional(),
        Column::new("URL", Fit::Url).movable(),
        Column::new("RESULT", Fit::End(6)),
    ]);
    for row in rows {
        table.row(row.map(Into::into), Look::Plain);
    }
    table
}

const HOOK: [&str; 4] = ["1", "deploys", "https://h.example/services/abc/def", "200 OK"];

#[track_caller]
fn assert_text(table: &Table<'_>, width: usize, wanted: &str) {
    let text = table.text(Some(width), false);
    assert_eq!(text, wanted, "in {width} columns:\n{text}");
}

#[test]
fn nothing_is_cut_where_there_is_room() {
    let whole = "\
ID  NAME     URL                                 RESULT
1   deploys  https://h.example/services/abc/def  200 OK
";
    let table = table(&[HOOK]);
    assert_eq!(table.text(None, false), whole);
    assert_text(&table, 55, whole);
}

#[test]
fn the_columns_share_what_is_left_and_the_url_goes_below_with_its_host() {
    let table = table(&[HOOK]);
    assert_text(
        &table,
        49,
        "\
ID  NAME    URL                            RESULT
1   deplo…  https://h.example/se…/abc/def  200 OK
",
    );
    assert_text(
        &table,
        30,
        "\
ID  NAME     RESULT
    URL
1   deploys  200 OK
    https://h.example/s…bc/def
",
    );
    assert_text(
        &table,
        12,
        "\
ID  NAME  R…
    URL
1   dep…  2…
    h.example
",
    );
}

#[test]
fn an_optional_column_without_a_text_is_left_out_and_no_line_ends_in_blanks() {
    let table = table(&[["1", "", "https://h.example/", ""]]);
    let wanted = "ID  URL                 RESULT\n1   https://h.example/\n";
    assert_eq!(table.text(None, false), wanted);
}

#[test]
fn wide_characters_keep_the_columns_aligned() {
    let table = table(&[["1", "漢字", "http://h/", "ok"], ["2", "abc", "http://h/", "ok"]]);
    let wanted = "\
ID  NAME  URL        RESULT
1   漢字  http://h/  ok
2   abc   http://h/  ok
";
    assert_eq!(table.text(None, false), wanted);
}

#[test]
fn a_look_colours_its_column() {
    let mut table = table(&[]);
    table.row(HOOK.map(Into::into), Look::Bad(3));
    table.row(HOOK.map(Into::into), Look::Faint);
    let text = table.text(None, true);
    assert!(text.contains("\u{1b}[31m200 OK\u{1b}[0m"), "{text:?}");
    assert!(text.contains("\u{1b}[2m1\u{1b}[0m"), "{text:?}");
}
