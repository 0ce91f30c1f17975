use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use super::{ConfigError, PluginConfig};

/// Adds the plugins of a folder: each `NAME.wasm`, with what `NAME.toml` says of it. What begins with a dot is left alone.
pub(super) fn add(folder: &Path, plugins: &mut BTreeMap<String, PluginConfig>) -> Result<(), ConfigError> {
    let unreadable = |error| ConfigError::Unreadable { path: folder.to_owned(), error };
    let mut components: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden && path.extension().is_some_and(|extension| extension == "wasm") {
            components.push(path);
        }
    }
    components.sort();
    for component in components {
        let Some(name) = component.file_stem().and_then(|name| name.to_str()).map(str::to_owned) else {
            return Err(ConfigError::PluginName(component.display().to_string()));
        };
        let plugin = read(&component)?;
        if plugins.insert(name.clone(), plugin).is_some() {
            let wrong = format!("is in the plugin_folder, too ({})", component.display());
            return Err(ConfigError::Names { key: format!("plugins.{name}"), wrong });
        }
    }
    Ok(())
}

/// What is said of a component by the file beside it.
fn read(component: &Path) -> Result<PluginConfig, ConfigError> {
    let path = component.with_extension("toml");
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(ConfigError::Unreadable { path, error }),
    };
    let folder = component.parent().unwrap_or(Path::new(""));
    let invalid = |error: String| ConfigError::Invalid { path: path.clone(), error };
    let mut plugin: PluginConfig = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    if !plugin.component.as_os_str().is_empty() {
        return Err(invalid(format!("`component` is not said here: it is {}", component.display())));
    }
    plugin.resolve(folder);
    plugin.component = component.to_owned();
    Ok(plugin)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Config;

    /// A folder of plugins with these files, and a configuration of it with this text.
    fn parse(files: &[(&str, &str)], text: &str) -> Result<Config, ConfigError> {
        let folder = tempfile::tempdir().unwrap();
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).unwrap();
        files.iter().for_each(|(name, text)| fs::write(plugins.join(name), text).unwrap());
        Config::parse(&format!("plugin_folder = \"plugins\"\n{text}"), folder.path())
    }

    #[test]
    fn each_component_of_the_folder_is_a_plugin_as_the_file_beside_it_says() {
        let files = [
            ("a.wasm", ""),
            (
                "a.toml",
                "sha256 = \"SHA\"\nsignature = \"a.sig\"\npublic_key = \"KEY\"\n[grants]\nrelations = [\"t\"]\n",
            ),
            ("b.wasm", ""),
            (".c.wasm", ""),
            ("d.toml", "what = 1"),
            ("e.wasm.new", ""),
        ];
        let mut files = files.map(|(name, text)| (name, text.replace("SHA", &"ab".repeat(32))));
        files[1].1 = files[1].1.replace("KEY", "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3");
        let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (*name, text.as_str())).collect();
        let config = parse(&files, "[plugins.listed]\ncomponent = \"listed.wasm\"").unwrap();
        assert_eq!(config.plugins.keys().collect::<Vec<_>>(), ["a", "b", "listed"]);
        let folder = config.plugin_folder.unwrap();
        assert_eq!(config.plugins["a"].component, folder.join("a.wasm"));
        assert_eq!(config.plugins["a"].signature(), folder.join("a.sig"));
        assert_eq!(config.plugins["a"].grants.relations, ["t"]);
        assert_eq!(
            config.plugins["b"],
            PluginConfig { component: folder.join("b.wasm"), ..PluginConfig::default() }
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_file_and_line() {
        let error = |files: &[(&str, &str)], text: &str| parse(files, text).unwrap_err().to_string();
        let said = error(&[("a.wasm", ""), ("a.toml", "[grants]\ntables = []\n")], "");
        assert!(
            said.contains("a.toml can't be used") && said.contains("line 2") && said.contains("tables"),
            "{said}"
        );
        let said = error(&[("a.wasm", ""), ("a.toml", "component = \"b.wasm\"\n")], "");
        assert!(said.contains("a.toml can't be used: `component` is not said here"), "{said}");
        let said = error(&[("a.wasm", "")], "[plugins.a]\ncomponent = \"a.wasm\"\n");
        assert!(said.contains("plugins.a is in the plugin_folder, too"), "{said}");
        assert!(error(&[("A b.wasm", "")], "").contains("the plugin name \"A b\" is not"));
        assert!(
            Config::parse("plugin_folder = \"nowhere\"", Path::new(""))
                .unwrap_err()
                .to_string()
                .contains("nowhere can't be read")
        );
    }
}
