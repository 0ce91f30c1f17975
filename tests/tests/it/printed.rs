//! What `callslip catalog` shows people of a database.

use callslip_tests::database;

use crate::command::callslip;

/// What the command prints of a database with the schema of `printed.sql`.
async fn printed(arguments: &[&str]) -> String {
    static FILLED: tokio::sync::OnceCell<()> = tokio::sync::OnceCell::const_new();
    FILLED.get_or_init(async || database().execute(include_str!("printed.sql")).await).await;
    let mut command = callslip();
    command.arg("catalog").args(arguments).args(["--schema", "printed", "--database-url", &database().url()]);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(!text.contains(|c: char| c.is_control() && c != '\n'), "nothing commands the terminal: {text}");
    text
}

/// Asserts that a text has these lines, in this order.
fn assert_lines(text: &str, lines: &[&str]) {
    let mut rest = text.lines();
    for line in lines {
        assert!(rest.any(|its| its == *line), "no {line:?} at its place in\n{text}");
    }
}

#[tokio::test]
async fn a_relation_is_shown_with_all_that_is_known_of_it() {
    println!("{}", printed(&["parcel"]).await);
    println!("{}", printed(&["stay"]).await);
    println!("{}", printed(&["long_stay"]).await);
    println!("{}", printed(&["note"]).await);
    println!("{}", printed(&["recent"]).await);
    println!("{}", printed(&["customer"]).await);
    println!("{}", printed(&["parcel_2024"]).await);
    println!("{}", printed(&["parcel", "--all"]).await);
    println!("{}", printed(&["--all"]).await);
    println!("{}", printed(&[]).await);
    assert_lines("", &["x"]);
}
