use callslip_ir::{Domain, Parameter, Presence};

use super::Prover;
use crate::Code;
use crate::loan::{Loan, LoanError};
use crate::plugin::text_of_json;
use crate::printable::printable;
use crate::select::{self, Finding};

impl Prover<'_> {
    /// Has PostgreSQL read what the plugin wrote of parameters whose types are named, its defaults and examples: only the
    /// types' own input functions can tell whether these are values.
    pub async fn check_named_values(&self, loan: &Loan) -> Result<Vec<Finding>, LoanError> {
        let mut findings = Vec::new();
        for (parameter, what, json) in self.written() {
            let written = parameter.ty.type_name();
            let Some(ty) = select::resolve_type(&self.basis.catalog, &self.path(), &written) else {
                // A slot of it is a finding already.
                continue;
            };
            let granted =
                self.basis.catalog.ty(&ty.schema, &ty.name).is_some_and(|its| self.plugin.grants.ty(its));
            let limits = self.plugin.component.engine().limits();
            let Some(text) = text_of_json(parameter, json, limits).filter(|_| granted) else { continue };
            match loan.evaluate(&select::print_constant(&ty), &text).await {
                Ok(()) => {}
                Err(LoanError::Failed(postgres)) => {
                    let name = printable(&parameter.name, 63);
                    let message = format!(
                        "parameter `{name}` has {what} that is no {}: `{}`",
                        ty.shown(&self.path()),
                        printable(json, 40)
                    );
                    findings.push(Finding::new(Code::InvalidConstant, message).with_help(postgres.message()));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(findings)
    }

    /// What is written of parameters and claims whose types are named, as JSON.
    fn written(&self) -> Vec<(&Parameter, &'static str, &str)> {
        let query = self.query;
        let mut written = Vec::new();
        for parameter in query.parameters.iter().chain(&query.claims) {
            if let (Domain::Named(_), Presence::Default(json)) = (&parameter.ty.domain, &parameter.presence) {
                written.push((parameter, "a default", json.as_str()));
            }
        }
        for example in &query.examples {
            for (given, declared) in
                [(&example.parameters, &query.parameters), (&example.claims, &query.claims)]
            {
                for (name, json) in given {
                    let named =
                        |its: &&Parameter| its.name == *name && matches!(its.ty.domain, Domain::Named(_));
                    if let Some(parameter) = declared.iter().find(named) {
                        written.push((parameter, "an example", json.as_str()));
                    }
                }
            }
        }
        written
    }
}
