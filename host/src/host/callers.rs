use std::sync::Arc;

use crate::Code;
use crate::config::DatabaseConfig;
use crate::loan::Caller;
use crate::plugin::{ArgumentError, Inputs};

/// How long a claim can be that is set for row-level security, in bytes: it is a name, a number, or a list of some.
const LONGEST_CLAIM: usize = 8_192;

/// What of each caller's claims PostgreSQL's row-level security is told.
///
/// Claims are the service's, whatever a plugin declares: what a plugin makes of one of the same name changes nothing here.
#[derive(Debug, Default)]
pub(super) struct Callers {
    /// Each claim, with the setting that it becomes.
    settings: Vec<(String, String)>,
    /// The claim that names the role, and those that it may name.
    role: Option<(String, Vec<String>)>,
}

impl Callers {
    pub fn of(config: &DatabaseConfig) -> Self {
        let settings = config.claims.iter().map(|(claim, setting)| (claim.clone(), setting.clone()));
        let role = config.role_claim.as_ref().map(|claim| (claim.clone(), config.roles.clone()));
        Self { settings: settings.collect(), role }
    }

    /// The roles that callers may have.
    pub fn roles(&self) -> &[String] {
        self.role.as_ref().map_or(&[], |(_, roles)| roles)
    }

    /// What is to be set for a call with these claims; nothing, if nothing is ever set.
    ///
    /// # Errors
    /// What is wrong with each claim. That one is absent is wrong of the role's alone: of another the policies are told that.
    pub fn caller(&self, claims: &Inputs) -> Result<Option<Arc<Caller>>, Vec<ArgumentError>> {
        if self.settings.is_empty() && self.role.is_none() {
            return Ok(None);
        }
        let (mut settings, mut errors) = (Vec::with_capacity(self.settings.len()), Vec::new());
        for (claim, setting) in &self.settings {
            let text = claims.setting(claim).unwrap_or_default();
            let wrong = if text.len() > LONGEST_CLAIM {
                Some(format!("claim `{claim}` has more than {LONGEST_CLAIM} bytes"))
            } else if text.contains('\0') {
                Some(format!("claim `{claim}` has a NUL character"))
            } else {
                None
            };
            errors.extend(wrong.map(|message| error(Code::InvalidClaim, claim, message)));
            settings.push((setting.clone(), text));
        }
        let role = self.role.as_ref().and_then(|(claim, roles)| match claims.text(claim) {
            None => {
                errors.push(error(Code::MissingClaim, claim, format!("claim `{claim}` is missing")));
                None
            }
            // It is not said which others there are: these are other callers'.
            Some(text) => text.filter(|text| roles.contains(text)).or_else(|| {
                let message = format!("claim `{claim}` does not name a role that it may name");
                errors.push(error(Code::InvalidClaim, claim, message));
                None
            }),
        });
        if errors.is_empty() { Ok(Some(Arc::new(Caller::new(settings, role)))) } else { Err(errors) }
    }
}

fn error(code: Code, claim: &str, message: String) -> ArgumentError {
    ArgumentError { code, parameter: Some(claim.to_owned()), message }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::Config;

    fn callers(text: &str) -> Callers {
        Callers::of(&Config::parse(text, Path::new("")).unwrap().database)
    }

    fn inputs(claims: serde_json::Value) -> Inputs {
        Inputs::from_object(claims.as_object().unwrap())
    }

    #[test]
    fn each_claim_is_set_with_each_call() {
        let callers = callers("[database.claims]\na = \"app.a\"\nb = \"app.b\"");
        let set = |claims| callers.caller(&inputs(claims)).unwrap().unwrap();
        let expected = |a: &str, b: &str| {
            Arc::new(Caller::new(vec![("app.a".into(), a.into()), ("app.b".into(), b.into())], None))
        };
        assert_eq!(set(json!({})), expected("", ""));
        assert_eq!(set(json!({ "a": null, "b": "x'; --\\" })), expected("", "x'; --\\"));
        assert_eq!(set(json!({ "a": 7, "b": true, "c": 1 })), expected("7", "true"));
        assert_eq!(set(json!({ "a": ["x", 1], "b": { "k": [] } })), expected("[\"x\",1]", "{\"k\":[]}"));
        let texts =
            Inputs::from_pairs([("a", "1"), ("b", "x"), ("b", "y")].map(|(n, t)| (n.into(), t.into())));
        assert_eq!(callers.caller(&texts).unwrap().unwrap(), expected("1", "[\"x\",\"y\"]"));
    }

    #[test]
    fn what_can_t_be_set_is_refused() {
        let callers =
            callers("[database]\nrole_claim = \"role\"\nroles = [\"a\"]\n[database.claims]\nx = \"app.x\"");
        for (claims, code, message) in [
            (json!({ "x": "a\u{0}b", "role": "a" }), Code::InvalidClaim, "claim `x` has a NUL character"),
            (json!({ "x": "x".repeat(8_193), "role": "a" }), Code::InvalidClaim, "has more than 8192 bytes"),
            (json!({}), Code::MissingClaim, "claim `role` is missing"),
            (json!({ "role": null }), Code::MissingClaim, "claim `role` is missing"),
            (
                json!({ "role": "b" }),
                Code::InvalidClaim,
                "claim `role` does not name a role that it may name",
            ),
            (json!({ "role": ["a"] }), Code::InvalidClaim, "claim `role` does not name a role"),
            (json!({ "role": "A" }), Code::InvalidClaim, "claim `role` does not name a role"),
            (json!({ "role": "none" }), Code::InvalidClaim, "claim `role` does not name a role"),
        ] {
            let errors = callers.caller(&inputs(claims)).unwrap_err();
            assert_eq!((errors.len(), errors[0].code), (1, code));
            assert!(errors[0].message.contains(message), "{}", errors[0].message);
        }
        callers.caller(&inputs(json!({ "x": "x".repeat(8_192), "role": "a" }))).unwrap();
        assert_eq!(Callers::default().caller(&inputs(json!({ "x": 1 }))), Ok(None));
    }
}
