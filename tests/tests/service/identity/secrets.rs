//! No secret is in a log, whatever is logged, nor in an answer.

use callslip::Config;
use callslip_tests::{component, database, http};
use jsonwebtoken::Algorithm;
use nix::sys::signal::Signal;
use serde_json::json;

use super::issuer::Issuer;
use super::serving::request;
use crate::served::{Served, command};

#[tokio::test]
async fn a_log_of_everything_has_no_key_no_token_and_no_secret() {
    let issuer = Issuer::new(Algorithm::HS256);
    let made = command().args(["key", "partner", "--claim", "company=1"]).output().unwrap();
    let key = String::from_utf8(made.stderr).unwrap().trim().to_owned();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("keys.toml"), &made.stdout).unwrap();
    std::fs::write(folder.path().join("secret"), format!("{}\n", issuer.public)).unwrap();
    let config = format!(
        "[identity]\nkeys_file = \"keys.toml\"\n[identity.jwt]\nalgorithms = [\"HS256\"]\nsecret_file = \"secret\"\n\
         [plugins.hiring]\ncomponent = {:?}\n[plugins.hiring.grants]\nrelations = [\"position\", \"interview\"]\n",
        component("example-plugins/hiring")
    );
    let debugged = format!("{:?}", Config::parse(&config, folder.path()).unwrap());
    assert!(debugged.contains("secret") && !debugged.contains(&issuer.public));

    // All but the compiler of components, which would tell of nothing else for minutes.
    let environment = [("RUST_LOG", "trace,wasmtime=warn,cranelift=warn,regalloc2=warn")];
    let mut served = Served::start_process(folder, &database().url(), &config, &[], &environment);
    let address = served.address();
    let token = issuer.token(json!({ "company": 1 }));
    let stranger_s = Issuer::new(Algorithm::HS256).token(json!({ "company": 1 }));
    let path = "/q/hiring/funnel?company=1";
    for (credential, status) in [(&key, 200), (&token, 200), (&stranger_s, 401), (&format!("{key}x"), 401)] {
        for header in [format!("authorization: Bearer {credential}"), format!("x-api-key: {credential}")] {
            let answer = http::send(address, request("GET", path, &[&header])).await;
            assert!(answer.status == status || header.starts_with("x-api-key"), "{}", answer.status);
            let told = format!("{}{}", answer.head, String::from_utf8_lossy(&answer.body));
            assert!(!told.contains(credential.as_str()), "{told}");
        }
    }
    served.signal(Signal::SIGTERM);
    assert_eq!(served.ended(), Some(0));
    let log = served.lines().join("\n");
    for told in ["partner", "TRACE", "DEBUG"] {
        assert!(log.contains(told), "there is no {told:?} in\n{log}");
    }
    assert!(log.contains("the token's signature is wrong"), "{log}");
    assert!(log.contains("every user of this machine can read it"), "{log}");
    let signature = |token: &str| token.rsplit('.').next().unwrap().to_owned();
    for secret in [&key, &issuer.public, &token, &stranger_s, &signature(&token), &signature(&stranger_s)] {
        assert!(!log.contains(secret.as_str()), "{secret} is in the log");
    }
}
