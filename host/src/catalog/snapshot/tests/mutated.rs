use super::super::*;
use super::whole::contents;

/// Whatever becomes of a file, reading it gives a snapshot or an error. A snapshot can be written and read again, and proven
/// against.
fn survives(text: &str) {
    if let Ok(snapshot) = Snapshot::read(text) {
        let written = snapshot.to_json();
        let again = Snapshot::read(&written).unwrap_or_else(|error| panic!("{error}\n{text}\n{written}"));
        assert_eq!(again.to_json(), written);
        _ = snapshot.contents.readable();
    }
}

#[test]
fn a_file_that_was_changed_by_hand_is_read_or_refused() {
    let text = Snapshot::of_everything(contents(), vec!["app".into()], |_| true).to_json();
    let lines: Vec<&str> = text.lines().collect();
    let with = |at: usize, line: &str| {
        let mut changed = lines.clone();
        changed[at] = line;
        changed.join("\n")
    };
    let mut tried = 0;
    for (at, line) in lines.iter().enumerate() {
        let twice = format!("{},\n{line}", line.trim_end_matches(','));
        let mut variants =
            vec![String::new(), twice, line.trim_end_matches(',').to_owned(), format!("{line},")];
        // Each value as another, and each character gone.
        for (from, to) in [
            ("true", "false"),
            ("\"", ""),
            ("app.", "pg_catalog."),
            ("app.", "app.app."),
            ("app", "nowhere"),
            ("int4", "text"),
            ("[]", ""),
            ("int4", "int4[]"),
            ("[", "[["),
            ("{", "[{"),
            ("}", "}}"),
            ("event", "code"),
            ("text", "app.event[]"),
            ("app.point", "app.code"),
            ("event", "mood"),
            ("1", "-1"),
            ("1", "99999999999999999999"),
            ("2", "null"),
            (": \"", ": [\""),
            (": ", ": null, \"x\": "),
            ("domain", "range"),
            ("composite", "enum"),
            ("base", "subtype"),
            ("\"name\"", "\"kind\""),
            ("view", "table"),
            ("partitioned_table", "view"),
            ("text", "text\\u0000"),
            ("(", "(("),
            (")", ""),
        ] {
            if line.contains(from) {
                variants.push(line.replace(from, to));
                variants.push(line.replacen(from, to, 1));
            }
        }
        for variant in variants {
            survives(&with(at, &variant));
            tried += 1;
        }
        // Cut within the line, and with the line cut.
        for end in (0..line.len()).step_by(7).filter(|&end| line.is_char_boundary(end)) {
            survives(&with(at, &line[..end]));
            survives(&[&lines[..at].join("\n"), &line[..end]].concat());
        }
        // Lines in another order.
        if at > 0 {
            let mut swapped = lines.clone();
            swapped.swap(at - 1, at);
            survives(&swapped.join("\n"));
        }
    }
    assert!(tried > 1_000, "{tried}");
}
