use tokio_postgres::types::Type;
use tokio_postgres::{Client, Row};

use super::bind::TextValue;
use super::error::LoanError;
use super::owner::{self, Owner};

/// What row-level security is to know of who makes a call: settings for its policies to read (`current_setting('app.company',
/// true)`), and the role with whose rights the statements run.
///
/// All of it is set in the block of the run and for that block alone (`set_config(…, true)`, `SET LOCAL ROLE`), so that the next
/// run finds nothing of it, however this one ends; on what is lent the owner's own values are back. It is sent with the statements:
/// a run with a caller takes no round trip more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Caller {
    settings: Vec<(String, String)>,
    role: Option<String>,
}

impl Caller {
    /// A caller with these settings, by name and value, and of this role, if it is to be another than the session's. The
    /// settings should be the same ones for every caller: what is not set has the value that the session has.
    pub fn new(settings: Vec<(String, String)>, role: Option<String>) -> Self {
        Self { settings, role }
    }

    /// A caller of whom nothing is known but its role.
    pub fn of_role(role: &str) -> Self {
        Self::new(Vec::new(), Some(role.to_owned()))
    }

    pub(super) fn role(&self) -> Option<&str> {
        self.role.as_deref()
    }

    /// Sets all of it for the rest of a block, and gives what [`Caller::found`] reads. The values are parameters, as all values are.
    pub(super) async fn set(&self, client: &Client) -> Result<Vec<Row>, tokio_postgres::Error> {
        // The role comes last: the login has set all else.
        let role = self.role.iter().map(|role| ("role", role.as_str()));
        let settings = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let settings: Vec<(&str, &str)> = settings.chain(role).collect();
        let set = (0..settings.len()).map(|position| {
            format!("pg_catalog.set_config(${}, ${}, true), ", 2 * position + 1, 2 * position + 2)
        });
        let sql = format!("SELECT {}{}", set.collect::<String>(), owner::COLUMNS);
        let values: Vec<TextValue<'_>> = settings
            .iter()
            .flat_map(|(name, value)| [TextValue::new(Some(name)), TextValue::new(Some(value))])
            .collect();
        let typed: Vec<_> = values
            .iter()
            .map(|value| (value as &(dyn tokio_postgres::types::ToSql + Sync), Type::TEXT))
            .collect();
        client.query_typed(&sql, &typed).await
    }

    /// With whose rights statements run after that.
    ///
    /// # Errors
    /// [`LoanError::Lost`], if they are not those of the role.
    pub(super) fn found(&self, rows: &[Row]) -> Result<Owner, LoanError> {
        let found = rows.first().and_then(Owner::of_row).ok_or_else(LoanError::unknown_role)?;
        match &self.role {
            Some(role) if *role != found.role => Err(LoanError::unknown_role()),
            _ => Ok(found),
        }
    }

    /// The SQL that sets the role alone, before a question about it.
    pub(super) fn set_role(&self) -> String {
        match &self.role {
            Some(role) => format!("SET LOCAL ROLE \"{}\"; ", role.replace('"', "\"\"")),
            None => String::new(),
        }
    }

    /// Why it could not be set.
    pub(super) fn not_set(&self, error: LoanError) -> LoanError {
        match error {
            LoanError::Failed(error) => LoanError::CallerNotSet { role: self.role.clone(), error },
            other => other,
        }
    }
}
