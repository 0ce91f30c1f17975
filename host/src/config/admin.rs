use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Deserialize;

use super::ConfigError;

/// `[admin]`: an address of its own for those who run the server: what is served, reloads, metrics.
///
/// It is read when the server starts; another address takes a restart, and another token a reload.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AdminConfig {
    /// The address and port, such as `127.0.0.1:7071`; port 0 takes any that is free. Default: none, and nobody listens.
    pub listen: Option<SocketAddr>,
    /// A file with the token that requests below `/admin` have to bring: `Authorization: Bearer TOKEN`. Spaces and line ends
    /// around it do not count. Relative to the configuration's folder. Default: none, which only a loopback address may have:
    /// then whoever reaches the address may reload.
    pub token_file: Option<PathBuf>,
}

impl AdminConfig {
    /// Whether nobody else can reload.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        match self.listen {
            Some(address) if self.token_file.is_none() && !address.ip().is_loopback() => {
                Err(ConfigError::OpenAdmin { address })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::Config;

    #[test]
    fn whoever_is_on_another_machine_needs_a_token() {
        let parse = |text: &str| Config::parse(text, Path::new("/etc")).map(|config| config.admin);
        let of_all = "[admin]\nlisten = \"0.0.0.0:7071\"\n";
        let error = parse(of_all).unwrap_err().to_string();
        assert!(
            error.contains("admin.listen is 0.0.0.0:7071") && error.contains("admin.token_file"),
            "{error}"
        );
        let admin = parse(&format!("{of_all}token_file = \"token\"")).unwrap();
        assert_eq!(admin.token_file.as_deref(), Some(Path::new("/etc/token")));
        for loopback in ["127.0.0.1:0", "[::1]:7071"] {
            parse(&format!("[admin]\nlisten = \"{loopback}\"")).unwrap();
        }
        let error = parse("[admin]\nlisten = \"localhost\"").unwrap_err().to_string();
        assert!(error.contains("line 2"), "{error}");
    }
}
