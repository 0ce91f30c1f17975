use std::borrow::Cow;

use callslip_ir::{Domain, Parameter, ParameterMode, Presence, QueryDeclaration, Scalar};

use super::sort;

/// What was chosen for one seen parameter or claim. One that is absent has no choice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Choice {
    /// Its name.
    pub parameter: String,
    /// `true` or `false` of a bool, the label of an enum, the keys of a sort order, `present` of an optional bound one,
    /// the JSON text of an open one.
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

/// What a plugin can see of one parameter.
struct Factor<'a> {
    parameter: &'a Parameter,
    levels: Vec<Level<'a>>,
    claim: bool,
}

/// One of the things that can be seen of a parameter; `None` is that it is absent.
type Level<'a> = Option<Cow<'a, str>>;

impl Shapes {
    /// The shapes of a valid query, in the order of its declaration, absent before present. Beyond `limit` they are chosen
    /// so that each two choices that can meet do meet in one of them, as far as `limit` shapes can do that; the earlier
    /// choices of each parameter first, of sort orders those of the fewest keys.
    pub fn of(query: &QueryDeclaration, limit: usize) -> Self {
        let declared =
            query.parameters.iter().map(|p| (p, false)).chain(query.claims.iter().map(|claim| (claim, true)));
        let is_sort = |parameter: &Parameter| matches!(parameter.ty.domain, Domain::Sort { .. });
        let sorts = declared.clone().filter(|(parameter, _)| is_sort(parameter)).count();
        // A share of the limit for each: enough where all shapes are within it, since each other sort has three orders.
        let most = limit / sorts.max(1);
        let mut factors = Vec::new();
        let mut total = 1_u128;
        for (parameter, claim) in declared {
            let Some((levels, count)) = levels(parameter, most) else { return Self::Open };
            total = total.saturating_mul(count);
            factors.push(Factor { parameter, levels, claim });
        }
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

/// What can be seen of a parameter, and how much that is in all; or `None` of it all where that is infinite. Of sort
/// orders only `most` are listed, but at least each key in each direction.
pub(super) fn levels(parameter: &Parameter, most: usize) -> Option<(Vec<Level<'_>>, u128)> {
    let seen = |value: &'static str| Some(Cow::from(value));
    let mut levels: Vec<Level<'_>> = match parameter.mode {
        ParameterMode::Open => return None,
        ParameterMode::Bound if parameter.presence == Presence::Optional => vec![seen("present")],
        ParameterMode::Bound => return Some((vec![None], 1)),
        ParameterMode::Seen => match &parameter.ty.domain {
            Domain::Scalar(Scalar::Bool) => vec![seen("false"), seen("true")],
            Domain::Enum { labels, .. } => labels.iter().map(|label| Some(label.into())).collect(),
            Domain::Sort { keys } => {
                let orders = sort::first(keys, most.max(1 + 2 * keys.len()));
                orders.into_iter().map(|order| Some(order.into())).collect()
            }
            // Validation refuses this.
            Domain::Scalar(_) | Domain::Named(_) | Domain::Cursor => return None,
        },
    };
    let mut count = match &parameter.ty.domain {
        Domain::Sort { keys } => sort::count(keys.len()),
        _ => levels.len() as u128,
    };
    if parameter.presence == Presence::Optional {
        levels.insert(0, None);
        count = count.saturating_add(1);
    }
    Some((levels, count))
}

fn shape(factors: &[Factor<'_>], row: &[usize]) -> Shape {
    let mut shape = Shape::default();
    for (factor, level) in factors.iter().zip(row) {
        if let Some(value) = &factor.levels[*level] {
            let side = if factor.claim { &mut shape.claims } else { &mut shape.parameters };
            side.push(Choice { parameter: factor.parameter.name.clone(), value: value.clone().into_owned() });
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
        let mut set = if first == second { vec![first] } else { vec![first, second] };
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

/// Which pairs of settings are covered: those of two factors, and each setting with itself, which counts where there is
/// no other factor.
struct Pairs {
    /// Every factor's first level, then every second one, and so on.
    settings: Vec<Setting>,
    /// Where each factor's levels are among the settings.
    places: Vec<Vec<usize>>,
    covered: Vec<bool>,
    /// Everything before it is covered.
    next: usize,
}

impl Pairs {
    fn new(factors: &[Factor<'_>]) -> Self {
        let deepest = factors.iter().map(|factor| factor.levels.len()).max().unwrap_or(0);
        let mut settings = Vec::new();
        let mut places = vec![Vec::new(); factors.len()];
        for level in 0..deepest {
            for (index, factor) in factors.iter().enumerate() {
                if level < factor.levels.len() {
                    places[index].push(settings.len());
                    settings.push((index, level));
                }
            }
        }
        let covered = vec![false; settings.len() * settings.len()];
        Self { settings, places, covered, next: 0 }
    }

    fn position(&self, a: Setting, b: Setting) -> usize {
        let (a, b) = (self.places[a.0][a.1], self.places[b.0][b.1]);
        a.max(b) * self.settings.len() + a.min(b)
    }

    fn is_covered(&self, a: Setting, b: Setting) -> bool {
        self.covered[self.position(a, b)]
    }

    fn cover(&mut self, settings: &[Setting]) {
        for (index, a) in settings.iter().enumerate() {
            for b in &settings[..=index] {
                let position = self.position(*a, *b);
                self.covered[position] = true;
            }
        }
    }

    fn next_uncovered(&mut self) -> Option<(Setting, Setting)> {
        while self.next < self.covered.len() {
            let (later, earlier) = (self.next / self.settings.len(), self.next % self.settings.len());
            let (a, b) = (self.settings[earlier], self.settings[later]);
            if (earlier == later || (earlier < later && a.0 != b.0)) && !self.covered[self.next] {
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
    use crate::plugin::guest::{labels, parameter, query, scalar};

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

    fn sort(name: &str, keys: usize) -> Parameter {
        let keys = (0..keys).map(|key| format!("k{key}")).collect();
        seen(parameter(name, Domain::Sort { keys }), Presence::Required)
    }

    #[test]
    fn each_sort_order_is_a_shape() {
        let two = query(vec![seen(scalar("open", Scalar::Bool), Presence::Required), sort("sort", 2)]);
        let (shapes, total) = closed(&two, 26);
        assert_eq!((shapes.len(), total), (26, 26));
        let written: Vec<_> = shapes.iter().map(written).collect();
        assert_eq!(
            written[..4],
            ["open=false sort=", "open=false sort=k0", "open=false sort=-k0", "open=false sort=k1"]
        );
        assert_eq!(written[25], "open=true sort=-k1,-k0");
        let optional = Parameter { presence: Presence::Optional, ..sort("sort", 1) };
        let written: Vec<_> = closed(&query(vec![optional]), 4).0.iter().map(self::written).collect();
        assert_eq!(written, ["", "sort=", "sort=k0", "sort=-k0"]);
    }

    #[test]
    fn of_many_sort_orders_those_of_one_key_come_first_and_meet_everything() {
        for parameters in [
            vec![seen(scalar("open", Scalar::Bool), Presence::Optional), sort("sort", 20)],
            vec![sort("sort", 20), seen(scalar("open", Scalar::Bool), Presence::Optional)],
        ] {
            let begun = std::time::Instant::now();
            let (shapes, total) = closed(&query(parameters), 256);
            assert_eq!((shapes.len(), total), (256, sort::count(20) * 3));
            assert!(begun.elapsed().as_secs() < 5, "{:?}", begun.elapsed());
            let mut met: HashSet<_> = shapes
                .iter()
                .map(|shape| {
                    let of = |name: &str| {
                        shape.parameters.iter().find(|c| c.parameter == name).map(|c| c.value.clone())
                    };
                    (of("sort").unwrap(), of("open"))
                })
                .collect();
            assert_eq!(met.len(), 256);
            met.retain(|(order, _)| !order.contains(','));
            assert_eq!(met.len(), 41 * 3);
        }
    }

    #[test]
    fn many_sort_orders_alone_are_listed_to_the_limit() {
        let (shapes, total) = closed(&query(vec![sort("sort", 256)]), 10);
        assert_eq!((shapes.len(), total), (10, u128::MAX));
        assert_eq!(written(&shapes[9]), "sort=k4");
        let (shapes, total) =
            closed(&query(vec![seen(labels("a", &["x", "y", "z"]), Presence::Required)]), 2);
        assert_eq!((shapes.len(), total), (2, 3));
        // All orders of both are within the limit, and more than half of it are one's.
        let two = query(vec![sort("a", 3), sort("b", 1)]);
        assert!(Shapes::of(&two, 237).is_complete());
    }

    #[test]
    fn a_huge_number_of_shapes_does_not_overflow() {
        let parameters = (0..64)
            .map(|n| seen(labels(&format!("p{n}"), &["a", "b", "c", "d"]), Presence::Required))
            .collect();
        assert_eq!(closed(&query(parameters), 256).1, u128::MAX);
    }
}
