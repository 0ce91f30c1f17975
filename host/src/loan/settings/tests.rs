use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use tokio_postgres::config::Host;

use super::*;

/// A folder of this test's own, removed at its end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("callslip-settings-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> String {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn resolve(url: Option<&str>, environment: &[(&str, &str)]) -> Result<ConnectionSettings, SettingsError> {
    let environment: HashMap<&str, &str> = environment.iter().copied().collect();
    ConnectionSettings::resolve(url, &|name| environment.get(name).map(|value| (*value).to_owned()))
}

fn shown(url: Option<&str>, environment: &[(&str, &str)]) -> String {
    resolve(url, environment).unwrap().to_string()
}

fn refused(url: Option<&str>, environment: &[(&str, &str)]) -> String {
    resolve(url, environment).unwrap_err().to_string()
}

fn password(settings: &ConnectionSettings) -> Option<&str> {
    settings.config().get_password().map(|password| std::str::from_utf8(password).unwrap())
}

#[test]
fn a_url_wins_over_database_url_and_that_over_the_environment() {
    let environment =
        [("DATABASE_URL", "postgresql://two@h2/d2"), ("PGHOST", "h3"), ("PGUSER", "three"), ("PGPORT", "7")];
    assert_eq!(shown(Some("postgresql://one@h1/d1"), &environment), "postgresql://one@h1:7/d1");
    assert_eq!(shown(None, &environment), "postgresql://two@h2:7/d2");
    assert_eq!(shown(None, &environment[1..]), "postgresql://three@h3:7/three");
}

#[test]
fn the_defaults_are_a_socket_and_the_user_s_own_name() {
    let settings = resolve(None, &[]).unwrap();
    let config = settings.config();
    assert!(matches!(config.get_hosts(), [Host::Unix(_)]));
    assert_eq!(config.get_ports(), [5432]);
    assert_eq!(config.get_user(), config.get_dbname());
    assert_eq!(config.get_application_name(), Some("callslip"));
    assert!(settings.to_string().contains("?host=/"), "{settings}");
}

#[test]
fn urls_are_read_as_libpq_reads_them() {
    let settings = resolve(
        Some("postgres://a%40b:p%3Aw@[::1]:5433,h2:5434/my%20db?application_name=x&connect_timeout=3&sslmode=prefer"),
        &[],
    )
    .unwrap();
    assert_eq!(password(&settings), Some("p:w"));
    assert_eq!(settings.config().get_ports(), [5433, 5434]);
    assert_eq!(settings.config().get_application_name(), Some("x"));
    assert_eq!(settings.config().get_connect_timeout(), Some(&Duration::from_secs(3)));
    assert_eq!(settings.config().get_dbname(), Some("my db"));
    assert!(!format!("{settings} {settings:?}").contains("p:w"));
    assert_eq!(
        shown(Some("postgresql://u@/d?host=/run/x&port=6000"), &[]),
        "postgresql://u@/d?host=/run/x&port=6000"
    );
    assert_eq!(shown(Some("postgresql://u@%2Frun%2Fx/d"), &[]), "postgresql://u@/d?host=/run/x&port=5432");
    assert_eq!(shown(Some("postgresql://u@h/"), &[]), "postgresql://u@h:5432/u");
}

#[test]
fn keyword_strings_are_read_as_libpq_reads_them() {
    let text = r"host = h1,h2 port=1,2 user='a \'b\\' password=p\ w dbname=''";
    let settings = resolve(Some(text), &[("PGDATABASE", "ignored")]).unwrap();
    assert_eq!(password(&settings), Some("p w"));
    assert_eq!(settings.config().get_user(), Some(r"a 'b\"));
    // Empty is not absent: the default holds, not the environment.
    assert_eq!(settings.config().get_dbname(), Some(r"a 'b\"));
    assert_eq!(settings.config().get_ports(), [1, 2]);
}

#[test]
fn an_error_names_the_variable_and_shows_no_secret() {
    let cases = [
        (refused(Some("secret"), &[]), "the connection URL: neither a URL"),
        (refused(None, &[("DATABASE_URL", "mysql:secret")]), "DATABASE_URL: neither a URL"),
        (refused(Some("postgresql://u:secret%zz@h/d"), &[]), "the connection URL: password has a %"),
        (refused(Some("postgresql://u:p@secret@h/d"), &[]), "it is written %40"),
        (refused(Some("host=h password='secret"), &[]), "the quoted value of password has no end"),
        (refused(Some("host=h secret"), &[]), "a keyword has no \"=\" after it"),
        (refused(Some("postgresql://h/d?sslmod=x"), &[]), "\"sslmod\" is no connection setting"),
        (refused(None, &[("PGPORT", "0")]), "PGPORT: the port is not a number from 1 to 65535"),
        (refused(None, &[("PGPORT", "1,2")]), "PGPORT: 2 ports for 1 servers"),
        (refused(None, &[("PGHOSTADDR", "h")]), "PGHOSTADDR: hostaddr is not an IP address"),
        (refused(None, &[("PGCONNECT_TIMEOUT", "soon")]), "PGCONNECT_TIMEOUT: connect_timeout is not"),
        (
            refused(None, &[("PGTARGETSESSIONATTRS", "standby")]),
            "PGTARGETSESSIONATTRS: target_session_attrs=standby",
        ),
        (refused(None, &[("PGCHANNELBINDING", "some")]), "PGCHANNELBINDING: channel_binding=some"),
        (refused(Some("host=[::1"), &[("PGSSLMODE", "maybe")]), "PGSSLMODE: sslmode is none"),
    ];
    for (message, expected) in cases {
        assert!(message.contains(expected) && !message.contains("secret"), "{message}");
    }
}

#[cfg(not(feature = "tls"))]
#[test]
fn tls_is_refused_and_not_forgotten() {
    for mode in ["require", "verify-ca", "verify-full"] {
        let message = refused(None, &[("PGSSLMODE", mode)]);
        assert!(message.starts_with(&format!("PGSSLMODE: sslmode \"{mode}\" asks for TLS")), "{message}");
    }
    assert!(refused(Some("postgresql://h/d?ssl=true"), &[]).contains("asks for TLS"));
    assert!(refused(Some("postgresql://h/d?sslrootcert=system"), &[]).contains("asks for TLS"));
    assert!(refused(Some("host=h channel_binding=require"), &[]).contains("this build has no TLS"));
}

#[cfg(feature = "tls")]
#[test]
fn tls_is_asked_for_as_of_libpq() {
    let folder = Folder::new("tls");
    std::fs::create_dir_all(folder.0.join(".postgresql")).unwrap();
    let home = folder.0.display().to_string();
    let tls = |url: &str, environment: &[(&str, &str)]| resolve(Some(url), environment).unwrap().tls;
    assert_eq!(tls("host=h", &[]).mode, TlsMode::Prefer);
    assert_eq!(tls("host=h sslrootcert=system", &[]).mode, TlsMode::VerifyFull);
    assert_eq!(tls("postgresql://h/d?ssl=true", &[]).mode, TlsMode::Require);
    assert_eq!(tls("host=h", &[("PGSSLMODE", "require"), ("HOME", &home)]).roots, Roots::None);
    // It has to be the CA's own: a file that can't be used is told.
    folder.write(".postgresql/root.crt", "nothing", 0o644);
    let told = refused(Some("host=h"), &[("HOME", &home)]);
    assert!(told.contains("root.crt: no certificate in it"), "{told}");
    assert_eq!(tls("host=h sslmode=disable", &[("HOME", &home)]).roots, Roots::None);
}

#[test]
fn each_mode_of_tls_is_known_by_its_name() {
    for mode in ["disable", "allow", "prefer", ""] {
        resolve(None, &[("PGSSLMODE", mode)]).unwrap();
    }
}

#[test]
fn a_service_comes_before_the_environment() {
    let folder = Folder::new("service");
    let own = folder.write(
        "own.conf",
        "# comment\n[other]\nhost=wrong\n[mine]\nhost=h\nport = 7\npassword=p=w\n[broken]\nhost\n[nested]\nservice=x\n[odd]\nwhat=x\n",
        0o644,
    );
    folder.write("pg_service.conf", "[system]\nhost=sys\nuser=u\n", 0o644);
    let system = folder.0.display().to_string();
    let environment =
        [("PGSERVICEFILE", own.as_str()), ("PGSYSCONFDIR", &system), ("PGHOST", "no"), ("PGUSER", "me")];
    let with = |service| [&environment[..], &[("PGSERVICE", service)]].concat();

    let settings = resolve(None, &with("mine")).unwrap();
    assert_eq!(settings.to_string(), "postgresql://me@h:7/me");
    assert_eq!(password(&settings), Some("p=w"));
    assert_eq!(shown(None, &with("system")), "postgresql://u@sys:5432/u");
    assert_eq!(shown(Some("postgresql://?service=mine&port=9"), &environment), "postgresql://me@h:9/me");
    assert_eq!(shown(Some("service=mine"), &with("system")), "postgresql://me@h:7/me");

    assert!(refused(None, &with("broken")).starts_with(&format!("{own}:9: a line is neither")));
    assert!(refused(None, &with("nested")).starts_with(&format!("{own}:11: a service can't name")));
    assert!(refused(None, &with("odd")).starts_with(&format!("{own}:13: \"what\" is no connection setting")));
    let missing = refused(None, &with("none"));
    assert_eq!(missing, format!("PGSERVICE: no service \"none\" in {own} or {system}/pg_service.conf"));
    let absent = refused(None, &[("PGSERVICE", "x"), ("PGSERVICEFILE", "/nonexistent/file")]);
    assert!(absent.starts_with("/nonexistent/file: "), "{absent}");
}

#[test]
fn the_password_file_is_matched_field_by_field() {
    let folder = Folder::new("pass");
    let lines = "# *:*:*:*:comment\nh:5432:d:u:exact\nh:*:d\\:x:*:colon\\:in\\\\it\nlocalhost:*:*:u:socket\n\
                 10.0.0.1:*:*:*:address\n\\*:*:*:*:no wildcard\nshort:line\n*:7:*:*:any host\n";
    let file = folder.write("pass", lines, 0o600);
    let find = |url: &str| {
        let settings = resolve(Some(url), &[("PGPASSFILE", file.as_str())]).unwrap();
        password(&settings).map(str::to_owned)
    };
    assert_eq!(find("host=h dbname=d user=u").as_deref(), Some("exact"));
    assert_eq!(find("host=h dbname=d:x user=u").as_deref(), Some(r"colon:in\it"));
    assert_eq!(find("host=/tmp dbname=d user=u").as_deref(), Some("socket"));
    assert_eq!(find("host=/elsewhere dbname=d user=u"), None);
    assert_eq!(find("hostaddr=10.0.0.1 dbname=d user=u").as_deref(), Some("address"));
    assert_eq!(find("host=z port=7 dbname=d user=u").as_deref(), Some("any host"));
    assert_eq!(find("host=y,h dbname=d user=u").as_deref(), Some("exact"));
    assert_eq!(find("host=h dbname=d user=u password=own").as_deref(), Some("own"));

    let readable = folder.write("readable", "*:*:*:*:x\n", 0o640);
    let settings = resolve(Some("host=h user=u"), &[("PGPASSFILE", &readable)]).unwrap();
    assert_eq!(password(&settings), None);
    folder.write(".pgpass", "*:*:*:*:at home\n", 0o600);
    let home = folder.0.display().to_string();
    assert_eq!(password(&resolve(Some("host=h user=u"), &[("HOME", &home)]).unwrap()), Some("at home"));
}
