//! Stacked bars, as a drawing that scales with the page, and as a table for who cannot see it.

use super::escape::{Escaped, class};
use super::html::section;
use super::{Bar, Chart};
use std::io::{self, Write};

/// The drawing's own units; it is stretched to the width there is.
const WIDTH: f64 = 1000.0;
const HEIGHT: f64 = 200.0;
/// A lone bar is not drawn over the whole width.
const WIDEST: f64 = 60.0;

impl Chart {
    pub(super) fn write_html(&self, out: &mut impl Write, number: usize) -> io::Result<()> {
        section(out, number, "chart", &self.title)?;
        if self.bars.is_empty() {
            return writeln!(out, "<p class=\"empty\">Nothing to show.</p>\n</section>");
        }
        self.legend(out)?;
        let top = nice(self.bars.iter().map(total).max().unwrap_or(0));
        writeln!(out, "<div class=\"plot\">\n<div class=\"scale\" aria-hidden=\"true\">")?;
        // Half of an odd number is no number of findings.
        let middle = if top.is_multiple_of(2) { (top / 2).to_string() } else { String::new() };
        writeln!(out, "<span>{top}</span><span>{middle}</span><span>0</span>\n</div>")?;
        self.drawing(out, number, top)?;
        writeln!(out, "<div class=\"axis\" aria-hidden=\"true\">")?;
        for label in self.ends() {
            writeln!(out, "<span>{}</span>", Escaped(label))?;
        }
        writeln!(out, "</div>\n</div>")?;
        self.values(out)?;
        writeln!(out, "</section>")
    }

    fn legend(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "<ul class=\"legend\">")?;
        // As they stand in the bar: the topmost first.
        for (name, tone) in self.parts.iter().rev() {
            writeln!(out, "<li><span class=\"swatch {}\"></span>{}</li>", class(*tone), Escaped(name))?;
        }
        writeln!(out, "</ul>")
    }

    fn drawing(&self, out: &mut impl Write, number: usize, top: u64) -> io::Result<()> {
        writeln!(
            out,
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" \
             aria-labelledby=\"c{number}t c{number}d\">"
        )?;
        writeln!(out, "<title id=\"c{number}t\">{}</title>", Escaped(&self.title))?;
        writeln!(out, "<desc id=\"c{number}d\">{}</desc>", Escaped(&self.described()))?;
        for line in [0.0, HEIGHT / 2.0, HEIGHT] {
            writeln!(out, "<line class=\"grid\" x1=\"0\" x2=\"{WIDTH}\" y1=\"{line}\" y2=\"{line}\"/>")?;
        }
        let slot = WIDTH / number_of(self.bars.len() as u64);
        let width = (slot * 0.8).min(WIDEST);
        for (at, bar) in self.bars.iter().enumerate() {
            let x = slot * number_of(at as u64) + (slot - width) / 2.0;
            writeln!(out, "<g><title>{}</title>", Escaped(&self.told(bar)))?;
            let left = slot * number_of(at as u64);
            writeln!(out, "<rect class=\"slot\" x=\"{left:.2}\" y=\"0\" width=\"{slot:.2}\" height=\"{HEIGHT}\"/>")?;
            let mut base = HEIGHT;
            for ((_, tone), value) in self.parts.iter().zip(&bar.values).filter(|(_, value)| **value > 0) {
                // One of thousands is still to be seen.
                let height = (HEIGHT * number_of(*value) / number_of(top)).max(1.5);
                base -= height;
                let tone = class(*tone);
                writeln!(
                    out,
                    "<rect class=\"{tone}\" x=\"{x:.2}\" y=\"{base:.2}\" width=\"{width:.2}\" height=\"{height:.2}\"/>"
                )?;
            }
            writeln!(out, "</g>")?;
        }
        writeln!(out, "</svg>")
    }

    /// What stands below the first bar, the middle one and the last.
    fn ends(&self) -> Vec<&str> {
        let last = self.bars.len().saturating_sub(1);
        let mut places = vec![0, last / 2, last];
        places.dedup();
        if last == 1 {
            places = vec![0, 1];
        }
        places.iter().filter_map(|at| self.bars.get(*at)).map(|bar| bar.label.as_str()).collect()
    }

    fn described(&self) -> String {
        let sums: Vec<String> = self
            .parts
            .iter()
            .enumerate()
            .map(|(part, (name, _))| {
                let values = self.bars.iter().filter_map(|bar| bar.values.get(part));
                let sum = values.fold(0_u64, |sum, value| sum.saturating_add(*value));
                format!("{sum} {name}")
            })
            .collect();
        let ends = self.ends();
        let (first, last) = (ends.first().unwrap_or(&""), ends.last().unwrap_or(&""));
        format!(
            "{} bars from {first} to {last}; {} in all. The values follow as a table.",
            self.bars.len(),
            sums.join(", ")
        )
    }

    fn told(&self, bar: &Bar) -> String {
        let parts = self.parts.iter().zip(&bar.values).map(|((name, _), value)| format!("{value} {name}"));
        format!("{}: {}", bar.label, parts.collect::<Vec<_>>().join(", "))
    }

    fn values(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(
            out,
            "<details class=\"values\"><summary>The values as a table</summary>\n<div class=\"scroll\"><table>"
        )?;
        write!(out, "<thead><tr><th scope=\"col\">When</th>")?;
        for (name, _) in &self.parts {
            write!(out, "<th scope=\"col\" class=\"number\">{}</th>", Escaped(name))?;
        }
        writeln!(out, "</tr></thead>\n<tbody>")?;
        for bar in &self.bars {
            write!(out, "<tr><th scope=\"row\">{}</th>", Escaped(&bar.label))?;
            for value in &bar.values {
                write!(out, "<td class=\"number\">{value}</td>")?;
            }
            writeln!(out, "</tr>")?;
        }
        writeln!(out, "</tbody></table></div></details>")
    }
}

fn total(bar: &Bar) -> u64 {
    bar.values.iter().fold(0, |sum, value| sum.saturating_add(*value))
}

/// The next of 1, 2, 4, 5, 10, 20, 40, 50, …, so that the scale's middle can be read.
fn nice(most: u64) -> u64 {
    let mut unit = 1_u64;
    loop {
        for step in [1, 2, 4, 5] {
            match unit.checked_mul(step) {
                Some(top) if top < most.max(1) => {}
                Some(top) => return top,
                None => return u64::MAX,
            }
        }
        unit = unit.saturating_mul(10);
    }
}

#[allow(clippy::cast_precision_loss, reason = "a drawing is not exact")]
fn number_of(count: u64) -> f64 {
    count as f64
}
