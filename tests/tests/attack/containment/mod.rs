//! What a component tries, before it is asked for anything and when a call runs it.

mod cached;
mod calls;
mod loads;
mod remembered;
mod standing;
mod threads;

use crate::ground::Ground;
use crate::suite::Attack;

/// All of them.
pub async fn attacks(ground: &'static Ground) -> Vec<Attack> {
    let mut attacks = calls::attacks(ground).await;
    attacks.extend(loads::attacks(ground).await);
    attacks.extend(remembered::attacks(ground).await);
    attacks.extend(threads::attacks(ground));
    attacks.extend(standing::attacks(ground));
    attacks.extend(cached::attacks(ground));
    attacks
}
