use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// The certificates of a file, of which there is at least one.
///
/// # Errors
/// Why it has none.
pub(super) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = || CertificateDer::pem_file_iter(path)?.collect::<Result<Vec<_>, pem::Error>>();
    match read() {
        Ok(found) if found.is_empty() => Err(format!("{}: no certificate in it (PEM)", path.display())),
        Ok(found) => Ok(found),
        Err(error) => Err(unreadable(path, error)),
    }
}

/// The key of a file that nobody else can read.
///
/// # Errors
/// Why there is none.
pub(super) fn key(path: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let about = fs::metadata(path).map_err(|error| format!("{}: {error}", path.display()))?;
    // As libpq has it: root's may be read by a group.
    let others = if about.uid() == 0 { 0o037 } else { 0o077 };
    if about.mode() & others != 0 {
        return Err(format!(
            "{}: others can read this key; chmod 600, or 640 if root owns it",
            path.display()
        ));
    }
    PrivateKeyDer::from_pem_file(path).map_err(|error| unreadable(path, error))
}

/// The roots that a file has.
///
/// # Errors
/// Why they can't be used.
pub(super) fn roots(path: &Path) -> Result<RootCertStore, String> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(path)? {
        roots.add(certificate).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(roots)
}

/// The roots that the operating system trusts.
///
/// # Errors
/// Why there are none.
pub(super) fn system_roots() -> Result<RootCertStore, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (taken, _) = roots.add_parsable_certificates(found.certs);
    if taken > 0 {
        return Ok(roots);
    }
    let reasons: Vec<String> = found.errors.iter().map(ToString::to_string).collect();
    Err(format!(
        "sslrootcert=system: this machine trusts nobody ({}); install its package of CA certificates, or name a file",
        if reasons.is_empty() { "no certificate was found".to_owned() } else { reasons.join("; ") }
    ))
}

/// What is wrong with a file, but nothing of what is in it.
fn unreadable(path: &Path, error: pem::Error) -> String {
    let problem = match error {
        pem::Error::Io(error) => error.to_string(),
        pem::Error::NoItemsFound => {
            "nothing of the kind in it (PEM; a key that is encrypted can't be used)".to_owned()
        }
        _ => "it is no PEM".to_owned(),
    };
    format!("{}: {problem}", path.display())
}
