use std::net::IpAddr;

use super::asked::Asked;
use super::identity::{Caller, Identity, Refusal};
use super::problem::Problem;
use super::rate_limits::{Counted, Told};
use super::state::Service;

/// A request of somebody who may ask, now.
pub(super) struct Admitted {
    pub caller: Caller,
    /// What it is told of its limits.
    pub told: Told,
}

/// Finds out who asks.
type Who = fn(&Identity, &Asked, Option<IpAddr>) -> Result<Caller, Refusal>;

impl Admitted {
    /// Finds out who asks, and counts the request.
    ///
    /// # Errors
    /// What the caller is told, if it is not known or has asked too often. One that is not known counts as its address.
    pub fn of(service: &Service, asked: &Asked) -> Result<Self, Problem> {
        Self::found(service, asked, Identity::caller)
    }

    /// The same of a request for what everybody may read, though some may read more.
    ///
    /// # Errors
    /// What the caller is told, if it shows something and is not known by that, or has asked too often.
    pub fn to_read(service: &Service, asked: &Asked) -> Result<Self, Problem> {
        Self::found(service, asked, Identity::reader)
    }

    fn found(service: &Service, asked: &Asked, who: Who) -> Result<Self, Problem> {
        let address = service.proxies().client(asked.peer, &asked.headers);
        let count =
            |counted| service.rate_limits().map_or(Ok(Told::default()), |limits| limits.count(counted));
        let caller = match who(service.identity(), asked, address) {
            Ok(caller) => caller,
            Err(refusal) => {
                let told = count(Counted::of_address(address))?;
                let problem = refusal.problem(service.exposes_errors());
                return Err(told
                    .into_iter()
                    .fold(problem, |problem, (name, value)| problem.with_header(name, value)));
            }
        };
        let told = count(Counted::of(&caller, address))?;
        Ok(Self { caller, told })
    }
}
