//! Pages for people: a self-contained HTML file, made of plain values. Everything that is shown may come from an
//! attacker, and is escaped.
//!
//! A [`Page`] is filled by whoever has something to tell and written by [`Page::write_html`]: one file that fetches
//! nothing, runs no script but its own (which sorts and filters, and without which everything can still be read), and
//! looks right in light and dark, on a phone and on paper.

mod chart;
mod escape;
mod html;
mod page;
mod table;

pub use page::{Bar, Cell, Chart, Column, Page, Row, Section, Table, Tile, Tone};

#[cfg(test)]
mod tests;
