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
