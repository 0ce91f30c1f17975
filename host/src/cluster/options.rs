use std::time::Duration;

use super::{Binaries, ClusterError};

/// How a [`super::Cluster`] is made.
#[derive(Clone, Debug)]
pub struct ClusterOptions {
    pub(super) settings: Vec<(String, String)>,
    pub(super) loopback_port: Option<u16>,
    pub(super) timeout: Duration,
    pub(super) binaries: Option<Binaries>,
}

/// What every cluster is started with. Its data is not kept, so none of it needs to reach the disk.
const SETTINGS: &[(&str, &str)] = &[
    ("listen_addresses", ""),
    // Set here because PGPORT and the machine's own configuration would change them.
    ("port", "5432"),
    ("timezone", "UTC"),
    ("log_timezone", "UTC"),
    ("log_destination", "stderr"),
    ("logging_collector", "off"),
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("wal_level", "minimal"),
    ("max_wal_senders", "0"),
    ("max_wal_size", "2GB"),
];

impl Default for ClusterOptions {
    /// No settings beside the cluster's own, 60 seconds, the programs that [`Binaries::find`] finds.
    fn default() -> Self {
        Self { settings: Vec::new(), loopback_port: None, timeout: Duration::from_secs(60), binaries: None }
    }
}

impl ClusterOptions {
    /// Adds a server setting, as in `postgresql.conf`. A later one wins over an earlier one, and over the cluster's own:
    /// `fsync`, `synchronous_commit` and `full_page_writes` are off, `timezone` is UTC. Where the server listens is not
    /// an option.
    #[must_use]
    pub fn setting(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.settings.push((name.into(), value.into()));
        self
    }

    /// Has the server listen on this port of 127.0.0.1, too, where nobody is let in before `pg_hba.conf` says so. Its socket then
    /// has that port in its name.
    #[must_use]
    pub fn loopback_port(mut self, port: u16) -> Self {
        self.loopback_port = Some(port);
        self
    }

    /// How long the server may take until it is ready.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Which programs to run.
    #[must_use]
    pub fn binaries(mut self, binaries: Binaries) -> Self {
        self.binaries = Some(binaries);
        self
    }

    /// The lines for `postgresql.conf`.
    pub(super) fn server_settings(&self) -> Result<String, ClusterError> {
        let own = SETTINGS.iter().copied();
        let added = self.settings.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let mut lines: String =
            own.chain(added).map(|(name, value)| line(name, value)).collect::<Result<_, _>>()?;
        if let Some(port) = self.loopback_port {
            lines.push_str(&format!("listen_addresses = '127.0.0.1'\nport = {port}\n"));
        }
        Ok(lines)
    }
}

fn line(name: &str, value: &str) -> Result<String, ClusterError> {
    let refuse = |reason| Err(ClusterError::InvalidSetting { name: name.to_owned(), reason });
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'.') {
        return refuse("a name has only letters, digits, `_` and `.`");
    }
    if value.contains(['\n', '\r', '\0']) {
        return refuse("its value is more than one line");
    }
    if ["unix_socket_directories", "port", "listen_addresses"]
        .iter()
        .any(|own| own.eq_ignore_ascii_case(name))
        && !SETTINGS.contains(&(name, value))
    {
        return refuse("a private cluster listens only on the socket in its folder");
    }
    Ok(format!("{name} = '{}'\n", value.replace('\\', "\\\\").replace('\'', "''")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(name: &str, value: &str) -> Result<String, ClusterError> {
        ClusterOptions::default().setting(name, value).server_settings()
    }

    #[test]
    fn an_added_setting_comes_after_our_own_and_is_quoted() {
        let lines = settings("log_line_prefix", r"it's \n").unwrap();
        assert!(lines.ends_with("log_line_prefix = 'it''s \\\\n'\n"), "{lines}");
        assert!(lines.starts_with("listen_addresses = ''\n"), "{lines}");
    }

    #[test]
    fn a_setting_is_one_line_and_no_second_way_in() {
        for (name, value) in [
            ("", "x"),
            ("a b", "x"),
            ("a'\nlisten_addresses", "*"),
            ("work_mem", "1MB\nlisten_addresses = '*'"),
            ("work_mem", "1\0"),
            ("listen_addresses", "*"),
            ("Listen_Addresses", "*"),
            ("unix_socket_directories", "/tmp"),
        ] {
            assert!(
                matches!(settings(name, value), Err(ClusterError::InvalidSetting { .. })),
                "{name:?} {value:?}"
            );
        }
    }
}
