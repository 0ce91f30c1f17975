//! Tools of others that read such documents. Where they are not there, the tests say so and go without.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use callslip_tests::http;

use super::{hiring, orders, tpc_h};
use crate::served::Served;

/// The Python that has the tools, which `host/setup/openapi-tools.sh` brings.
const PYTHON: &str = "CALLSLIP_OPENAPI_PYTHON";
/// Whether a test may be left out where that is not there.
const EVERY: &str = "CALLSLIP_EVERY_TOOL";

/// The Python that has the tools, if there is one; without, that is said.
pub fn python() -> Option<PathBuf> {
    let python = std::env::var_os(PYTHON).filter(|python| !python.is_empty()).map(PathBuf::from);
    if python.is_none() {
        let every = std::env::var_os(EVERY).is_some_and(|every| every == "1");
        assert!(!every, "{PYTHON} is not set, and {EVERY}=1 asks for every tool");
        println!("left out: there are no OpenAPI tools ({PYTHON})");
    }
    python
}

/// What holds the server to its document: no fault of its own, and nothing that the document does not tell.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance,negative_data_rejection,\
                      missing_required_header,unsupported_method,allow_header_conformance";

/// Has a validator read the document, and schemathesis call each operation of it, as it says and otherwise. The calls are the
/// same in each run.
async fn hold(served: &Served, examples: u32) {
    let Some(python) = python() else { return };
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("openapi.json");
    let address = served.address();
    std::fs::write(&document, http::get(address, "/openapi.json").await.body).unwrap();
    let valid = run(&python, folder.path(), &["openapi_spec_validator", "--errors", "all"], &[&document]);
    assert!(valid.status.success(), "{}", text(&valid));

    let (url, examples) = (format!("http://{address}/openapi.json"), examples.to_string());
    let arguments = [
        "schemathesis.cli",
        "--config-file",
        "schemathesis.toml",
        "run",
        &url,
        "--checks",
        CHECKS,
        "--phases",
        "examples,coverage,fuzzing",
        "--max-examples",
        &examples,
        "--seed",
        "8",
        "--no-color",
        "--continue-on-failure",
    ];
    std::fs::write(folder.path().join("schemathesis.toml"), CONFIG).unwrap();
    let held = run(&python, folder.path(), &arguments, &[]);
    assert!(held.status.success(), "{}", text(&held));
    // What it has called, for whoever reads a log.
    println!("{}", text(&held));
}

/// In a JSON body a number may be a string, and a word a bool: no document for people says so of each parameter.
const CONFIG: &str = "\
[[operations]]
include-method = \"POST\"
checks.negative_data_rejection.enabled = false
";

fn run(python: &Path, folder: &Path, module: &[&str], files: &[&Path]) -> Output {
    let mut command = Command::new(python);
    command.arg("-m").args(module).args(files).current_dir(folder).stdin(Stdio::null());
    command.env("PYTHONDONTWRITEBYTECODE", "1").output().unwrap()
}

pub fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_find_the_document_of_hiring_valid_and_true() {
    hold(&hiring().await, 30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_find_the_document_of_orders_valid_and_true() {
    hold(&orders("openapi_orders").await, 30).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_find_the_document_of_tpc_h_valid_and_true() {
    hold(&tpc_h().await, 5).await;
}
