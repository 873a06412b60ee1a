//! The lines on which the components of an iCalendar file begin and end: the parser does not report them, and does not
//! detect a truncated file.

/// The positions of a file's components, in the order in which they begin.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outline {
    /// First and last line of each component.
    components: Vec<(usize, usize)>,
}

/// A line where the structure is broken, and how.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: usize,
    pub(super) what: String,
}

impl Outline {
    /// Parses the structure.
    ///
    /// # Errors
    /// The first line where an END does not match, or the BEGIN without an END.
    pub(super) fn read(text: &str) -> Result<Self, Broken> {
        let mut outline = Outline::default();
        let mut open: Vec<(usize, String)> = Vec::new();
        for (index, content) in text.lines().enumerate() {
            let line = index + 1;
            // Some programs write a byte order mark.
            let content = content.trim_start_matches('\u{feff}');
            if let Some(name) = value_of("BEGIN", content) {
                open.push((outline.components.len(), name));
                outline.components.push((line, line));
            } else if let Some(name) = value_of("END", content) {
                match open.pop() {
                    Some((component, begun)) if begun == name => outline.components[component].1 = line,
                    Some((_, begun)) => return Err(broken(line, format!("END:{name} where END:{begun} is due"))),
                    None => return Err(broken(line, format!("END:{name} without its BEGIN"))),
                }
            }
        }
        match open.pop() {
            Some((component, name)) => Err(broken(
                outline.components[component].0,
                format!("BEGIN:{name} is never ended: is the file cut off?"),
            )),
            None if outline.components.is_empty() => Err(broken(1, "no BEGIN:VCALENDAR in the file".to_owned())),
            None => Ok(outline),
        }
    }

    /// Returns the line on which the n-th component of the file begins.
    pub(super) fn line(&self, component: usize) -> usize {
        self.components.get(component).map_or(1, |(first, _)| *first)
    }

    /// Returns the line of a property of the n-th component, or the component's first line if there is none.
    pub(super) fn line_of(&self, text: &str, component: usize, property: &str) -> usize {
        let Some(&(first, last)) = self.components.get(component) else { return 1 };
        let inner: Vec<_> = self.components.iter().filter(|(begin, end)| *begin > first && *end < last).collect();
        let found = text.lines().enumerate().take(last).skip(first).find(|(index, content)| {
            let line = index + 1;
            name_of(content).eq_ignore_ascii_case(property)
                && !inner.iter().any(|(begin, end)| (*begin..=*end).contains(&line))
        });
        found.map_or(first, |(index, _)| index + 1)
    }
}

fn broken(line: usize, what: String) -> Broken {
    Broken { line, what }
}

/// Returns the name before the first `:` or `;`.
fn name_of(content: &str) -> &str {
    content.split([':', ';']).next().unwrap_or_default()
}

fn value_of(property: &str, content: &str) -> Option<String> {
    let (name, value) = content.split_once(':')?;
    name.eq_ignore_ascii_case(property).then(|| value.trim().to_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    const NESTED: &str = "BEGIN:VCALENDAR\nBEGIN:VEVENT\nBEGIN:VALARM\nDURATION:PT1H\nEND:VALARM\nDURATION:PT2H\n\
                          END:VEVENT\nEND:VCALENDAR\n";

    fn check(text: &str, line: usize, what: &str) {
        assert_eq!(Outline::read(text), Err(broken(line, what.to_owned())));
    }

    #[test]
    fn a_property_is_found_in_its_own_component() {
        let outline = Outline::read(NESTED).expect("well formed");
        assert_eq!(outline.line(2), 3);
        assert_eq!(outline.line_of(NESTED, 1, "DURATION"), 6);
        assert_eq!(outline.line_of(NESTED, 2, "duration"), 4);
        assert_eq!(outline.line_of(NESTED, 1, "RRULE"), 2);
    }

    #[test]
    fn a_broken_structure_is_named_with_its_line() {
        check("", 1, "no BEGIN:VCALENDAR in the file");
        check("BEGIN:VCALENDAR\nBEGIN:VEVENT\n", 2, "BEGIN:VEVENT is never ended: is the file cut off?");
        check("BEGIN:VCALENDAR\nEND:VEVENT\n", 2, "END:VEVENT where END:VCALENDAR is due");
        check("END:VCALENDAR\n", 1, "END:VCALENDAR without its BEGIN");
    }
}
