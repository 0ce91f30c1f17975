use std::path::{Path, PathBuf};

use super::{Settings, SettingsError};

/// Where Debian's libpq looks when `PGSYSCONFDIR` is not set.
const SYSTEM_FOLDER: &str = "/etc/postgresql-common";

/// Adds what the service file says of a service: the user's own file first, then the system's.
pub(super) fn add_service(
    service: &str,
    origin: &str,
    environment: &dyn Fn(&str) -> Option<String>,
    settings: &mut Settings,
) -> Result<(), SettingsError> {
    let set = |name| environment(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let named = set("PGSERVICEFILE");
    let system = set("PGSYSCONFDIR").unwrap_or_else(|| SYSTEM_FOLDER.into()).join("pg_service.conf");
    let own = named.clone().or_else(|| set("HOME").map(|home| home.join(".pg_service.conf")));
    let mut searched = Vec::new();
    for path in own.into_iter().chain([system]) {
        searched.push(path.display().to_string());
        match std::fs::read_to_string(&path) {
            Ok(text) if read_service(&text, &path, service, settings)? => return Ok(()),
            Ok(_) => {}
            // Only a file that was asked for by name has to exist.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && named.as_ref() != Some(&path) => {}
            Err(error) => return Err(SettingsError::Unreadable { path: path.display().to_string(), error }),
        }
    }
    Err(SettingsError::UnknownService {
        origin: origin.to_owned(),
        service: service.to_owned(),
        searched: searched.join(" or "),
    })
}

/// Adds the settings of the section `[service]`. Says whether there is one.
fn read_service(
    text: &str,
    path: &Path,
    service: &str,
    settings: &mut Settings,
) -> Result<bool, SettingsError> {
    let mut found = false;
    for (number, line) in text.lines().enumerate().map(|(number, line)| (number + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(section) = line.strip_prefix('[') {
            if found {
                break;
            }
            found = section.strip_suffix(']') == Some(service);
            continue;
        }
        if !found {
            continue;
        }
        let origin = format!("{}:{number}", path.display());
        match line.split_once('=').map(|(keyword, value)| (keyword.trim(), value.trim())) {
            Some(("service", _)) => {
                return Err(SettingsError::malformed(&origin, "a service can't name another service"));
            }
            Some((keyword, value)) => settings.add(keyword.to_owned(), value.to_owned(), &origin)?,
            None => {
                return Err(SettingsError::malformed(
                    &origin,
                    "a line is neither [service] nor keyword=value",
                ));
            }
        }
    }
    Ok(found)
}
