//! The answer to every query that is a good one: all of its window is busy.

use calcon::freebusy::{Slot, State};
use calcon::query::{Answer, Query, Refusal, Source};

pub fn busy(query: Query) -> Result<Answer, Refusal> {
    let Query { user, from, to, .. } = query.checked()?;
    let slots = vec![Slot { from, to, state: State::Busy }];
    Ok(Answer { user, from, to, slots, source: Source::Live, age_secs: 0 })
}
