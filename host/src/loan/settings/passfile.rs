use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;

use super::{SOCKET_FOLDERS, Server, Settings, SettingsError};

/// The password for the first of `servers` that the password file has a line for. As libpq does, a file that is
/// absent, no plain file, or readable by others is passed over; the last two with a warning.
pub(super) fn password(
    settings: &Settings,
    environment: &dyn Fn(&str) -> Option<String>,
    servers: &[Server],
    database: &str,
    user: &str,
) -> Result<Option<String>, SettingsError> {
    let named = settings.get("passfile").map(|setting| PathBuf::from(&setting.value));
    let home = || environment("HOME").filter(|home| !home.is_empty());
    let Some(path) = named.or_else(|| home().map(|home| PathBuf::from(home).join(".pgpass"))) else {
        return Ok(None);
    };
    let unreadable = |error| SettingsError::Unreadable { path: path.display().to_string(), error };
    let metadata = match std::fs::metadata(&path) {
        Ok(metadata) => metadata,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(unreadable(error)),
    };
    if !metadata.is_file() {
        tracing::warn!(path = %path.display(), "the password file is not a plain file and was not read");
        return Ok(None);
    }
    if metadata.mode() & 0o077 != 0 {
        tracing::warn!(
            path = %path.display(),
            "the password file can be read by others and was not used; chmod 600 it"
        );
        return Ok(None);
    }
    let text = std::fs::read_to_string(&path).map_err(unreadable)?;
    Ok(servers.iter().find_map(|server| find(&text, server, database, user)))
}

fn find(text: &str, server: &Server, database: &str, user: &str) -> Option<String> {
    let address = server.address.map(|address| address.to_string());
    let host = match &address {
        _ if SOCKET_FOLDERS.contains(&server.host.as_str()) => "localhost",
        Some(address) if server.host.is_empty() => address,
        _ => &server.host,
    };
    let port = server.port.to_string();
    text.lines().filter(|line| !line.starts_with('#')).find_map(|line| {
        let fields = split(line);
        let wanted = [host, &port, database, user];
        let matches = fields.len() == 5
            && wanted
                .iter()
                .zip(&fields)
                .all(|(wanted, (pattern, escaped))| pattern == wanted || (pattern == "*" && !escaped));
        matches.then(|| fields[4].0.clone()).filter(|password| !password.is_empty())
    })
}

/// The fields of a line, with `\:` and `\\` resolved, and whether each had an escape. The fifth goes on to the
/// end of the line, but for an unescaped colon.
fn split(line: &str) -> Vec<(String, bool)> {
    let mut fields = vec![(String::new(), false)];
    let mut characters = line.trim_end_matches('\r').chars();
    while let Some(character) = characters.next() {
        let last = fields.len() - 1;
        let (field, escaped) = &mut fields[last];
        match character {
            '\\' => {
                *escaped = true;
                field.push(characters.next().unwrap_or('\\'));
            }
            ':' if last == 4 => break,
            ':' => fields.push((String::new(), false)),
            other => field.push(other),
        }
    }
    fields
}
