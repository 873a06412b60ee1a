//! Chooses some of the events of a run.

use super::{Lanes, Row};

/// Which events to show. All conditions that are given must hold; the default shows all events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// The number of the first event.
    pub from: Option<usize>,
    /// The number of the last event.
    pub to: Option<usize>,
    /// Only so many events, the last of those that the others let through.
    pub tail: Option<usize>,
    /// Events of one of these hosts; of a model, of one of the threads `thread 1`.
    pub hosts: Vec<String>,
    /// Events of tasks whose name contains this.
    pub task: Option<String>,
    /// Events of connections whose name contains this: `notes:49152`.
    pub connection: Option<String>,
    /// Events whose text contains this.
    pub grep: Option<String>,
}

impl Filter {
    /// Returns those rows that are to be shown, in order.
    pub(super) fn choose<'a>(&self, mut rows: Vec<Row<'a>>, lanes: &Lanes) -> Vec<Row<'a>> {
        rows.retain(|row| self.lets_through(row, lanes));
        let too_many = self.tail.map_or(0, |tail| rows.len().saturating_sub(tail));
        rows.split_off(too_many)
    }

    fn lets_through(&self, row: &Row<'_>, lanes: &Lanes) -> bool {
        let contains = |text: Option<&str>, part: &Option<String>| match part {
            Some(part) => text.is_some_and(|text| text.contains(part.as_str())),
            None => true,
        };
        self.from.is_none_or(|from| row.n >= from)
            && self.to.is_none_or(|to| row.n <= to)
            && (self.hosts.is_empty() || self.hosts.iter().any(|host| host == lanes.name(row.lane)))
            && contains(row.task.as_deref(), &self.task)
            && contains(row.connection.as_deref(), &self.connection)
            && contains(Some(&row.text), &self.grep)
    }
}
