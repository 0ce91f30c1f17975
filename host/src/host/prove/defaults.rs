use callslip_ir::{Domain, Parameter, Presence};

use super::Prover;
use crate::Code;
use crate::host::by_choice::ByChoice;
use crate::host::load::Gathered;
use crate::loan::{LoanError, Proving};
use crate::plugin::text_of_json;
use crate::printable::printable;
use crate::select::{self, Finding};

impl Prover<'_> {
    /// Has PostgreSQL read what the plugin wrote of parameters whose types are named, its defaults and examples: only the
    /// types' own input functions can tell whether these are values.
    pub async fn check_named_values(
        &self,
        proving: &Proving<'_>,
        gathered: &mut Gathered,
    ) -> Result<(), LoanError> {
        for (parameter, what, json) in self.written() {
            let written = parameter.ty.type_name();
            let catalog = &self.basis.catalog;
            let types = self.basis.under_each_choice(|path| select::resolve_type(catalog, path, &written));
            let all: Vec<_> = types.iter().map(|(chosen, _)| chosen.clone()).collect();
            let mut found = ByChoice::default();
            for (chosen, ty) in types {
                // Of what is not there a slot is a finding already.
                let Some(ty) = ty else { continue };
                let grants = self.plugin.grants(self.basis, &self.query.name, &chosen);
                let granted = catalog.ty(&ty.schema, &ty.name).is_some_and(|its| grants.ty(its));
                let limits = self.plugin.version.component.engine().limits();
                let Some(text) = text_of_json(parameter, json, limits).filter(|_| granted) else { continue };
                match proving.evaluate(&select::print_constant(&ty), &text).await {
                    Ok(()) => {}
                    Err(LoanError::Failed(postgres)) => {
                        let (name, json) = (printable(&parameter.name, 63), printable(json, 40));
                        let ty = ty.shown(&self.basis.path(&chosen));
                        let message = format!("parameter `{name}` has {what} that is no {ty}: `{json}`");
                        let finding = Finding::new(Code::InvalidConstant, message);
                        found.add(&chosen, finding.with_help(postgres.message()));
                    }
                    Err(error) => return Err(error),
                }
            }
            gathered.take(found, all);
        }
        Ok(())
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
