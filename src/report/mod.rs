//! Pages for people: a self-contained HTML file, made of plain values. Everything that is shown may come from an
//! attacker, and is escaped.

mod page;

pub use page::{Bar, Cell, Chart, Column, Page, Row, Section, Table, Tile, Tone};
