//! New versions of plugins, and the columns that they wait for.

use std::path::{Path, PathBuf};

use callslip::plugin::Digest;
use callslip::{Change, Code, Host, PluginChange, Refreshed, Refusal, Standing};
use callslip_tests::{component, component_with};
use serde_json::{Value, json};

use crate::support::{LISTEN, Live, POLL, amounts, call, code, config, fragile, next, start, until};

const NEW_COLUMN: &str = "ALTER TABLE live.fragile ADD COLUMN nickname text";

/// A folder with a component that can be replaced.
struct Deployed(tempfile::TempDir);

impl Deployed {
    fn new(component: &Path) -> Self {
        let deployed = Self(tempfile::tempdir().unwrap());
        deployed.replace(component);
        deployed
    }

    fn path(&self) -> PathBuf {
        self.0.path().join("plugin.wasm")
    }

    /// As a deployment does it: whole.
    fn replace(&self, component: &Path) {
        let new = self.0.path().join("new.wasm");
        std::fs::copy(component, &new).unwrap();
        std::fs::rename(&new, self.path()).unwrap();
    }
}

fn changes(refreshed: &Refreshed) -> Vec<&'static str> {
    let name = |change: &Change| match change {
        Change::NewVersion { .. } => "new version",
        Change::Degraded(_) => "degraded",
        Change::Healthy => "healthy",
        Change::Waiting(_) => "waiting",
        Change::Withdrawn => "withdrawn",
        _ => "something else",
    };
    refreshed.plugins.iter().map(|its| name(&its.change)).collect()
}

#[tokio::test]
async fn a_new_version_waits_for_its_column_and_the_old_one_serves() {
    let live = Live::new("waits").await;
    let (old, of_fragile) = fragile();
    let deployed = Deployed::new(&old);
    let host = live.host(&[("fragile", &deployed.path(), of_fragile)]).await;
    let digest = host.generation().plugin("fragile").unwrap().unwrap().digest();

    deployed.replace(&next());
    let refreshed = host.refresh().await.unwrap();
    assert_eq!((refreshed.changed, changes(&refreshed)), (true, vec!["waiting"]));
    let generation = host.generation();
    assert_eq!(generation.standing("fragile"), Some(Standing::Served));
    assert_eq!(generation.plugin("fragile").unwrap().unwrap().digest(), digest);
    let waiting = generation.waiting("fragile").unwrap();
    assert!(waiting.digest().is_some_and(|waits| waits != digest));
    let [found] = waiting.refusal().findings.as_slice() else { panic!("{}", waiting.refusal()) };
    assert_eq!((found.query.as_deref(), found.finding.code), (Some("names"), Code::UnknownColumn));
    assert_eq!(call(&host, "fragile", "names").await.unwrap()[0], json!({"id": 1, "name": "one"}));
    assert!(!host.refresh().await.unwrap().changed, "it waits, and is not compiled again");

    // Another change is in vain.
    live.execute("ALTER TABLE live.fragile ADD COLUMN other text").await;
    assert_eq!(changes(&host.refresh().await.unwrap()), ["waiting"]);

    let _watch = host.watch(LISTEN).unwrap();
    live.execute(NEW_COLUMN).await;
    until("the new version is served", async || host.generation().waiting("fragile").is_none()).await;
    let generation = host.generation();
    assert_ne!(generation.plugin("fragile").unwrap().unwrap().digest(), digest);
    let row = call(&host, "fragile", "names").await.unwrap()[0].clone();
    assert_eq!(row, json!({"id": 1, "name": "one", "nickname": null}));
}

#[tokio::test]
async fn a_plugin_refused_at_start_goes_live_when_its_column_appears() {
    let live = Live::new("refused_first").await;
    let host = live.host(&[("fragile", &next(), fragile().1)]).await;
    assert!(host.generation().plugin("fragile").unwrap().is_err(), "for `check` and --strict it is refused");
    assert_eq!(host.generation().standing("fragile"), Some(Standing::Degraded));
    assert_eq!(code(&host, "fragile", "names").await, Some(Code::PluginDegraded));
    assert_eq!(code(&host, "fragile", "ids").await, None);
    let _watch = host.watch(LISTEN).unwrap();
    live.execute(NEW_COLUMN).await;
    until("it is served", async || host.generation().standing("fragile") == Some(Standing::Served)).await;
    assert_eq!(call(&host, "fragile", "names").await.unwrap()[0]["nickname"], json!(null));
}

#[tokio::test]
async fn a_file_without_a_component_changes_nothing_but_what_is_said() {
    let live = Live::new("bad_file").await;
    let (old, of_fragile) = fragile();
    let deployed = Deployed::new(&old);
    let host = live.host(&[("fragile", &deployed.path(), of_fragile)]).await;

    std::fs::write(deployed.path(), "no component").unwrap();
    assert_eq!(changes(&host.refresh().await.unwrap()), ["waiting"]);
    assert!(!host.refresh().await.unwrap().changed, "it is said once");
    let generation = host.generation();
    let waiting = generation.waiting("fragile").unwrap();
    assert_eq!((waiting.digest(), waiting.refusal().findings[0].finding.code), (None, Code::NotAComponent));
    assert_eq!(code(&host, "fragile", "names").await, None);

    std::fs::remove_file(deployed.path()).unwrap();
    host.refresh().await.unwrap();
    let generation = host.generation();
    let refusal = generation.waiting("fragile").unwrap().refusal();
    assert_eq!(refusal.findings[0].finding.code, Code::ComponentUnreadable);

    // The next version waits, and is withdrawn again.
    deployed.replace(&next());
    assert_eq!(changes(&host.refresh().await.unwrap()), ["waiting"]);
    deployed.replace(&old);
    assert_eq!(changes(&host.refresh().await.unwrap()), ["withdrawn"]);
    assert!(host.generation().waiting("fragile").is_none());

    // Of a plugin that could not be loaded at all, any version is better.
    let deployed = Deployed::new(&old);
    std::fs::write(deployed.path(), "no component").unwrap();
    let host = live.host(&[("fragile", &deployed.path(), of_fragile)]).await;
    assert_eq!(host.generation().standing("fragile"), Some(Standing::Refused));
    deployed.replace(&next());
    assert_eq!(changes(&host.refresh().await.unwrap()), ["new version", "degraded"]);
    assert_eq!(host.generation().standing("fragile"), Some(Standing::Degraded));
    deployed.replace(&old);
    assert_eq!(changes(&host.refresh().await.unwrap()), ["new version", "healthy"]);
}

/// The lines of `[plugins.fragile]`.
async fn host_with(live: &Live, deployed: &Deployed, lines: &str) -> Host {
    let text = config(&[("fragile", &deployed.path(), fragile().1)]);
    let text = text.replace("[plugins.fragile]\n", &format!("[plugins.fragile]\n{lines}\n"));
    assert!(text.contains(lines));
    start(&text, &live.connection()).await
}

fn found(refusal: &Refusal) -> (Code, String) {
    let [found] = refusal.findings.as_slice() else { panic!("{refusal}") };
    (found.finding.code, found.finding.to_string())
}

#[tokio::test]
async fn a_component_that_is_not_the_pinned_one_is_not_read_and_the_old_one_serves() {
    let live = Live::new("pinned").await;
    let deployed = Deployed::new(&fragile().0);
    let pinned = Digest::of(&std::fs::read(fragile().0).unwrap());
    let host = host_with(&live, &deployed, &format!("sha256 = \"{pinned}\"")).await;
    assert_eq!(host.generation().standing("fragile"), Some(Standing::Served));

    // A component that would prove, and bytes that are none: neither is looked into.
    live.execute(NEW_COLUMN).await;
    for other in [std::fs::read(next()).unwrap(), b"no component".to_vec()] {
        std::fs::write(deployed.path(), &other).unwrap();
        assert_eq!(changes(&host.refresh().await.unwrap()), ["waiting"]);
        let generation = host.generation();
        assert_eq!(generation.plugin("fragile").unwrap().unwrap().digest(), pinned);
        let (code, said) = found(generation.waiting("fragile").unwrap().refusal());
        assert_eq!(code, Code::NotAsPinned);
        assert!(said.contains(&pinned.to_string()), "{said}");
        assert!(said.contains(&Digest::of(&other).to_string()), "{said}");
        assert_eq!(call(&host, "fragile", "names").await.unwrap()[0], json!({"id": 1, "name": "one"}));
    }
    deployed.replace(&fragile().0);
    assert_eq!(changes(&host.refresh().await.unwrap()), ["withdrawn"]);

    // At a start there is none before it.
    deployed.replace(&next());
    let host = host_with(&live, &deployed, &format!("sha256 = \"{pinned}\"")).await;
    assert_eq!(host.generation().standing("fragile"), Some(Standing::Refused));
    assert_eq!(code(&host, "fragile", "names").await, Some(Code::PluginDegraded));
}

#[tokio::test]
async fn a_component_is_served_when_its_signer_has_signed_it() {
    let live = Live::new("signed").await;
    let deployed = Deployed::new(&fragile().0);
    let keys = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let signature = deployed.path().with_file_name("plugin.wasm.minisig");
    let sign = |component: &Path, comment: &str| {
        let bytes = std::fs::File::open(component).unwrap();
        let signed = minisign::sign(None, &keys.sk, bytes, Some(comment), None).unwrap();
        std::fs::write(&signature, signed.to_bytes()).unwrap();
    };
    let public_key = format!("public_key = \"{}\"", keys.pk.to_base64());

    let host = host_with(&live, &deployed, &public_key).await;
    let generation = host.generation();
    let (code, said) = found(generation.plugin("fragile").unwrap().unwrap_err());
    assert_eq!(code, Code::NotAsPinned);
    assert!(said.contains("plugin.wasm.minisig") && said.contains("minisign -S"), "{said}");

    sign(&fragile().0, "fragile 1");
    host.refresh().await.unwrap();
    let generation = host.generation();
    let plugin = generation.plugin("fragile").unwrap().unwrap();
    assert_eq!(plugin.trusted_comment(), Some("fragile 1"));

    // A new version with the signature of the old one, with too long a one, and with its own.
    live.execute(NEW_COLUMN).await;
    deployed.replace(&next());
    assert_eq!(changes(&host.refresh().await.unwrap()), ["waiting"]);
    assert_eq!(found(host.generation().waiting("fragile").unwrap().refusal()).0, Code::NotAsPinned);
    std::fs::write(&signature, vec![b'\n'; 100 << 20]).unwrap();
    host.refresh().await.unwrap();
    let (code, said) = found(host.generation().waiting("fragile").unwrap().refusal());
    assert_eq!(code, Code::NotAsPinned);
    assert!(said.contains("more than 8192 bytes"), "{said}");
    sign(&next(), "fragile 2");
    // What waited was the file that held nothing.
    assert_eq!(changes(&host.refresh().await.unwrap()), ["new version", "withdrawn"]);
    let generation = host.generation();
    assert_eq!(generation.plugin("fragile").unwrap().unwrap().trusted_comment(), Some("fragile 2"));

    // Another's signature of the same bytes.
    let other = minisign::KeyPair::generate_unencrypted_keypair().unwrap();
    let bytes = std::fs::File::open(next()).unwrap();
    let signed = minisign::sign(None, &other.sk, bytes, Some("fragile 2"), None).unwrap();
    std::fs::write(&signature, signed.to_bytes()).unwrap();
    assert_eq!(changes(&host.refresh().await.unwrap()), ["waiting"]);
    assert!(found(host.generation().waiting("fragile").unwrap().refusal()).1.contains("another key"));
}

#[tokio::test]
async fn a_new_version_comes_with_its_warnings() {
    let live = Live::new("warnings").await;
    let deployed = Deployed::new(&component("example-plugins/hiring"));
    let of_hiring = r#""answer", "candidate", "candidate_tag", "company", "interview", "position", "question",
                       "reviewer", "tag", "rating""#;
    let host = live.host(&[("hiring", &deployed.path(), of_hiring)]).await;
    deployed.replace(&component("tests/guests/multiplied"));
    // It has none of the queries that are served.
    assert_eq!(changes(&host.refresh().await.unwrap()), ["waiting"]);
    let refreshed = host.refresh_forcing(["hiring"]).await.unwrap();
    let [PluginChange { change: Change::NewVersion { warnings, .. }, .. }] = &refreshed.plugins[..] else {
        panic!("{refreshed:?}")
    };
    let [warning] = &warnings[..] else { panic!("{warnings:?}") };
    assert_eq!((warning.query.as_deref(), warning.finding.code.as_str()), (Some("totals"), "CS0207"));
}

/// Rows that are run again are those of the statement that was asked for, or none.
#[tokio::test]
async fn rows_are_not_run_again_as_those_of_another_statement() {
    let live = Live::new("reordered").await;
    let (old, of_amounts) = amounts();
    let deployed = Deployed::new(&old);
    let host = live.host(&[("amounts", &deployed.path(), of_amounts)]).await;
    live.execute("DELETE FROM live.amount").await;
    // It is prepared on every connection that there will be.
    let replies = futures_util::future::join_all((0..16).map(|_| call(&host, "amounts", "two"))).await;
    replies.into_iter().for_each(|reply| _ = reply.unwrap());
    live.execute("ALTER TABLE live.amount ALTER COLUMN amount TYPE bigint").await;
    let mut rows = host.call("amounts", "two").rows().await.unwrap();
    rows.statement("ids").await.unwrap();

    deployed.replace(&component_with("tests/guests/live", Some("reordered")));
    assert_eq!(changes(&host.refresh().await.unwrap()), ["new version"]);
    live.execute("INSERT INTO live.amount VALUES (1, 10)").await;
    let error = rows.next().await.unwrap_err();
    assert_eq!(error.code(), Code::OtherStatement, "{error}");
    assert!(error.to_string().contains("rows of statement \"ids\""), "{error}");
    assert_eq!(rows.next().await.unwrap_err().code(), Code::StatementFailed, "it stays an error");
    let mut rows = host.call("amounts", "two").rows().await.unwrap();
    assert_eq!(rows.statement_names().collect::<Vec<_>>(), ["amounts", "ids"]);
    assert_eq!(rows.statement("amounts").await.unwrap().collect_as::<Value>().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_new_version_that_could_not_be_tried_is_tried_again() {
    let live = Live::new("tried_again").await;
    let (old, of_fragile) = fragile();
    let deployed = Deployed::new(&old);
    let config = config(&[("fragile", &deployed.path(), of_fragile)]).replace("60000", "50");
    let host = start(&config, &live.connection()).await;
    live.execute(NEW_COLUMN).await;
    let digest = host.generation().plugin("fragile").unwrap().unwrap().digest();
    deployed.replace(&next());
    // The database has changed, and can't be asked what that means for what is served.
    live.execute("BEGIN; LOCK TABLE live.fragile").await;
    let error = host.refresh().await.unwrap_err();
    assert_eq!(error.code(), Code::StatementTimeout, "{error}");
    live.execute("COMMIT").await;
    let _watch = host.watch(POLL).unwrap();
    until("the new version is served", async || {
        host.generation().plugin("fragile").unwrap().unwrap().digest() != digest
    })
    .await;
}
