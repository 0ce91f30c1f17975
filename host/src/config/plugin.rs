use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::de::Error;
use serde::{Deserialize, Deserializer};

use super::{FilterConfig, PluginLimitConfig, QueryConfig};
use crate::grants::GrantSettings;
use crate::loan::PlanMode;
use crate::plugin::{Digest, Pin, Profile, PublicKey};

/// A plugin to load.
///
/// `sha256` and `public_key` pin its component: a file that holds another one is refused before anything of it is read as
/// WebAssembly, and the version before it goes on being served. Where both are there, both must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PluginConfig {
    /// The component's file, relative to the configuration's folder. One is needed.
    pub component: PathBuf,
    /// The database that it reads, one of `[databases.NAME]`. Default: that of `[database]`.
    pub database: Option<String>,
    /// The SHA-256 of the component, in hexadecimal.
    #[serde(deserialize_with = "digest")]
    pub sha256: Option<Digest>,
    /// The minisign key that must have signed the component: `RW…`, as `minisign -G` prints it.
    #[serde(deserialize_with = "public_key")]
    pub public_key: Option<PublicKey>,
    /// The file of the signature, relative to the configuration's folder. Default: that of the component, with `.minisig`
    /// after its name.
    pub signature: Option<PathBuf>,
    /// What kind of component it is: `"compact"` (the default) for what the SDK builds, `"script"` for one that carries an
    /// interpreter along, such as of JavaScript.
    pub profile: Profile,
    /// What it may touch: nothing, but for what is named here and the built-in functions.
    pub grants: GrantSettings,
    /// `[plugins.NAME.filters]`: which rows of a relation it is given, beside what `[filters]` says for every plugin.
    pub filters: FilterConfig,
    /// What it may cost, if that is not what all plugins may.
    pub limits: PluginLimitConfig,
    /// `[plugins.NAME.queries.QUERY]`, by the names of its queries. One that the plugin does not have is a finding of the
    /// plugin.
    pub queries: BTreeMap<String, QueryConfig>,
    /// Who may call its queries: the callers that have one of these roles (`[identity] role_claim`). For others it is as if it
    /// were not there. Default: every caller that is known.
    pub roles: Option<Vec<String>>,
    /// `plan = "custom"`: every statement of the plugin is planned for the values of each call, and not only those of
    /// queries that say so themselves. It costs the planning, and is for databases whose rows are unevenly spread, as
    /// over tenants of very different size, where one plan for any values is a bad one for some. Default: `"auto"`, as
    /// each query says.
    #[serde(with = "PlanSetting")]
    pub plan: PlanMode,
}

impl PluginConfig {
    /// Names its files relative to a folder.
    pub(super) fn resolve(&mut self, folder: &Path) {
        self.component = folder.join(&self.component);
        self.signature = self.signature.take().map(|signature| folder.join(signature));
    }

    /// Which component its file must hold.
    pub(crate) fn pin(&self) -> Pin {
        Pin { sha256: self.sha256, public_key: self.public_key.clone() }
    }

    /// Where the signature of its component is.
    pub(crate) fn signature(&self) -> PathBuf {
        self.signature.clone().unwrap_or_else(|| {
            let mut beside = self.component.clone().into_os_string();
            beside.push(".minisig");
            beside.into()
        })
    }

    /// What a query may touch: what the plugin was granted, and what was granted to this query alone.
    pub(crate) fn grants_of(&self, query: &str) -> GrantSettings {
        match self.queries.get(query) {
            Some(its) => self.grants.clone().and(&its.grants),
            None => self.grants.clone(),
        }
    }

    /// Every list of grants that is written: the plugin's, and those of its queries.
    pub(crate) fn all_grants(&self) -> impl Iterator<Item = &GrantSettings> {
        std::iter::once(&self.grants).chain(self.queries.values().map(|query| &query.grants))
    }
}

fn digest<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Digest>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(D::Error::custom)
}

fn public_key<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PublicKey>, D::Error> {
    PublicKey::parse(&String::deserialize(deserializer)?).map(Some).map_err(D::Error::custom)
}

/// How a configuration writes a [`PlanMode`].
#[derive(Deserialize)]
#[serde(remote = "PlanMode", rename_all = "lowercase")]
enum PlanSetting {
    Auto,
    Custom,
}
