use serde::{Deserialize, Serialize};

/// What is bound to the slots of a [`crate::Description`], a binding for each slot, in their order.
pub type Bindings = Vec<Binding>;

/// Where the value of a slot comes from. The plugin never holds the value of a parameter or a claim; the host
/// checks and binds it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Binding {
    /// A parameter of the call, by name.
    Parameter(String),
    /// A claim of the caller, by name.
    Claim(String),
    /// A constant of the plugin's own, in PostgreSQL's text form (`7`, `2026-01-31`, `{a,b}`), or null.
    Constant(Option<String>),
}
