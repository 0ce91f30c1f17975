//! What is said of a login when a host starts, and by `callslip check`.

use std::io::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use callslip::loan::ConnectionSettings;
use callslip::{Config, Host};
use callslip_tests::{cluster, connect, connect_to};
use serde_json::Value;
use tracing_subscriber::fmt::MakeWriter;

/// What was logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn a_start_says_what_its_login_may_do_that_nobody_needs() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_writer(log.clone())
        .with_ansi(false)
        .with_max_level(tracing::Level::WARN);
    // The test runs on one thread.
    let _guard = tracing::subscriber::set_default(subscriber.finish());

    let (cluster, owner) = cluster(
        "CREATE TABLE public.tag (id int); CREATE ROLE reader LOGIN; GRANT SELECT ON public.tag TO reader;
         CREATE ROLE poor LOGIN; GRANT SELECT, UPDATE ON public.tag TO poor;
         REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC",
    )
    .await;
    let text = "[plugins.a]\ncomponent = \"/none.wasm\"\ngrants = { relations = [\"tag\"] }\n";
    let config = Config::parse(text, "".as_ref()).unwrap();
    let url = |role: &str| cluster.url("postgres").replacen("://postgres@", &format!("://{role}@"), 1);
    let settings = |role| ConnectionSettings::resolve(Some(&url(role)), &|_| None).unwrap();

    Host::start(&config, &settings("reader")).await.unwrap();
    assert!(!log.take().contains("the login"));
    Host::start(&config, &settings("poor")).await.unwrap();
    let said = log.take();
    let line = "the login \"poor\" may write to public.tag, or refer to it: REVOKE ALL ON public.tag FROM \"poor\", PUBLIC, \
                and grant it SELECT on the columns that plugins are granted (`callslip catalog login-sql` prints a login that may only read)";
    assert!(said.contains(line), "{said}");

    // A superuser's connection that is lent: with a transaction on it, without one, and as it was afterwards.
    let mut lent = connect(&cluster.config()).await;
    Host::builder().reflect_on(&mut lent).start(&config).await.unwrap();
    let refused = "calls on a connection such as the one that was lent for the start are refused: the role \"postgres\" is a superuser";
    let said = log.take();
    assert!(said.contains(refused) && said.contains("CS1112"), "{said}");
    let mut transaction = lent.transaction().await.unwrap();
    Host::builder().reflect_on(&mut transaction).start(&config).await.unwrap();
    assert!(log.take().contains(refused));
    transaction.batch_execute("INSERT INTO public.tag VALUES (1)").await.unwrap();
    transaction.commit().await.unwrap();
    let mut reader = connect_to(&url("reader")).await;
    Host::builder().reflect_on(&mut reader).start(&config).await.unwrap();
    assert!(!log.take().contains("are refused"));

    // Who asks is told; who only runs a query is not.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text.as_bytes()).unwrap();
    let check = |role: &str, json: bool| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_callslip-command"));
        command.args(["check", "--config"]).arg(file.path()).args(["--database-url", &url(role)]);
        command.args(json.then_some("--json")).stdin(Stdio::null());
        let output = command.output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(check("poor", false).contains("warning: the login \"poor\" may write to public.tag"));
    assert!(!check("reader", false).contains("the login"));
    let told: Value = serde_json::from_str(&check("poor", true)).unwrap();
    assert_eq!(told["login_warnings"].as_array().unwrap().len(), 1);
    drop((owner, lent, reader));
}
