use super::{Settings, SettingsError};

/// Reads libpq's two forms: `postgresql://…` and `keyword=value …`.
pub(super) fn parse(text: &str, origin: &str, settings: &mut Settings) -> Result<(), SettingsError> {
    match text.strip_prefix("postgresql://").or_else(|| text.strip_prefix("postgres://")) {
        Some(rest) => parse_url(rest, origin, settings),
        None if text.contains('=') => parse_keywords(text, origin, settings),
        None => Err(SettingsError::malformed(
            origin,
            "neither a URL (postgresql://user@host/database) nor a list of keyword=value",
        )),
    }
}

fn parse_url(rest: &str, origin: &str, settings: &mut Settings) -> Result<(), SettingsError> {
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, database) = rest.split_once('/').unwrap_or((rest, ""));
    let (credentials, servers) = authority
        .split_once('@')
        .map_or((None, authority), |(credentials, servers)| (Some(credentials), servers));
    let mut add = |keyword: &str, value: &str| {
        let value = decode(value).ok_or_else(|| {
            SettingsError::malformed(
                origin,
                format!("{keyword} has a % that two hex digits don't follow, or is not UTF-8"),
            )
        })?;
        settings.add(keyword.to_owned(), value, origin)
    };
    if let Some(credentials) = credentials {
        let (user, password) = credentials.split_once(':').map_or((credentials, None), |(u, p)| (u, Some(p)));
        if !user.is_empty() {
            add("user", user)?;
        }
        if let Some(password) = password {
            add("password", password)?;
        }
    }
    if !servers.is_empty() {
        let (mut hosts, mut ports) = (Vec::new(), Vec::new());
        for server in servers.split(',') {
            let (host, port) = split_server(server).ok_or_else(|| {
                SettingsError::malformed(origin, "an IPv6 address in [brackets] does not end as it should")
            })?;
            hosts.push(host);
            ports.push(port);
        }
        if hosts.iter().any(|host| !host.is_empty()) {
            add("host", &hosts.join(","))?;
        }
        if ports.iter().any(|port| !port.is_empty()) {
            add("port", &ports.join(","))?;
        }
    }
    if !database.is_empty() {
        add("dbname", database)?;
    }
    for pair in query.into_iter().flat_map(|query| query.split('&')).filter(|pair| !pair.is_empty()) {
        match pair.split_once('=') {
            // JDBC's word for it.
            Some(("ssl", "true")) => add("sslmode", "require")?,
            Some((keyword, value)) => add(keyword, value)?,
            None => {
                return Err(SettingsError::malformed(origin, "a setting after the ? has no \"=\""));
            }
        }
    }
    Ok(())
}

/// The host and port of `host:port`, `[v6]:port` and the like.
fn split_server(server: &str) -> Option<(&str, &str)> {
    if let Some(rest) = server.strip_prefix('[') {
        let (host, after) = rest.split_once(']')?;
        return match after.strip_prefix(':') {
            Some(port) => Some((host, port)),
            None => after.is_empty().then_some((host, "")),
        };
    }
    Some(server.split_once(':').unwrap_or((server, "")))
}

fn parse_keywords(text: &str, origin: &str, settings: &mut Settings) -> Result<(), SettingsError> {
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let Some((keyword, after)) = rest.split_once('=') else {
            return Err(SettingsError::malformed(origin, "a keyword has no \"=\" after it"));
        };
        let keyword = keyword.trim_end();
        if keyword.is_empty() || keyword.contains(char::is_whitespace) {
            return Err(SettingsError::malformed(origin, "a keyword has no \"=\" after it"));
        }
        let (value, after) = take_value(after.trim_start()).ok_or_else(|| {
            SettingsError::malformed(origin, format!("the quoted value of {keyword} has no end"))
        })?;
        settings.add(keyword.to_owned(), value, origin)?;
        rest = after.trim_start();
    }
    Ok(())
}

/// A value, quoted or not, with its backslashes resolved, and what follows it.
fn take_value(text: &str) -> Option<(String, &str)> {
    let quoted = text.starts_with('\'');
    let body = if quoted { &text[1..] } else { text };
    let mut value = String::new();
    let mut characters = body.char_indices();
    while let Some((position, character)) = characters.next() {
        match character {
            '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
            '\'' if quoted => return Some((value, &body[position + 1..])),
            space if !quoted && space.is_whitespace() => return Some((value, &body[position..])),
            other => value.push(other),
        }
    }
    (!quoted).then_some((value, ""))
}

/// Resolves `%41`. None, if a `%` is followed by something else or the result is not UTF-8.
fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let [high, low, after @ ..] = rest else { return None };
        let digit = |byte: u8| char::from(byte).to_digit(16);
        bytes.push(u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// The reverse of [`decode`], for what would otherwise end a part of a URL.
pub(super) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '%' | '/' | '@' | ':' | '?' | '#' | '&' | '=' | ',' | ' ' => {
                encoded.push_str(&format!("%{:02X}", u32::from(character)));
            }
            control if control.is_control() => encoded.push('\u{fffd}'),
            other => encoded.push(other),
        }
    }
    encoded
}
