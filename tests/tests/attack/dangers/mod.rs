//! What a description tries: each row is one SELECT, which a plugin describes when it is called, and which its twin sends as text
//! to the same server with the same login.

mod borrowed;
mod callers;
mod filtered;
mod holds;
mod host;
mod logins;
mod looks;
mod probes;
mod smuggled;
mod spends;
mod writes;

use std::time::{Duration, Instant};

use callslip_tests::outlived;
use tokio_postgres::Client;

pub use self::host::{Attacker, Refusal, read};
use crate::ground::{Ground, rows};
use crate::suite::{Attack, Contained};

/// A SELECT that does harm.
pub struct Danger {
    line: &'static str,
    name: &'static str,
    /// In braces are what [`Places`](host::Places) knows.
    sql: &'static str,
    /// The code of the refusal.
    code: &'static str,
    /// What of the refusal names the thing that was refused.
    named: &'static str,
    harm: Harm,
    /// What the twin sends before it.
    before: &'static str,
    extension: Option<&'static str>,
    /// Who the twin is, where the host's own login may not be one who can do it.
    login: &'static str,
}

/// How it is known whether harm was done.
#[derive(Clone, Copy)]
pub enum Harm {
    /// What the owner sees by this is otherwise: a write that READ ONLY does not keep away.
    Changes(&'static str),
    /// The same of a write which PostgreSQL itself refuses in a transaction that is READ ONLY, with 25006.
    Blocked(&'static str),
    /// What the owner sees by this is otherwise as long as the transaction is open.
    Locks(&'static str),
    /// The same of a lock that PostgreSQL itself refuses in a transaction that is READ ONLY, with 25006.
    BlockedLocks(&'static str),
    /// Something is sent on this channel.
    Notifies(&'static str),
    /// This is in what comes back, or in the error.
    Tells(&'static str),
    /// There is an answer at all.
    Answers,
    /// It takes at least so many milliseconds, where nothing stops it.
    Holds(u64),
    /// It goes on for long after its timeout.
    Outlasts,
}

/// How long a statement may take on the hosts that are attacked, in milliseconds. What reflects the catalog has as long, on a
/// machine that is busy.
pub const STATEMENT_MS: u64 = 1000;
/// The login of the host.
const LOGIN: &str = "callslip_reader";
/// Where the host answers, and the answer is a harmless one.
pub const ANSWERED: &str = "answered";
/// Within what a refusal or a timeout has to be there, on a machine that is busy.
const AT_ONCE: Duration = Duration::from_secs(5);

impl Danger {
    pub const fn new(line: &'static str, name: &'static str, sql: &'static str, harm: Harm) -> Self {
        Self { line, name, sql, code: "CS0402", named: name, harm, before: "", extension: None, login: LOGIN }
    }

    /// With another refusal than of a function that was not granted.
    pub const fn refused(self, code: &'static str, named: &'static str) -> Self {
        Self { code, named, ..self }
    }

    /// After something that the twin's session does first.
    pub const fn after(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    /// By another login, in the twin.
    pub const fn by(self, login: &'static str) -> Self {
        Self { login, ..self }
    }

    /// With an extension.
    pub const fn with(self, extension: &'static str) -> Self {
        Self { extension: Some(extension), ..self }
    }
}

/// All of them, on one host.
pub async fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let places = host::Places::new(ground).await;
    let mut dangers: Vec<&'static Danger> = Vec::new();
    for row in [writes::ROWS, holds::ROWS, looks::ROWS].into_iter().flatten() {
        match row.extension {
            Some(its) if !ground.extensions.contains(its) => host::left_out(row.name, its),
            _ => dangers.push(row),
        }
    }
    let said: Vec<String> = dangers.iter().map(|danger| places.in_place_of(danger.sql)).collect();
    let attacker = Attacker::new(ground, &said).await;
    let mut attacks = Vec::new();
    for (index, (danger, sql)) in dangers.into_iter().zip(said).enumerate() {
        let (attacker, before) = (attacker.clone(), places.in_place_of(danger.before));
        let attack = async move { danger.attack(&attacker, index).await };
        attacks.push(Attack::new(danger.line, danger.name, attack, danger.twin(ground, before, sql)));
    }
    attacks.extend(smuggled::attacks(ground));
    attacks.extend(borrowed::attacks(ground));
    attacks.extend(filtered::attacks(ground).await);
    attacks.extend(callers::attacks(ground).await);
    attacks.extend(logins::attacks(ground));
    attacks.extend(probes::attacks(ground).await);
    attacks.extend(spends::attacks(ground));
    attacks
}

impl Harm {
    /// What shows it to the owner, if that is a look at the database.
    fn look(self) -> Option<&'static str> {
        match self {
            Self::Changes(look) | Self::Blocked(look) | Self::Locks(look) | Self::BlockedLocks(look) => {
                Some(look)
            }
            _ => None,
        }
    }
}

impl Danger {
    async fn attack(&self, attacker: &Attacker, index: usize) -> Contained {
        let look = self.harm.look();
        let before = match look {
            Some(look) => Some(attacker.ground.look(look).await),
            None => None,
        };
        let listener = match self.harm {
            Harm::Notifies(channel) => Some(host::Listener::new(attacker.ground, channel).await),
            _ => None,
        };
        let began = Instant::now();
        let refusal = match attacker.call(index).await {
            Ok(reply) => Refusal { code: ANSWERED.to_owned(), told: reply.clone(), log: reply },
            Err(refusal) => refusal,
        };
        let took = began.elapsed();
        assert_eq!(refusal.code, self.code, "{:.300}", refusal.log);
        assert!(refusal.log.contains(self.named), "{} is not named: {}", self.named, refusal.log);
        assert!(took < AT_ONCE, "it takes {took:?}");
        if let Harm::Tells(secret) = self.harm {
            assert!(!refusal.told.contains(secret), "it tells: {}", refusal.told);
        }
        if let Some(look) = look {
            assert_eq!(Some(attacker.ground.look(look).await), before, "it is harmed");
        }
        if let Some(listener) = listener {
            assert!(!listener.heard(Duration::from_millis(100)).await, "something was sent");
        }
        attacker.neighbour_answers().await;
        Contained { by: refusal.code, took }
    }

    fn twin(
        &self,
        ground: &'static Ground,
        before: String,
        sql: String,
    ) -> impl Future<Output = String> + use<> {
        let (harm, login) = (self.harm, self.login);
        async move {
            let bare = ground.session_of(login).await;
            if !before.is_empty() {
                bare.batch_execute(&before).await.unwrap_or_else(|error| panic!("{error:?}"));
            }
            match harm {
                Harm::Changes(look) => {
                    let was = ground.look(look).await;
                    // What one version of PostgreSQL lets pass, a later one may block.
                    bare.batch_execute("BEGIN READ ONLY").await.unwrap();
                    match rows(&bare, &sql).await {
                        Ok(_) => bare.batch_execute("COMMIT").await.unwrap(),
                        Err(error) => {
                            assert_eq!(error.code().map(|code| code.code()), Some("25006"), "{error:?}");
                            bare.batch_execute("ROLLBACK").await.unwrap();
                            _ = rows(&bare, &sql).await.unwrap_or_else(|error| panic!("{error:?}"));
                        }
                    }
                    changed(ground, look, was).await
                }
                Harm::Blocked(look) => {
                    bare.batch_execute("BEGIN READ ONLY").await.unwrap();
                    let error = rows(&bare, &sql).await.expect_err("READ ONLY lets it pass");
                    assert_eq!(error.code().map(|code| code.code()), Some("25006"), "{error:?}");
                    bare.batch_execute("ROLLBACK").await.unwrap();
                    let was = ground.look(look).await;
                    rows(&bare, &sql).await.unwrap_or_else(|error| panic!("{error:?}"));
                    changed(ground, look, was).await
                }
                Harm::BlockedLocks(look) => {
                    bare.batch_execute("BEGIN READ ONLY").await.unwrap();
                    let error = rows(&bare, &sql).await.expect_err("READ ONLY lets it pass");
                    assert_eq!(error.code().map(|code| code.code()), Some("25006"), "{error:?}");
                    bare.batch_execute("ROLLBACK; BEGIN").await.unwrap();
                    let was = ground.look(look).await;
                    rows(&bare, &sql).await.unwrap_or_else(|error| panic!("{error:?}"));
                    changed(ground, look, was).await
                }
                Harm::Locks(look) => {
                    let was = ground.look(look).await;
                    read_only(&bare, &sql).await;
                    changed(ground, look, was).await
                }
                Harm::Notifies(channel) => {
                    let listener = host::Listener::new(ground, channel).await;
                    read_only(&bare, &sql).await;
                    bare.batch_execute("COMMIT").await.unwrap();
                    assert!(listener.heard(Duration::from_secs(5)).await, "nothing was sent");
                    format!("heard on {channel}")
                }
                Harm::Tells(secret) => tells(&bare, &sql, secret).await,
                Harm::Answers => {
                    let told = read_only(&bare, &sql).await;
                    assert!(!told.is_empty() && told.iter().any(|row| row != "null"), "no answer");
                    format!("told {:.40}", told.join("; "))
                }
                Harm::Holds(least) => holds(&bare, &sql, Duration::from_millis(least)).await,
                Harm::Outlasts => outlasts(&bare, &sql).await,
            }
        }
    }
}

/// Opens a transaction that is READ ONLY, and sends it there.
async fn read_only(bare: &Client, sql: &str) -> Vec<String> {
    bare.batch_execute("BEGIN READ ONLY").await.unwrap();
    rows(bare, sql).await.unwrap_or_else(|error| panic!("{error:?}"))
}

async fn changed(ground: &Ground, look: &str, was: String) -> String {
    let began = Instant::now();
    loop {
        let now = ground.look(look).await;
        if now != was {
            return format!("{was:.30} became {now:.30}");
        }
        // Another process may do it.
        assert!(began.elapsed() < Duration::from_secs(2), "nothing is otherwise");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn tells(bare: &Client, sql: &str, secret: &str) -> String {
    bare.batch_execute("BEGIN READ ONLY").await.unwrap();
    let told = match rows(bare, sql).await {
        Ok(rows) => rows.join("; "),
        Err(error) => error.as_db_error().map(ToString::to_string).unwrap_or_default(),
    };
    assert!(told.contains(secret), "it tells {told}");
    format!("told {secret}")
}

async fn holds(bare: &Client, sql: &str, least: Duration) -> String {
    let token = bare.cancel_token();
    match tokio::time::timeout(least, rows(bare, sql)).await {
        Ok(ended) => panic!("it ended within {least:?}: {ended:?}"),
        Err(_) => {
            _ = token.cancel_query(tokio_postgres::NoTls).await;
            format!("still ran after {least:?}")
        }
    }
}

async fn outlasts(bare: &Client, sql: &str) -> String {
    let outlived =
        outlived(bare, sql).await.unwrap_or_else(|tried| panic!("it outlives no timeout: {tried:?}"));
    format!("took {:.1?} of {:?}", outlived.took, outlived.timeout)
}
