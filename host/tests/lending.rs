//! What can't be lent, and what can't be done with it meanwhile.

#[path = "../../plugin-sdk/tests/mistakes/mod.rs"]
mod mistakes;

#[test]
fn mistakes_do_not_compile() {
    mistakes::do_not_compile("tests/lending");
}
