//! Hosts whose own login may do more than read tables: one wrong grant would be all that a plugin needs.

use callslip::loan::ConnectionSettings;
use callslip::{Config, Host};

use crate::describe::described;
use crate::ground::{Ground, rows};
use crate::guest::told;
use crate::suite::{Attack, Contained, timed};

const LINE: &str = "a login that may do more";

/// A login, and what it could do.
struct Login {
    name: &'static str,
    /// What makes it, of the role `WHO`.
    made: &'static str,
    /// What it does, and what is in the answer.
    does: &'static str,
    tells: &'static str,
}

const LOGINS: &[Login] = &[
    Login {
        name: "a superuser",
        made: "ALTER ROLE WHO SUPERUSER",
        does: "SELECT rolpassword FROM pg_authid WHERE rolname = 'keeper'",
        tells: "SCRAM",
    },
    Login {
        name: "a member of a superuser",
        made: "GRANT postgres TO WHO",
        does: "SELECT rolpassword FROM pg_authid WHERE rolname = 'keeper'",
        tells: "SCRAM",
    },
    Login {
        name: "BYPASSRLS",
        made: "ALTER ROLE WHO BYPASSRLS",
        does: "SELECT t.note FROM app.by_claim AS t",
        tells: "opensesame",
    },
    Login {
        name: "CREATEROLE",
        made: "ALTER ROLE WHO CREATEROLE",
        does: "CREATE ROLE made_by_login; SELECT rolname FROM pg_roles WHERE rolname = 'made_by_login'",
        tells: "made_by_login",
    },
    Login {
        name: "REPLICATION",
        made: "ALTER ROLE WHO REPLICATION",
        does: "SELECT s.slot_name FROM pg_create_physical_replication_slot('of_login', false, true) AS s",
        tells: "of_login",
    },
    Login {
        name: "pg_read_server_files",
        made: "GRANT pg_read_server_files TO WHO",
        does: "CREATE TEMPORARY TABLE f (line text); COPY f FROM '/etc/passwd'; SELECT line FROM f LIMIT 1",
        tells: ":",
    },
    Login {
        name: "pg_execute_server_program",
        made: "GRANT pg_execute_server_program TO WHO",
        does: "CREATE TEMPORARY TABLE f (line text); COPY f FROM PROGRAM 'echo ran'; SELECT line FROM f",
        tells: "ran",
    },
    Login {
        name: "pg_signal_backend",
        made: "GRANT pg_signal_backend TO WHO",
        does: "SELECT pg_cancel_backend(a.pid) FROM pg_stat_activity AS a WHERE a.usename = 'callslip_reader' LIMIT 1",
        tells: "t",
    },
];

/// All of them.
pub fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let attack = |(index, login): (usize, &'static Login)| {
        let role = format!("login_{index}");
        Attack::new(LINE, login.name, login.attack(ground, role.clone()), login.twin(ground, role))
    };
    LOGINS.iter().enumerate().map(attack).collect()
}

impl Login {
    async fn attack(&'static self, ground: &'static Ground, role: String) -> Contained {
        let sql = |sql: &str| sql.replace("WHO", &role);
        let made = sql("CREATE ROLE WHO LOGIN; GRANT USAGE ON SCHEMA app TO WHO;
             GRANT SELECT ON app.item, app.by_claim TO WHO");
        ground.owner.batch_execute(&made).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let guest = told(&[described("SELECT count(*) AS items FROM app.item AS i")]);
        std::fs::write(folder.path().join("plugin.wasm"), guest.component()).unwrap();
        let config = "[plugins.plugin]\ncomponent = \"plugin.wasm\"\ngrants.relations = [\"app.item\"]";
        let config = Config::parse(config, folder.path()).unwrap();
        let url = ground.database().url();
        let its = url.replacen("callslip_reader", &role, 1);
        assert_ne!(url, its);
        let connection = ConnectionSettings::resolve(Some(&its), &|_| None).unwrap();
        // Nothing else is wrong with it.
        drop(Host::start(&config, &connection).await.unwrap_or_else(|error| panic!("{error}")));
        ground.owner.batch_execute(&sql(self.made)).await.unwrap();
        let (started, took) = timed(Host::start(&config, &connection)).await;
        let error = started.err().expect("it starts");
        assert_eq!(error.code().as_str(), "CS1112", "{error}");
        assert!(error.to_string().contains(&role), "{error}");
        Contained { by: "CS1112".to_owned(), took }
    }

    async fn twin(&'static self, ground: &'static Ground, role: String) -> String {
        let session = ground.session_of(&role).await;
        let told = rows(&session, self.does).await.unwrap_or_else(|error| panic!("{error:?}"));
        assert!(told.iter().any(|row| row.contains(self.tells)), "{told:?}");
        format!("told {:.30}", told[0])
    }
}
