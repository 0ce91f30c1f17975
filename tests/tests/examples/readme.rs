//! The README's section on embedding shows code of the examples, all that they mark for it, and nothing else.

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
