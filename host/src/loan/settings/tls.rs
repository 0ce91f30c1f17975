use std::path::{Path, PathBuf};

use super::{Setting, Settings, SettingsError, not_supported};

/// How connections are encrypted, and what is asked of the server's certificate: libpq's settings, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::loan) struct TlsSettings {
    pub mode: TlsMode,
    /// Whether TLS begins at once, without a question before (PostgreSQL 17 and later).
    pub direct: bool,
    pub roots: Roots,
    /// The certificate by which the client is known, if it has one.
    pub client: Option<ClientFiles>,
    /// Whether the server is told which name is meant.
    pub sni: bool,
    pub versions: Versions,
}

/// When TLS is used, and what is verified.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::loan) enum TlsMode {
    /// Never.
    Disable,
    /// Where the server lets nobody in without.
    Allow,
    /// Where the server has it.
    Prefer,
    /// Always.
    Require,
    /// Always, with a server whose certificate is signed by a root.
    VerifyCa,
    /// The same, and it is of the name that was connected to.
    VerifyFull,
}

/// The certificates of who may have signed the server's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::loan) enum Roots {
    /// Nothing is verified.
    None,
    File(PathBuf),
    /// Those that the operating system trusts.
    System,
}

/// The client's certificate, with those between it and its root, and its key: both PEM.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::loan) struct ClientFiles {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// Which versions of TLS may be spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::loan) struct Versions {
    pub tls12: bool,
    pub tls13: bool,
}

/// What libpq knows, and is not kept here. Empty is as absent.
const NOT_SUPPORTED: &[(&str, &[&str], &str)] = &[
    (
        "sslcrl",
        &[],
        "certificates are not looked up in lists of revoked ones; leave it out, and renew what is lost",
    ),
    (
        "sslcrldir",
        &[],
        "certificates are not looked up in lists of revoked ones; leave it out, and renew what is lost",
    ),
    (
        "sslcertmode",
        &["allow", "disable"],
        "whether the server asks for a certificate is its own affair (pg_hba.conf)",
    ),
    ("sslcompression", &["0"], "TLS is not compressed"),
];

impl TlsSettings {
    /// Reads them. `home` is the user's folder, where libpq looks for files that nobody names.
    ///
    /// # Errors
    /// [`SettingsError`], for a mode that does not exist, or a promise that can't be kept.
    pub(super) fn of(settings: &Settings, home: Option<&Path>) -> Result<Self, SettingsError> {
        let system = settings.get("sslrootcert").filter(|roots| roots.value == "system");
        let mode = match (settings.get("sslmode"), system) {
            (Some(mode), _) => TlsMode::read(mode)?,
            (None, Some(_)) => TlsMode::VerifyFull,
            (None, None) => TlsMode::Prefer,
        };
        if let (Some(mode), true) = (settings.get("sslmode").or(system), mode >= TlsMode::Require)
            && !cfg!(feature = "tls")
        {
            let (origin, mode) = (mode.origin.clone(), mode.value.clone());
            return Err(SettingsError::TlsNotSupported { origin, mode });
        }
        let mode = if cfg!(feature = "tls") { mode } else { TlsMode::Disable };
        if mode > TlsMode::Disable {
            if let Some(set) = settings.get("sslpassword") {
                let problem =
                    "sslpassword is not supported: the client's key can't be encrypted; guard its file";
                return Err(SettingsError::malformed(&set.origin, problem));
            }
            for (keyword, kept, help) in NOT_SUPPORTED {
                if let Some(set) = settings.get(keyword).filter(|set| !kept.contains(&set.value.as_str())) {
                    return Err(not_supported(keyword, set, help));
                }
            }
        }
        let direct = match settings.get("sslnegotiation") {
            Some(set) if set.value == "direct" => match mode {
                TlsMode::Require | TlsMode::VerifyCa | TlsMode::VerifyFull => true,
                _ => {
                    return Err(not_supported(
                        "sslnegotiation",
                        set,
                        "it needs sslmode=require or a stronger one",
                    ));
                }
            },
            Some(set) if set.value != "postgres" => {
                return Err(not_supported("sslnegotiation", set, "use postgres or direct"));
            }
            _ => false,
        };
        Ok(Self {
            mode,
            direct,
            roots: Roots::of(settings, mode, home)?,
            client: client(settings, mode, home)?,
            sni: settings.get("sslsni").is_none_or(|sni| sni.value != "0"),
            versions: Versions::of(settings)?,
        })
    }
}

impl TlsSettings {
    /// Adds the files that were found where nobody named one.
    pub(super) fn name_files(&self, settings: &mut Settings) -> Result<(), SettingsError> {
        let mut found = Vec::new();
        if let Roots::File(roots) = &self.roots {
            found.push(("sslrootcert", roots));
        }
        if let Some(ClientFiles { certificate, key }) = &self.client {
            found.extend([("sslcert", certificate), ("sslkey", key)]);
        }
        for (keyword, file) in found {
            settings.add(keyword.to_owned(), file.display().to_string(), "~/.postgresql")?;
        }
        Ok(())
    }
}

impl TlsMode {
    fn read(mode: &Setting) -> Result<Self, SettingsError> {
        Ok(match mode.value.as_str() {
            "disable" => Self::Disable,
            "allow" => Self::Allow,
            "prefer" => Self::Prefer,
            "require" => Self::Require,
            "verify-ca" => Self::VerifyCa,
            "verify-full" => Self::VerifyFull,
            _ => return Err(SettingsError::malformed(&mode.origin, "sslmode is none that libpq knows")),
        })
    }
}

impl Roots {
    fn of(settings: &Settings, mode: TlsMode, home: Option<&Path>) -> Result<Self, SettingsError> {
        let default = || own_file(home, "root.crt").filter(|file| file.exists());
        match settings.get("sslrootcert") {
            _ if mode == TlsMode::Disable => Ok(Self::None),
            Some(set) if set.value == "system" => match mode {
                TlsMode::VerifyFull => Ok(Self::System),
                // Anybody can have a certificate that is signed by one of them.
                _ => Err(not_supported("sslrootcert", set, "it needs sslmode=verify-full")),
            },
            Some(set) => Ok(Self::File(PathBuf::from(&set.value))),
            None => match default() {
                Some(file) => Ok(Self::File(file)),
                None if mode < TlsMode::VerifyCa => Ok(Self::None),
                None => {
                    let origin = settings.get("sslmode").map_or("sslmode", |mode| &mode.origin);
                    let problem = "sslmode verify-ca and verify-full need a root certificate: name the file of the CA that \
                                   signs the server's (sslrootcert, or PGSSLROOTCERT), write sslrootcert=system for those that \
                                   this machine trusts, or put it into ~/.postgresql/root.crt";
                    Err(SettingsError::malformed(origin, problem))
                }
            },
        }
    }
}

impl Versions {
    fn of(settings: &Settings) -> Result<Self, SettingsError> {
        let version = |keyword| {
            let read = |set: &Setting| match set.value.as_str() {
                "TLSv1" | "TLSv1.1" => Ok(1),
                "TLSv1.2" => Ok(2),
                "TLSv1.3" => Ok(3),
                _ => Err(not_supported(keyword, set, "use TLSv1.2 or TLSv1.3")),
            };
            settings.get(keyword).map(read).transpose()
        };
        let least = version("ssl_min_protocol_version")?.unwrap_or(2);
        let most = version("ssl_max_protocol_version")?.unwrap_or(3);
        let versions = Self { tls12: least <= 2 && most >= 2, tls13: most == 3 };
        if !versions.tls12 && !versions.tls13 {
            let origin = settings.get("ssl_max_protocol_version").map_or("", |set| &set.origin);
            let problem = "no version of TLS is left that is spoken here: TLSv1.2 and TLSv1.3";
            return Err(SettingsError::malformed(origin, problem));
        }
        Ok(versions)
    }
}

/// The files of the client's certificate: as they are named, or those of libpq's if both are there.
fn client(
    settings: &Settings,
    mode: TlsMode,
    home: Option<&Path>,
) -> Result<Option<ClientFiles>, SettingsError> {
    let is_off = settings.get("sslcertmode").is_some_and(|mode| mode.value == "disable");
    if mode == TlsMode::Disable || is_off {
        return Ok(None);
    }
    let named = |keyword| settings.get(keyword).map(|set| PathBuf::from(&set.value));
    match (named("sslcert"), named("sslkey")) {
        (Some(certificate), Some(key)) => Ok(Some(ClientFiles { certificate, key })),
        (Some(certificate), None) => match own_file(home, "postgresql.key") {
            Some(key) => Ok(Some(ClientFiles { certificate, key })),
            None => {
                let origin = settings.get("sslcert").map_or("", |set| &set.origin);
                Err(SettingsError::malformed(origin, "sslcert is there without sslkey, the file of its key"))
            }
        },
        (None, key) => {
            let certificate = own_file(home, "postgresql.crt").filter(|file| file.exists());
            let key = key.or_else(|| own_file(home, "postgresql.key").filter(|file| file.exists()));
            Ok(certificate.zip(key).map(|(certificate, key)| ClientFiles { certificate, key }))
        }
    }
}

/// Where libpq looks for a file of its user's.
fn own_file(home: Option<&Path>, name: &str) -> Option<PathBuf> {
    home.map(|home| home.join(".postgresql").join(name))
}
