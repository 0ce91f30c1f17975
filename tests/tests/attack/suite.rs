//! What an attack is, how it is run, and the table that is printed.

use std::any::Any;
use std::pin::Pin;
use std::time::{Duration, Instant};

use futures_util::FutureExt;

use crate::lines::{LINES, Line};

/// Something that is done to a host, or to what stands there without one.
type Deed<T> = Pin<Box<dyn Future<Output = T>>>;

/// One thing that a plugin tries. It panics where it is not contained: where the refusal is another one, or what was attacked
/// is harmed.
pub struct Attack {
    /// The line of [`LINES`] that it is of.
    pub line: &'static str,
    /// What is tried.
    pub name: String,
    /// Does it to the host, and says what refused it and when.
    pub attack: Deed<Contained>,
    /// Does it where there is no host, and says what came of it. It panics if nothing did: such an attack proves nothing.
    pub twin: Deed<String>,
}

/// How an attack failed.
pub struct Contained {
    /// The code of the refusal, or what else kept it from doing harm.
    pub by: String,
    /// From when it began until it was over for its caller.
    pub took: Duration,
}

impl Attack {
    pub fn new(
        line: &'static str,
        name: impl Into<String>,
        attack: impl Future<Output = Contained> + 'static,
        twin: impl Future<Output = String> + 'static,
    ) -> Self {
        Self { line, name: name.into(), attack: Box::pin(attack), twin: Box::pin(twin) }
    }

    async fn run(self) -> Row {
        let Self { line, name, attack, twin } = self;
        let contained =
            std::panic::AssertUnwindSafe(attack).catch_unwind().await.map_err(|panic| words(&*panic));
        let twin = std::panic::AssertUnwindSafe(twin).catch_unwind().await.map_err(|panic| words(&*panic));
        Row { line, name, contained, twin }
    }
}

/// What a panic said.
fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked").to_owned()
}

struct Row {
    line: &'static str,
    name: String,
    contained: Result<Contained, String>,
    twin: Result<String, String>,
}

/// Runs a future, and tells how long it took.
pub async fn timed<T>(deed: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    let done = deed.await;
    (done, began.elapsed())
}

/// Runs the attacks whose name or line has one of these texts in it, prints a row for each and a summary, and says what is wrong.
///
/// None of these wants all of them.
pub async fn run(attacks: Vec<Attack>, wanted: &[String]) -> Vec<String> {
    let began = Instant::now();
    let (mut lines, mut ran, mut contained, mut succeeded) = (0, 0, 0, 0);
    let mut wrong = Vec::new();
    for attack in &attacks {
        if !LINES.iter().any(|line| line.id == attack.line) {
            wrong.push(format!("{}: there is no line {:?}", attack.name, attack.line));
        }
    }
    let is_wanted = |attack: &Attack| {
        let has = |wanted: &String| attack.name.contains(wanted) || attack.line.contains(wanted);
        wanted.is_empty() || wanted.iter().any(has)
    };
    let mut attacks = attacks.into_iter().map(Some).collect::<Vec<_>>();
    for (table, title) in [("containment", "What a component tries"), ("dangers", "What a description tries")]
    {
        println!(
            "\n{title}\n{}",
            printed(["attack", "refused by", "contained in", "twin, where there is no host"])
        );
        for Line { id, .. } in LINES.iter().filter(|line| line.table == table) {
            let of_line = |attack: &Option<Attack>| attack.as_ref().is_some_and(|attack| attack.line == *id);
            if !attacks.iter().any(of_line) {
                println!("· {id}\n  NOTHING ATTACKS THIS");
                wrong.push(format!("the line {id:?} has no attack"));
            }
            let of_line = |attack: &Attack| attack.line == *id && is_wanted(attack);
            let its: Vec<_> =
                attacks.iter_mut().filter_map(|attack| attack.take_if(|attack| of_line(attack))).collect();
            if its.is_empty() {
                continue;
            }
            lines += 1;
            println!("· {id}");
            for attack in its {
                let row = attack.run().await;
                println!("{}", row.printed());
                ran += 1;
                contained += usize::from(row.contained.is_ok());
                succeeded += usize::from(row.twin.is_ok());
                wrong.extend(row.wrong());
            }
        }
    }
    println!(
        "\n{lines} of {} lines, {ran} attacks, {:.0} s: {contained} contained, {} not; {succeeded} twins succeeded, {} failed",
        LINES.len(),
        began.elapsed().as_secs_f64(),
        ran - contained,
        ran - succeeded,
    );
    if !wanted.is_empty() && ran == 0 {
        wrong.push(format!("no attack has {} in its name or line", wanted.join(" or ")));
    }
    for wrong in &wrong {
        println!("\nwrong: {wrong}");
    }
    wrong
}

impl Row {
    fn printed(&self) -> String {
        let (by, took) = match &self.contained {
            Ok(Contained { by, took }) => (by.as_str(), format!("{:.1} ms", took.as_secs_f64() * 1000.0)),
            Err(_) => ("NOT CONTAINED", "–".to_owned()),
        };
        let twin = match &self.twin {
            Ok(did) => format!("succeeded: {did}"),
            Err(_) => "FAILED".to_owned(),
        };
        printed([&self.name, by, &took, &twin])
    }

    fn wrong(&self) -> Vec<String> {
        let about = |what: &str, error: &String| format!("{}, {}: {what}: {error}", self.line, self.name);
        let attack = self.contained.as_ref().err().map(|error| about("not contained", error));
        let twin = self.twin.as_ref().err().map(|error| about("its twin did nothing", error));
        attack.into_iter().chain(twin).collect()
    }
}

fn printed([name, by, took, twin]: [&str; 4]) -> String {
    format!("  {name:<44} {by:<34} {took:>12}  {twin}")
}
