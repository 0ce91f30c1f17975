use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::mpsc;
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::*;
use crate::plugin::Inputs;
use crate::{CallEnded, CallId, Code};

fn config(folder: &tempfile::TempDir) -> SlipConfig {
    SlipConfig { folder: Some(folder.path().join("slips")), ..SlipConfig::default() }
}

fn inputs(value: serde_json::Value) -> Inputs {
    Inputs::from_json(value.to_string().as_bytes()).unwrap()
}

/// Tells slips of a call with these parameters and claims.
fn tell(slips: &Slips, parameters: Inputs, claims: Inputs, caller: Option<&str>) -> CallId {
    let id = CallId::new();
    slips.observer()(&Observation::CallEnded(CallEnded::of_test(id, parameters, claims, caller)));
    id
}

fn tell_any(slips: &Slips) -> CallId {
    tell(slips, inputs(json!({ "company": 1 })), Inputs::default(), None)
}

/// The files of a folder, the oldest first.
fn files(config: &SlipConfig) -> Vec<PathBuf> {
    let read = fs::read_dir(config.folder.as_ref().unwrap()).unwrap();
    let mut files: Vec<PathBuf> = read.map(|file| file.unwrap().path()).collect();
    files.sort();
    files
}

fn text(config: &SlipConfig) -> String {
    files(config).iter().map(|file| fs::read_to_string(file).unwrap()).collect()
}

#[tokio::test]
async fn a_slip_is_found_by_its_id() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let slips = Slips::start(&config).unwrap().unwrap();
    // Values of several lines stay on one.
    let parameters =
        Inputs::from_json(b"{\"n\": 9007199254740993.10,\n \"list\": [\"a\\n\",\r\n 2]}").unwrap();
    let claims = Inputs::from_pairs([("user".to_owned(), "ada".to_owned())]);
    let ids = [tell_any(&slips), tell(&slips, parameters, claims, Some("ada")), tell_any(&slips)];
    slips.flush().await;
    assert_eq!(slips.dropped(), 0);
    let found = SlipFolder::new(&config).unwrap().find(ids[1]).unwrap();
    assert_eq!((found.id, found.query.as_str(), found.outcome.as_str()), (ids[1], "candidates", "dropped"));
    assert_eq!(found.caller.as_deref(), Some("ada"));
    let (parameters, claims) = (found.parameters.inputs(), found.claims.inputs());
    assert_eq!(parameters.setting("n").unwrap(), "9007199254740993.10");
    assert_eq!(parameters.setting("list").unwrap().split_whitespace().collect::<String>(), "[\"a\\n\",2]");
    assert_eq!(claims.word("user").unwrap(), "ada");
    assert_eq!(text(&config).lines().count(), 3);
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(config.folder.as_ref().unwrap()), mode(&files(&config)[0])), (0o700, 0o600));
    let error = SlipFolder::new(&config).unwrap().find(CallId::new()).unwrap_err();
    assert_eq!(error.code(), Code::UnknownSlip);
}

#[tokio::test]
async fn a_line_that_is_torn_is_no_slip_and_hides_none() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let slips = Slips::start(&config).unwrap().unwrap();
    let (whole, torn) = (tell_any(&slips), tell_any(&slips));
    slips.flush().await;
    let file = files(&config).remove(0);
    let length = fs::metadata(&file).unwrap().len();
    OpenOptions::new().write(true).open(&file).unwrap().set_len(length - 20).unwrap();
    let found = |id| SlipFolder::new(&config).unwrap().find(id);
    assert_eq!(found(whole).unwrap().id, whole);
    assert_eq!(found(torn).unwrap_err().code(), Code::UnknownSlip);
    // What another process writes later is in another file.
    let later = Slips::start(&config).unwrap().unwrap();
    let after = tell_any(&later);
    later.flush().await;
    assert_eq!(found(after).unwrap().id, after);
    assert_eq!(files(&config).len(), 2);
    // Nor does what is no text.
    OpenOptions::new().append(true).open(&file).unwrap().write_all(b"\n\xff\xfe{\"id\":\"\n").unwrap();
    assert_eq!(found(after).unwrap().id, after);
}

#[tokio::test]
async fn what_is_redacted_is_nowhere() {
    let all = json!({ "email": "very-secret", "name": "very-secret", "city": "Ulm" });
    let folder = tempfile::tempdir().unwrap();
    for (redact, is_kept, has_caller) in [
        (&["email", "hiring.candidates.name"][..], true, false),
        (&["*"], false, false),
        (&["city"], true, true),
    ] {
        let config =
            SlipConfig { redact: redact.iter().map(ToString::to_string).collect(), ..config(&folder) };
        let slips = Slips::start(&config).unwrap().unwrap();
        let hides_secret = redact != ["city"];
        // Who called is told by the claim.
        let id = tell(&slips, inputs(all.clone()), inputs(all.clone()), Some("very-secret"));
        slips.flush().await;
        let slip = SlipFolder::new(&config).unwrap().find(id).unwrap();
        let line = serde_json::to_string(&slip).unwrap();
        assert_eq!(line.contains("very-secret"), !hides_secret, "{line}");
        assert_eq!(line.contains("Ulm"), is_kept && hides_secret, "{line}");
        assert_eq!(slip.caller.is_some(), has_caller, "{line}");
        let expected = if is_kept && hides_secret { vec!["email", "name"] } else { vec!["city"] };
        assert!(
            expected.iter().all(|name| slip.parameters.left_out().iter().any(|its| its == name)),
            "{line}"
        );
        assert_eq!(text(&config).contains("very-secret"), !hides_secret);
        fs::remove_dir_all(config.folder.unwrap()).unwrap();
    }
}

#[tokio::test]
async fn what_is_very_long_is_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let config = SlipConfig { redact: vec!["email".into()], ..config(&folder) };
    let slips = Slips::start(&config).unwrap().unwrap();
    let long = json!({ "text": "very-secret".repeat(10_000) });
    let claims = inputs(json!({ "email": "very-secret" }));
    let id = tell(&slips, inputs(long), claims, Some("very-secret"));
    slips.flush().await;
    let slip = SlipFolder::new(&config).unwrap().find(id).unwrap();
    assert!(slip.parameters.is_too_long() && slip.claims.is_too_long());
    assert_eq!((slip.caller, text(&config).contains("very-secret")), (None, false));
}

#[tokio::test]
async fn slips_go_when_their_time_is_over() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let slips = config.folder.clone().unwrap();
    drop(Slips::start(&config).unwrap());
    let ago = |hours: u64| {
        let then = SystemTime::now() - Duration::from_secs(hours * 3600);
        then.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs()
    };
    let [old, recent] = [25, 23].map(|hours| slips.join(format!("{}-0123456789ab.slips.ndjson", ago(hours))));
    // What is none of ours is left alone.
    let others =
        ["notes.txt", "x.slips.ndjson", "18446744073709551615-0.slips.ndjson"].map(|name| slips.join(name));
    for path in [&old, &recent].into_iter().chain(&others) {
        fs::write(path, "").unwrap();
    }
    let kept = Slips::start(&config).unwrap().unwrap();
    tell_any(&kept);
    kept.flush().await;
    assert!(!old.exists() && recent.exists());
    assert!(others.iter().all(|path| path.exists()));
}

#[tokio::test]
async fn the_oldest_slips_go_when_there_is_no_room() {
    let folder = tempfile::tempdir().unwrap();
    let config = SlipConfig { max_mib: 1, ..config(&folder) };
    let slips = Slips::start(&config).unwrap().unwrap();
    let size =
        |config: &SlipConfig| files(config).iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(tell(&slips, inputs(json!({ "text": "x".repeat(60_000) })), Inputs::default(), None));
        slips.flush().await;
        assert!(size(&config) <= 1 << 20, "{}", size(&config));
    }
    assert_eq!(slips.dropped(), 0);
    let folder = SlipFolder::new(&config).unwrap();
    assert_eq!(folder.find(ids[0]).unwrap_err().code(), Code::UnknownSlip);
    assert_eq!(folder.find(ids[39]).unwrap().id, ids[39]);
}

#[test]
fn where_there_is_no_room_a_call_does_not_wait() {
    let (queue, messages) = mpsc::sync_channel(2);
    let slips = Slips { queue, dropped: Arc::default() };
    // Nobody writes: each of these would wait for ever.
    for _ in 0..5 {
        tell_any(&slips);
    }
    assert_eq!((slips.dropped(), messages.try_iter().count()), (3, 2));
    // Nor where the writer has gone.
    drop(messages);
    tell_any(&slips);
    assert_eq!(slips.dropped(), 4);
}

#[tokio::test]
async fn where_a_file_was_removed_another_one_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let slips = Slips::start(&config).unwrap().unwrap();
    let find = |id| SlipFolder::new(&config).unwrap().find(id);
    let lost = tell_any(&slips);
    slips.flush().await;
    // As another host does that makes room, and as somebody does who wants none of them.
    for is_all in [false, true] {
        match is_all {
            false => files(&config).iter().for_each(|file| fs::remove_file(file).unwrap()),
            true => fs::remove_dir_all(config.folder.as_ref().unwrap()).unwrap(),
        }
        let kept = tell_any(&slips);
        slips.flush().await;
        assert_eq!(find(kept).unwrap().id, kept);
        assert_eq!(find(lost).unwrap_err().code(), Code::UnknownSlip);
    }
    assert_eq!(slips.dropped(), 0);
}

#[test]
fn no_link_is_followed_to_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    drop(Slips::start(&config).unwrap());
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(config.folder.as_ref().unwrap(), &link).unwrap();
    for path in [link.clone(), link.join("")] {
        let of_link = SlipConfig { folder: Some(path), ..config.clone() };
        let Err(error) = Slips::start(&of_link) else { panic!("{of_link:?} is used") };
        assert!(error.to_string().contains("it is a link"), "{error}");
    }
}

#[tokio::test]
async fn a_long_name_that_is_left_out_can_be_given_again() {
    let folder = tempfile::tempdir().unwrap();
    let name = format!("https://example.com/{}", "claims/".repeat(20));
    let config = SlipConfig { redact: vec![name.clone()], ..config(&folder) };
    let slips = Slips::start(&config).unwrap().unwrap();
    let claims = Inputs::from_pairs([(name.clone(), "ada".to_owned())]);
    let id = tell(&slips, Inputs::default(), claims, None);
    slips.flush().await;
    let slip = SlipFolder::new(&config).unwrap().find(id).unwrap();
    assert_eq!(slip.claims.left_out(), [name]);
}

#[tokio::test]
async fn a_folder_that_goes_costs_slips_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder);
    let slips = Slips::start(&config).unwrap().unwrap();
    let path = config.folder.clone().unwrap();
    fs::remove_dir(&path).unwrap();
    // In its place is what is no folder.
    fs::write(&path, "").unwrap();
    tell_any(&slips);
    slips.flush().await;
    assert_eq!(slips.dropped(), 1);
    let error = SlipFolder::new(&config).unwrap().find(CallId::new()).unwrap_err();
    assert_eq!(error.code(), Code::BadConfiguration);
    assert!(Slips::start(&config).is_err());
    assert!(Slips::start(&SlipConfig::default()).unwrap().is_none());
}
