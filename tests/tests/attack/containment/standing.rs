//! What a plugin tries over several calls, files or plugins: to keep failing, to be another component than the one that was
//! pinned, and to profit from what another one may.

use std::time::{Duration, Instant};

use callslip::plugin::Digest;
use callslip::{Config, Host};
use minisign::KeyPair;

use crate::bare::{Bare, ended_after, was_ended};
use crate::dangers::{Attacker, Refusal, read};
use crate::describe::{Said, described};
use crate::ground::{Ground, rows};
use crate::guest::{BIDE, DEED, Guest, biding, biding_manifest, number, told};
use crate::suite::{Attack, Contained, timed};

const BREAKER: &str = "keeps trapping";
const PINNED: &str = "not the pinned component";
const FEWER: &str = "the same bytes under fewer grants";

/// All of them.
pub fn attacks(ground: &'static Ground) -> Vec<Attack> {
    vec![
        Attack::new(BREAKER, "a loop, called again and again", suspended(ground, LOOPS), goes_on(LOOPS)),
        Attack::new(BREAKER, "a trap, called again and again", suspended(ground, TRAPS), goes_on(TRAPS)),
        Attack::new(
            PINNED,
            "another sha256, at the start",
            pinned(ground, &Pinned::Digest),
            loads_whatever(),
        ),
        Attack::new(PINNED, "unsigned", pinned(ground, &Pinned::Unsigned), loads_whatever()),
        Attack::new(PINNED, "signed by another", pinned(ground, &Pinned::Other), loads_whatever()),
        Attack::new(PINNED, "swapped while it is served", swapped(ground), loads_whatever()),
        Attack::new(FEWER, "after one that may, on its session", fewer(ground), remembers(ground)),
        Attack::new(FEWER, "in another host with the same engine", other_host(ground), remembers(ground)),
        Attack::new(FEWER, "by another query of the plugin", other_query(ground), remembers(ground)),
        Attack::new(FEWER, "for one column of those that may", fewer_columns(ground), remembers(ground)),
        Attack::new(FEWER, "after the catalog has changed", changed(ground), remembers_what_it_was(ground)),
    ]
}

const LOOPS: &str = "(loop $on (br $on)) unreachable";
const TRAPS: &str = "unreachable";

fn failing(plan: &str) -> Vec<u8> {
    Guest { manifest: biding_manifest(), plan: plan.to_owned(), ..Guest::default() }.component()
}

async fn suspended(ground: &'static Ground, plan: &'static str) -> Contained {
    let attacker = Attacker::of(ground, &failing(plan), "").await;
    let mut codes = Vec::new();
    for n in 0..20 {
        let call = read(attacker.host.call("attacker", BIDE).param(DEED, number(n)));
        let (answer, took) = timed(call).await;
        codes.push((answer.expect_err("it fails").code, took));
    }
    let ran = codes.iter().filter(|(code, _)| code != "CS1206").count();
    // Five failures, and a run at the end of each time for which it is suspended.
    assert!((1..=10).contains(&ran), "{codes:?}");
    let (code, took) = codes.pop().unwrap();
    assert_eq!(code, "CS1206", "{codes:?}");
    attacker.neighbour_answers().await;
    Contained { by: format!("CS1206 after {ran} runs"), took }
}

async fn goes_on(plan: &'static str) -> String {
    const EACH: Duration = Duration::from_millis(20);
    let bytes = failing(plan);
    let began = Instant::now();
    for _ in 0..20 {
        let (done, took, _) = ended_after(EACH, &bytes, |bare| bare.plan("again"));
        assert!(done.is_err() && (!was_ended(&done) || took >= EACH));
    }
    format!("ran 20 times, for {:.0?}", began.elapsed())
}

/// A component that does what it should, and one that is put in its place.
pub fn good() -> Vec<u8> {
    told(&[described("SELECT 'good' AS says")]).component()
}

pub fn evil() -> Vec<u8> {
    told(&[described("SELECT 'evil' AS says")]).component()
}

enum Pinned {
    Digest,
    Unsigned,
    Other,
}

async fn host(ground: &Ground, config: &str, folder: &tempfile::TempDir) -> Host {
    let config = Config::parse(config, folder.path()).unwrap_or_else(|error| panic!("{error}"));
    Host::start(&config, &ground.database().connection()).await.unwrap_or_else(|error| panic!("{error}"))
}

fn refused_as(host: &Host, code: &str) -> String {
    let generation = host.generation();
    let refusal = generation.plugin("attacker").unwrap().expect_err("it is served");
    assert!(refusal.findings.iter().all(|found| found.finding.code.as_str() == code), "{refusal}");
    refusal.to_string()
}

async fn pinned(ground: &'static Ground, how: &'static Pinned) -> Contained {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("attacker.wasm");
    std::fs::write(&file, evil()).unwrap();
    let key = KeyPair::generate_unencrypted_keypair().unwrap();
    let pin = match how {
        Pinned::Digest => format!("sha256 = \"{}\"", Digest::of(&good())),
        Pinned::Unsigned | Pinned::Other => format!("public_key = \"{}\"", key.pk.to_base64()),
    };
    if let Pinned::Other = how {
        let other = KeyPair::generate_unencrypted_keypair().unwrap();
        let signature = minisign::sign(None, &other.sk, std::io::Cursor::new(evil()), None, None).unwrap();
        std::fs::write(folder.path().join("attacker.wasm.minisig"), signature.into_string()).unwrap();
    }
    let config = format!("[plugins.attacker]\ncomponent = \"attacker.wasm\"\n{pin}");
    let (host, took) = timed(host(ground, &config, &folder)).await;
    refused_as(&host, "CS0109");
    let answer = read(host.call("attacker", "q000")).await;
    assert_eq!(answer.expect_err("it is served").code, "CS1205");
    Contained { by: "CS0109".to_owned(), took }
}

async fn swapped(ground: &'static Ground) -> Contained {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("attacker.wasm");
    std::fs::write(&file, good()).unwrap();
    let pin = Digest::of(&good());
    let host = host(
        ground,
        &format!("[plugins.attacker]\ncomponent = \"attacker.wasm\"\nsha256 = \"{pin}\""),
        &folder,
    )
    .await;
    std::fs::write(&file, evil()).unwrap();
    let (refreshed, took) = timed(host.refresh()).await;
    refreshed.unwrap_or_else(|error| panic!("{error}"));
    let answer =
        read(host.call("attacker", "q000")).await.unwrap_or_else(|refusal| panic!("{}", refusal.log));
    assert_eq!(answer, "[{\"says\":\"good\"}]");
    let generation = host.generation();
    let waiting = generation.waiting("attacker").expect("it is seen").refusal().to_string();
    assert!(waiting.contains("CS0109"), "{waiting}");
    Contained { by: "CS0109, the one before is served".to_owned(), took }
}

async fn loads_whatever() -> String {
    let manifest = Bare::new(&evil()).manifest();
    format!("asked the other one, {} bytes came", manifest.unwrap().len())
}

const VAULT: &str = "SELECT v.secret FROM app.vault AS v";

fn wanting() -> [Said; 1] {
    [described(VAULT)]
}

/// One component as two plugins, on one session.
async fn fewer(ground: &'static Ground) -> Contained {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("same.wasm"), biding(&wanting()).component()).unwrap();
    let config = "[pool]
        size = 1
        [plugins.trusted]
        component = \"same.wasm\"
        grants.relations = [\"app.item\", \"app.vault\"]
        [plugins.attacker]
        component = \"same.wasm\"
        grants.relations = [\"app.item\"]";
    let host = host(ground, config, &folder).await;
    let ask = |plugin: &'static str| read(host.call(plugin, BIDE).param(DEED, number(0)));
    let mut took = Duration::ZERO;
    // Before, between and after: whatever is remembered by then.
    for _ in 0..8 {
        let (refusal, its) = timed(ask("attacker")).await;
        took = its;
        is_refused(&refusal.expect_err("it may read it"));
        let answer = ask("trusted").await.unwrap_or_else(|refusal| panic!("{}", refusal.log));
        assert!(answer.contains("opensesame"), "{answer}");
    }
    Contained { by: "CS0401".to_owned(), took }
}

fn is_refused(refusal: &Refusal) {
    assert_eq!(refusal.code, "CS0401", "{}", refusal.log);
    assert!(!refusal.told.contains("opensesame"), "{}", refusal.told);
}

async fn other_host(ground: &'static Ground) -> Contained {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("same.wasm"), biding(&wanting()).component()).unwrap();
    let config = |grants: &str| {
        let text = format!("[plugins.attacker]\ncomponent = \"same.wasm\"\ngrants.relations = [{grants}]");
        Config::parse(&text, folder.path()).unwrap()
    };
    let (more, less) = (config("\"app.vault\""), config("\"app.item\""));
    let engine = callslip::plugin::Engine::new(&more.limits.plugin()).unwrap();
    let mut hosts = Vec::new();
    for config in [&more, &less] {
        let builder = Host::builder().connect(&ground.database().connection()).engine(&engine);
        hosts.push(builder.start(config).await.unwrap_or_else(|error| panic!("{error}")));
    }
    let ask = |host: &Host| read(host.call("attacker", BIDE).param(DEED, number(0)));
    for _ in 0..3 {
        assert!(ask(&hosts[0]).await.is_ok());
        is_refused(&ask(&hosts[1]).await.expect_err("it may read it"));
    }
    let (refusal, took) = timed(ask(&hosts[1])).await;
    is_refused(&refusal.expect_err("it may read it"));
    Contained { by: "CS0401".to_owned(), took }
}

async fn other_query(ground: &'static Ground) -> Contained {
    let folder = tempfile::tempdir().unwrap();
    let guest = told(&[described(VAULT), described(VAULT)]);
    std::fs::write(folder.path().join("same.wasm"), guest.component()).unwrap();
    let config = "[plugins.attacker]
        component = \"same.wasm\"
        [plugins.attacker.queries.q000.grants]
        relations = [\"app.vault\"]";
    let (host, took) = timed(host(ground, config, &folder)).await;
    let answer = read(host.call("attacker", "q000")).await;
    assert!(answer.is_ok_and(|answer| answer.contains("opensesame")));
    let refusal = refused_as(&host, "CS0401");
    assert!(refusal.contains("attacker.q001") && !refusal.contains("attacker.q000"), "{refusal}");
    let answer = read(host.call("attacker", "q001")).await;
    assert_eq!(answer.expect_err("it may read it").code, "CS1205");
    Contained { by: "CS0401".to_owned(), took }
}

async fn fewer_columns(ground: &'static Ground) -> Contained {
    let folder = tempfile::tempdir().unwrap();
    let said = ["SELECT v.secret FROM app.vault AS v", "SELECT v.* FROM app.vault AS v"].map(described);
    std::fs::write(folder.path().join("same.wasm"), biding(&said).component()).unwrap();
    let config = "[plugins.trusted]
        component = \"same.wasm\"
        grants.relations = [\"app.vault\"]
        [plugins.attacker]
        component = \"same.wasm\"
        grants.relations = [\"app.vault(id)\"]";
    let host = host(ground, config, &folder).await;
    let mut took = Duration::ZERO;
    for index in [0, 1, 0, 1] {
        let ask = |plugin: &'static str| read(host.call(plugin, BIDE).param(DEED, number(index)));
        assert!(ask("trusted").await.is_ok_and(|answer| answer.contains("opensesame")));
        let (refusal, its) = timed(ask("attacker")).await;
        took = its;
        is_refused(&refusal.expect_err("it may read it"));
    }
    Contained { by: "CS0401".to_owned(), took }
}

/// What was granted becomes what was not: a view of a table that reads another one from now on.
async fn changed(ground: &'static Ground) -> Contained {
    let folder = tempfile::tempdir().unwrap();
    let guest = biding(&[described("SELECT v.word AS word FROM app.turning AS v")]);
    std::fs::write(folder.path().join("same.wasm"), guest.component()).unwrap();
    let config = "[plugins.trusted]
        component = \"same.wasm\"
        grants.relations = [\"app.turning\"]
        grants.functions = [\"app.elevated()\"]
        [plugins.attacker]
        component = \"same.wasm\"
        grants.relations = [\"app.turning\"]";
    ground.look("CREATE OR REPLACE VIEW app.turning AS SELECT 'harmless'::text AS word").await;
    ground.look("GRANT SELECT ON app.turning TO callslip_reader").await;
    let host = host(ground, config, &folder).await;
    let ask = |plugin: &'static str| read(host.call(plugin, BIDE).param(DEED, number(0)));
    for plugin in ["trusted", "attacker"] {
        assert_eq!(ask(plugin).await.ok().as_deref(), Some("[{\"word\":\"harmless\"}]"));
    }
    ground.look("CREATE OR REPLACE VIEW app.turning AS SELECT app.elevated() AS word").await;
    host.refresh().await.unwrap_or_else(|error| panic!("{error}"));
    let mut took = Duration::ZERO;
    for _ in 0..3 {
        let answer = ask("trusted").await.unwrap_or_else(|refusal| panic!("{}", refusal.log));
        assert!(answer.contains("SCRAM-SHA-256"), "{answer}");
        let (refusal, its) = timed(ask("attacker")).await;
        took = its;
        let refusal = refusal.expect_err("it may read it");
        assert_eq!(refusal.code, "CS0406", "{}", refusal.log);
        assert!(!refusal.told.contains("SCRAM"), "{}", refusal.told);
    }
    Contained { by: "CS0406".to_owned(), took }
}

/// A statement that was looked at once is planned anew, and nobody looks again.
async fn remembers_what_it_was(ground: &'static Ground) -> String {
    ground.look("CREATE OR REPLACE VIEW app.turned AS SELECT 'harmless'::text AS word").await;
    ground.look("GRANT SELECT ON app.turned TO callslip_reader").await;
    let session = ground.bare().await;
    session.batch_execute("PREPARE kept AS SELECT v.word FROM app.turned AS v").await.unwrap();
    assert_eq!(rows(&session, "EXECUTE kept").await.unwrap(), ["harmless"]);
    ground.look("CREATE OR REPLACE VIEW app.turned AS SELECT app.elevated() AS word").await;
    let told = rows(&session, "EXECUTE kept").await.unwrap();
    assert!(told[0].contains("SCRAM-SHA-256"), "{told:?}");
    "told SCRAM-SHA-256".to_owned()
}

/// What is prepared on a session is there for whoever has the session next.
async fn remembers(ground: &'static Ground) -> String {
    let session = ground.bare().await;
    session.batch_execute(&format!("PREPARE kept AS {VAULT}")).await.unwrap();
    let told = rows(&session, "EXECUTE kept").await.unwrap();
    assert!(told.contains(&"opensesame".to_owned()), "{told:?}");
    "another's statement ran".to_owned()
}
