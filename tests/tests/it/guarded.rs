//! A table whose rows are hidden by a policy, and roles for which that holds, or not.

use std::time::Duration;

use callslip::loan::{ConnectionSettings, Lender, Privilege};
use callslip::{Code, Config, Host, StartError};
use callslip_tests::{component, database};
use deadpool_postgres::Object;
use tokio_postgres::{Client, NoTls};

use crate::support::read;

/// A table of positions in a schema of its own, whose policy hides those with even numbers, and roles that can read it.
pub struct Guarded {
    pub name: &'static str,
    owner: Client,
}

impl Guarded {
    /// All names begin with this one.
    pub async fn new(name: &'static str) -> Self {
        let owner = database().owner().await;
        owner
            .batch_execute(&format!(
                "CREATE SCHEMA {name};
                 CREATE ROLE {name}_boss LOGIN;
                 CREATE ROLE {name}_member LOGIN IN ROLE {name}_boss;
                 CREATE ROLE {name}_guest LOGIN NOINHERIT IN ROLE {name}_boss;
                 CREATE ROLE {name}_bypass LOGIN BYPASSRLS;
                 CREATE ROLE {name}_admin LOGIN SUPERUSER;
                 CREATE ROLE {name}_deputy LOGIN IN ROLE postgres;
                 CREATE ROLE {name}_clerk LOGIN IN ROLE pg_read_server_files;
                 CREATE ROLE {name}_reader LOGIN;
                 CREATE TABLE {name}.position AS SELECT * FROM public.position WHERE id <= 10;
                 ALTER TABLE {name}.position OWNER TO {name}_boss;
                 ALTER TABLE {name}.position ENABLE ROW LEVEL SECURITY;
                 CREATE POLICY odd ON {name}.position USING (id % 2 = 1);
                 GRANT USAGE ON SCHEMA {name} TO PUBLIC;
                 GRANT SELECT ON {name}.position TO PUBLIC"
            ))
            .await
            .unwrap_or_else(|error| panic!("{error:?}"));
        Self { name, owner }
    }

    pub async fn execute(&self, sql: &str) {
        let sql = sql.replace("NAME", self.name);
        self.owner.batch_execute(&sql).await.unwrap_or_else(|error| panic!("{error:?}\n{sql}"));
    }

    pub fn url(&self, role: &str) -> String {
        database().owner_url().replacen("://postgres@", &format!("://{}_{role}@", self.name), 1)
    }

    /// The text of a configuration that allows these.
    pub fn text(&self, allow: &[Privilege]) -> String {
        let allow: Vec<&str> = allow.iter().map(|its| its.as_str()).collect();
        format!(
            "[database]\nschemas = [{:?}]\nallow = {allow:?}\n[pool]\nsize = 2\n[plugins.language]\ncomponent = {:?}\n\
             grants = {{ relations = [\"position\"] }}",
            self.name,
            component("tests/guests/language")
        )
    }

    pub async fn start(&self, role: &str, allow: &[Privilege]) -> Result<Host, StartError> {
        let config = Config::parse(&self.text(allow), "".as_ref()).unwrap();
        let settings = ConnectionSettings::resolve(Some(&self.url(role)), &|_| None).unwrap();
        Host::start(&config, &settings).await
    }

    pub async fn end(self) {
        self.execute(
            "DROP SCHEMA NAME CASCADE;
             DROP ROLE NAME_member, NAME_guest, NAME_bypass, NAME_admin, NAME_deputy, NAME_clerk, NAME_reader, NAME_boss",
        )
        .await;
    }
}

/// What a role finds of the position that the policy hides: null, or that it is there; or why it is refused.
pub async fn seen(host: &Host, lender: &mut impl Lender) -> Result<bool, (Code, String)> {
    let call = host.call("language", "position").param("id", 2).on(lender);
    match read(call).await {
        Ok(row) => Ok(!row.is_null()),
        Err(error) => Err((error.code(), error.log_message())),
    }
}

/// A session that keeps what it has prepared, and has prepared nothing.
pub async fn kept(url: &str) -> Object {
    let manager = deadpool_postgres::Manager::new(url.parse().unwrap(), NoTls);
    let pool = deadpool_postgres::Pool::builder(manager).max_size(1).build().unwrap();
    pool.get().await.unwrap()
}

/// Until no role is known any more.
pub async fn a_second() {
    tokio::time::sleep(Duration::from_millis(1_010)).await;
}
