use std::sync::Arc;

use tokio_postgres::Statement;

use super::block::{Block, OpenBlock};
use super::error::LoanError;
use super::run::{BoundStatement, Kept, check_statement, unless_asked};
use super::session::PREPARE_SETTINGS;
use super::start::Start;
use super::statements::Statements;

impl Start<'_, '_> {
    /// Has the session prepare what it has not prepared yet: within a block of a connection that is lent, since an error
    /// would abort its owner's transaction.
    pub(super) async fn prepare(&self) -> Result<Vec<Statement>, LoanError> {
        let Some(block) = self.lent_block() else { return self.prepare_all().await };
        if !self.has_settings() {
            self.prepare_settings(block).await?;
        }
        let open = OpenBlock::begin(self.wire.client(), block, &self.terms).await?;
        self.sends();
        // It may wait for a lock.
        let Some(prepared) = unless_asked(self.prepare_all(), self.stop.as_deref()).await else {
            return Err(open.cancel(self.wire.canceller()).await.err().unwrap_or(LoanError::Cancelled));
        };
        match &prepared {
            Err(LoanError::Lost { .. }) => {}
            _ => open.end().await?,
        }
        prepared
    }

    /// Whether what finds the settings is there, if it is wanted.
    pub(super) fn has_settings(&self) -> bool {
        self.lent_block().is_none() || self.wire.statements().is_some_and(Statements::has_settings)
    }

    /// Prepares it, where the owner's `search_path` still holds.
    async fn prepare_settings(&self, block: Block) -> Result<(), LoanError> {
        let (prepared, ended) = block.around(self.wire.client(), &PREPARE_SETTINGS).await;
        match prepared {
            Ok(_) => {}
            // duplicate_prepared_statement: another host has prepared it.
            Err(LoanError::Failed(error)) if error.sqlstate() == "42P05" => {}
            Err(error) => return Err(error),
        }
        ended?;
        if let Some(statements) = self.wire.statements() {
            statements.set_settings(true);
        }
        Ok(())
    }

    async fn prepare_all(&self) -> Result<Vec<Statement>, LoanError> {
        let mut prepared = Vec::with_capacity(self.statements.len());
        for bound in self.statements.iter() {
            prepared.push(self.prepare_one(bound).await?);
        }
        Ok(prepared)
    }

    async fn prepare_one(&self, bound: &BoundStatement) -> Result<Statement, LoanError> {
        if bound.kept == Kept::Never {
            let statement = self.prepare_anew(&bound.sql).await?;
            return check_statement(&statement, bound).map(|()| statement);
        }
        let statement = self.keep(bound).await?;
        if check_statement(&statement, bound).is_ok() {
            return Ok(statement);
        }
        // It may have been prepared before a migration that the caller's proof already knows.
        self.forget(&bound.sql);
        let statement = self.keep(bound).await?;
        check_statement(&statement, bound).map(|()| statement)
    }

    /// The statement of this text, prepared now if it is not yet.
    async fn keep(&self, BoundStatement { sql, kept, .. }: &BoundStatement) -> Result<Statement, LoanError> {
        match (self.known(sql), self.wire.statements()) {
            (Some(statement), _) => Ok(statement),
            (None, Some(statements)) => {
                Ok(statements.prepare(self.wire.client(), sql, *kept == Kept::Sparingly).await?)
            }
            (None, None) => self.prepare_anew(sql).await,
        }
    }

    /// A statement that is closed when it is dropped.
    async fn prepare_anew(&self, sql: &Arc<str>) -> Result<Statement, LoanError> {
        let client = self.wire.client();
        Ok(match self.wire.statements() {
            Some(statements) => statements.prepare_once(client, sql).await?,
            None => client.prepare(sql).await?,
        })
    }

    pub(super) fn known(&self, sql: &str) -> Option<Statement> {
        self.wire.statements()?.get(sql)
    }

    fn forget(&self, sql: &str) {
        if let Some(statements) = self.wire.statements() {
            statements.forget(sql);
        }
    }

    /// Has all of the statements prepared anew when they are next run, and what sets up their block.
    pub(super) fn forget_all(&self) {
        for bound in self.statements.iter() {
            self.forget(&bound.sql);
        }
        if let Some(statements) = self.wire.statements() {
            statements.set_settings(false);
        }
    }
}
