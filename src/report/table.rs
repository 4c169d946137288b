//! Tables: each row is a body of its own, so that what unfolds below it moves with it when the table is sorted.

use super::escape::{Escaped, class};
use super::html::section;
use super::{Cell, Column, Row, Table, Tone};
use std::io::{self, Write};

/// A table with more columns than these becomes a list of cards on a phone.
const NARROW: usize = 3;

impl Table {
    pub(super) fn write_html(&self, out: &mut impl Write, number: usize) -> io::Result<()> {
        section(out, number, "table", &self.title)?;
        if !self.note.is_empty() {
            writeln!(out, "<p class=\"note\">{}</p>", Escaped(&self.note))?;
        }
        if self.rows.is_empty() {
            let empty = if self.empty.is_empty() { "None." } else { &self.empty };
            return writeln!(out, "<p class=\"empty\">{}</p>\n</section>", Escaped(empty));
        }
        let wide = if self.columns.len() > NARROW { " class=\"wide\"" } else { "" };
        writeln!(out, "<div class=\"scroll\" role=\"region\" aria-labelledby=\"s{number}\" tabindex=\"0\">")?;
        // The roles are said again, since a table that is laid out as cards loses them in some browsers.
        writeln!(out, "<table{wide} role=\"table\" aria-labelledby=\"s{number}\">")?;
        write!(out, "<thead role=\"rowgroup\"><tr role=\"row\">")?;
        for column in &self.columns {
            let (class, name) = (number_class(column), Escaped(&column.name));
            write!(out, "<th scope=\"col\" role=\"columnheader\"{class}>{name}</th>")?;
        }
        writeln!(out, "</tr></thead>")?;
        for row in &self.rows {
            self.row(out, row)?;
        }
        writeln!(out, "</table>\n</div>\n</section>")
    }

    fn row(&self, out: &mut impl Write, row: &Row) -> io::Result<()> {
        write!(out, "<tbody role=\"rowgroup\"><tr role=\"row\">")?;
        let none = Cell::default();
        for (at, column) in self.columns.iter().enumerate() {
            cell(out, column, row.cells.get(at).unwrap_or(&none))?;
        }
        write!(out, "</tr>")?;
        if !row.details.is_empty() {
            let columns = self.columns.len();
            write!(out, "<tr role=\"row\" class=\"more\"><td role=\"cell\" colspan=\"{columns}\">")?;
            write!(out, "<details><summary>Details</summary><dl>")?;
            for (name, text) in &row.details {
                if !name.is_empty() {
                    write!(out, "<dt>{}</dt>", Escaped(name))?;
                }
                write!(out, "<dd>{}</dd>", Escaped(text))?;
            }
            write!(out, "</dl></details></td></tr>")?;
        }
        writeln!(out, "</tbody>")
    }
}

fn cell(out: &mut impl Write, column: &Column, cell: &Cell) -> io::Result<()> {
    write!(out, "<td role=\"cell\"{} data-label=\"{}\"", number_class(column), Escaped(&column.name))?;
    if let Some(sort) = cell.sort.filter(|sort| sort.is_finite()) {
        write!(out, " data-sort=\"{sort}\"")?;
    }
    let tone = if cell.tone == Tone::Plain { String::new() } else { format!(" tone {}", class(cell.tone)) };
    write!(out, "><span class=\"v{tone}\">{}</span></td>", Escaped(&cell.text))
}

fn number_class(column: &Column) -> &'static str {
    if column.number { " class=\"number\"" } else { "" }
}
