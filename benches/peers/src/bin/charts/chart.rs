//! A chart: panels with a line for each row, a dot for the median, whiskers for the quartiles, and
//! the figures beside it as text. Times and bytes, which differ a hundredfold, have a logarithmic
//! axis; the axis of multiples begins at zero.

use std::path::Path;

use plotters::chart::ChartContext;
use plotters::coord::Shift;
use plotters::coord::ranged1d::ValueFormatter;
use plotters::coord::types::RangedCoordf64;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::field::{Row, Whose};
use crate::units::Unit;
use crate::{Outcome, Panel};

const PANEL_WIDTH: u32 = 590;
const ROW_HEIGHT: u32 = 26;
const AROUND: u32 = 110;
const NAMES: u32 = 200;

const INK: RGBColor = RGBColor(40, 40, 40);
const GRID: RGBColor = RGBColor(225, 225, 225);
const HAND: RGBColor = RGBColor(120, 120, 120);
const OURS: RGBColor = RGBColor(200, 70, 20);
const PEER: RGBColor = RGBColor(40, 95, 160);

pub(crate) fn draw(path: &Path, rows: &[Row], panels: &[Panel]) -> Outcome<()> {
    let columns = panels.len().min(2);
    let storeys = panels.len().div_ceil(columns);
    let height = AROUND + ROW_HEIGHT * lines(rows).len() as u32;
    let root = SVGBackend::new(path, (PANEL_WIDTH * columns as u32, height * storeys as u32))
        .into_drawing_area();
    root.fill(&WHITE)?;
    for (panel, area) in panels.iter().zip(root.split_evenly((storeys, columns))) {
        draw_panel(&area, rows, panel)?;
    }
    root.present()?;
    Ok(())
}

/// From top to bottom; `None` is the heading between those for several threads and those for one.
fn lines(rows: &[Row]) -> Vec<Option<usize>> {
    let threaded = rows.iter().take_while(|row| row.thread_safe).count();
    let mut lines: Vec<_> = (0..rows.len()).map(Some).collect();
    if threaded < rows.len() {
        lines.insert(threaded, None);
    }
    lines
}

fn draw_panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    rows: &[Row],
    panel: &Panel,
) -> Outcome<()> {
    let height = 0.0..lines(rows).len() as f64;
    let measured = || panel.cells.iter().flatten();
    let budgets = measured().filter_map(|cell| cell.budget);
    let high = measured().map(|cell| cell.high).chain(budgets).fold(0.0, f64::max);
    let mut chart = ChartBuilder::on(area);
    chart
        .caption(&panel.title, ("sans-serif", 17).into_font().color(&INK))
        .margin(12)
        .margin_right(36)
        .x_label_area_size(44)
        .y_label_area_size(NAMES);
    // Leaves room for the text beside the farthest dot.
    if panel.unit == Unit::Multiples {
        let chart = chart.build_cartesian_2d(0.0..high * 1.5, height)?;
        return fill(chart, 0.0, rows, panel);
    }
    let low = measured().map(|cell| cell.low).fold(f64::INFINITY, f64::min) / 1.5;
    let high = high * (high / low).powf(0.6);
    let chart = chart.build_cartesian_2d((low..high).log_scale(), height)?;
    fill(chart, low, rows, panel)
}

/// `low` is where its axis begins.
fn fill<X>(
    mut chart: ChartContext<'_, SVGBackend<'_>, Cartesian2d<X, RangedCoordf64>>,
    low: f64,
    rows: &[Row],
    panel: &Panel,
) -> Outcome<()>
where
    X: Ranged<ValueType = f64> + ValueFormatter<f64>,
{
    let lines = lines(rows);
    chart
        .configure_mesh()
        .disable_y_mesh()
        .disable_y_axis()
        .light_line_style(WHITE)
        .bold_line_style(GRID)
        .axis_style(INK)
        .label_style(("sans-serif", 12).into_font().color(&INK))
        .x_desc(panel.unit.axis())
        .x_labels(6)
        .x_label_formatter(&|value| panel.unit.tick(*value))
        .draw()?;

    if panel.unit == Unit::Multiples {
        let even = PathElement::new([(1.0, 0.0), (1.0, lines.len() as f64)], HAND.stroke_width(1));
        chart.plotting_area().draw(&even)?;
    }

    let plain = TextStyle::from(("sans-serif", 13).into_font()).color(&INK);
    let name_style = plain.pos(Pos::new(HPos::Right, VPos::Center));
    let heading_style = name_style.color(&HAND);
    let figure_style = plain.pos(Pos::new(HPos::Left, VPos::Center));
    for (line, index) in lines.iter().enumerate() {
        let y = lines.len() as f64 - line as f64 - 0.5;
        let Some(index) = *index else {
            let note = Text::new("one thread at a time:", (-8, 0), &heading_style);
            chart.plotting_area().draw(&(EmptyElement::at((low, y)) + note))?;
            continue;
        };
        let row = &rows[index];
        let name = EmptyElement::at((low, y)) + Text::new(row.label.clone(), (-8, 0), &name_style);
        chart.plotting_area().draw(&name)?;
        let Some(cell) = &panel.cells[index] else {
            let note = Text::new("not measured", (8, 0), &figure_style);
            chart.plotting_area().draw(&(EmptyElement::at((low, y)) + note))?;
            continue;
        };
        let colour = colour(row.whose);
        if let Some(budget) = cell.budget {
            let bar = [(budget, y - 0.35), (budget, y + 0.35)];
            chart.plotting_area().draw(&PathElement::new(bar, INK.stroke_width(2)))?;
        }
        let whisker = PathElement::new([(cell.low, y), (cell.high, y)], colour.stroke_width(3));
        chart.plotting_area().draw(&whisker)?;
        chart.plotting_area().draw(&Circle::new((cell.median, y), 5, colour.filled()))?;
        let right = cell.budget.map_or(cell.high, |budget| budget.max(cell.high));
        let figures =
            EmptyElement::at((right, y)) + Text::new(cell.beside.clone(), (9, 0), &figure_style);
        chart.plotting_area().draw(&figures)?;
    }
    Ok(())
}

fn colour(whose: Whose) -> RGBColor {
    match whose {
        Whose::ByHand => HAND,
        Whose::Ours => OURS,
        Whose::Peer => PEER,
    }
}
