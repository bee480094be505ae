//! A chart: panels with a line for each entrant, a dot for the median on a logarithmic axis, whiskers
//! for the quartiles, and the figures beside it in writing.

use std::path::Path;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::field::Entrant;
use crate::units;
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

pub(crate) fn draw(path: &Path, field: &[&Entrant], panels: &[Panel]) -> Outcome<()> {
    let columns = panels.len().min(2);
    let rows = panels.len().div_ceil(columns);
    let height = AROUND + ROW_HEIGHT * lines(field).len() as u32;
    let root = SVGBackend::new(path, (PANEL_WIDTH * columns as u32, height * rows as u32))
        .into_drawing_area();
    root.fill(&WHITE)?;
    for (panel, area) in panels.iter().zip(root.split_evenly((rows, columns))) {
        draw_panel(&area, field, panel)?;
    }
    root.present()?;
    Ok(())
}

/// From top to bottom; `None` is the heading between those for several threads and those for one.
fn lines(field: &[&Entrant]) -> Vec<Option<usize>> {
    let threaded = field.iter().take_while(|entrant| entrant.thread_safe).count();
    let mut lines: Vec<_> = (0..field.len()).map(Some).collect();
    if threaded < field.len() {
        lines.insert(threaded, None);
    }
    lines
}

fn draw_panel(
    area: &DrawingArea<SVGBackend<'_>, Shift>,
    field: &[&Entrant],
    panel: &Panel,
) -> Outcome<()> {
    let lines = lines(field);
    let measured = || panel.cells.iter().flatten();
    let low = measured().map(|cell| cell.low).fold(f64::INFINITY, f64::min) / 1.5;
    let high = measured().map(|cell| cell.high).fold(0.0, f64::max);
    // Room for the writing beside the farthest dot.
    let high = high * (high / low).powf(0.6);

    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, ("sans-serif", 17).into_font().color(&INK))
        .margin(12)
        .margin_right(36)
        .x_label_area_size(44)
        .y_label_area_size(NAMES)
        .build_cartesian_2d((low..high).log_scale(), 0.0..lines.len() as f64)?;
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
        let entrant = field[index];
        let name = EmptyElement::at((low, y)) + Text::new(entrant.label(), (-8, 0), &name_style);
        chart.plotting_area().draw(&name)?;
        let Some(cell) = &panel.cells[index] else {
            let note = Text::new("not measured", (8, 0), &figure_style);
            chart.plotting_area().draw(&(EmptyElement::at((low, y)) + note))?;
            continue;
        };
        let colour = colour(entrant);
        let whisker = PathElement::new([(cell.low, y), (cell.high, y)], colour.stroke_width(3));
        chart.plotting_area().draw(&whisker)?;
        chart.plotting_area().draw(&Circle::new((cell.median, y), 5, colour.filled()))?;
        let figures = format!("{} · {}", panel.unit.show(cell.median), units::ratio(cell.ratio));
        let figures = EmptyElement::at((cell.high, y)) + Text::new(figures, (9, 0), &figure_style);
        chart.plotting_area().draw(&figures)?;
    }
    Ok(())
}

fn colour(entrant: &Entrant) -> RGBColor {
    match entrant.name {
        name if name.starts_with("hand-written") => HAND,
        name if name.starts_with("sigwire") => OURS,
        _ => PEER,
    }
}
