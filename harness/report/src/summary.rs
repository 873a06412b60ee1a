//! Summarizes a plan.

use refrain_core::{
    escape::escaped,
    plan::{Argument, Plan},
};
use serde_json::Value;

/// Formats the size of a plan: `1 preemption, 31 operations` for a model, `2 faults, 1 hold, 1 query, 31 events` for a
/// simulation. Zero counts are omitted.
pub fn plan_summary(plan: &Plan, events: usize) -> String {
    let lists = plan.workload.iter().filter_map(|Argument { name, value }| match value {
        Value::Array(values) => counted(values.len(), &escaped(name)),
        _ => None,
    });
    let faults = counted(plan.faults.len(), "faults");
    let holds = counted(plan.holds.len(), "holds");
    if let Some(threads) = &plan.threads {
        let preemptions = counted(threads.preemptions(), "preemptions").unwrap_or_else(|| "no preemption".into());
        return std::iter::once(preemptions).chain(counted(events, "operations")).collect::<Vec<_>>().join(", ");
    }
    let counts: Vec<String> = faults.into_iter().chain(holds).chain(lists).chain(counted(events, "events")).collect();
    if counts.is_empty() { "nothing".to_string() } else { counts.join(", ") }
}

/// Formats a count: `3 queries`, `1 query`; or `batch: 3` for a name that does not look like a plural.
fn counted(count: usize, name: &str) -> Option<String> {
    match (count, singular(name)) {
        (0, _) => None,
        (_, None) => Some(format!("{name}: {count}")),
        (1, Some(one)) => Some(format!("1 {one}")),
        (_, Some(_)) => Some(format!("{count} {name}")),
    }
}

/// Returns the singular of an English plural; good enough for the names of parameters.
fn singular(name: &str) -> Option<String> {
    let stem = name.strip_suffix('s').filter(|stem| !stem.is_empty() && !stem.ends_with(['s', 'u', 'i', '_']))?;
    if let Some(stem) = stem.strip_suffix("ie").filter(|stem| stem.len() > 1) {
        return Some(format!("{stem}y"));
    }
    let sibilant = ["sse", "xe", "che", "she"].iter().any(|end| stem.ends_with(end));
    Some(if sibilant { &stem[..stem.len() - 1] } else { stem }.to_string())
}
