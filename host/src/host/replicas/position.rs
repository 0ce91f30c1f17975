use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

/// How many positions are remembered. A replica that is further behind is known to be that, and not by how much.
const REMEMBERED: usize = 256;

/// A place in the write-ahead log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lsn(u64);

impl Lsn {
    /// Reads it as PostgreSQL writes it, such as `16/B374D848`.
    pub fn read(text: &str) -> Option<Self> {
        let (high, low) = text.split_once('/')?;
        let part = |text| u32::from_str_radix(text, 16).ok().map(u64::from);
        Some(Self(part(high)? << 32 | part(low)?))
    }
}

/// Where the database was, and when it was asked: all that was committed before then is in the log before that place.
#[derive(Default)]
pub(super) struct Positions(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Both grow from one to the next.
    positions: VecDeque<(Lsn, Instant)>,
    /// Which database it is.
    identity: Option<String>,
}

impl Positions {
    /// It was here when it was asked at that time.
    pub fn add(&self, position: Lsn, asked_at: Instant) {
        let positions = &mut self.lock().positions;
        match positions.back_mut() {
            // Another server is the database now, whose log is another.
            Some((last, _)) if *last > position => positions.clear(),
            Some((last, at)) if *last == position => return *at = asked_at,
            _ => {}
        }
        if positions.len() == REMEMBERED {
            positions.pop_front();
        }
        positions.push_back((position, asked_at));
    }

    /// Since when a server may lack something that was committed, which has all that is in the log before a place. Nothing, if
    /// that is not known.
    pub fn as_of(&self, replayed: Lsn) -> Option<Instant> {
        let known = self.lock();
        known
            .positions
            .iter()
            .rev()
            .find(|(position, _)| *position <= replayed)
            .map(|(_, asked_at)| *asked_at)
    }

    /// The database is this one, if it says so.
    pub fn identify(&self, identity: Option<&str>) {
        let known = &mut self.lock().identity;
        if known.as_deref() != identity {
            *known = identity.map(str::to_owned);
        }
    }

    /// Whether a server that says that it is this one may be a replica of the database.
    pub fn may_be_of(&self, identity: Option<&str>) -> bool {
        match (self.lock().identity.as_deref(), identity) {
            (Some(database), Some(replica)) => database == replica,
            _ => true,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_place_is_read_as_it_is_written() {
        assert_eq!(Lsn::read("16/B374D848"), Some(Lsn(0x16_B374_D848)));
        assert!(Lsn::read("1/0").unwrap() > Lsn::read("0/FFFFFFFF").unwrap());
        for wrong in ["", "16", "16/", "x/0", "1/100000000"] {
            assert_eq!(Lsn::read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_replica_is_as_of_the_last_time_that_the_database_was_no_further() {
        let (positions, start) = (Positions::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(positions.as_of(Lsn(9)), None);
        for (position, seconds) in [(10, 0), (10, 1), (20, 2), (30, 3)] {
            positions.add(Lsn(position), at(seconds));
        }
        assert_eq!(positions.as_of(Lsn(9)), None, "it is further behind than anybody knows");
        assert_eq!(positions.as_of(Lsn(10)), Some(at(1)));
        assert_eq!(positions.as_of(Lsn(29)), Some(at(2)));
        assert_eq!(positions.as_of(Lsn(30)), Some(at(3)));
        assert_eq!(positions.as_of(Lsn(99)), Some(at(3)));
        // Another server was promoted, which had not all of it.
        positions.add(Lsn(25), at(4));
        assert_eq!(positions.as_of(Lsn(24)), None);
        for position in 0..1000 {
            positions.add(Lsn(100 + position), at(5));
        }
        assert_eq!(positions.as_of(Lsn(100)), None);
        assert_eq!(positions.lock().positions.len(), REMEMBERED);
    }
}
