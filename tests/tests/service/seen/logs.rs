use callslip_tests::{database, http, language_and_slow};
use nix::sys::signal::Signal;
use serde_json::Value;

use crate::served::Served;

/// Its log, of which every line is an object.
fn objects(served: &Served) -> Vec<Value> {
    let read = |line: &String| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    served.lines().iter().map(read).collect()
}

#[tokio::test]
async fn each_line_is_an_object_with_fields() {
    let config = language_and_slow("[telemetry]\nlog = \"json\"\n");
    let mut served = Served::start(&database().url(), &config, &[]);
    served.wait_for("listening on");
    let address = objects(&served).iter().find_map(|line| {
        line["message"].as_str()?.strip_prefix("listening on http://").map(|address| address.parse().unwrap())
    });
    let address = address.expect("where it listens");
    assert_eq!(http::get(address, "/q/language/position?id=1").await.status, 200);
    http::get(address, "/q/language/search?words=panic").await.assert_problem(500, "CS1201");
    served.wait_for("CS1201");
    served.signal(Signal::SIGTERM);
    assert_eq!(served.ended(), Some(0));
    let lines = objects(&served);
    let call = lines.iter().find(|line| line["target"] == "callslip::audit").expect("a call");
    assert_eq!(
        (&call["plugin"], &call["query"], &call["outcome"]),
        (&"language".into(), &"position".into(), &"complete".into())
    );
    assert_eq!((&call["rows"], &call["level"]), (&1.into(), &"INFO".into()));
    assert!(call["timestamp"].is_string() && call["message"] == "a call has ended", "{call}");
    let failed = lines.iter().find(|line| line["code"] == "CS1201" && line["level"] == "ERROR");
    assert!(failed.is_some(), "{lines:#?}");
}

#[tokio::test]
async fn the_filter_is_that_of_the_configuration_and_rust_log_goes_before_it() {
    let config = language_and_slow("[telemetry]\nlog_filter = \"warn,callslip=info,callslip::audit=off\"\n");
    for (variables, is_audited) in [(&[][..], false), (&[("RUST_LOG", "callslip=info")][..], true)] {
        let mut served = Served::start_with(&database().url(), &config, &[], variables);
        assert_eq!(http::get(served.address(), "/q/language/position?id=1").await.status, 200);
        served.signal(Signal::SIGTERM);
        assert_eq!(served.ended(), Some(0));
        let lines = served.lines();
        assert_eq!(lines.iter().any(|line| line.contains("a call has ended")), is_audited, "{lines:#?}");
    }
}

#[test]
fn what_can_t_be_is_refused_with_its_place() {
    let component = |text: &str| format!("{text}\n[plugins.a]\ncomponent = \"a.wasm\"\n");
    for (text, words) in [
        ("[telemetry]\nlog_filter = \"callslip=loud\"", "telemetry.log_filter"),
        ("[telemetry]\nlog = \"xml\"", "line 2"),
        ("[telemetry]\notlp_endpoint = \"https://collector\"", "telemetry.otlp_endpoint"),
    ] {
        let mut served = Served::start(&database().url(), &component(text), &[]);
        assert_eq!(served.ended(), Some(1), "{text}");
        let line = served.wait_for("CS2001");
        assert!(served.lines().concat().contains(words), "{line}");
    }
}

/// Whoever reads objects reads why it has ended, too.
#[test]
fn an_end_is_an_object_too() {
    let mut served = Served::start(&database().url(), "[telemetry]\nlog = \"json\"\n[wrong]\n", &[]);
    assert_eq!(served.ended(), Some(1));
    served.wait_for("CS2001");
    let lines = objects(&served);
    let end = lines.last().unwrap();
    assert!(end["message"].as_str().is_some_and(|message| message.contains("wrong")), "{end}");
}
