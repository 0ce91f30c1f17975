/// The channel on which a database says that its schema changed. Nothing but that is said on it.
pub const CHANNEL: &str = "callslip_catalog";

/// What makes a database say so: SQL for a superuser, one transaction, which may be run again.
pub const INSTALL_NOTIFY: &str = include_str!("notify.sql");

/// What takes that back: SQL for a superuser, one transaction.
pub const REMOVE_NOTIFY: &str = include_str!("notify_remove.sql");

#[cfg(test)]
mod tests {
    use super::{CHANNEL, INSTALL_NOTIFY};

    #[test]
    fn what_is_installed_speaks_on_the_channel_that_is_listened_to() {
        assert!(INSTALL_NOTIFY.contains(&format!("pg_notify('{CHANNEL}', '')")));
    }
}
