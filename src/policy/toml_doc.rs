//! TOML read with positions, so that every problem of a file can be told at once, each at its place.

use super::files::Notes;
use super::suggest;
use jiff::civil::Date;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A text and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    pub(super) value: String,
    pub(super) at: usize,
}

/// Parses a document. Syntax errors are noted, all of them, and then nothing is returned: what is left of a broken
/// document would only be told as mistakes that nobody made.
pub(super) fn parse<'i>(notes: &mut Notes<'i>) -> Option<DeTable<'i>> {
    let (table, errors) = DeTable::parse_recoverable(notes.text());
    let sound = errors.is_empty();
    for error in errors {
        let at = error.span().map_or(0, |span| span.start);
        let message = error.message().trim().replace('\n', ", ");
        notes.error(at, format!("this is not TOML: {message}"), "");
    }
    sound.then(|| table.into_inner())
}

/// One table, with the words to speak of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row<'t> {
    table: &'t DeTable<'t>,
    /// Where the table starts.
    pub(super) at: usize,
}

impl<'t> Row<'t> {
    pub(super) fn new(table: &'t DeTable<'t>, at: usize) -> Self {
        Self { table, at }
    }

    /// The table behind a value.
    pub(super) fn of(value: &'t Spanned<DeValue<'t>>, what: &str, notes: &mut Notes<'_>) -> Option<Self> {
        let at = value.span().start;
        if let DeValue::Table(table) = value.get_ref() {
            return Some(Self { table, at });
        }
        let kind = value.get_ref().type_str();
        notes.error(at, format!("{what} must be a table, not {}", article(kind)), "");
        None
    }

    /// Notes every key that is none of `known`.
    pub(super) fn allow_only(&self, known: &[&str], notes: &mut Notes<'_>) {
        for key in self.table.keys() {
            if !known.contains(&key.get_ref().as_ref()) {
                let suggestion = suggest::instead_of(key.get_ref(), known.iter().copied());
                notes.error(key.span().start, format!("unknown key `{}`", key.get_ref()), suggestion);
            }
        }
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    pub(super) fn get(&self, key: &str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.table.get(key)
    }

    /// All keys with their values, in the order of the file.
    pub(super) fn entries(&self) -> Vec<(Text, &'t Spanned<DeValue<'t>>)> {
        let text =
            |key: &Spanned<std::borrow::Cow<'_, str>>| Text { value: key.get_ref().to_string(), at: key.span().start };
        let mut entries: Vec<_> = self.table.iter().map(|(key, value)| (text(key), value)).collect();
        entries.sort_by_key(|(key, _)| key.at);
        entries
    }

    /// A string that is not empty.
    pub(super) fn text(&self, key: &str, notes: &mut Notes<'_>) -> Option<Text> {
        let value = self.get(key)?;
        let at = value.span().start;
        let Some(text) = value.get_ref().as_str() else {
            let kind = article(value.get_ref().type_str());
            notes.error(at, format!("`{key}` must be a string, not {kind}"), format!("write {key} = \"…\""));
            return None;
        };
        let text = Text { value: text.to_owned(), at };
        filled(text, &format!("`{key}`"), notes)
    }

    /// A string that may be empty.
    pub(super) fn maybe(&self, key: &str, notes: &mut Notes<'_>) -> Option<String> {
        match self.get(key)?.get_ref().as_str() {
            Some("") => Some(String::new()),
            _ => self.text(key, notes).map(|text| text.value),
        }
    }

    /// A string that is not empty and may not be left out.
    pub(super) fn required_text(&self, key: &str, what: &str, notes: &mut Notes<'_>) -> Option<Text> {
        if !self.has(key) {
            notes.error(self.at, format!("{what} has no `{key}`"), format!("add {key} = \"…\""));
        }
        self.text(key, notes)
    }

    /// A list of strings, none of them empty, at least one.
    pub(super) fn texts(&self, key: &str, notes: &mut Notes<'_>) -> Option<Vec<Text>> {
        let value = self.get(key)?;
        let at = value.span().start;
        let Some(list) = value.get_ref().as_array() else {
            let (kind, suggestion) = match value.get_ref().as_str() {
                Some(text) => ("a string".to_owned(), format!("write {key} = [\"{text}\"]")),
                None => (article(value.get_ref().type_str()), format!("write {key} = [\"…\"]")),
            };
            notes.error(at, format!("`{key}` must be a list of strings, not {kind}"), suggestion);
            return None;
        };
        if list.is_empty() {
            notes.error(at, format!("`{key}` is an empty list, which nothing can match"), "leave it out for any value");
        }
        let mut texts = Vec::new();
        for item in &**list {
            let at = item.span().start;
            let Some(text) = item.get_ref().as_str() else {
                let kind = article(item.get_ref().type_str());
                notes.error(at, format!("`{key}` must hold strings, not {kind}"), "");
                continue;
            };
            let text = Text { value: text.to_owned(), at };
            texts.extend(filled(text, &format!("an item of `{key}`"), notes));
        }
        Some(texts)
    }

    /// `true`; saying `false` would read as "without", which no key can ask for.
    pub(super) fn flag(&self, key: &str, notes: &mut Notes<'_>) -> bool {
        let Some(value) = self.get(key) else { return false };
        let flag = value.get_ref().as_bool();
        if flag != Some(true) {
            notes.error(value.span().start, format!("`{key}` can only be true"), "leave it out for any value");
        }
        flag == Some(true)
    }

    /// `true` or `false`.
    pub(super) fn boolean(&self, key: &str, notes: &mut Notes<'_>) -> Option<bool> {
        let value = self.get(key)?;
        let read = value.get_ref().as_bool();
        if read.is_none() {
            notes.error(value.span().start, format!("`{key}` must be true or false"), "");
        }
        read
    }

    /// A whole number from 0.
    pub(super) fn count(&self, key: &str, notes: &mut Notes<'_>) -> Option<u32> {
        let value = self.get(key)?;
        let digits = value.get_ref().as_integer().filter(|integer| integer.radix() == 10);
        let read = digits.and_then(|integer| integer.as_str().parse().ok());
        if read.is_none() {
            notes.error(value.span().start, format!("`{key}` must be a whole number from 0"), "");
        }
        read
    }

    /// A date, without quotes and without a time.
    pub(super) fn required_date(&self, key: &str, what: &str, notes: &mut Notes<'_>) -> Option<(Date, usize)> {
        let suggestion = format!("write {key} = 2027-06-30, without quotes");
        let Some(value) = self.get(key) else {
            notes.error(self.at, format!("{what} has no `{key}`"), suggestion);
            return None;
        };
        let at = value.span().start;
        let read = value.get_ref().as_datetime().filter(|read| read.time.is_none());
        let date = read.and_then(|read| read.date).and_then(|date| {
            let (year, month, day) =
                (i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?);
            Date::new(year, month, day).ok()
        });
        if date.is_none() {
            notes.error(at, format!("`{key}` must be a date"), suggestion);
        }
        Some((date?, at))
    }
}

fn filled(text: Text, what: &str, notes: &mut Notes<'_>) -> Option<Text> {
    if text.value.trim().is_empty() {
        notes.error(text.at, format!("{what} is empty"), "");
        return None;
    }
    Some(text)
}

fn article(kind: &str) -> String {
    match kind {
        "array" => "a list".to_owned(),
        kind if kind.starts_with(['a', 'e', 'i', 'o', 'u']) => format!("an {kind}"),
        kind => format!("a {kind}"),
    }
}
