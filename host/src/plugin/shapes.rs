use callslip_ir::{Domain, Parameter, ParameterMode, Presence, QueryDeclaration, Scalar};

/// What was chosen for one seen parameter or claim. One that is absent has no choice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Choice {
    /// Its name.
    pub parameter: String,
    /// `true` or `false` of a bool, the label of an enum, `present` of an optional bound one, the JSON text of an
    /// open one.
    pub value: String,
}

/// Everything that a plugin sees of a call, in the order in which the query declares it. Equal shapes are planned
/// alike, so a shape is the key that its proven statements are found by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Shape {
    /// What is seen of the parameters.
    pub parameters: Vec<Choice>,
    /// What is seen of the claims.
    pub claims: Vec<Choice>,
}

/// The shapes that a query can have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shapes {
    /// There are finitely many.
    Closed {
        /// Each of them; where there are more than the limit, a selection.
        shapes: Vec<Shape>,
        /// How many there are in all.
        total: u128,
    },
    /// The plugin sees a value of an infinite domain, so its plan runs for each new one.
    Open,
}

/// What a plugin can see of one parameter: each of these, and nothing if it may be absent.
struct Factor<'a> {
    parameter: &'a Parameter,
    /// `None` is absent.
    levels: Vec<Option<&'a str>>,
    claim: bool,
}

impl Shapes {
    /// The shapes of a valid query, in the order of its declaration, absent before present. Beyond `limit` they are chosen
    /// so that each two choices that can meet do meet in one of them, as far as `limit` shapes can do that.
    pub fn of(query: &QueryDeclaration, limit: usize) -> Self {
        let declared =
            query.parameters.iter().map(|p| (p, false)).chain(query.claims.iter().map(|claim| (claim, true)));
        let mut factors = Vec::new();
        for (parameter, claim) in declared {
            let Some(levels) = levels(parameter) else { return Self::Open };
            factors.push(Factor { parameter, levels, claim });
        }
        let total = factors
            .iter()
            .fold(1_u128, |product, factor| product.saturating_mul(factor.levels.len() as u128));
        let rows = if total <= limit as u128 { product(&factors) } else { pairwise(&factors, limit) };
        Self::Closed { shapes: rows.iter().map(|row| shape(&factors, row)).collect(), total }
    }

    /// Whether every shape that the query can have is listed.
    pub fn is_complete(&self) -> bool {
        match self {
            Self::Closed { shapes, total } => shapes.len() as u128 == *total,
            Self::Open => false,
        }
    }
}

/// What can be seen of a parameter, `None` being nothing; or `None` of it all where that is infinite.
pub(super) fn levels(parameter: &Parameter) -> Option<Vec<Option<&str>>> {
    let mut levels = match parameter.mode {
        ParameterMode::Open => return None,
        ParameterMode::Bound if parameter.presence == Presence::Optional => vec![Some("present")],
        ParameterMode::Bound => return Some(vec![None]),
        ParameterMode::Seen => match &parameter.ty.domain {
            Domain::Scalar(Scalar::Bool) => vec![Some("false"), Some("true")],
            Domain::Enum { labels, .. } => labels.iter().map(|label| Some(label.as_str())).collect(),
            // Validation refuses this.
            Domain::Scalar(_) => return None,
        },
    };
    if parameter.presence == Presence::Optional {
        levels.insert(0, None);
    }
    Some(levels)
}

fn shape(factors: &[Factor<'_>], row: &[usize]) -> Shape {
    let mut shape = Shape::default();
    for (factor, level) in factors.iter().zip(row) {
        if let Some(value) = factor.levels[*level] {
            let side = if factor.claim { &mut shape.claims } else { &mut shape.parameters };
            side.push(Choice { parameter: factor.parameter.name.clone(), value: value.to_owned() });
        }
    }
    shape
}

/// Every combination, the last factor turning fastest.
fn product(factors: &[Factor<'_>]) -> Vec<Vec<usize>> {
    let mut rows = vec![Vec::new()];
    for factor in factors {
        rows = rows
            .into_iter()
            .flat_map(|row| {
                (0..factor.levels.len())
                    .map(move |level| row.iter().copied().chain([level]).collect::<Vec<_>>())
            })
            .collect();
    }
    rows
}

/// A greedy covering array of strength 2: each row starts from the first pair that is not covered yet, and gives every
/// other factor the level that covers most.
fn pairwise(factors: &[Factor<'_>], limit: usize) -> Vec<Vec<usize>> {
    let mut pairs = Pairs::new(factors);
    let mut rows = Vec::new();
    while rows.len() < limit
        && let Some((first, second)) = pairs.next_uncovered()
    {
        let mut row: Vec<Option<usize>> = vec![None; factors.len()];
        let mut set = vec![first, second];
        for (factor, level) in [first, second] {
            row[factor] = Some(level);
        }
        for (index, factor) in factors.iter().enumerate() {
            if row[index].is_none() {
                let gain = |level: &usize| {
                    let uncovered =
                        set.iter().filter(|other| !pairs.is_covered(**other, (index, *level))).count();
                    (uncovered, std::cmp::Reverse(*level))
                };
                let level = (0..factor.levels.len()).max_by_key(gain).unwrap_or(0);
                row[index] = Some(level);
                set.push((index, level));
            }
        }
        pairs.cover(&set);
        rows.push(row.into_iter().map(|level| level.unwrap_or(0)).collect());
    }
    rows
}

/// A factor and one of its levels.
type Setting = (usize, usize);

/// Which pairs of settings of two factors are covered.
struct Pairs {
    /// Where each factor's settings begin among all settings.
    starts: Vec<usize>,
    settings: Vec<Setting>,
    covered: Vec<bool>,
    /// Everything before it is covered.
    next: usize,
}

impl Pairs {
    fn new(factors: &[Factor<'_>]) -> Self {
        let mut starts = Vec::new();
        let mut settings = Vec::new();
        for (index, factor) in factors.iter().enumerate() {
            starts.push(settings.len());
            settings.extend((0..factor.levels.len()).map(|level| (index, level)));
        }
        let covered = vec![false; settings.len() * settings.len()];
        Self { starts, settings, covered, next: 0 }
    }

    fn position(&self, a: Setting, b: Setting) -> usize {
        let (a, b) = (a.min(b), a.max(b));
        (self.starts[a.0] + a.1) * self.settings.len() + self.starts[b.0] + b.1
    }

    fn is_covered(&self, a: Setting, b: Setting) -> bool {
        self.covered[self.position(a, b)]
    }

    fn cover(&mut self, settings: &[Setting]) {
        for (index, a) in settings.iter().enumerate() {
            for b in &settings[..index] {
                let position = self.position(*a, *b);
                self.covered[position] = true;
            }
        }
    }

    fn next_uncovered(&mut self) -> Option<(Setting, Setting)> {
        while self.next < self.covered.len() {
            let (a, b) = (
                self.settings[self.next / self.settings.len()],
                self.settings[self.next % self.settings.len()],
            );
            if a.0 < b.0 && !self.covered[self.next] {
                return Some((a, b));
            }
            self.next += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::plugin::guest::{labels, query, scalar};

    fn seen(mut parameter: Parameter, presence: Presence) -> Parameter {
        parameter.mode = ParameterMode::Seen;
        parameter.presence = presence;
        parameter
    }

    fn closed(query: &QueryDeclaration, limit: usize) -> (Vec<Shape>, u128) {
        match Shapes::of(query, limit) {
            Shapes::Closed { shapes, total } => (shapes, total),
            Shapes::Open => panic!("it is closed"),
        }
    }

    fn written(shape: &Shape) -> String {
        let choices = shape.parameters.iter().chain(&shape.claims);
        choices.map(|choice| format!("{}={}", choice.parameter, choice.value)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn every_combination_in_the_order_of_declaration() {
        let mut since = scalar("since", Scalar::Date);
        since.presence = Presence::Optional;
        let mut query = query(vec![
            scalar("company", Scalar::Int4),
            seen(scalar("open", Scalar::Bool), Presence::Default("true".into())),
            since,
        ]);
        query.claims = vec![seen(labels("role", &["a", "b"]), Presence::Optional)];
        let (shapes, total) = closed(&query, 256);
        assert_eq!(total, 12);
        let written: Vec<_> = shapes.iter().map(written).collect();
        assert_eq!(
            written,
            [
                "open=false",
                "open=false role=a",
                "open=false role=b",
                "open=false since=present",
                "open=false since=present role=a",
                "open=false since=present role=b",
                "open=true",
                "open=true role=a",
                "open=true role=b",
                "open=true since=present",
                "open=true since=present role=a",
                "open=true since=present role=b",
            ]
        );
        assert!(Shapes::of(&query, 12).is_complete());
        assert!(!Shapes::of(&query, 11).is_complete());
    }

    #[test]
    fn a_query_that_sees_nothing_has_one_shape() {
        assert_eq!(closed(&query(vec![scalar("a", Scalar::Int4)]), 256), (vec![Shape::default()], 1));
    }

    #[test]
    fn an_open_parameter_or_claim_opens_the_query() {
        let mut open = scalar("a", Scalar::Text);
        open.mode = ParameterMode::Open;
        assert_eq!(Shapes::of(&query(vec![open.clone()]), 256), Shapes::Open);
        let mut by_claim = query(Vec::new());
        by_claim.claims = vec![open];
        assert_eq!(Shapes::of(&by_claim, 256), Shapes::Open);
    }

    #[test]
    fn pairwise_covers_every_pair_with_few_shapes() {
        let parameters =
            (0..20).map(|n| seen(scalar(&format!("p{n}"), Scalar::Bool), Presence::Optional)).collect();
        let query = query(parameters);
        let (shapes, total) = closed(&query, 256);
        assert_eq!(total, 3_u128.pow(20));
        assert!(shapes.len() <= 40, "{}", shapes.len());
        let value = |shape: &Shape, name: &str| {
            shape.parameters.iter().find(|choice| choice.parameter == name).map(|choice| choice.value.clone())
        };
        for a in 0..20 {
            for b in 0..a {
                let met: HashSet<_> = shapes
                    .iter()
                    .map(|shape| (value(shape, &format!("p{a}")), value(shape, &format!("p{b}"))))
                    .collect();
                assert_eq!(met.len(), 9, "p{a} and p{b}");
            }
        }
        assert_eq!(Shapes::of(&query, 256), Shapes::of(&query, 256));
    }

    #[test]
    fn pairwise_stops_at_the_limit() {
        let many: Vec<_> = (0..128).map(|n| format!("label{n}")).collect();
        let many: Vec<_> = many.iter().map(String::as_str).collect();
        let parameters = (0..8).map(|n| seen(labels(&format!("p{n}"), &many), Presence::Required)).collect();
        let query = query(parameters);
        let begun = std::time::Instant::now();
        let (shapes, total) = closed(&query, 256);
        assert_eq!((shapes.len(), total), (256, 128_u128.pow(8)));
        assert_eq!(shapes.iter().collect::<HashSet<_>>().len(), 256);
        assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
    }

    #[test]
    fn a_huge_number_of_shapes_does_not_overflow() {
        let parameters = (0..64)
            .map(|n| seen(labels(&format!("p{n}"), &["a", "b", "c", "d"]), Presence::Required))
            .collect();
        assert_eq!(closed(&query(parameters), 256).1, u128::MAX);
    }
}
