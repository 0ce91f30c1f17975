use serde::Deserialize;

/// `[audit]`: how the log tells of each call, which it does under the target `callslip::audit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// The claim that names the caller, such as `sub`. Default: none; the caller is who the service says that it is, which for
    /// `callslip serve` is the address of the connection. So it is for a call without this claim.
    pub claim: Option<String>,
}
