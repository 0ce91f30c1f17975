use std::io::{self, Write};

use super::name;
use crate::cli::explain;
use crate::drift::{AffectedShapes, BrokenQuery, ChangedReply, Drift, TriedInPart};
use crate::printable::printable;

/// How many shapes of a query are named: people read no more.
const SHOWN_SHAPES: usize = 8;

/// A line for each change, with what it does to queries below it. `has_plugins` is whether there was any to try.
pub(super) fn print(out: &mut impl Write, drift: &Drift, has_plugins: bool) -> io::Result<()> {
    for effect in &drift.effects {
        line(out, 0, &effect.change.to_string())?;
        effect.breaks.iter().try_for_each(|broken| print_broken(out, 1, "breaks", broken))?;
        effect.replies.iter().try_for_each(|reply| print_reply(out, 1, reply))?;
    }
    if drift.effects.is_empty() {
        line(out, 0, "no differences")?;
    }
    drift.breaks.iter().try_for_each(|broken| print_broken(out, 0, "also breaks", broken))?;
    drift.replies.iter().try_for_each(|reply| print_reply(out, 0, reply))?;
    for broken in &drift.refused {
        print_broken(out, 0, "the database refuses, and may have before,", broken)?;
    }
    for broken in &drift.broken_before {
        print_broken(out, 0, "broken before, and still:", broken)?;
    }
    for (plugin, query) in &drift.mended {
        line(out, 0, &format!("mended: {}", name(plugin, query.as_deref())))?;
    }
    for refusal in &drift.untried {
        line(out, 0, &format!("the plugin {} could not be tried:", refusal.plugin))?;
        for found in &refusal.findings {
            line(out, 1, &found.finding.to_string())?;
        }
    }
    for TriedInPart { plugin, query, tried, total } in &drift.in_part {
        let name = name(plugin, Some(query));
        let tried = match (tried, total) {
            (Some(tried), Some(total)) => format!("only {tried} of the {total} shapes of {name} were tried"),
            _ => format!("{name} is open: only its examples were tried"),
        };
        line(out, 0, &tried)?;
    }
    if drift.effects.is_empty() && drift.broken() == 0 {
        return Ok(());
    }
    let changes = match drift.effects.len() {
        1 => "1 change".to_owned(),
        changes => format!("{changes} changes"),
    };
    let broken = match drift.broken() {
        _ if !has_plugins => "no plugin is configured, so no query was tried".to_owned(),
        0 => "no query breaks".to_owned(),
        1 => "1 query breaks".to_owned(),
        broken => format!("{broken} queries break"),
    };
    writeln!(out)?;
    line(out, 0, &format!("{changes}; {broken}"))
}

fn print_broken(out: &mut impl Write, indent: usize, verb: &str, broken: &BrokenQuery) -> io::Result<()> {
    let of = match broken.query {
        Some(_) => shapes(&broken.shapes),
        None => " by what it is granted".to_owned(),
    };
    line(out, indent, &format!("{verb} {}{of}", name(&broken.plugin, broken.query.as_deref())))?;
    broken.findings.iter().try_for_each(|finding| line(out, indent + 1, &finding.to_string()))
}

fn print_reply(out: &mut impl Write, indent: usize, reply: &ChangedReply) -> io::Result<()> {
    let query = name(&reply.plugin, Some(&reply.query));
    let of = shapes(&reply.shapes);
    let statement = match reply.statement.as_str() {
        "" => String::new(),
        name => format!("{name}, "),
    };
    if reply.columns.is_empty() {
        return line(out, indent, &format!("changes the SQL of {query}{of}: {statement}not its columns"));
    }
    let columns = reply.columns.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    line(out, indent, &format!("changes the reply of {query}{of}: {statement}{columns}"))
}

/// Which shapes, where it is not all of them: ` in 2 of its 4 shapes: …`.
fn shapes(shapes: &AffectedShapes) -> String {
    let (affected, of) = (shapes.affected.len(), shapes.of);
    let mut text = String::new();
    if !shapes.is_all() {
        let tried = match shapes.total {
            Some(total) if total == of as u128 => format!("its {of} shapes"),
            Some(_) => format!("its {of} shapes that proved"),
            None => format!("its {of} examples"),
        };
        let mut named: Vec<String> = shapes.affected.iter().take(SHOWN_SHAPES).map(explain::shape).collect();
        if affected > SHOWN_SHAPES {
            named.push(format!("and {} more; --json has all", affected - SHOWN_SHAPES));
        }
        text = format!(" in {affected} of {tried} ({})", named.join("; "));
    }
    if shapes.total.is_none() {
        text.push_str(" (open: only its examples were tried)");
    }
    text
}

fn line(out: &mut impl Write, indent: usize, text: &str) -> io::Result<()> {
    writeln!(out, "{:width$}{}", "", printable(text, usize::MAX), width = indent * 2)
}
