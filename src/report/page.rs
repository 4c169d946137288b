//! What a page holds.

/// How something is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Tone {
    /// Nothing special.
    #[default]
    Plain,
    /// Allowed, right, done.
    Good,
    /// Look at it.
    Warn,
    /// Not allowed, wrong.
    Bad,
}

/// A whole page.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// The title.
    pub title: String,
    /// What it is about: the archive, the time span, the policy set.
    pub lead: Vec<String>,
    /// The numbers that matter most.
    pub tiles: Vec<Tile>,
    /// The rest.
    pub sections: Vec<Section>,
}

/// One number.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tile {
    /// What it counts.
    pub label: String,
    /// The number, ready to read.
    pub value: String,
    /// How it is meant.
    pub tone: Tone,
}

/// A part of the page, under a heading.
#[derive(Debug, Clone, PartialEq)]
pub enum Section {
    /// Bars over time.
    Chart(Chart),
    /// A table that can be sorted.
    Table(Table),
    /// A few lines.
    Notes {
        /// The heading.
        title: String,
        /// The lines.
        lines: Vec<String>,
    },
}

/// Bars over time.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Chart {
    /// The heading.
    pub title: String,
    /// What the stacked parts of a bar are, bottom first, and how each is meant.
    pub parts: Vec<(String, Tone)>,
    /// The bars, oldest first.
    pub bars: Vec<Bar>,
}

/// One bar.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Bar {
    /// The day, or the week.
    pub label: String,
    /// The height of each part.
    pub values: Vec<u64>,
}

/// A table.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Table {
    /// The heading.
    pub title: String,
    /// What to know about it; `""`: nothing.
    pub note: String,
    /// Its columns.
    pub columns: Vec<Column>,
    /// Its rows.
    pub rows: Vec<Row>,
    /// What is said where it has no row.
    pub empty: String,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Column {
    /// Its heading.
    pub name: String,
    /// Whether it holds numbers.
    pub number: bool,
}

/// A row.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Row {
    /// One a column.
    pub cells: Vec<Cell>,
    /// What unfolds below it: name and text; empty: nothing does.
    pub details: Vec<(String, String)>,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Cell {
    /// What it shows.
    pub text: String,
    /// What it is sorted by, where that is not its text.
    pub sort: Option<f64>,
    /// How it is meant.
    pub tone: Tone,
}

impl Cell {
    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// Text that is meant in some way.
    pub fn toned(text: impl Into<String>, tone: Tone) -> Self {
        Self { text: text.into(), tone, ..Self::default() }
    }

    /// Text that is sorted by a number: a time, a share.
    pub fn sorted(text: impl Into<String>, sort: f64) -> Self {
        Self { text: text.into(), sort: Some(sort), ..Self::default() }
    }
}

impl Column {
    /// A column of text.
    pub fn text(name: &str) -> Self {
        Self { name: name.to_owned(), number: false }
    }

    /// A column of numbers.
    pub fn number(name: &str) -> Self {
        Self { name: name.to_owned(), number: true }
    }
}
