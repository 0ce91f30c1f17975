use std::io;

use rustls::{CertificateError, Error};

use crate::loan::settings::Roots;

/// Why TLS could not begin, with what to do.
pub(super) fn advised(error: io::Error, roots: &Roots, host: &str) -> io::Error {
    let advice = match error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) {
        Some(Error::InvalidCertificate(problem)) => certificate(problem, roots, host),
        Some(Error::PeerIncompatible(_)) => {
            "the server speaks no version of TLS that is spoken here (1.2 and 1.3)".to_owned()
        }
        _ => return error,
    };
    io::Error::new(error.kind(), format!("{error}: {advice}"))
}

fn certificate(problem: &CertificateError, roots: &Roots, host: &str) -> String {
    let place = match roots {
        Roots::File(path) => path.display().to_string(),
        Roots::System | Roots::None => "what this machine trusts".to_owned(),
    };
    match problem {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => format!(
            "the server's certificate is not signed by a CA of {place}; set sslrootcert to the file of the CA that has \
             signed it"
        ),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "the server's certificate, or that of its CA, has expired; renew it".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "the server's certificate is not valid yet; look at the clocks".to_owned()
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => format!(
            "the server's certificate is not for {host:?}: connect by a name that is among its subjectAltName, or \
             verify the CA alone (sslmode=verify-ca)"
        ),
        _ => "the server's certificate can't be used; it has to be of version 3, and no CA's own".to_owned(),
    }
}
