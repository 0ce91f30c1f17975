//! What a plugin tries to learn of rows that a filter keeps from it, and what it reads through views.

use std::time::Instant;

use callslip_tests::connect;

use super::host::{Attacker, read};
use crate::describe::described;
use crate::ground::{Ground, rows};
use crate::guest::{BIDE, DEED, biding, number};
use crate::suite::{Attack, Contained, timed};

const ROWS: &str = "row-filter bypass";
const VIEWS: &str = "views";

/// In a row of another company, and nowhere else in what is granted.
const SECRET: &str = "opensesame";

/// Something that is asked under a filter by a caller of company 1.
struct Question {
    name: &'static str,
    sql: &'static str,
    /// The code of the refusal, or nothing where the answer has only what the caller may see.
    code: Option<&'static str>,
    /// What is asked without a host, if that is another thing.
    twin: &'static str,
}

const fn asked(name: &'static str, sql: &'static str) -> Question {
    Question { name, sql, code: None, twin: sql }
}

const fn refused(name: &'static str, sql: &'static str, code: &'static str) -> Question {
    Question { name, sql, code: Some(code), twin: sql }
}

const QUESTIONS: &[Question] = &[
    asked("all rows", "SELECT t.note FROM app.tenant AS t"),
    asked("rows by their key", "SELECT t.note FROM app.tenant AS t WHERE t.id = 2"),
    asked("an aggregate", "SELECT max(t.note) FROM app.tenant AS t"),
    asked(
        "a subquery",
        "SELECT (SELECT max(t.note) FROM app.tenant AS t) AS n FROM app.item AS i WHERE i.id = 1",
    ),
    asked(
        "a CTE",
        "WITH cte_t (note) AS (SELECT t.note AS note FROM app.tenant AS t) SELECT c.note FROM cte_t AS c",
    ),
    asked("OR", "SELECT t.note FROM app.tenant AS t WHERE t.id = 1 OR t.id = 2"),
    asked("a UNION", "SELECT t.note FROM app.tenant AS t UNION ALL SELECT u.note FROM app.tenant AS u"),
    asked("the partitioned table", "SELECT p.note FROM app.part AS p"),
    Question {
        name: "an error of a cast",
        sql: "SELECT t.id FROM app.tenant AS t WHERE CAST(t.note AS int4) > 0",
        code: None,
        twin: "SELECT t.id FROM (SELECT * FROM app.tenant WHERE lower(company::text || '') = '1') AS t
               WHERE CAST(t.note AS int4) > 0",
    },
    Question {
        name: "an error of a division",
        sql: "SELECT t.id FROM app.tenant AS t WHERE 1 / (t.company - 2) < 5",
        code: None,
        twin: "SELECT t.id FROM (SELECT * FROM app.tenant WHERE lower(company::text || '') = '1') AS t
               WHERE CAST(t.note AS int4) / (t.company - 2) < 5",
    },
    refused("a view of it", "SELECT v.note FROM app.of_tenant AS v", "CS0407"),
    refused("a partition of it", "SELECT p.note FROM app.part_two AS p", "CS0407"),
];

const SEEN_THROUGH: &[Question] = &[
    refused("a view that reads a file", "SELECT v.f FROM app.reads_file AS v", "CS0406"),
    refused("a view that calls what was not granted", "SELECT v.f FROM app.calls AS v", "CS0406"),
    refused("a view of such a view", "SELECT v.f FROM app.calls_again AS v", "CS0406"),
    refused("a view of the catalog", "SELECT v.prosrc AS f FROM app.shows_functions AS v", "CS0406"),
];

/// All of them.
pub async fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let said: Vec<_> = QUESTIONS.iter().chain(SEEN_THROUGH).map(|question| described(question.sql)).collect();
    let grants =
        "relations = [\"app.item\", \"app.tenant\", \"app.of_tenant\", \"app.part\", \"app.part_two\",
        \"app.reads_file\", \"app.calls\", \"app.calls_again\", \"app.shows_functions\"]
        [plugins.attacker.filters]
        \"app.tenant\" = \"company = claim('company')\"
        \"app.part\" = \"company = claim('company')\"";
    let attacker = Attacker::with(ground, &biding(&said), grants).await;
    let all = QUESTIONS.iter().map(|its| (ROWS, its)).chain(SEEN_THROUGH.iter().map(|its| (VIEWS, its)));
    let attack = |(index, (line, question)): (usize, (&'static str, &'static Question))| {
        Attack::new(
            line,
            question.name,
            question.attack(attacker.clone(), index),
            question.twin(ground, line),
        )
    };
    let mut attacks: Vec<Attack> = all.enumerate().map(attack).collect();
    let (absent, forged) = (attacker.clone(), attacker);
    let twin = || QUESTIONS[0].twin(ground, ROWS);
    attacks.push(Attack::new(ROWS, "no claim at all", no_claim(absent), twin()));
    attacks.push(Attack::new(ROWS, "a claim that the plugin's caller makes up", made_up(forged), twin()));
    attacks
}

impl Question {
    async fn attack(&'static self, attacker: Attacker, index: usize) -> Contained {
        let call = attacker.host.call("attacker", BIDE).param(DEED, number(index)).claim("company", 1);
        let (answer, took) = timed(read(call)).await;
        attacker.neighbour_answers().await;
        match (answer, self.code) {
            (Ok(answer), None) => {
                assert!(!answer.contains(SECRET), "{answer}");
                Contained { by: "the filter".to_owned(), took }
            }
            (Err(refusal), Some(code)) => {
                assert_eq!(refusal.code, code, "{}", refusal.log);
                assert!(!refusal.told.contains(SECRET), "{}", refusal.told);
                Contained { by: code.to_owned(), took }
            }
            (Ok(answer), Some(code)) => panic!("it is answered instead of {code}: {answer}"),
            (Err(refusal), None) => panic!("it fails by a hidden row: {}", refusal.log),
        }
    }

    async fn twin(&'static self, ground: &'static Ground, line: &'static str) -> String {
        let bare = connect(ground.database().connection().config()).await;
        let told = match rows(&bare, self.twin).await {
            Ok(rows) => rows.join("; "),
            Err(error) => error.as_db_error().map(ToString::to_string).unwrap_or_default(),
        };
        let shown = if line == VIEWS { !told.is_empty() } else { told.contains(SECRET) };
        assert!(shown, "it told {told:?}");
        format!("told {}", told.chars().take(30).collect::<String>().replace('\n', " "))
    }
}

async fn no_claim(attacker: Attacker) -> Contained {
    let began = Instant::now();
    let call = attacker.host.call("attacker", BIDE).param(DEED, number(0));
    let mut reply = call.run().await.unwrap_or_else(|error| panic!("{}", error.log_message()));
    let mut answer = Vec::new();
    while let Some(chunk) = reply.next_chunk().await.unwrap_or_else(|error| panic!("{error}")) {
        answer.extend_from_slice(&chunk);
    }
    let took = began.elapsed();
    assert_eq!(answer, b"[]");
    // The service is told why, so that nobody takes it for a company without rows.
    assert_eq!(reply.absent_claims(), ["company"]);
    Contained { by: "the filter, which says so".to_owned(), took }
}

async fn made_up(attacker: Attacker) -> Contained {
    let call =
        attacker.host.call("attacker", BIDE).param(DEED, number(0)).param("company", 2).claim("company", 1);
    let (answer, took) = timed(read(call)).await;
    let refusal = answer.expect_err("it is taken");
    assert_eq!(refusal.code, "CS1003", "{}", refusal.log);
    Contained { by: refusal.code, took }
}
