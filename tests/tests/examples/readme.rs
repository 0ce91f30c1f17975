//! The README's section on embedding shows code of the examples, all that they mark for it, and nothing else; and what the README
//! names is there: files, codes, settings.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}

/// The fenced blocks of the section in this language.
fn blocks(language: &str) -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, section) = readme.split_once("\n## Embed it\n").expect("a section on embedding");
    let (section, _) = section.split_once("\n## ").expect("another one behind it");
    let fence = format!("```{language}\n");
    section.split(&fence).skip(1).map(|block| block.split("```").next().unwrap().to_owned()).collect()
}

fn examples() -> Vec<PathBuf> {
    let folder = root().join("host/examples");
    let files = |folder: &Path| -> Vec<PathBuf> {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
    };
    let all = files(&folder).into_iter();
    all.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// The lines between each `// README: …` and its `// README end`.
fn marked() -> Vec<String> {
    let mut regions = Vec::new();
    for file in examples() {
        let text = std::fs::read_to_string(&file).unwrap();
        for region in text.split("// README: ").skip(1) {
            let (region, _) =
                region.split_once("// README end").unwrap_or_else(|| panic!("{file:?}: {region}"));
            let (name, lines) = region.split_once('\n').unwrap();
            assert!(!name.is_empty() && !lines.contains("// README"), "{file:?}: {region}");
            regions.push(undented(lines));
        }
    }
    regions
}

/// Without the indentation that all lines have.
fn undented(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    let indentation =
        lines.iter().filter(|line| !line.is_empty()).map(|line| line.len() - line.trim_start().len());
    let indentation = indentation.min().unwrap_or(0);
    let lines: Vec<&str> = lines.iter().map(|line| line.get(indentation..).unwrap_or("")).collect();
    lines.join("\n").trim_end().to_owned()
}

#[test]
fn the_section_on_embedding_is_the_code_of_the_examples() {
    let mut shown: Vec<String> = blocks("rust").iter().map(|block| undented(block)).collect();
    let mut marked = marked();
    shown.sort();
    marked.sort();
    assert!(!shown.is_empty());
    for block in &shown {
        assert!(
            marked.contains(block),
            "this is in no example between `// README: …` and `// README end`:\n{block}"
        );
    }
    for region in &marked {
        assert!(
            shown.contains(region),
            "an example marks this for the README, which does not show it:\n{region}"
        );
    }
    assert_eq!(shown.len(), marked.len());
}

#[test]
fn the_features_that_it_names_are_there() {
    let manifest = std::fs::read_to_string(root().join("host/Cargo.toml")).unwrap();
    let (_, features) = manifest.split_once("[features]\n").unwrap();
    let features = features.split("\n[").next().unwrap();
    let [block] = <[String; 1]>::try_from(blocks("toml")).expect("one block");
    let (_, named) = block.split_once("features = [").expect("features");
    let named: Vec<&str> =
        named.split(']').next().unwrap().split(", ").map(|name| name.trim_matches('"')).collect();
    for name in &named {
        assert!(
            features.lines().any(|line| line.starts_with(&format!("{name} = "))),
            "there is no feature {name}"
        );
        // Each example says how it is run with them.
        for example in ["order_preview/main.rs", "own_pool.rs"] {
            let text = std::fs::read_to_string(root().join("host/examples").join(example)).unwrap();
            assert!(text.contains(&format!("--features {}", named.join(","))), "{example}");
        }
    }
}

/// What stands between backticks, of the whole README.
fn quoted() -> Vec<String> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let prose = readme.split("\n```").step_by(2).collect::<String>();
    prose.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

#[test]
fn the_files_that_it_names_are_there() {
    let folders = ["host/", "plugin-sdk/", "example-plugins/", "tests/"];
    let named: Vec<String> = quoted()
        .into_iter()
        .filter(|quoted| folders.iter().any(|folder| quoted.starts_with(folder)) && !quoted.contains(' '))
        .collect();
    assert!(named.len() > 20, "{named:?}");
    for path in named {
        assert!(root().join(&path).exists(), "there is no {path}");
    }
}

#[test]
fn the_codes_that_it_names_are_there() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let mut named = 0;
    for after in readme.split("CS").skip(1) {
        let digits: String = after.chars().take_while(char::is_ascii_digit).collect();
        if digits.is_empty() {
            continue;
        }
        named += 1;
        let code = format!("CS{digits}");
        // Of a kind, the first two digits: `CS11…`.
        let is_one = callslip::Code::ALL.iter().any(|one| match digits.len() {
            4 => one.as_str() == code,
            _ => one.as_str().starts_with(&code) && digits.len() == 2,
        });
        assert!(is_one, "there is no code {code}");
    }
    assert!(named > 10);
    for kind in callslip::Code::ALL.iter().map(|code| &code.as_str()[..4]) {
        assert!(readme.contains(&format!("`{kind}…`")), "the kind {kind}… is not explained");
    }
}

/// What the table of settings names: section, key and default. A section that is named by itself has no key, and a key that is above
/// all sections has none.
fn settings() -> Vec<(String, String, String)> {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, table) = readme.split_once("\n| setting | default |").expect("a table of settings");
    let rows = table.lines().skip(2).take_while(|line| line.starts_with('|'));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let names: Vec<&str> = cells[0].split('`').skip(1).step_by(2).collect();
        let defaults: Vec<&str> = cells[1].split(", ").collect();
        let mut section = String::new();
        let mut settings = Vec::new();
        for (n, name) in names.iter().enumerate() {
            let mut key = *name;
            if let Some(named) = name.strip_prefix('[') {
                let (its, rest) = named.split_once(']').expect("[section] key");
                its.clone_into(&mut section);
                key = rest.trim_start();
            }
            // What they have all is written once.
            let default = if defaults.len() == names.len() { defaults[n] } else { cells[1] };
            settings.push((section.clone(), key.to_owned(), default.trim_matches('`').to_owned()));
        }
        settings
    };
    rows.flat_map(row).collect()
}

#[test]
fn the_settings_that_it_names_are_all_that_there_are_with_their_defaults() {
    let parse = |text: &str| callslip::Config::parse(text, Path::new(""));
    let settings = settings();
    for (section, key, default) in &settings {
        let name = format!("[{section}] {key}");
        let plugin = "[plugins.name]\ncomponent = \"name.wasm\"\n";
        let section = section.replace("NAME", "name").replace("CLAIM", "claim");
        let without = match section.as_str() {
            "plugins.name" => plugin.to_owned(),
            // It does not go without what tokens are checked with.
            section if section.starts_with("identity.jwt") => {
                let jwt = "[identity.jwt]\nalgorithms = [\"ES256\"]\njwks_file = \"jwks.json\"\n";
                if section == "identity.jwt" { jwt.to_owned() } else { format!("{jwt}[{section}]\n") }
            }
            section if section.starts_with("plugins.") => format!("{plugin}[{section}]\n"),
            "" => String::new(),
            section => format!("[{section}]\n"),
        };
        // What a claim is limited to has no default, so that its section does not go without.
        let parsed = || parse(&without).unwrap_or_else(|error| panic!("{name}: {error}"));
        if key.is_empty() {
            parsed();
            assert_eq!(default, "none", "{name}");
            continue;
        }
        // What is told in words is nothing, which can be written where it is a list.
        let value = default.replace(',', "");
        let is_value =
            value.starts_with('"') || value.parse::<u64>().is_ok() || value.parse::<bool>().is_ok();
        let value = if is_value { value } else { "[]".to_owned() };
        match parse(&format!("{without}{key} = {value}\n")) {
            Ok(with) => assert_eq!(with, parsed(), "{name}"),
            Err(error) => {
                let error = error.to_string();
                assert!(!is_value && !error.contains("unknown field"), "{name}: {error}");
            }
        }
    }
    for section in ["catalog", "pool", "limits", "limits.script", "cache", "admin"] {
        let error = parse(&format!("[{section}]\nwhat = 1")).unwrap_err().to_string();
        let (_, expected) = error.split_once("expected").expect("the keys that there are");
        let keys: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
        assert!(keys.len() > 1, "{error}");
        for expected in keys {
            let below = format!("{section}.{expected}");
            let is_named = settings.iter().any(|(its, key, _)| {
                its == section && key == expected || its == &below || its.starts_with(&format!("{below}."))
            });
            assert!(is_named, "the table of settings does not have [{section}] {expected}");
        }
    }
}
