//! What one caller tries to see of another's rows, where PostgreSQL's own policies keep them apart: by a claim that is set for each
//! call, or by a role.

use std::sync::Arc;
use std::time::{Duration, Instant};

use callslip::{Call, Config, Host};
use futures_util::FutureExt;

use super::host::{Refusal, read};
use crate::describe::described;
use crate::ground::{Ground, rows};
use crate::guest::{BIDE, DEED, biding, number};
use crate::suite::{Attack, Contained, timed};

const LINE: &str = "another caller's rows";

/// In the other company's row.
const SECRET: &str = "opensesame";
/// What the one of company 1 is told.
const OWN: &str = "[{\"note\":\"17\"}]";

const BY_CLAIM: &str = "SELECT t.note AS note FROM app.by_claim AS t";
const BY_ROLE: &str = "SELECT t.note AS note FROM app.by_role AS t";
const SETS: &str =
    "SELECT t.note FROM (SELECT set_config('app.company', '2', true) AS s) AS s, app.by_claim AS t";

/// A host with one connection on which both kinds of policy hold.
struct Callers(Host);

impl Callers {
    async fn new(ground: &'static Ground) -> Arc<Self> {
        let folder = tempfile::tempdir().unwrap();
        let guest = biding(&[BY_CLAIM, BY_ROLE, SETS].map(described));
        std::fs::write(folder.path().join("attacker.wasm"), guest.component()).unwrap();
        let config = "[pool]
            size = 1
            [database]
            role_claim = \"role\"
            roles = [\"first\", \"second\"]
            claims.company = \"app.company\"
            [plugins.attacker]
            component = \"attacker.wasm\"
            grants.relations = [\"app.by_claim\", \"app.by_role\"]";
        let config = Config::parse(config, folder.path()).unwrap_or_else(|error| panic!("{error}"));
        let host = Host::start(&config, &ground.database().connection()).await;
        // A refresh would read it again.
        Box::leak(Box::new(folder));
        Arc::new(Self(host.unwrap_or_else(|error| panic!("{error}"))))
    }

    fn ask(&self, sql: &str) -> Call<'static> {
        let index = [BY_CLAIM, BY_ROLE, SETS].iter().position(|its| *its == sql);
        self.0.call("attacker", BIDE).param(DEED, number(index.expect("it is one of them")))
    }

    /// As the caller of this company would.
    fn of(&self, sql: &str, company: i32) -> Call<'static> {
        self.ask(sql).claim("role", ["first", "second"][company as usize - 1]).claim("company", company)
    }

    /// The other one is told its row, and leaves its session behind.
    async fn other_asks(&self, sql: &str) {
        let answer = read(self.of(sql, 2)).await.unwrap_or_else(|refusal| panic!("{}", refusal.log));
        assert!(answer.contains(SECRET), "{answer}");
    }
}

/// All of them.
pub async fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let callers = Callers::new(ground).await;
    let refused = |call: fn(&Callers) -> Call<'static>, code: &'static str| {
        let callers = callers.clone();
        async move {
            callers.other_asks(BY_CLAIM).await;
            let (answer, took) = timed(read(call(&callers))).await;
            let refusal = answer.expect_err("it is answered");
            is_refused(&refusal, code);
            Contained { by: refusal.code, took }
        }
    };
    let answered = |call: fn(&Callers) -> Call<'static>, sql: &'static str, expected: &'static str| {
        let callers = callers.clone();
        async move {
            callers.other_asks(sql).await;
            let (answer, took) = timed(read(call(&callers))).await;
            assert_eq!(answer.unwrap_or_else(|refusal| panic!("{}", refusal.log)), expected);
            Contained { by: "the policy".to_owned(), took }
        }
    };
    let claim = || keeps(ground, "SET app.company = '2'", BY_CLAIM);
    let role = || keeps(ground, "SET ROLE second", BY_ROLE);
    vec![
        Attack::new(
            LINE,
            "after another's call, on its session",
            answered(|callers| callers.of(BY_CLAIM, 1), BY_CLAIM, OWN),
            claim(),
        ),
        Attack::new(
            LINE,
            "the same, without a claim",
            answered(|callers| callers.ask(BY_CLAIM).claim("role", "first"), BY_CLAIM, "[]"),
            claim(),
        ),
        Attack::new(
            LINE,
            "after another's role, on its session",
            answered(|callers| callers.of(BY_ROLE, 1), BY_ROLE, OWN),
            role(),
        ),
        Attack::new(LINE, "without a role", refused(|callers| callers.ask(BY_ROLE), "CS1006"), role()),
        Attack::new(
            LINE,
            "the login's role",
            refused(|callers| callers.ask(BY_ROLE).claim("role", "callslip_reader"), "CS1007"),
            role(),
        ),
        Attack::new(
            LINE,
            "a superuser's role",
            refused(|callers| callers.ask(BY_ROLE).claim("role", "postgres"), "CS1007"),
            keeps(ground, "", "SELECT rolpassword FROM pg_authid WHERE rolname = 'keeper'"),
        ),
        Attack::new(
            LINE,
            "a claim with SQL in it",
            refused(
                |callers| {
                    let call = callers.ask(BY_CLAIM).claim("role", "first");
                    call.claim("company", "1'; SET app.company = '2")
                },
                "CS1012",
            ),
            keeps(ground, "SET app.company = '1'; SET app.company = '2'", BY_CLAIM),
        ),
        Attack::new(
            LINE,
            "set_config of the claim's setting",
            refused(|callers| callers.of(SETS, 1), "CS0402"),
            keeps(ground, "SET app.company = '1'; SELECT set_config('app.company', '2', false)", BY_CLAIM),
        ),
        Attack::new(LINE, "on a session that its owner lends", lent(callers.clone(), ground), claim()),
        Attack::new(LINE, "after a call that was dropped", dropped(callers.clone()), claim()),
    ]
}

fn is_refused(refusal: &Refusal, code: &str) {
    assert_eq!(refusal.code, code, "{}", refusal.log);
    assert!(!refusal.told.contains(SECRET), "{}", refusal.told);
}

/// Whose owner is of the other company.
async fn lent(callers: Arc<Callers>, ground: &'static Ground) -> Contained {
    let mut owner = ground.bare().await;
    owner.batch_execute("SET app.company = '2'").await.unwrap();
    let began = Instant::now();
    for (call, expected) in [
        (callers.of(BY_CLAIM, 1), OWN),
        (callers.ask(BY_CLAIM).claim("role", "first"), "[]"),
        (callers.of(BY_CLAIM, 1), OWN),
    ] {
        let answer = read(call.on(&mut owner)).await.unwrap_or_else(|refusal| panic!("{}", refusal.log));
        assert_eq!(answer, expected);
    }
    let took = began.elapsed();
    assert_eq!(rows(&owner, "SELECT current_setting('app.company')").await.unwrap(), ["2"]);
    Contained { by: "the claim is set for the call".to_owned(), took }
}

/// At each moment at which the other one may give up.
async fn dropped(callers: Arc<Callers>) -> Contained {
    let began = Instant::now();
    for polls in 0..6 {
        let mut running = Box::pin(read(callers.of(BY_CLAIM, 2)));
        for _ in 0..polls {
            if (&mut running).now_or_never().is_some() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(running);
        let answer = read(callers.ask(BY_CLAIM).claim("role", "first")).await;
        assert_eq!(answer.unwrap_or_else(|refusal| panic!("{}", refusal.log)), "[]", "{polls}");
    }
    Contained { by: "its transaction is over".to_owned(), took: began.elapsed() / 6 }
}

/// What is set on a session stays there for whoever has the session next.
async fn keeps(ground: &'static Ground, before: &'static str, sql: &'static str) -> String {
    let session = match before {
        "" => ground.session_of("postgres").await,
        _ => ground.bare().await,
    };
    session.batch_execute(before).await.unwrap_or_else(|error| panic!("{error:?}"));
    let told = rows(&session, sql).await.unwrap_or_else(|error| panic!("{error:?}"));
    assert!(told.iter().any(|row| row == SECRET || row.starts_with("SCRAM")), "{told:?}");
    format!("told {:.20}", told[0])
}
