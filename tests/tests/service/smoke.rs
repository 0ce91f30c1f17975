//! It serves, and stops when it is asked to.

use callslip_tests::{component, database, http};
use nix::sys::signal::Signal;

use crate::served::Served;

#[tokio::test]
async fn a_configuration_and_a_database_are_an_api() {
    let hiring = component("example-plugins/hiring");
    let config = format!(
        "[plugins.hiring]\ncomponent = {hiring:?}\n[plugins.hiring.grants]\nrelations = [\"public.*\"]\n"
    );
    let mut served = Served::start(&database().url(), &config, &[]);
    let answer = http::get(served.address(), "/q/hiring/overview?company=1").await;
    assert_eq!(answer.status, 200, "{}", String::from_utf8_lossy(&answer.body));
    assert!(answer.json().is_array() || answer.json().is_object());
    served.signal(Signal::SIGTERM);
    assert_eq!(served.ended(), Some(0));
}
