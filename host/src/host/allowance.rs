use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout_at;

use super::error::CallError;
use super::meter::{Charge, ClaimMeters, Meter};
use crate::Config;
use crate::config::{LimitConfig, QueryLimitConfig};
use crate::loan::{Loan, Pool};
use crate::plugin::Inputs;

/// What calls may take, by plugin and query, as the configuration says it; with what they share, and so have to wait for. It is the
/// same for as long as the host lives, whatever generation is served.
pub(super) struct Allowances {
    plugins: BTreeMap<String, OfPlugin>,
    /// Of what the configuration does not have.
    others: Arc<Allowance>,
    claims: Vec<Arc<ClaimMeters>>,
    /// How long a call waits for its place; zero for as long as it may take.
    wait: Duration,
}

/// What calls of one plugin may take.
#[derive(Clone)]
struct OfPlugin {
    /// What it was made of: what is said of the plugin and of its queries, and its share of the pool.
    #[cfg_attr(not(feature = "service"), expect(dead_code, reason = "only a server is reloaded"))]
    said: (LimitConfig, BTreeMap<String, QueryLimitConfig>, Option<usize>),
    queries: BTreeMap<String, Arc<Allowance>>,
    /// Of the queries of which nothing is said.
    others: Arc<Allowance>,
}

/// What a call may take.
pub(super) struct Allowance {
    pub call_time: Duration,
    pub rows: u64,
    /// The bytes of a reply.
    pub bytes: u64,
    /// Where it needs a place: in its query first, so that who waits for that takes none of its plugin's.
    places: Vec<Arc<Places>>,
    /// Its plugin's share of the host's own connections, where nothing is said of its calls at once.
    share: Option<Arc<Share>>,
    /// The time of the database that it takes from.
    meters: Vec<Arc<Meter>>,
}

/// How many calls run at once.
struct Places {
    /// Whose, for the log.
    of: String,
    most: usize,
    /// What says so.
    why: String,
    free: Arc<Semaphore>,
}

/// The connections of each of the host's servers that the calls of one plugin may have at once.
struct Share {
    of: String,
    most: usize,
    why: String,
    /// By the number of the server: 0 for the database itself, and one more than its own for a replica.
    servers: Mutex<BTreeMap<usize, Arc<Places>>>,
}

/// What a call has been let in with: its places, and the meters that its connections are charged to.
#[derive(Clone, Default)]
pub(super) struct Admission {
    /// Free when nobody holds them any more: neither the call, nor a connection that has yet to come back.
    places: Option<Arc<Vec<OwnedSemaphorePermit>>>,
    meters: Option<Arc<[Arc<Meter>]>>,
    /// What it needs a place in for each connection of the host's own, and how long it waits for that.
    share: Option<(Arc<Share>, Duration)>,
}

/// What goes along with a connection that is lent until it is back: the charge for it, and the places of its call.
type Companion = (Option<Charge>, Option<Arc<Vec<OwnedSemaphorePermit>>>);

impl Allowances {
    pub fn new(config: &Config) -> Self {
        let of_plugin = |(name, settings): (&String, &crate::PluginConfig)| {
            let limits = config.limits.of_plugin(settings);
            let of = format!("the plugin {name}");
            let mut others = Allowance::of(&limits, &of, None);
            let share = limits.calls.is_none().then(|| share_of_pool(config)).flatten();
            others.share = share.map(|most| Share::new(of, most, why_share(name)));
            let query = |(query, its): (&String, &crate::QueryConfig)| {
                let of = format!("the query {name}.{query}");
                (query.clone(), Arc::new(Allowance::of(&limits.of_query(&its.limits), &of, Some(&others))))
            };
            let queries = settings.queries.iter().map(query).collect();
            let of_queries = settings.queries.iter().map(|(query, its)| (query.clone(), its.limits.clone()));
            let said = (limits.clone(), of_queries.collect(), share);
            (name.clone(), OfPlugin { said, queries, others: Arc::new(others) })
        };
        let per_minute = |milliseconds| Duration::from_millis(milliseconds);
        let claims = config.limits.per_claim.iter();
        Self {
            plugins: config.plugins.iter().map(of_plugin).collect(),
            others: Arc::new(Allowance::of(&config.limits.of_query(&QueryLimitConfig::default()), "", None)),
            claims: claims
                .map(|(claim, its)| Arc::new(ClaimMeters::new(claim, per_minute(its.database_ms_per_minute))))
                .collect(),
            wait: config.pool.settings().wait,
        }
    }

    /// The same, which goes on with what others have counted where nothing else is said: who has used something up has not more of it
    /// because the configuration was read again.
    #[cfg(feature = "service")]
    pub fn going_on_with(mut self, before: &Self) -> Self {
        for (name, its) in &mut self.plugins {
            if let Some(was) = before.plugins.get(name).filter(|was| was.said == its.said) {
                *its = was.clone();
            }
        }
        for its in &mut self.claims {
            if let Some(was) = before.claims.iter().find(|was| was.says_the_same(its)) {
                *its = was.clone();
            }
        }
        self
    }

    /// What a call may take.
    pub fn of(&self, plugin: &str, query: &str) -> Arc<Allowance> {
        match self.plugins.get(plugin) {
            Some(plugin) => plugin.queries.get(query).unwrap_or(&plugin.others).clone(),
            None => self.others.clone(),
        }
    }

    /// Whether a call may have to wait, or be refused.
    pub fn are_bounded(&self, allowance: &Allowance) -> bool {
        !(allowance.places.is_empty() && allowance.meters.is_empty() && self.claims.is_empty())
    }

    /// Lets a call in, when there is a place for it.
    ///
    /// # Errors
    /// [`CallError::OutOfDatabaseTime`]; [`CallError::TooManyCalls`].
    pub async fn admit(&self, allowance: &Allowance, claims: &Inputs) -> Result<Admission, CallError> {
        let of_claims = self.claims.iter().map(|its| its.of(claims.word(its.claim()).as_deref()));
        let meters: Vec<Arc<Meter>> = allowance.meters.iter().cloned().chain(of_claims).collect();
        meters.iter().try_for_each(|meter| meter.check())?;
        let places = allowance.enter(self.wait).await?;
        Ok(Admission {
            places: (!places.is_empty()).then(|| Arc::new(places)),
            meters: (!meters.is_empty()).then(|| meters.into()),
            share: allowance.share.clone().map(|share| (share, self.wait)),
        })
    }
}

impl Allowance {
    /// What these limits say, beside what is shared with others.
    fn of(limits: &LimitConfig, of: &str, shared: Option<&Self>) -> Self {
        let places = limits.calls.map(|most| Places::new(of.to_owned(), most, "calls".to_owned()));
        let meter = limits.database_ms_per_minute.map(Duration::from_millis);
        let meter = meter.map(|per_minute| Meter::new(of.to_owned(), per_minute));
        Self {
            call_time: Duration::from_millis(limits.call_ms),
            rows: limits.rows,
            bytes: limits.reply_mib.saturating_mul(1 << 20),
            places: places.into_iter().chain(shared.iter().flat_map(|its| its.places.clone())).collect(),
            share: shared.and_then(|its| its.share.clone()),
            meters: meter
                .map(Arc::new)
                .into_iter()
                .chain(shared.iter().flat_map(|its| its.meters.clone()))
                .collect(),
        }
    }

    async fn enter(&self, wait: Duration) -> Result<Vec<OwnedSemaphorePermit>, CallError> {
        let until = until(wait);
        let mut held = Vec::with_capacity(self.places.len());
        for places in &self.places {
            held.push(places.enter(until, wait).await?);
        }
        Ok(held)
    }
}

/// The connections of the host's own that the calls of one of several plugins may have at once: not all, so that the others
/// are served whatever it does. Of a single connection there is nothing to leave.
fn share_of_pool(config: &Config) -> Option<usize> {
    let size = config.pool.size;
    (config.plugins.len() > 1 && size > 1).then(|| size - (size / 4).max(1))
}

fn why_share(plugin: &str) -> String {
    format!(
        "of the pool's connections, as one of several plugins; say calls in [plugins.{plugin}.limits] for another number"
    )
}

/// Until when a place is waited for; none, for as long as the call may take.
fn until(wait: Duration) -> Option<Instant> {
    if wait.is_zero() { None } else { Instant::now().checked_add(wait) }
}

impl Places {
    fn new(of: String, most: usize, why: String) -> Arc<Self> {
        let free = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Arc::new(Self { of, most, why, free })
    }

    async fn enter(&self, until: Option<Instant>, wait: Duration) -> Result<OwnedSemaphorePermit, CallError> {
        let free = self.free.clone().acquire_owned();
        let place = match until {
            Some(until) => timeout_at(until.into(), free).await.ok(),
            None => Some(free.await),
        };
        // Nobody closes them.
        let Some(Ok(place)) = place else {
            let (of, most, why) = (self.of.clone(), self.most, self.why.clone());
            return Err(CallError::TooManyCalls { of, most, why, wait });
        };
        Ok(place)
    }
}

impl Share {
    fn new(of: String, most: usize, why: String) -> Arc<Self> {
        Arc::new(Self { of, most, why, servers: Mutex::default() })
    }

    fn places(&self, server: usize) -> Arc<Places> {
        // Nothing panics while it holds the lock.
        let mut servers = self.servers.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Places::new(self.of.clone(), self.most, self.why.clone());
        servers.entry(server).or_insert_with(new).clone()
    }
}

impl Admission {
    /// Borrows a connection of the host's own, from the pool of the server of this number, when the plugin has a place left in its share
    /// of them. The time that the call has
    /// it is charged until it is back.
    ///
    /// # Errors
    /// [`CallError::TooManyCalls`]; [`CallError::OutOfDatabaseTime`], if other calls have used it up meanwhile; and whatever can
    /// go wrong with a connection.
    pub async fn borrow(&self, pool: &Pool, server: usize) -> Result<Loan, CallError> {
        let place = match &self.share {
            Some((share, wait)) => Some(share.places(server).enter(until(*wait), *wait).await?),
            None => None,
        };
        let loan = pool.loan().await?;
        let companion = self.begin_loan()?;
        Ok(match companion.is_some() || place.is_some() {
            true => loan.accompanied_by((companion, place)),
            false => loan,
        })
    }

    /// What goes along with a connection that the call gets now, if anything does. The time that it has the connection is
    /// charged until this is dropped.
    ///
    /// # Errors
    /// [`CallError::OutOfDatabaseTime`]: other calls have used it up meanwhile.
    pub fn begin_loan(&self) -> Result<Option<Companion>, CallError> {
        let charge = self.meters.as_ref().map(Charge::begin).transpose()?;
        let companion = (charge, self.places.clone());
        Ok((companion.0.is_some() || companion.1.is_some()).then_some(companion))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn share(size: usize, plugins: &[&str]) -> Option<usize> {
        let plugins = plugins.iter().map(|name| format!("[plugins.{name}]\ncomponent = \"{name}.wasm\"\n"));
        let text = format!("[pool]\nsize = {size}\n{}", plugins.collect::<String>());
        share_of_pool(&Config::parse(&text, Path::new("")).unwrap())
    }

    #[test]
    fn one_of_several_plugins_has_three_quarters_of_the_pool_and_never_nothing() {
        assert_eq!(share(1, &["a", "b"]), None);
        for (size, most) in [(2, 1), (3, 2), (4, 3), (7, 6), (8, 6), (262_143, 196_608)] {
            assert_eq!(share(size, &["a", "b"]), Some(most), "{size}");
        }
        assert_eq!(share(8, &["a"]), None);
        assert_eq!(share(8, &[]), None);
    }

    #[cfg(feature = "service")]
    #[test]
    fn who_has_used_up_its_time_has_no_more_of_it_when_the_configuration_is_read_again() {
        let allowances = |rows: u32| {
            let text = format!(
                "[limits.per_claim.company]\ndatabase_ms_per_minute = 1\n\
                 [plugins.a]\ncomponent = \"a.wasm\"\n[plugins.a.limits]\ndatabase_ms_per_minute = 1\nrows = {rows}\n\
                 [plugins.b]\ncomponent = \"b.wasm\"\n[plugins.b.limits]\ndatabase_ms_per_minute = 1\n"
            );
            Allowances::new(&Config::parse(&text, Path::new("")).unwrap())
        };
        let before = allowances(1);
        let now = allowances(2).going_on_with(&before);
        let same =
            |plugin: &str| Arc::ptr_eq(&before.of(plugin, "q").meters[0], &now.of(plugin, "q").meters[0]);
        assert!(!same("a"), "its limits are others");
        assert!(same("b"));
        assert!(Arc::ptr_eq(&before.claims[0].of(Some("7")), &now.claims[0].of(Some("7"))));
    }
}
