use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer};

use super::{ConfigError, PluginConfig};

/// `[identity]`: how `callslip serve` knows its callers. With neither keys nor tokens it knows none: everybody may call, and
/// nobody has claims. With both a caller has either.
///
/// ```
/// let config = callslip::Config::parse(
///     r#"
///     [identity]
///     keys_file = "keys.toml"
///
///     [identity.jwt]
///     algorithms = ["RS256", "ES256"]
///     jwks_file = "jwks.json"
///     issuer = "https://login.example.com"
///     audience = "reports"
///
///     [identity.jwt.claims]
///     company = "org.id"
///     "#,
///     "/etc/callslip".as_ref(),
/// )?;
/// assert!(config.identity.is_known());
/// # Ok::<(), callslip::ConfigError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct IdentityConfig {
    /// The file of the API keys, relative to the configuration's folder; `callslip key` makes its entries. Default: none.
    pub keys_file: Option<PathBuf>,
    /// `[identity.jwt]`: the tokens that are taken. Default: none.
    pub jwt: Option<JwtConfig>,
    /// The claim that holds the roles of a caller, one text or a list of them, which `roles` of plugins and queries are
    /// compared with. Default: `role`.
    pub role_claim: String,
}

/// `[identity.jwt]`: JSON Web Tokens (RFC 7519), signed by somebody else.
///
/// Exactly one of `jwks_file`, `key_file`, `secret_file` and `secret_env` says what they are checked with.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JwtConfig {
    /// The algorithms that a token may be signed with. A secret goes with `HS…` alone, and a public key with none of these.
    pub algorithms: Vec<JwtAlgorithm>,
    /// A file of keys as JSON (RFC 7517), relative to the configuration's folder. A token names its key by `kid`.
    pub jwks_file: Option<PathBuf>,
    /// A file of one public key in PEM, relative to the configuration's folder.
    pub key_file: Option<PathBuf>,
    /// A file of a secret that is shared with the issuer, relative to the configuration's folder; the end of its line is no
    /// part of it.
    pub secret_file: Option<PathBuf>,
    /// The variable of the environment that has this secret.
    pub secret_env: Option<String>,
    /// Who may have issued a token (`iss`), one or several. Default: anybody who has a key.
    #[serde(default, deserialize_with = "one_or_many")]
    pub issuer: Vec<String>,
    /// For whom a token has to be (`aud`): one of these. Default: none, and then one that is for somebody is refused.
    #[serde(default, deserialize_with = "one_or_many")]
    pub audience: Vec<String>,
    /// By how many seconds the clocks of the issuer and the host may differ, at most 600. Default: 60.
    #[serde(default = "leeway_s")]
    pub leeway_s: u64,
    /// Whether a token has to say when it ends (`exp`). Default: true. What it says holds in any case.
    #[serde(default = "require_exp")]
    pub require_exp: bool,
    /// Where a token has the name of its caller, for the log and for limits. One without is refused. Default: `sub`.
    #[serde(default = "name")]
    pub name: ClaimPath,
    /// `[identity.jwt.claims]`: the claims of a caller, and where in the token each is found: `company = "org.id"`. One that the
    /// token does not have is absent. Default: all that the token has, by their own names.
    #[serde(default)]
    pub claims: BTreeMap<String, ClaimPath>,
}

/// An algorithm of RFC 7518 or RFC 8037, by which tokens are signed.
#[allow(missing_docs, reason = "they are the names of the RFCs")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum JwtAlgorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    RS384,
    RS512,
    PS256,
    PS384,
    PS512,
    ES256,
    ES384,
    EdDSA,
}

impl JwtAlgorithm {
    /// Whether who can check a signature can make one.
    pub(crate) fn is_symmetric(self) -> bool {
        matches!(self, Self::HS256 | Self::HS384 | Self::HS512)
    }
}

/// Where a token has a value: the names of members, each within that of the one before. As text they are separated by points
/// (`"org.id"`); as a list they may have points themselves (`["https://example.com/company"]`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimPath(pub Vec<String>);

impl<'de> Deserialize<'de> for ClaimPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(path) => path.split('.').map(str::to_owned).collect(),
            OneOrMany::Many(members) => members,
        }))
    }
}

#[derive(Deserialize)]
#[serde(untagged, expecting = "expected a text or a list of texts")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(one) => vec![one],
        OneOrMany::Many(many) => many,
    })
}

/// The most by which clocks may differ, in seconds.
const MOST_LEEWAY: u64 = 600;

fn leeway_s() -> u64 {
    60
}

fn require_exp() -> bool {
    true
}

fn name() -> ClaimPath {
    ClaimPath(vec!["sub".to_owned()])
}

impl Default for IdentityConfig {
    fn default() -> Self {
        Self { keys_file: None, jwt: None, role_claim: "role".to_owned() }
    }
}

impl IdentityConfig {
    /// Whether callers are known at all: whether there are keys or tokens.
    pub fn is_known(&self) -> bool {
        self.keys_file.is_some() || self.jwt.is_some()
    }

    /// Names its files from the folder of the configuration.
    pub(super) fn relative_to(&mut self, folder: &Path) {
        let jwt = self.jwt.as_mut().map(|jwt| [&mut jwt.jwks_file, &mut jwt.key_file, &mut jwt.secret_file]);
        for file in jwt.into_iter().flatten().chain([&mut self.keys_file]).flatten() {
            *file = folder.join(&*file);
        }
    }

    pub(super) fn check(&self, plugins: &BTreeMap<String, PluginConfig>) -> Result<(), ConfigError> {
        if self.role_claim.is_empty() {
            return Err(ConfigError::setting("identity.role_claim", "is empty"));
        }
        let unknown = "needs [identity]: without, no caller has a role";
        for (name, plugin) in plugins.iter().filter(|_| !self.is_known()) {
            if plugin.roles.is_some() {
                return Err(ConfigError::setting(format!("plugins.{name}.roles"), unknown));
            }
            if let Some((query, _)) = plugin.queries.iter().find(|(_, its)| its.roles.is_some()) {
                return Err(ConfigError::setting(format!("plugins.{name}.queries.{query}.roles"), unknown));
            }
        }
        self.jwt.as_ref().map_or(Ok(()), JwtConfig::check)
    }
}

impl JwtConfig {
    fn check(&self) -> Result<(), ConfigError> {
        let wrong = |key: &str, wrong: &str| Err(ConfigError::setting(format!("identity.jwt{key}"), wrong));
        if self.algorithms.is_empty() {
            return wrong(".algorithms", "names none");
        }
        let secret = self.secret_file.is_some() || self.secret_env.is_some();
        let ways = [
            self.jwks_file.is_some(),
            self.key_file.is_some(),
            self.secret_file.is_some(),
            self.secret_env.is_some(),
        ];
        if ways.into_iter().filter(|is_there| *is_there).count() != 1 {
            return wrong("", "needs exactly one of jwks_file, key_file, secret_file and secret_env");
        }
        if secret && !self.algorithms.iter().all(|algorithm| algorithm.is_symmetric()) {
            return wrong(".algorithms", "names one that needs a public key beside a secret");
        }
        if self.key_file.is_some() && self.algorithms.iter().any(|algorithm| algorithm.is_symmetric()) {
            return wrong(".algorithms", "names one that needs a secret beside a public key");
        }
        if self.leeway_s > MOST_LEEWAY {
            return wrong(".leeway_s", &format!("must be at most {MOST_LEEWAY}"));
        }
        for (key, names) in [(".issuer", &self.issuer), (".audience", &self.audience)] {
            if names.iter().any(String::is_empty) {
                return wrong(key, "has an empty name");
            }
        }
        let is_no_path =
            |path: &ClaimPath| path.0.is_empty() || path.0.iter().any(|member| member.is_empty());
        if is_no_path(&self.name) {
            return wrong(".name", "has an empty name");
        }
        if let Some((claim, _)) =
            self.claims.iter().find(|(claim, path)| claim.is_empty() || is_no_path(path))
        {
            return wrong(&format!(".claims.{claim}"), "has an empty name");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;

    fn parse(text: &str) -> Result<IdentityConfig, String> {
        Config::parse(text, Path::new("/etc"))
            .map(|config| config.identity)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn nobody_is_known_by_default() {
        let identity = parse("").unwrap();
        assert!(!identity.is_known());
        assert_eq!(identity.role_claim, "role");
    }

    #[test]
    fn files_are_beside_the_configuration() {
        let identity = parse(
            "[identity]\nkeys_file = \"keys.toml\"\n[identity.jwt]\nalgorithms = [\"EdDSA\"]\nkey_file = \"public.pem\"\n\
             audience = \"a\"\nissuer = [\"b\", \"c\"]\n[identity.jwt.claims]\ncompany = \"org.id\"\n\
             plan = [\"https://x.example/plan\"]\n",
        );
        let identity = identity.unwrap();
        assert_eq!(identity.keys_file.as_deref(), Some(Path::new("/etc/keys.toml")));
        let jwt = identity.jwt.unwrap();
        assert_eq!(jwt.key_file.as_deref(), Some(Path::new("/etc/public.pem")));
        assert_eq!((jwt.audience, jwt.issuer), (vec!["a".to_owned()], vec!["b".to_owned(), "c".to_owned()]));
        assert_eq!((jwt.leeway_s, jwt.require_exp, jwt.name.0), (60, true, vec!["sub".to_owned()]));
        assert_eq!(jwt.claims["company"].0, ["org", "id"]);
        assert_eq!(jwt.claims["plan"].0, ["https://x.example/plan"]);
    }

    #[test]
    fn what_could_let_anybody_in_is_refused() {
        let jwt = |lines: &str| parse(&format!("[identity.jwt]\n{lines}\n")).unwrap_err();
        assert!(jwt("algorithms = [\"none\"]\nkey_file = \"k\"").contains("unknown variant `none`"));
        assert_eq!(jwt("algorithms = []\nkey_file = \"k\""), "identity.jwt.algorithms names none");
        let one = "identity.jwt needs exactly one of jwks_file, key_file, secret_file and secret_env";
        assert_eq!(jwt("algorithms = [\"HS256\"]"), one);
        assert_eq!(jwt("algorithms = [\"HS256\"]\nsecret_env = \"S\"\nkey_file = \"k\""), one);
        assert!(jwt("algorithms = [\"HS256\", \"RS256\"]\nkey_file = \"k\"").contains("beside a public key"));
        assert!(jwt("algorithms = [\"HS256\", \"RS256\"]\nsecret_env = \"S\"").contains("beside a secret"));
        assert!(jwt("algorithms = [\"RS256\"]\nkey_file = \"k\"\nleeway_s = 601").contains("at most 600"));
        assert!(jwt("algorithms = [\"RS256\"]\nkey_file = \"k\"\nname = \"a..b\"").contains("empty name"));
        assert!(jwt("algorithms = [\"RS256\"]\nkey_file = \"k\"\naudience = \"\"").contains("empty name"));
        assert!(
            jwt("algorithms = [\"RS256\"]\nkey_file = \"k\"\nsecret = \"plain\"").contains("unknown field")
        );
        let roles = "[plugins.a]\ncomponent = \"a.wasm\"\nroles = [\"partner\"]";
        assert!(parse(roles).unwrap_err().contains("plugins.a.roles needs [identity]"));
        let roles = "[plugins.a]\ncomponent = \"a.wasm\"\n[plugins.a.queries.q]\nroles = [\"partner\"]";
        assert!(parse(roles).unwrap_err().contains("plugins.a.queries.q.roles needs [identity]"));
    }
}
