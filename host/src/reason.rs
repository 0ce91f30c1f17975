use std::error::Error;

/// What PostgreSQL said, or the error with its cause: the driver's own message is only "db error". Not for errors about
/// statements, whose words can hold data.
pub(crate) fn reason(error: &tokio_postgres::Error) -> String {
    if let Some(said) = error.as_db_error() {
        return format!("{} (SQLSTATE {})", said.message(), said.code().code());
    }
    let mut reason = error.to_string();
    if let Some(cause) = error.source() {
        let cause = cause.to_string();
        if !reason.contains(&cause) {
            reason.push_str(": ");
            reason.push_str(&cause);
        }
    }
    reason
}
